#ifndef DAVIT_BENCH_CONTROLLER_CHILD_H_
#define DAVIT_BENCH_CONTROLLER_CHILD_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace davit::bench {

// A davit-controller as a child process in development mode, with a temporary folder for its
// state, configuration and log. The kernel ends it when this process ends; the destructor ends it
// and removes the folder. Not thread-safe; all calls belong on one thread, which must be the one
// that lives longest.
class ControllerChild {
 public:
  struct Options {
    std::string program;          // absolute path of davit-controller
    std::string folder = "/tmp";  // where the temporary folder is made; its disk is measured too
    std::string extra_config;     // more lines of TOML
  };
  explicit ControllerChild(Options options);
  ~ControllerChild();
  ControllerChild(const ControllerChild&) = delete;
  ControllerChild& operator=(const ControllerChild&) = delete;

  // Returns once both ports are open. The ports are free ones at the first start, and the same at
  // each later start.
  absl::Status Start();
  // Sends `signal` and waits for the end.
  void Stop(int signal);

  pid_t pid() const { return pid_; }
  int api_port() const { return api_port_; }
  int gateway_port() const { return gateway_port_; }
  // CPU time since the process started.
  absl::Duration CpuTime() const;
  double ResidentMib() const;
  // Bytes of the state folder.
  double StateMib() const;

 private:
  absl::Status WriteConfig() const;
  absl::Status Spawn();

  const Options options_;
  std::string folder_;
  pid_t pid_ = -1;
  int api_port_ = 0;
  int gateway_port_ = 0;
};

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_CHILD_H_
