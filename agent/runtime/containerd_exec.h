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

namespace davit::runtime {

// Runs commands in containers through containerd's exec processes. Thread-safe; each call blocks
// for up to the command's timeout and a few deadlines. Codes are containerd's own, except that
// DeadlineExceeded is the command's; where containerd or its shim does not answer in time, it is
// Unavailable.
//
// The shim copies the output into a pipe, not a file: what a command writes is bounded by memory of
// ours, and nothing of it is on the disk when the agent dies.
class ContainerdExec {
 public:
  struct Options {
    std::string folder;  // for the pipes; used by nobody else
    absl::Duration call_timeout;
    absl::Duration kill_timeout;
  };
  // `tasks` outlives this object.
  ContainerdExec(containerd::Tasks* tasks, Options options);

  // `oci_spec_json`: the container's, whose process' settings the command gets.
  absl::StatusOr<ExecResult> Run(const ExecSpec& spec, const std::string& oci_spec_json);

 private:
  absl::Status Add(const ExecSpec& spec, const std::string& process_json, const ExecOutput& output);
  // Waits for the end; kills after the timeout. The exit code; nullopt: it was killed.
  absl::StatusOr<std::optional<int>> Await(const ExecSpec& spec, int pid);
  // Kills it, if it runs, and makes the shim forget it. NotFound: there is none. DeadlineExceeded:
  // it does not die.
  absl::Status Clear(const ExecSpec& spec);

  containerd::Tasks* const tasks_;
  const Options options_;
  std::atomic<uint64_t> next_pipe_ = 1;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_EXEC_H_
