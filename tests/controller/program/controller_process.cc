#include "tests/controller/program/controller_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace davit::test {
namespace {

std::string MakeFolder() {
  char pattern[] = "/tmp/davit-controller-XXXXXX";
  return mkdtemp(pattern);
}

// What follows `key` in the log, up to the next blank.
std::string FieldOf(const std::string& log, const std::string& key) {
  const size_t found = log.find(key);
  if (found == std::string::npos) return "";
  const size_t start = found + key.size();
  return log.substr(start, log.find(' ', start) - start);
}

}  // namespace

ControllerProcess::ControllerProcess() : folder_(MakeFolder()) { WriteConfig(); }

ControllerProcess::~ControllerProcess() {
  if (pid_ > 0) (void)Stop(SIGKILL);
  (void)RemoveAll(folder_);
}

void ControllerProcess::WriteConfig(const std::string& extra) {
  (void)WriteFileAtomically(
      folder_ + "/controller.toml",
      absl::StrCat("[controller]\ndev = true\nstate_dir = \"", folder_,
                   "/state\"\n[gateway]\nport = 0\n[api]\nport = 0\n", extra));
}

void ControllerProcess::Spawn() {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder_ + "/log").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::string program = DAVIT_CONTROLLER;
  std::string option = "--config";
  std::string path = folder_ + "/controller.toml";
  std::array<char*, 4> arguments = {program.data(), option.data(), path.data(), nullptr};
  if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ) != 0)
    pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

bool ControllerProcess::Start() {
  Spawn();
  // The log line with the ports is the sign that it listens; looked for at most ten seconds.
  for (int i = 0; i < 1000 && pid_ > 0; ++i) {
    const std::string api = FieldOf(Log(), " api=");
    if (!api.empty()) {
      url_ = "http://" + api;
      return true;
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
    poll(nullptr, 0, 10);
  }
  return false;
}

int ControllerProcess::Stop(int signal) {
  kill(pid_, signal);
  return Wait();
}

int ControllerProcess::Run() {
  Spawn();
  return Wait();
}

int ControllerProcess::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string ControllerProcess::Log() const { return ReadFile(folder_ + "/log").value_or(""); }

}  // namespace davit::test
