// davit-runc: runc, for containers that are `interactive` without a terminal. containerd's shim
// starts it in runc's place (runtime option binary_name) with runc's arguments, and it becomes
// runc; only `runc create` is given an open standard input first, which runc hands on to the
// container. The shim cannot do that itself: beside a binary:// log URI it opens no standard input
// (pkg/process/io.go, NewBinaryIO), and the container's would be /dev/null.
//
// What it gives is a pipe whose one end is open for reading and writing: the reader is its own
// writer, so that reading waits for ever, and nobody else has to hold anything open. It lives and
// dies with the container's processes.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

constexpr int kExitNotFound = 127;

// errno is set if false.
bool OpenStandardInput() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const int both = open(("/proc/self/fd/" + std::to_string(ends[0])).c_str(), O_RDWR | O_CLOEXEC);
  return both >= 0 && dup2(both, STDIN_FILENO) == STDIN_FILENO;  // the copy is not closed on exec
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") std::puts("davit-runc " DAVIT_VERSION);
  for (int i = 1; i < argc; ++i) {
    // No value of an argument before it is a bare word, and no container of ours has this name.
    if (std::string_view(argv[i]) != "create") continue;
    if (!OpenStandardInput()) {
      std::perror("davit-runc: a pipe for standard input");
      return kExitNotFound;
    }
    break;
  }
  char name[] = "runc";
  argv[0] = name;
  std::fflush(stdout);
  execvp("runc", argv);  // found as the shim finds it
  std::perror("davit-runc: runc");
  return kExitNotFound;
}
