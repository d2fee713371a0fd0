#include "tests/support/containerd_server.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::test {
namespace {

namespace fs = std::filesystem;

constexpr char kContainerd[] = "/usr/bin/containerd";

std::string ConfigText(const std::string& folder) {
  return absl::StrCat("version = 2\nroot = \"", folder, "/root\"\nstate = \"", folder,
                      "/state\"\n"
                      "disabled_plugins = [\"io.containerd.grpc.v1.cri\", "
                      "\"io.containerd.snapshotter.v1.aufs\", "
                      "\"io.containerd.snapshotter.v1.btrfs\", "
                      "\"io.containerd.snapshotter.v1.devmapper\", "
                      "\"io.containerd.snapshotter.v1.zfs\", "
                      "\"io.containerd.internal.v1.opt\"]\n"
                      "[grpc]\naddress = \"",
                      folder, "/containerd.sock\"\n[ttrpc]\naddress = \"", folder,
                      "/containerd.sock.ttrpc\"\n");
}

bool CanConnect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const bool is_up = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return is_up;
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ContainerdServer>> ContainerdServer::Start() {
  if (geteuid() != 0) return absl::PermissionDeniedError("not root");
  for (const char* program : {kContainerd, "/usr/sbin/runc", "/usr/bin/containerd-shim-runc-v2"}) {
    if (access(program, X_OK) != 0) return absl::NotFoundError(program);
  }
  char folder[] = "/tmp/davit-test-XXXXXX";
  if (mkdtemp(folder) == nullptr) return ErrnoStatus(errno, "mkdtemp");
  std::unique_ptr<ContainerdServer> server(new ContainerdServer(folder));
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(folder, "/config.toml"), ConfigText(folder)));
  RETURN_IF_ERROR(server->Launch());
  return server;
}

ContainerdServer::~ContainerdServer() {
  Kill();
  // A killed shim leaves its container, which dies with the init of its pid namespace. So kill that
  // first.
  for (const pid_t shim : ShimPids()) {
    RemoveShimSocket(shim);
    const std::string children = ReadAll(absl::StrCat("/proc/", shim, "/task/", shim, "/children"));
    for (const absl::string_view child : absl::StrSplit(children, ' ', absl::SkipWhitespace())) {
      kill(std::stoi(std::string(child)), SIGKILL);
    }
    kill(shim, SIGKILL);
  }
  while (!ShimPids().empty()) absl::SleepFor(absl::Milliseconds(5));
  RemoveShimLeftovers();
  Unmount();
  RemoveCgroups();
  std::error_code error;
  // Only this server uses the namespace, so what is left is from interrupted creations.
  fs::remove_all(absl::StrCat("/run/containerd/runc/", containerd_namespace()), error);
  fs::remove_all(folder_, error);
}

std::string ContainerdServer::containerd_namespace() const {
  return fs::path(folder_).filename().string();
}

std::string ContainerdServer::cgroup_parent() const {
  return absl::StrCat("/", fs::path(folder_).filename().string());
}

void ContainerdServer::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

absl::Status ContainerdServer::Restart() {
  Kill();
  return Launch();
}

absl::Status ContainerdServer::Launch() {
  const std::string config = folder_ + "/config.toml";
  const std::string log = folder_ + "/containerd.log";
  pid_ = fork();
  if (pid_ < 0) return ErrnoStatus(errno, "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends it if the test crashes
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl(kContainerd, kContainerd, "--config", config.c_str(), nullptr);
    _exit(127);
  }
  for (int tries = 0; tries < 2000; ++tries) {
    if (CanConnect(address())) return absl::OkStatus();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::UnavailableError(absl::StrCat("containerd ended: ", ReadAll(log)));
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::DeadlineExceededError(absl::StrCat("containerd does not listen: ", ReadAll(log)));
}

std::vector<pid_t> ContainerdServer::ShimPids(const std::string& container_id) const {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (!absl::ascii_isdigit(static_cast<unsigned char>(name.front()))) continue;
    // containerd-shim-runc-v2 -namespace N -id ID -address ADDRESS
    const std::vector<std::string> arguments =
        absl::StrSplit(ReadAll(entry.path() / "cmdline"), '\0');
    const auto has = [&arguments](const std::string& argument) {
      return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
    };
    const bool is_ours = has(address()) && absl::StrContains(arguments.front(), "containerd-shim");
    // "delete" cleans up after a shim and ends by itself.
    const bool is_wanted = container_id.empty() || (has(container_id) && !has("delete"));
    if (is_ours && is_wanted) pids.push_back(static_cast<pid_t>(std::stoi(name)));
  }
  return pids;
}

// Removes the socket of a shim that was killed during its exit, after its bundle was removed.
// Source of the socket's name: containerd, runtime/v2/shim/util_unix.go.
void ContainerdServer::RemoveShimSocket(pid_t shim) const {
  const std::vector<std::string> arguments =
      absl::StrSplit(ReadAll(absl::StrCat("/proc/", shim, "/cmdline")), '\0');
  const auto id = std::find(arguments.begin(), arguments.end(), "-id");
  if (id == arguments.end() || id + 1 == arguments.end()) return;
  const std::string name = absl::StrCat(address(), "/", containerd_namespace(), "/", *(id + 1));
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  unlink(absl::StrCat("/run/containerd/s/", absl::BytesToHexString(hash)).c_str());
}

// Removes what killed shims leave outside containerd's folders: sockets (/run/containerd/s) and
// runc's records (/run/containerd/runc/<namespace>/<container>).
void ContainerdServer::RemoveShimLeftovers() const {
  std::error_code error;
  const fs::path bundles = folder_ + "/state/io.containerd.runtime.v2.task";
  for (const auto& containerd_namespace : fs::directory_iterator(bundles, error)) {
    const fs::path records = "/run/containerd/runc" / containerd_namespace.path().filename();
    std::error_code none;
    for (const auto& bundle : fs::directory_iterator(containerd_namespace, none)) {
      const std::string text = ReadAll(bundle.path() / "address");
      absl::string_view socket = text;
      if (absl::ConsumePrefix(&socket, "unix://")) fs::remove(std::string(socket), none);
      fs::remove_all(records / bundle.path().filename(), none);
    }
    fs::remove(records, none);  // fails if it has other containers
  }
}

void ContainerdServer::Unmount() const {
  std::vector<std::string> targets;
  const std::string mounts = ReadAll("/proc/self/mountinfo");
  for (const absl::string_view line : absl::StrSplit(mounts, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (fields.size() > 4 && absl::StartsWith(fields[4], folder_ + "/")) {
      targets.push_back(fields[4]);
    }
  }
  std::reverse(targets.begin(), targets.end());
  for (const std::string& target : targets) umount2(target.c_str(), MNT_DETACH);
}

void ContainerdServer::RemoveCgroups() const {
  std::error_code error;
  for (const fs::directory_entry& controller : fs::directory_iterator("/sys/fs/cgroup", error)) {
    const fs::path parent = controller.path() / cgroup_parent().substr(1);
    if (!fs::exists(parent, error)) continue;
    std::vector<fs::path> folders = {parent};
    for (const auto& entry : fs::recursive_directory_iterator(parent, error)) {
      if (entry.is_directory(error)) folders.push_back(entry.path());
    }
    std::reverse(folders.begin(), folders.end());
    // Killed processes leave their cgroup a moment later.
    for (const fs::path& folder : folders) {
      for (int tries = 0; tries < 200 && rmdir(folder.c_str()) != 0 && errno == EBUSY; ++tries) {
        absl::SleepFor(absl::Milliseconds(10));
      }
    }
  }
}

}  // namespace davit::test
