// davit-runc gives containers that are `interactive` without a terminal an open standard input.
// containerd's shim starts it instead of runc (runtime option binary_name) with runc's arguments.
// For `runc create` it opens a standard input, which runc passes on to the container. Then it
// becomes runc. The shim cannot do that itself: with a binary:// log URI it opens no standard input
// (pkg/process/io.go, NewBinaryIO), so the container's would be /dev/null. The standard input is a
// pipe with one end that is open for reading and writing. The reader is its own writer, so a read
// waits for ever, and no other process has to keep anything open. The pipe ends with the
// container's processes.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

constexpr int kExitNotFound = 127;

// False: sets errno.
bool OpenStandardInput() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const int both = open(("/proc/self/fd/" + std::to_string(ends[0])).c_str(), O_RDWR | O_CLOEXEC);
  return both >= 0 && dup2(both, STDIN_FILENO) == STDIN_FILENO;  // the copy is not close-on-exec
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") std::puts("davit-runc " DAVIT_VERSION);
  for (int i = 1; i < argc; ++i) {
    // "create" is the command: no earlier argument is a bare word, and no container has this name.
    if (std::string_view(argv[i]) != "create") continue;
    if (!OpenStandardInput()) {
      std::perror("davit-runc: cannot open a pipe for standard input");
      return kExitNotFound;
    }
    break;
  }
  char name[] = "runc";
  argv[0] = name;
  std::fflush(stdout);
  execvp("runc", argv);  // searches PATH like the shim
  std::perror("davit-runc: runc");
  return kExitNotFound;
}
