#ifndef DAVIT_AGENT_RUNTIME_CONTAINERD_RUNTIME_H_
#define DAVIT_AGENT_RUNTIME_CONTAINERD_RUNTIME_H_

#include <memory>
#include <string>

#include "agent/containerd/client.h"
#include "agent/containerd/containers.h"
#include "agent/containerd/events.h"
#include "agent/containerd/leases.h"
#include "agent/containerd/snapshots.h"
#include "agent/containerd/tasks.h"
#include "agent/runtime/containerd_exec.h"
#include "agent/runtime/containerd_removal.h"
#include "agent/runtime/runtime.h"

namespace davit::runtime {

struct ContainerdRuntimeOptions {
  std::string snapshotter = "overlayfs";
  std::string runtime = "io.containerd.runc.v2";    // with its default options: cgroupfs
  std::string runc = "/usr/sbin/runc";              // for containers that containerd has forgotten
  std::string davit_runc = "/usr/bin/davit-runc";   // for ContainerSpec::open_stdin
  std::string exec_folder = "/run/davit/exec";      // for the pipes of Exec(); exclusive
  absl::Duration call_timeout = absl::Seconds(10);  // of each call to containerd, except:
  absl::Duration create_timeout = absl::Seconds(60);  // starting the shim and `runc create`
  absl::Duration kill_timeout = absl::Seconds(15);    // from SIGKILL to the end of all processes
};

// Runs containers through containerd, with one shim each. Thread-safe; see Runtime for blocking and
// codes. A container's record, task and snapshot have the container's id.
//
// How it behaves in unusual states:
//
// * A shim hangs: calls for its container return Unavailable after their deadline, and List() shows
//   the container as kUnknown. Other containers are not affected.
// * A shim was killed: containerd kills the container's processes, reports kExited with 137, and
//   forgets the task. Inspect() returns kAbsent, and Remove() works as usual.
// * A creation did not end in time: it returns Unavailable. So do further creations for the seconds
//   that containerd needs to clean up, or for as long as runc or the logger hangs. Remove() ends
//   that.
// * containerd is down or restarts: containers keep running; calls return Unavailable until it is
//   back.
class ContainerdRuntime final : public Runtime {
 public:
  // `client` must outlive this object.
  ContainerdRuntime(containerd::Client* client, ContainerdRuntimeOptions options);
  ~ContainerdRuntime() override;

  absl::Status CreateLease(const std::string& lease,
                           const std::map<std::string, std::string>& labels) override;
  absl::Status RemoveLease(const std::string& lease) override;
  absl::StatusOr<std::vector<std::string>> ListLeases() override;
  absl::StatusOr<Rootfs> PrepareRootfs(const std::string& container_id, const std::string& lease,
                                       const std::string& chain_id) override;
  absl::Status Create(const ContainerSpec& spec) override;
  absl::StatusOr<int> Start(const std::string& container_id) override;
  absl::Status Signal(const std::string& container_id, int signal_number, bool all) override;
  absl::StatusOr<ContainerInfo> Inspect(const std::string& container_id) override;
  absl::Status Reset(const std::string& container_id) override;
  absl::StatusOr<ExecResult> Exec(const ExecSpec& spec) override;
  absl::Status Remove(const std::string& container_id) override;
  absl::StatusOr<std::vector<ContainerInfo>> List() override;
  void Watch(std::function<void(const RuntimeEvent&)> sink) override;
  absl::StatusOr<std::string> Version() override;

 private:
  containerd::CallOptions Within(absl::Duration timeout) const {
    return {.lease = "", .timeout = timeout};
  }
  // Makes the record, or updates that of an attempt which got no further.
  absl::Status CreateRecord(const ContainerSpec& spec);
  // OK: the task waits to be started. AlreadyExists: it has been. NotFound: there is no task.
  absl::Status CheckCreated(const std::string& container_id);
  // NotFound: it does not run.
  absl::Status CheckRuns(const std::string& container_id);

  containerd::Client* const client_;
  const ContainerdRuntimeOptions options_;
  containerd::Containers containers_;
  containerd::Tasks tasks_;
  ContainerdExec exec_;        // uses tasks_
  ContainerdRemoval removal_;  // uses containers_ and tasks_
  containerd::Snapshots snapshots_;
  containerd::Leases leases_;
  std::unique_ptr<containerd::Events> events_;  // set by Watch(); last: its thread ends first
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_RUNTIME_H_
