#ifndef DAVIT_TESTS_AGENT_RUNTIME_CONTAINERD_WORLD_H_
#define DAVIT_TESTS_AGENT_RUNTIME_CONTAINERD_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "agent/containerd/client.h"
#include "agent/runtime/containerd_runtime.h"
#include "tests/agent/runtime/runtime_world.h"
#include "tests/support/containerd_server.h"

namespace davit::test {

// ContainerdRuntime on a private containerd with the busybox image.
class ContainerdWorld final : public RuntimeWorld {
 public:
  // Skips the test program without root or containerd.
  explicit ContainerdWorld(runtime::ContainerdRuntimeOptions options = {},
                           absl::Duration event_silence = absl::Seconds(15));
  ~ContainerdWorld() override;

  runtime::Runtime* runtime() override { return runtime_.get(); }
  std::string chain_id() const override { return chain_id_; }
  runtime::ContainerSpec Spec(const std::string& id, Program program) override;
  runtime::ContainerSpec SpecOf(const std::string& id, const std::vector<std::string>& arguments,
                                int64_t memory_bytes = 0);
  runtime::ExecSpec Exec(const std::string& id, Command command) override;
  void KillRuntime() override { server_->Kill(); }
  void RestartRuntime() override;
  void KillProcess(const std::string& id, int pid) override;
  void KillShim(const std::string& id) override;
  void RunOutOfMemory(const std::string& id) override;

  ContainerdServer& server() { return *server_; }
  containerd::Client& client() { return *client_; }

 private:
  std::unique_ptr<ContainerdServer> server_;
  std::unique_ptr<containerd::Client> client_;
  std::unique_ptr<runtime::ContainerdRuntime> runtime_;
  std::string chain_id_;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_RUNTIME_CONTAINERD_WORLD_H_
