#ifndef DAVIT_AGENT_RUNTIME_CONTAINERD_EXEC_H_
#define DAVIT_AGENT_RUNTIME_CONTAINERD_EXEC_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/containerd/tasks.h"
#include "agent/runtime/exec_output.h"
#include "agent/runtime/runtime.h"
#include "base/process_handle.h"

namespace davit::runtime {

// Runs commands in containers through containerd's exec processes. Thread-safe; each call blocks
// for up to the command's timeout plus a few deadlines. Codes are containerd's, with two
// exceptions. DeadlineExceeded: the command timed out. Unavailable: containerd or its shim did not
// answer in time. The shim copies the output into a pipe, not a file. So the agent's memory limits
// the output, and an agent that dies leaves none on the disk.
class ContainerdExec {
 public:
  struct Options {
    std::string folder;  // for the pipes; exclusive
    absl::Duration call_timeout;
    absl::Duration kill_timeout;
  };
  // `tasks` outlives this object.
  ContainerdExec(containerd::Tasks* tasks, Options options);

  // `oci_spec_json`: the container's. The command gets the settings of its process.
  absl::StatusOr<ExecResult> Run(const ExecSpec& spec, const std::string& oci_spec_json);

 private:
  absl::Status Add(const ExecSpec& spec, const std::string& process_json, const ExecOutput& output);
  // Waits for the end; kills after the timeout. The exit code; nullopt: it was killed.
  absl::StatusOr<std::optional<int>> Await(const ExecSpec& spec,
                                           const std::optional<ProcessHandle>& process);
  // Kills it, if it runs, and makes the shim forget it. NotFound: there is none. DeadlineExceeded:
  // it does not die.
  absl::Status Clear(const ExecSpec& spec);

  containerd::Tasks* const tasks_;
  const Options options_;
  std::atomic<uint64_t> next_pipe_ = 1;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_EXEC_H_
