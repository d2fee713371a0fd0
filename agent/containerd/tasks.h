#ifndef DAVIT_AGENT_CONTAINERD_TASKS_H_
#define DAVIT_AGENT_CONTAINERD_TASKS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

enum class TaskStatus { kUnknown, kCreated, kRunning, kStopped, kPaused, kPausing };

// The main process of a container.
struct TaskInfo {
  std::string container_id;
  TaskStatus status = TaskStatus::kUnknown;  // kUnknown: its shim did not answer
  int pid = 0;                               // in the host's pid namespace
  int exit_status = 0;                       // kStopped: 128 + signal if a signal killed it
  absl::Time exited_at = absl::UnixEpoch();  // kStopped
};

struct TaskExitStatus {
  int exit_status = 0;
  absl::Time exited_at = absl::UnixEpoch();
};

struct TaskCreateRequest {
  std::string container_id;
  std::vector<Mount> rootfs;
  // Addresses of the process's streams: a FIFO's path, "binary://...", "file://..."; empty: none.
  // If another stream is "binary://...", the shim opens no standard input, whatever its address is.
  std::string stdin_address;
  std::string stdout_address;
  std::string stderr_address;
  bool terminal = false;
  // For runtime io.containerd.runc.*: the program to call instead of runc; empty: runc.
  std::string runc_binary = "";
};

// An additional process in a running container.
struct ExecRequest {
  std::string container_id;
  std::string exec_id;         // unique in the container; at most 76 of [A-Za-z0-9._-]
  std::string process_json;    // OCI runtime-spec, config.md: Process
  std::string stdout_address;  // like TaskCreateRequest's
  std::string stderr_address;
};

// Processes of containers. Each task has its own shim, and every call except List() talks to that
// shim, so a hung shim delays only calls for its own container. List() waits up to 2 s for each
// hung shim. Thread-safe; see Client for blocking and codes. In addition: NotFound: no such task,
// or its shim died and containerd cleaned up. NotFound with "process already finished" from Kill().
// Unknown with "ttrpc: closed": the shim died during the call.
class Tasks {
 public:
  explicit Tasks(Client* client);
  ~Tasks();

  // Starts the shim and creates the process, which waits for Start(); returns its pid. The
  // container record must exist. AlreadyExists. Unknown: runc's error.
  absl::StatusOr<int> Create(const TaskCreateRequest& request, const CallOptions& options = {});
  // Starts the created process; returns its pid. FailedPrecondition, Unknown: not in state created.
  absl::StatusOr<int> Start(const std::string& container_id, const CallOptions& options = {});
  absl::StatusOr<TaskInfo> Get(const std::string& container_id, const CallOptions& options = {});
  absl::StatusOr<std::vector<TaskInfo>> List(const CallOptions& options = {});
  // `all`: every process of the container, not only the main one.
  absl::Status Kill(const std::string& container_id, int signal_number, bool all,
                    const CallOptions& options = {});
  // Blocks until the main process has ended. DeadlineExceeded: it still runs.
  absl::StatusOr<TaskExitStatus> Wait(const std::string& container_id,
                                      const CallOptions& options = {});
  // Removes a task that has stopped or was never started, and its shim. FailedPrecondition: it
  // runs.
  absl::StatusOr<TaskExitStatus> Delete(const std::string& container_id,
                                        const CallOptions& options = {});

  // Additional processes, by exec id. Their ends also cause TaskExited events. Registers a process
  // for StartExec(). AlreadyExists. Unknown: the container does not run.
  absl::Status Exec(const ExecRequest& request, const CallOptions& options = {});
  // Starts the process, in its own process group; returns its pid. Unknown: runc's error.
  absl::StatusOr<int> StartExec(const std::string& container_id, const std::string& exec_id,
                                const CallOptions& options = {});
  // Sends a signal to this process. NotFound: it has ended. FailedPrecondition: it was not started.
  absl::Status KillExec(const std::string& container_id, const std::string& exec_id,
                        int signal_number, const CallOptions& options = {});
  // Blocks until the process has ended; forever if it was not started. DeadlineExceeded: it still
  // runs.
  absl::StatusOr<TaskExitStatus> WaitExec(const std::string& container_id,
                                          const std::string& exec_id,
                                          const CallOptions& options = {});
  // Makes the shim forget a process that has ended or was not started, and close its streams. Takes
  // up to 2 s while other processes have them open. FailedPrecondition, Unknown: it runs.
  absl::Status DeleteExec(const std::string& container_id, const std::string& exec_id,
                          const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_TASKS_H_
