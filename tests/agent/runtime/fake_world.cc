#include <csignal>

#include "agent/runtime/fake_runtime.h"
#include "base/clock.h"
#include "base/executor.h"
#include "tests/agent/runtime/runtime_world.h"

namespace davit::test {
namespace {

// Programs are known by the label that Spec() gives.
class FakeWorld final : public RuntimeWorld {
 public:
  FakeWorld() : pool_("events", 1), runtime_(Clock::Real(), &pool_) {
    runtime_.ForgetChain("sha256:unknown");
    runtime_.SetOnStart([](const runtime::ContainerSpec& spec) -> std::optional<int> {
      const std::string& program = spec.labels.at("program");
      if (program == "exit 0") return 0;
      if (program == "exit 7") return 7;
      return std::nullopt;
    });
    runtime_.SetOnExec([](const runtime::ExecSpec& spec) -> absl::StatusOr<runtime::ExecResult> {
      const std::string& command = spec.arguments.front();
      if (command == "say and exit 3") return runtime::ExecResult{3, "out\nerr\n"};
      if (command == "say digits") return runtime::ExecResult{0, "0123456789"};
      if (command == "run forever") return absl::DeadlineExceededError("not ended: so far\n");
      return absl::FailedPreconditionError("no such program");
    });
  }
  ~FakeWorld() override { pool_.Stop(); }

  runtime::Runtime* runtime() override { return &runtime_; }
  std::string chain_id() const override { return "sha256:busybox"; }
  runtime::ContainerSpec Spec(const std::string& id, Program program) override {
    runtime::ContainerSpec spec;
    spec.id = id;
    spec.labels["program"] = program == Program::kExitWith0   ? "exit 0"
                             : program == Program::kExitWith7 ? "exit 7"
                                                              : "run";
    return spec;
  }
  runtime::ExecSpec Exec(const std::string& id, Command command) override {
    const std::string name = command == Command::kSayAndExitWith3 ? "say and exit 3"
                             : command == Command::kSayTenDigits  ? "say digits"
                             : command == Command::kRunForever    ? "run forever"
                                                                  : "absent";
    return {.container_id = id, .exec_id = "check", .arguments = {name}};
  }
  void KillRuntime() override { runtime_.SetReachable(false); }
  void RestartRuntime() override { runtime_.SetReachable(true); }
  void KillProcess(const std::string& id, int /*pid*/) override {
    runtime_.Exit(id, 128 + SIGKILL);
  }
  void KillShim(const std::string& id) override { runtime_.KillShim(id); }
  void RunOutOfMemory(const std::string& id) override { runtime_.RunOutOfMemory(id); }

 private:
  ThreadPool pool_;
  runtime::FakeRuntime runtime_;
};

}  // namespace

std::unique_ptr<RuntimeWorld> MakeRuntimeWorld() { return std::make_unique<FakeWorld>(); }

}  // namespace davit::test
