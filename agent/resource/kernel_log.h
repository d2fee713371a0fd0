#ifndef DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_
#define DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_

#include <string>

#include "absl/strings/string_view.h"

namespace davit::resource {

// What the kernel's log says about the OOM killer. Source: dump_oom_victim() and
// mem_cgroup_print_oom_context() of Linux 5.0 and later; what older ones write is not understood.

// The last process in cgroup `path`, or below it, that `text` says was killed: "4711 (stress)".
// Empty: none. Pure. Names are the processes' own choice: a caller must not trust them.
std::string FindOomVictim(absl::string_view text, absl::string_view path);

// What the log at `path` ("/dev/kmsg", or a file with the same lines) holds now. Empty if it is not
// there, or not for us (kernel.dmesg_restrict without CAP_SYSLOG). Blocks on the kernel only; at
// most some MiB.
std::string ReadKernelLog(const std::string& path);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_
