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

// What was found when a container's main process had ended: facts, kept with the task's record.
struct PostMortem {
  // Of the container's cgroup, or of its task's if that came closer to its limit.
  int64_t memory_limit_bytes = 0;  // 0: none
  int64_t memory_peak_bytes = 0;   // 0: the kernel does not keep it
  bool is_memory_of_task = false;
  int64_t oom_kills = 0;  // processes of the container that the OOM killer ended
  // The last of them, "4711 (stress)"; empty: the kernel did not say.
  std::string killed_process = "";
  absl::Duration cpu_time = absl::ZeroDuration();
  std::vector<std::string> last_lines = {};  // of its output, oldest first, without secrets
  friend bool operator==(const PostMortem&, const PostMortem&) = default;
};

// "SIGSEGV" for 139: what the runtime says of a process that a signal ended, and a shell of its
// child. Empty: a number that no signal has. Not a proof: a program may choose such a number.
std::string SignalOfExitCode(int exit_code);

// Why a container ended that nobody had asked to: empty for exit code 0; else "exit code 3",
// "exit code 139 (128 + SIGSEGV)", or ECS's OutOfMemoryError with what is known of it.
std::string ReasonOfEnd(std::optional<int> exit_code, bool out_of_memory, const PostMortem& facts);

// "REASON; last output: one | two": at most `limit` bytes, of the output the end.
std::string WithLastLines(absl::string_view reason, const std::vector<std::string>& lines,
                          size_t limit);

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_POST_MORTEM_H_
