#ifndef DAVIT_TESTS_SIM_HOST_WORLD_H_
#define DAVIT_TESTS_SIM_HOST_WORLD_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/network/network.h"
#include "agent/resource/task_cgroups.h"
#include "agent/runtime/fake_runtime.h"
#include "agent/store/memory_store.h"
#include "tests/sim/interference.h"
#include "tests/sim/witness.h"

namespace davit::sim {

// What stands between one agent process and its host: each call may fail, lose its answer, or be
// the agent's last; a dead agent's calls change nothing. Single-threaded; all pointers are
// borrowed.

class AgentRuntime final : public runtime::Runtime {
 public:
  AgentRuntime(runtime::FakeRuntime* real, Interference* interference, Witness* witness, Bug bug)
      : real_(real), interference_(interference), witness_(witness), bug_(bug) {}

  absl::Status CreateLease(const std::string& lease,
                           const std::map<std::string, std::string>& labels) override {
    return interference_->Around([&] { return real_->CreateLease(lease, labels); });
  }
  absl::Status RemoveLease(const std::string& lease) override {
    if (bug_ == Bug::kLeaseStays) return absl::OkStatus();
    return interference_->Around([&] { return real_->RemoveLease(lease); });
  }
  absl::StatusOr<std::vector<std::string>> ListLeases() override {
    return interference_->Around([&] { return real_->ListLeases(); });
  }
  absl::StatusOr<runtime::Rootfs> PrepareRootfs(const std::string& container_id,
                                                const std::string& lease,
                                                const std::string& chain_id) override {
    return interference_->Around(
        [&] { return real_->PrepareRootfs(container_id, lease, chain_id); });
  }
  absl::Status Create(const runtime::ContainerSpec& spec) override {
    return interference_->Around([&] { return real_->Create(spec); });
  }
  absl::StatusOr<int> Start(const std::string& container_id) override;
  absl::Status Signal(const std::string& container_id, int signal_number, bool all) override {
    return interference_->Around([&] {
      TellOfSignal(container_id);
      return real_->Signal(container_id, signal_number, all);
    });
  }
  absl::StatusOr<runtime::ContainerInfo> Inspect(const std::string& container_id) override {
    return interference_->Around([&] { return real_->Inspect(container_id); });
  }
  absl::Status Reset(const std::string& container_id) override {
    return interference_->Around([&] { return real_->Reset(container_id); });
  }
  absl::StatusOr<runtime::ExecResult> Exec(const runtime::ExecSpec& spec) override;
  absl::Status Remove(const std::string& container_id) override {
    return interference_->Around([&] {
      TellOfSignal(container_id);
      return real_->Remove(container_id);
    });
  }
  absl::StatusOr<std::vector<runtime::ContainerInfo>> List() override;
  void Watch(std::function<void(const runtime::RuntimeEvent&)> sink) override {
    if (!interference_->is_dead) real_->Watch(std::move(sink));
  }
  absl::StatusOr<std::string> Version() override { return real_->Version(); }

 private:
  void TellOfSignal(const std::string& container_id) {
    if (witness_->IsLive(container_id)) witness_->OnSignal(container_id);
  }

  runtime::FakeRuntime* const real_;
  Interference* const interference_;
  Witness* const witness_;
  const Bug bug_;
};

// No process of a container is in the fake's cgroups: `kill` ends what is in a container's.
class AgentCgroups final : public resource::TaskCgroups {
 public:
  AgentCgroups(resource::TaskCgroups* real, Interference* interference,
               std::function<void(const std::string& path)> kill)
      : real_(real), interference_(interference), kill_(std::move(kill)) {}

  std::string TaskPath(const std::string& task_id) const override {
    return real_->TaskPath(task_id);
  }
  std::string ContainerPath(const std::string& task_id,
                            const std::string& container) const override {
    return real_->ContainerPath(task_id, container);
  }
  absl::Status Create(const std::string& task_id, const resource::CgroupLimits& limits) override {
    return interference_->Around([&] { return real_->Create(task_id, limits); });
  }
  // Reading a kernel file does not fail by chance.
  absl::StatusOr<resource::CgroupUsage> Read(const std::string& path) const override {
    return real_->Read(path);
  }
  absl::StatusOr<std::vector<int>> Processes(const std::string& path) const override {
    return real_->Processes(path);
  }
  absl::Status Signal(const std::string& path, int signal_number) override {
    if (!interference_->is_dead) kill_(path);
    return real_->Signal(path, signal_number);
  }
  absl::Status Remove(const std::string& task_id, absl::Duration timeout) override {
    return interference_->Around([&] { return real_->Remove(task_id, timeout); });
  }
  absl::StatusOr<std::vector<std::string>> List() const override { return real_->List(); }

 private:
  resource::TaskCgroups* const real_;
  Interference* const interference_;
  const std::function<void(const std::string&)> kill_;
};

class AgentNetwork final : public network::Network {
 public:
  AgentNetwork(network::Network* real, Interference* interference)
      : real_(real), interference_(interference) {}

  absl::StatusOr<network::Attachment> Attach(
      const std::string& container_id, network::NetworkMode mode,
      const std::vector<network::PortRequest>& ports) override {
    return interference_->Around([&] { return real_->Attach(container_id, mode, ports); });
  }
  absl::Status Detach(const std::string& container_id) override {
    return interference_->Around([&] { return real_->Detach(container_id); });
  }
  absl::StatusOr<std::vector<std::string>> List() const override { return real_->List(); }

 private:
  network::Network* const real_;
  Interference* const interference_;
};

// One process's use of the disk: what it saves waits in memory until Sync(), and dies with it.
class AgentStore final : public store::Store {
 public:
  AgentStore(store::MemoryStore* disk, Interference* interference, Bug bug)
      : disk_(disk), interference_(interference), bug_(bug) {
    disk_->Hold(true);
  }

  absl::StatusOr<store::StoredState> Load() override { return disk_->Load(); }
  void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) override;
  void RemoveTask(const std::string& task_id) override;
  void SaveRegistration(v1::RegistrationRecord record) override;
  absl::Status Health() const override { return absl::OkStatus(); }

  bool is_waiting() const { return waiting_ > 0; }
  // All that waits becomes durable: one group commit.
  void Sync();

 private:
  store::MemoryStore* const disk_;
  Interference* const interference_;
  const Bug bug_;
  int waiting_ = 0;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_HOST_WORLD_H_
