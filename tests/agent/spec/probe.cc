// probe NUMBER [ARGUMENT...] makes one system call with numbers as arguments and prints its errno
// (0: success). Linked statically, so that it runs in any root file system.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  long values[7] = {};
  for (int i = 1; i < argc && i <= 7; ++i) values[i - 1] = std::strtol(argv[i], nullptr, 0);
  errno = 0;
  const long result =
      syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
  std::printf("%d\n", result == -1 ? errno : 0);
  return 0;
}
