#include "bench/controller/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::bench {
namespace {

constexpr absl::Duration kStartTime = absl::Seconds(120);  // it may have a large store to read

// The port in " api=127.0.0.1:51670" of the log line that says that the controller has started.
int PortAfter(absl::string_view log, absl::string_view key) {
  const size_t found = log.find(key);
  if (found == absl::string_view::npos) return 0;
  absl::string_view address = log.substr(found + key.size());
  address = address.substr(0, address.find_first_of(" \n"));
  int port = 0;
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return 0;
  return absl::SimpleAtoi(address.substr(colon + 1), &port) ? port : 0;
}

}  // namespace

ControllerChild::ControllerChild(Options options) : options_(std::move(options)) {
  std::string pattern = options_.folder + "/davit-controller-bench-XXXXXX";
  if (mkdtemp(pattern.data()) != nullptr) folder_ = pattern;
}

ControllerChild::~ControllerChild() {
  if (pid_ > 0) Stop(SIGKILL);
  if (!folder_.empty()) (void)RemoveAll(folder_);
}

absl::Status ControllerChild::WriteConfig() const {
  return WriteFileAtomically(
      folder_ + "/controller.toml",
      absl::StrCat("[controller]\ndev = true\nstate_dir = \"", folder_,
                   "/state\"\n[gateway]\nport = ", gateway_port_, "\n[api]\nport = ", api_port_,
                   "\n", options_.extra_config));
}

absl::Status ControllerChild::Spawn() {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder_ + "/log").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  // setpriv becomes the controller, which then dies with this process however that ends.
  std::vector<std::string> words = {"setpriv",        "--pdeathsig", "KILL",
                                    options_.program, "--config",    folder_ + "/controller.toml"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int error = posix_spawnp(&pid_, "setpriv", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return absl::OkStatus();
  pid_ = -1;
  return absl::InternalError(absl::StrCat("starting ", options_.program, ": ", strerror(error)));
}

absl::Status ControllerChild::Start() {
  if (folder_.empty()) {
    return absl::InternalError(absl::StrCat("cannot make a folder in ", options_.folder));
  }
  RETURN_IF_ERROR(WriteConfig());
  RETURN_IF_ERROR(Spawn());
  for (const absl::Time end = absl::Now() + kStartTime; absl::Now() < end;) {
    const std::string log = ReadFile(folder_ + "/log").value_or("");
    const int api_port = PortAfter(log, " api=");
    const int gateway_port = PortAfter(log, " gateway=");
    if (api_port != 0 && gateway_port != 0) {
      api_port_ = api_port;
      gateway_port_ = gateway_port;
      return absl::OkStatus();
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::InternalError(absl::StrCat("the controller ended at its start: ", log));
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::DeadlineExceededError("the controller does not listen");
}

void ControllerChild::Stop(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

absl::Duration ControllerChild::CpuTime() const {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid_, "/stat")).value_or("");
  const size_t name_end = stat.rfind(')');  // the name may contain blanks
  if (name_end == std::string::npos) return absl::ZeroDuration();
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  int64_t user = 0, system = 0;  // proc(5): fields 14 and 15; field 3 is the first here
  if (fields.size() < 13 || !absl::SimpleAtoi(fields[11], &user) ||
      !absl::SimpleAtoi(fields[12], &system)) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(static_cast<double>(user + system) /
                       static_cast<double>(sysconf(_SC_CLK_TCK)));
}

double ControllerChild::ResidentMib() const {
  const std::string status = ReadFile(absl::StrCat("/proc/", pid_, "/status")).value_or("");
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    double kib = 0;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() > 1 && words[0] == "VmRSS:" && absl::SimpleAtod(words[1], &kib)) {
      return kib / 1024;
    }
  }
  return 0;
}

double ControllerChild::StateMib() const {
  uintmax_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/state", error)) {
    const uintmax_t size = entry.file_size(error);
    if (!error) bytes += size;
  }
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace davit::bench
