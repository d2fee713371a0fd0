#include "agent/runtime/forgotten_shim.h"

#include <dirent.h>
#include <openssl/sha.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/process_handle.h"
#include "base/status.h"
#include "base/subprocess.h"

namespace davit::runtime {
namespace {

// Where runc keeps its records for the shim. The agent never configures another folder.
constexpr char kRuncRoot[] = "/run/containerd/runc/";

// Removes the socket that a killed shim leaves. Source of the name: containerd,
// runtime/v2/shim/util_unix.go.
void RemoveSocket(const ShimIdentity& shim) {
  const std::string identity =
      absl::StrCat(shim.containerd_address, "/", shim.containerd_namespace, "/", shim.container_id);
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(identity.data()), identity.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  unlink(absl::StrCat("/run/containerd/s/", absl::BytesToHexString(hash)).c_str());
}

// Whether the command line of `pid` is: .../containerd-shim-... -namespace N -id ID -address
// ADDRESS.
bool IsShim(int pid, const ShimIdentity& shim) {
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat("/proc/", pid, "/cmdline"));
  if (!text.ok()) return false;
  const std::vector<std::string> arguments = absl::StrSplit(*text, '\0');
  if (!absl::StrContains(arguments.front(), "containerd-shim-")) return false;
  // containerd's own clean-up after a shim; it ends by itself.
  if (std::find(arguments.begin(), arguments.end(), "delete") != arguments.end()) return false;
  const auto has = [&arguments](const std::string& flag, const std::string& value) {
    const auto at = std::find(arguments.begin(), arguments.end(), flag);
    return at != arguments.end() && at + 1 != arguments.end() && *(at + 1) == value;
  };
  return has("-namespace", shim.containerd_namespace) && has("-id", shim.container_id) &&
         has("-address", shim.containerd_address);
}

std::vector<int> FindShims(const ShimIdentity& shim) {
  std::vector<int> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(opendir("/proc"), &closedir);
  if (processes == nullptr) return pids;
  while (const dirent* entry = readdir(processes.get())) {
    int pid = 0;
    if (absl::SimpleAtoi(entry->d_name, &pid) && IsShim(pid, shim)) pids.push_back(pid);
  }
  return pids;
}

// Kills `pid` if it is that shim, and waits for its end.
absl::Status Kill(int pid, const ShimIdentity& shim, absl::Duration timeout) {
  const absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(pid);
  if (!process.ok()) return OkIfNotFound(process.status());
  if (!IsShim(pid, shim)) return absl::OkStatus();  // the number is another's by now
  RETURN_IF_ERROR(process->Signal(SIGKILL));
  if (process->WaitForEnd(timeout)) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("shim ", pid, " has not ended"));
}

}  // namespace

absl::Status KillForgottenShim(const ShimIdentity& shim, const std::string& runc,
                               absl::Duration timeout) {
  const std::vector<int> pids = FindShims(shim);
  for (const int pid : pids) RETURN_IF_ERROR(Kill(pid, shim, timeout));
  RemoveSocket(shim);
  if (pids.empty()) return absl::OkStatus();
  // With --force runc kills the container and says OK if there is none.
  Command command;
  command.arguments = {runc,     "--root",  absl::StrCat(kRuncRoot, shim.containerd_namespace),
                       "delete", "--force", shim.container_id};
  command.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  command.timeout = timeout;
  ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(runc, " delete: ", Shorten(result.error_output, 300)));
}

std::string FindForgottenBundle(absl::string_view failure, const ShimIdentity& shim) {
  const size_t begin = failure.find("mkdir /");
  if (begin == absl::string_view::npos) return "";
  absl::string_view path = failure.substr(begin + 6);
  const size_t end = path.find(": file exists");
  if (end == absl::string_view::npos) return "";
  path = path.substr(0, end);
  const bool is_bundle =
      absl::EndsWith(path, absl::StrCat("/io.containerd.runtime.v2.task/",
                                        shim.containerd_namespace, "/", shim.container_id));
  return is_bundle ? std::string(path) : "";
}

absl::Status RemoveForgottenBundle(const std::string& bundle) {
  const std::string rootfs = bundle + "/rootfs";
  while (umount2(rootfs.c_str(), MNT_DETACH) == 0) {
  }
  // EINVAL: nothing is mounted there. After any other error a mount remains, and its content must
  // not be deleted.
  if (errno != EINVAL && errno != ENOENT)
    return ErrnoStatus(errno, absl::StrCat("umount ", rootfs));
  return RemoveAll(bundle);
}

}  // namespace davit::runtime
