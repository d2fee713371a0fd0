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

// All that is needed to create a container. Every name is derived from the task, so that creating
// twice is "already there".
struct ContainerSpec {
  std::string id;          // containerd container id and snapshot key
  std::string lease;       // the task's lease, held until clean-up
  std::string image_name;  // for containerd's own listing
  std::string oci_spec_json;
  std::map<std::string, std::string>
      labels;           // "davit.task-arn", "davit.container-name", "davit.agent", ...
  std::string log_uri;  // "binary:///usr/bin/davit-logger?..."; empty: output is dropped
  bool terminal = false;
  // Without a terminal: standard input is a pipe on which nothing ever comes, and not /dev/null,
  // which ends at once.
  bool open_stdin = false;
};

enum class ContainerState {
  kAbsent,   // a containerd container without a task: created halfway, or its task was deleted
  kCreated,  // runc create is done, the process waits
  kRunning,
  kStopped,  // ended; the exit code is known
  kUnknown,  // only in List(): its shim did not answer in time
};

struct ContainerInfo {
  std::string id;
  std::map<std::string, std::string> labels = {};
  ContainerState state = ContainerState::kAbsent;
  int pid = 0;                                  // kCreated, kRunning
  std::optional<int> exit_code = std::nullopt;  // kStopped: 128 + signal when a signal ended it
  absl::Time exited_at = absl::UnixEpoch();     // kStopped
};

// A command to be run in a running container, beside its main process.
struct ExecSpec {
  std::string container_id;
  // Names it among the container's commands, at most one of which runs by each name: one that an
  // agent left behind when it died is killed first. Letters, digits and single '-'; at most 76.
  std::string exec_id;
  std::vector<std::string> arguments;         // [0] is looked up in the container's PATH
  absl::Duration timeout = absl::Seconds(5);  // from its start to its end
  size_t max_output_bytes = 4096;             // the last ones are kept
};

struct ExecResult {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // standard output and standard error, as they came
};

struct RuntimeEvent {
  enum class Kind {
    kExited,       // the container's main process ended
    kOutOfMemory,  // the kernel killed a process in the container's cgroup
    kRemoved,      // somebody deleted the container: look again
    kConnected,  // the event stream is up (again): events may have been missed, look at everything
    kDisconnected,  // the runtime cannot be reached: what containers do is UNKNOWN, not "exited"
  };
  Kind kind;
  std::string container_id = "";             // kExited, kOutOfMemory, kRemoved
  int exit_code = 0;                         // kExited
  absl::Time exited_at = absl::UnixEpoch();  // kExited
};

// What the agent asks of a container runtime: few idempotent verbs, no policy. Thread-safe. Every
// call blocks for up to its own deadline: use from the `runtime` pool only. One slow container
// never delays a call for another.
//
// Codes, for all calls: Unavailable, the runtime cannot be reached or its deadline passed; the
// state is unknown. NotFound, there is no such container. FailedPrecondition, InvalidArgument: the
// runtime refused (the text is the runtime's own words).
class Runtime {
 public:
  virtual ~Runtime() = default;

  // A lease keeps what is made under it from the runtime's garbage collector. OK if it exists.
  virtual absl::Status CreateLease(const std::string& lease,
                                   const std::map<std::string, std::string>& labels) = 0;
  // OK if gone.
  virtual absl::Status RemoveLease(const std::string& lease) = 0;
  virtual absl::StatusOr<std::vector<std::string>> ListLeases() = 0;

  // Makes the writable snapshot of a container on top of the image's `chain_id`, an empty one if
  // that is empty. OK if it exists. NotFound: that chain is not unpacked.
  virtual absl::StatusOr<Rootfs> PrepareRootfs(const std::string& container_id,
                                               const std::string& lease,
                                               const std::string& chain_id) = 0;
  // Creates the container and its waiting process (runc create). Its rootfs was prepared. OK if it
  // was created before and has not been started. AlreadyExists: it runs or ran already. The text of
  // FailedPrecondition begins with "CannotStartContainerError: " if nothing but the command is
  // wrong: it is missing or may not be executed.
  virtual absl::Status Create(const ContainerSpec& spec) = 0;
  // Lets the process go. Returns its pid (in the host's pid namespace). AlreadyExists: it was
  // started before.
  virtual absl::StatusOr<int> Start(const std::string& container_id) = 0;
  // To the main process, or to `all` processes. NotFound: there is no such container, or its main
  // process has ended; with `all` the latter is OK: others may be left.
  virtual absl::Status Signal(const std::string& container_id, int signal_number,
                              bool all = false) = 0;
  virtual absl::StatusOr<ContainerInfo> Inspect(const std::string& container_id) = 0;
  // Clears away the process of a container that has ended, so that Create() and Start() may be
  // called again; record, snapshot and lease stay. OK if there is nothing to clear away: no
  // container, or one that was never started (which Create() then finds waiting).
  // FailedPrecondition: it runs.
  virtual absl::Status Reset(const std::string& container_id) = 0;
  // Runs a command in a running container, with user, environment, folder, capabilities and limits
  // of its main process, and waits for its end. NotFound: there is no such container, or it does
  // not run. FailedPrecondition: the command cannot be started. DeadlineExceeded: it did not end in
  // time, and was killed with its process group; the text ends with its output. Unavailable: it may
  // or may not have run. In no case is anything of it left that a later call does not clear.
  virtual absl::StatusOr<ExecResult> Exec(const ExecSpec& spec) = 0;
  // Kills what runs, deletes task, container and snapshot. OK if gone, also if only parts are left.
  virtual absl::Status Remove(const std::string& container_id) = 0;
  // All containers of the agent's namespace, Davit's or not.
  virtual absl::StatusOr<std::vector<ContainerInfo>> List() = 0;

  // `sink` gets all events from now on, from one thread, and must not block. Call once. First
  // event: kConnected or kDisconnected. After the runtime's restart the stream comes back by
  // itself.
  virtual void Watch(std::function<void(const RuntimeEvent&)> sink) = 0;
  // Name and version, e.g. "containerd 1.6.20".
  virtual absl::StatusOr<std::string> Version() = 0;
};

// A file of a rootfs, e.g. "/etc/passwd", read from its layers without mounting them; links stay
// inside the rootfs. NotFound: no layer has it.
absl::StatusOr<std::string> ReadFromRootfs(const Rootfs& rootfs, const std::string& path);

// Copies what the rootfs' folder `path` holds into the host's folder `destination`, with owners,
// modes and times, and gives `destination` the owner and mode of `path`; as Docker begins an empty
// volume. What `destination` has already stays. Extended attributes are not copied, a file with
// several names becomes several files. OK, and nothing is done, if the rootfs has no such folder.
// Blocks for as long as the copying takes.
absl::Status CopyFolderFromRootfs(const Rootfs& rootfs, const std::string& path,
                                  const std::string& destination);

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_RUNTIME_H_
