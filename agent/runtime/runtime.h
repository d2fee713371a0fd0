#ifndef DAVIT_AGENT_RUNTIME_RUNTIME_H_
#define DAVIT_AGENT_RUNTIME_RUNTIME_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::runtime {

// A container's root file system before it is mounted: overlay layers on the host's disk.
struct Rootfs {
  std::string snapshot_key;
  std::vector<std::string> layers;  // host folders, uppermost first
};

// Everything that is needed to create a container. Every name is derived from the task, so a second
// creation finds the first.
struct ContainerSpec {
  std::string id;          // containerd container id and snapshot key
  std::string lease;       // the task's lease, which exists until clean-up
  std::string image_name;  // for containerd's own listings
  std::string oci_spec_json;
  std::map<std::string, std::string>
      labels;           // "davit.task-arn", "davit.container-name", "davit.agent", ...
  std::string log_uri;  // "binary:///usr/bin/davit-logger?..."; empty: output is dropped
  bool terminal = false;
  // Without a terminal: standard input is a pipe that never delivers anything, instead of
  // /dev/null, which ends at once.
  bool open_stdin = false;
};

enum class ContainerState {
  kAbsent,   // a containerd container without a task: incomplete, or its task was deleted
  kCreated,  // runc create is done, the process waits for its start
  kRunning,
  kStopped,  // ended, with a known exit code
  kUnknown,  // only in List(): its shim did not answer in time
};

struct ContainerInfo {
  std::string id;
  std::map<std::string, std::string> labels = {};
  ContainerState state = ContainerState::kAbsent;
  int pid = 0;                                  // kCreated, kRunning
  std::optional<int> exit_code = std::nullopt;  // kStopped: 128 + signal if a signal killed it
  absl::Time exited_at = absl::UnixEpoch();     // kStopped
};

// A command to run in a running container, beside its main process.
struct ExecSpec {
  std::string container_id;
  // Names the command in its container. At most one command per name runs: one that a dead agent
  // left is killed first. At most 76 letters, digits and single '-'.
  std::string exec_id;
  std::vector<std::string> arguments;         // [0] is searched in the container's PATH
  absl::Duration timeout = absl::Seconds(5);  // limit from start to end
  size_t max_output_bytes = 4096;             // keeps the last ones
};

struct ExecResult {
  int exit_code = 0;   // 128 + signal if a signal killed it
  std::string output;  // standard output and standard error, interleaved
};

struct RuntimeEvent {
  enum class Kind {
    kExited,       // the container's main process has ended
    kOutOfMemory,  // the kernel killed a process in the container's cgroup
    kRemoved,      // somebody deleted the container: inspect again
    kConnected,  // the event stream is up (again): events may have been missed, inspect everything
    kDisconnected,  // the runtime is unreachable: the state of containers is UNKNOWN, not "exited"
  };
  Kind kind;
  std::string container_id = "";             // kExited, kOutOfMemory, kRemoved
  int exit_code = 0;                         // kExited
  absl::Time exited_at = absl::UnixEpoch();  // kExited
};

// A container runtime: few idempotent verbs, no policy. Thread-safe. Every call blocks for up to
// its own deadline, so use only pools. One slow container never delays a call for another. Codes of
// all calls. Unavailable: the runtime is unreachable or the deadline passed; the state is unknown.
// NotFound: no such container. FailedPrecondition, InvalidArgument: the runtime refused, with its
// own message.
class Runtime {
 public:
  virtual ~Runtime() = default;

  // Creates a lease, which protects what is created under it from the runtime's garbage collector.
  // OK if it exists.
  virtual absl::Status CreateLease(const std::string& lease,
                                   const std::map<std::string, std::string>& labels) = 0;
  // OK if it does not exist.
  virtual absl::Status RemoveLease(const std::string& lease) = 0;
  virtual absl::StatusOr<std::vector<std::string>> ListLeases() = 0;

  // Creates the writable snapshot of a container on top of the image's `chain_id`; without one it
  // is empty. OK if it exists. NotFound: the chain is not unpacked.
  virtual absl::StatusOr<Rootfs> PrepareRootfs(const std::string& container_id,
                                               const std::string& lease,
                                               const std::string& chain_id) = 0;
  // Creates the container and its process, which waits for Start() (runc create). Requires
  // PrepareRootfs(). OK if it was created but not started. AlreadyExists: it runs or has run. The
  // text of FailedPrecondition begins with "CannotStartContainerError: " if nothing but the command
  // is wrong: it is missing or may not be executed.
  virtual absl::Status Create(const ContainerSpec& spec) = 0;
  // Starts the process. Returns its pid (in the host's pid namespace). AlreadyExists: it was
  // started before.
  virtual absl::StatusOr<int> Start(const std::string& container_id) = 0;
  // Signals the main process, or `all` processes. NotFound: no such container, or its main process
  // has ended. With `all` the latter is OK, because others may be left.
  virtual absl::Status Signal(const std::string& container_id, int signal_number,
                              bool all = false) = 0;
  virtual absl::StatusOr<ContainerInfo> Inspect(const std::string& container_id) = 0;
  // Removes the process of a container that has ended, so that Create() and Start() can be called
  // again. Record, snapshot and lease stay. OK if there is nothing to remove: no container, or one
  // that was never started (Create() then finds it). FailedPrecondition: it runs.
  virtual absl::Status Reset(const std::string& container_id) = 0;
  // Runs a command in a running container, with user, environment, folder, capabilities and limits
  // of its main process, and waits for its end. NotFound: no such container, or it does not run.
  // FailedPrecondition: the command cannot start. DeadlineExceeded: it timed out and was killed
  // with its process group; the message ends with its output. Unavailable: it may or may not have
  // run. A later call removes whatever is left of it.
  virtual absl::StatusOr<ExecResult> Exec(const ExecSpec& spec) = 0;
  // Kills the processes, deletes task, container and snapshot. OK if it does not exist or only
  // parts are left.
  virtual absl::Status Remove(const std::string& container_id) = 0;
  // All containers of the agent's namespace, Davit's or not.
  virtual absl::StatusOr<std::vector<ContainerInfo>> List() = 0;

  // Passes all events from now on to `sink`, from one thread. `sink` must not block. Call once. The
  // first event is kConnected or kDisconnected. The stream reconnects by itself.
  virtual void Watch(std::function<void(const RuntimeEvent&)> sink) = 0;
  // Name and version: "containerd 1.6.20".
  virtual absl::StatusOr<std::string> Version() = 0;
};

// Reads a file of a rootfs, such as "/etc/passwd", from its layers without mounting them. Links
// stay inside the rootfs. NotFound: no layer has it.
absl::StatusOr<std::string> ReadFromRootfs(const Rootfs& rootfs, const std::string& path);

// Copies the content of the rootfs' folder `path` into the host's folder `destination`, with
// owners, modes and times, and sets owner and mode of `destination`. Docker fills an empty volume
// like this. Keeps existing files. Does not copy extended attributes; a file with several names
// becomes several files. OK without any change if the rootfs has no such folder. Blocks as long as
// the copy takes.
absl::Status CopyFolderFromRootfs(const Rootfs& rootfs, const std::string& path,
                                  const std::string& destination);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_RUNTIME_H_
