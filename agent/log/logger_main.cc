// davit-logger writes the log of one container. The containerd shim starts it (log URI
// binary:///...) and passes it the read ends of the container's pipes. It depends on neither agent
// nor containerd, so logging continues while those restart. The protocol is containerd's
// (runtime/v2/logging, pkg/process/io.go NewBinaryIO). Descriptor 3 is the container's stdout, 4
// its stderr; closing 5 means "ready". The URI's query arrives as pairs of arguments in any order:
//   davit-logger file PATH max_size BYTES max_files COUNT

#include <fcntl.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/log/log_file.h"
#include "agent/log/logger.h"

namespace {

constexpr int kStdout = 3;
constexpr int kStderr = 4;
constexpr int kReady = 5;
constexpr int kExitBadConfig = 5;
constexpr char kUsage[] =
    "davit-logger: started by containerd's shim, which gives it a container's output\n"
    "  davit-logger file PATH max_size BYTES max_files COUNT 3<STDOUT 4<STDERR 5>READY";

davit::log::LogFile::Options ParseArguments(int argc, char** argv) {
  davit::log::LogFile::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* const value = argv[i + 1];
    if (name == "file") options.path = value;
    if (name == "max_size") options.max_bytes = std::strtoll(value, nullptr, 10);
    if (name == "max_files") options.max_files = static_cast<int>(std::strtol(value, nullptr, 10));
  }
  return options;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc == 2 ? argv[1] : "";
  if (option == "--version" || option == "--help") {
    std::puts(option == "--help" ? kUsage : "davit-logger " DAVIT_VERSION);
    return 0;
  }
  // Started by containerd's shim it never refuses anything: without it, the container would not
  // run.
  if (!IsOpen(kStdout) || !IsOpen(kStderr)) {
    std::fputs(kUsage, stderr);
    return kExitBadConfig;
  }
  // The shim says SIGTERM when it closes its ends; what is in the pipes then must still be written.
  // It ends us with SIGKILL if a process of the container keeps a pipe open for much longer.
  for (const int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(signal_number, SIG_IGN);
  // With a wrong path every record is lost, but the container runs: a closed pipe would kill it.
  davit::log::Keeper keeper(argv[0]);
  davit::log::RunLogger({kStdout, kStderr, kReady, ParseArguments(argc, argv)}, &keeper);
  return 0;
}
