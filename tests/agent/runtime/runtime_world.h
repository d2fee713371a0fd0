#ifndef DAVIT_TESTS_AGENT_RUNTIME_RUNTIME_WORLD_H_
#define DAVIT_TESTS_AGENT_RUNTIME_RUNTIME_WORLD_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/runtime/runtime.h"
#include "base/mutex.h"

namespace davit::test {

enum class Program {
  kRunUntilTerm,  // ends with 143 on SIGTERM
  kExitWith0,
  kExitWith7,
  kEatMemory,  // in 16 MiB
};

// Run in a container that runs kRunUntilTerm.
enum class Command {
  kSayAndExitWith3,  // "out" on standard output, "err" on standard error, each a line
  kSayTenDigits,     // "0123456789", and exits with 0
  kRunForever,       // says "so far" first, and has a child that runs forever
  kAbsentProgram,
};

// A runtime and its world for the contract suite. One is built on FakeRuntime, one on a private
// containerd; each test program links its own.
class RuntimeWorld {
 public:
  virtual ~RuntimeWorld() = default;
  virtual runtime::Runtime* runtime() = 0;
  // Of an unpacked image.
  virtual std::string chain_id() const = 0;
  virtual runtime::ContainerSpec Spec(const std::string& id, Program program) = 0;
  // With the exec id "check".
  virtual runtime::ExecSpec Exec(const std::string& id, Command command) = 0;
  // The runtime dies; containers do not.
  virtual void KillRuntime() = 0;
  virtual void RestartRuntime() = 0;
  // Sends SIGKILL to the container's main process, past the runtime. `pid` is from Start().
  virtual void KillProcess(const std::string& id, int pid) = 0;
  virtual void KillShim(const std::string& id) = 0;
  // Makes a running kEatMemory exceed its limit, unless it does so by itself.
  virtual void RunOutOfMemory(const std::string& id) = 0;
};

// Skips the test program if the world cannot be created.
std::unique_ptr<RuntimeWorld> MakeRuntimeWorld();

// Collects the events of Watch(). Thread-safe.
class EventLog {
 public:
  std::function<void(const runtime::RuntimeEvent&)> Sink();
  // Waits at most 20 s for the next event of this kind and, unless it is empty, container. Starts
  // after the last event that was waited for, and skips others. nullopt: none came.
  std::optional<runtime::RuntimeEvent> Next(runtime::RuntimeEvent::Kind kind,
                                            const std::string& container_id = "");
  // Of all events so far.
  size_t Count(runtime::RuntimeEvent::Kind kind, const std::string& container_id) const;

 private:
  mutable Mutex mu_;
  CondVar added_;
  std::vector<runtime::RuntimeEvent> events_ ABSL_GUARDED_BY(mu_);
  size_t seen_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_RUNTIME_RUNTIME_WORLD_H_
