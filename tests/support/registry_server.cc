#include "tests/support/registry_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::test {
namespace {

constexpr char kProgram[] = "/usr/bin/docker-registry";
// Another program may take the free port before the registry does.
constexpr int kPortAttempts = 5;

std::string ConfigText(const std::string& folder, int port) {
  return absl::StrCat("version: 0.1\nlog:\n  level: warn\n  accesslog:\n    disabled: false\n",
                      "storage:\n  filesystem:\n    rootdirectory: ", folder, "/storage\n",
                      "http:\n  addr: 127.0.0.1:", port, "\n");
}

absl::StatusOr<int> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  const int error_number = errno;
  close(fd);
  if (!is_bound) return ErrnoStatus(error_number, "looking for a free port");
  return ntohs(address.sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RegistryServer>> RegistryServer::Start() {
  if (access(kProgram, X_OK) != 0) return absl::NotFoundError(kProgram);
  char folder[] = "/tmp/davit-registry-XXXXXX";
  if (mkdtemp(folder) == nullptr) return ErrnoStatus(errno, "mkdtemp");
  std::unique_ptr<RegistryServer> server(new RegistryServer(folder));
  absl::Status launched;
  for (int i = 0; i < kPortAttempts; ++i) {
    ASSIGN_OR_RETURN(server->port_, FreePort());
    launched = server->Launch();
    if (launched.ok()) return server;
  }
  return launched;
}

RegistryServer::~RegistryServer() {
  Stop();
  RemoveAll(folder_).IgnoreError();
}

std::string RegistryServer::host() const { return absl::StrCat("127.0.0.1:", port_); }

std::string RegistryServer::BlobPath(absl::string_view digest) const {
  absl::ConsumePrefix(&digest, "sha256:");
  return absl::StrCat(folder_, "/storage/docker/registry/v2/blobs/sha256/", digest.substr(0, 2),
                      "/", digest, "/data");
}

int RegistryServer::CountRequests(absl::string_view text) const {
  const absl::StatusOr<std::string> log = ReadFile(folder_ + "/log");
  if (!log.ok()) return 0;
  int count = 0;
  for (const absl::string_view line : absl::StrSplit(*log, '\n')) {
    // 127.0.0.1 - - [date] "GET /v2/web/manifests/v1 HTTP/1.1" 200 428 "" "davit-agent/0.1.0"
    const std::vector<absl::string_view> parts = absl::StrSplit(line, '"');
    if (parts.size() > 2 && absl::StrContains(parts[0], " - - [") &&
        absl::StrContains(parts[1], text)) {
      ++count;
    }
  }
  return count;
}

void RegistryServer::Stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

absl::Status RegistryServer::Restart() {
  Stop();
  return Launch();
}

bool RegistryServer::IsAnswering() const {
  HttpRequest request;
  request.url = absl::StrCat("http://", host(), "/v2/");
  return Fetch(request).ok();
}

absl::Status RegistryServer::Launch() {
  const std::string config = folder_ + "/config.yml";
  const std::string log = folder_ + "/log";
  RETURN_IF_ERROR(WriteFileAtomically(config, ConfigText(folder_, port_)));
  pid_ = fork();
  if (pid_ < 0) return ErrnoStatus(errno, "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends it if the test crashes
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl(kProgram, kProgram, "serve", config.c_str(), nullptr);
    _exit(127);
  }
  for (int tries = 0; tries < 2000; ++tries) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::UnavailableError(
          absl::StrCat("docker-registry ended: ", ReadFile(log).value_or("")));
    }
    if (IsAnswering()) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(10));
  }
  Stop();
  return absl::DeadlineExceededError("docker-registry does not answer");
}

}  // namespace davit::test
