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
  int exit_status = 0;                       // kStopped: 128 + signal when a signal ended it
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
  // Beside a "binary://..." the shim opens no standard input, whatever its address says.
  std::string stdin_address;
  std::string stdout_address;
  std::string stderr_address;
  bool terminal = false;
  // For runtime io.containerd.runc.*: the program that is called in runc's place; empty: runc.
  std::string runc_binary = "";
};

// A further process in a running container.
struct ExecRequest {
  std::string container_id;
  std::string exec_id;  // names it among the container's processes; at most 76 of [A-Za-z0-9._-]
  std::string process_json;    // OCI runtime-spec, config.md: Process
  std::string stdout_address;  // as TaskCreateRequest's
  std::string stderr_address;
};

// Processes of containers: each task has its own shim, which every call but List() talks to, so one
// hung shim delays calls for its own container only. (List() waits up to 2 s for each hung one.)
// Thread-safe; see Client for blocking and codes. Beyond those: NotFound, there is no task, or its
// shim has died and containerd has cleaned up; Unknown with "ttrpc: closed", the shim died during
// the call; NotFound with "process already finished" from Kill().
class Tasks {
 public:
  explicit Tasks(Client* client);
  ~Tasks();

  // Starts the shim and the waiting process; returns its pid. AlreadyExists. Its container record
  // must exist. Unknown: runc refused, in its own words.
  absl::StatusOr<int> Create(const TaskCreateRequest& request, const CallOptions& options = {});
  // Lets the process go; returns its pid. FailedPrecondition, Unknown: not in state created.
  absl::StatusOr<int> Start(const std::string& container_id, const CallOptions& options = {});
  absl::StatusOr<TaskInfo> Get(const std::string& container_id, const CallOptions& options = {});
  absl::StatusOr<std::vector<TaskInfo>> List(const CallOptions& options = {});
  // `all`: every process of the container, not only the main one.
  absl::Status Kill(const std::string& container_id, int signal_number, bool all,
                    const CallOptions& options = {});
  // Blocks until the main process has ended. DeadlineExceeded: it has not.
  absl::StatusOr<TaskExitStatus> Wait(const std::string& container_id,
                                      const CallOptions& options = {});
  // Removes a task that is stopped or was never started, and its shim.
  // FailedPrecondition: it runs.
  absl::StatusOr<TaskExitStatus> Delete(const std::string& container_id,
                                        const CallOptions& options = {});

  // Further processes, by exec id. Their ends come as TaskExited events as well.
  // Notes a process to be started. AlreadyExists. Unknown: the container does not run.
  absl::Status Exec(const ExecRequest& request, const CallOptions& options = {});
  // Starts it; returns its pid. It leads a process group of its own. Unknown: runc refused.
  absl::StatusOr<int> StartExec(const std::string& container_id, const std::string& exec_id,
                                const CallOptions& options = {});
  // To this one process. NotFound: it has ended. FailedPrecondition: it was not started.
  absl::Status KillExec(const std::string& container_id, const std::string& exec_id,
                        int signal_number, const CallOptions& options = {});
  // Blocks until it has ended: for good if it was not started. DeadlineExceeded: it has not.
  absl::StatusOr<TaskExitStatus> WaitExec(const std::string& container_id,
                                          const std::string& exec_id,
                                          const CallOptions& options = {});
  // Makes the shim forget one that has ended or was not started, and close its streams: up to 2 s
  // while others have them open. FailedPrecondition, Unknown: it runs.
  absl::Status DeleteExec(const std::string& container_id, const std::string& exec_id,
                          const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_TASKS_H_
