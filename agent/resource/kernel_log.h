#ifndef DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_
#define DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_

#include <string>

#include "absl/strings/string_view.h"

namespace davit::resource {

// Finds the OOM killer's victims in the kernel log. Source: dump_oom_victim() and
// mem_cgroup_print_oom_context() of Linux 5.0 and later; the format of older kernels is not
// supported.

// The last process killed in cgroup `path` or below it, according to `text`: "4711 (stress)".
// Empty: none. Pure. Processes choose their names, so callers must not trust them.
std::string FindOomVictim(absl::string_view text, absl::string_view path);

// The current content of the log at `path` ("/dev/kmsg", or a file with the same lines), at most
// some MiB. Empty if it does not exist or access is denied (kernel.dmesg_restrict without
// CAP_SYSLOG). Blocks only on the kernel.
std::string ReadKernelLog(const std::string& path);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_KERNEL_LOG_H_
