#ifndef DAVIT_AGENT_TASK_POST_MORTEM_H_
#define DAVIT_AGENT_TASK_POST_MORTEM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::task {

// Facts about a container whose main process has ended. Stored with the task's record.
struct PostMortem {
  // Of the container's cgroup, or of its task's cgroup if that was closer to its limit.
  int64_t memory_limit_bytes = 0;  // 0: none
  int64_t memory_peak_bytes = 0;   // 0: the kernel does not count it
  bool is_memory_of_task = false;
  int64_t oom_kills = 0;  // processes of the container killed by the OOM killer
  // The last of them, "4711 (stress)"; empty: unknown.
  std::string killed_process = "";
  absl::Duration cpu_time = absl::ZeroDuration();
  std::vector<std::string> last_lines = {};  // of its output, oldest first, without secrets
  // What is missing from its log and why; empty: nothing that is known.
  std::string log_trouble = "";
  friend bool operator==(const PostMortem&, const PostMortem&) = default;
};

// The signal that an exit code stands for: "SIGSEGV" for 139. The runtime uses such codes for a
// process that a signal killed, and a shell for its child. Not a proof: a program may exit with
// such a number itself. Empty: no such signal.
std::string SignalOfExitCode(int exit_code);

// The reason for an end that nobody requested. Empty for exit code 0; else "exit code 3", "exit
// code 139 (128 + SIGSEGV)", or ECS's OutOfMemoryError with the known facts.
std::string ReasonOfEnd(std::optional<int> exit_code, bool out_of_memory, const PostMortem& facts);

// "REASON; last output: one | two", at most `limit` bytes. Cuts the output at its beginning.
std::string WithLastLines(absl::string_view reason, const std::vector<std::string>& lines,
                          size_t limit);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_POST_MORTEM_H_
