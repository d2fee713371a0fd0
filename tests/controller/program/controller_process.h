#ifndef DAVIT_TESTS_CONTROLLER_PROGRAM_CONTROLLER_PROCESS_H_
#define DAVIT_TESTS_CONTROLLER_PROGRAM_CONTROLLER_PROCESS_H_

#include <sys/types.h>

#include <string>

namespace davit::test {

// The real davit-controller as a process of its own, in development mode, with its own state folder
// and free ports. Stop() and the destructor end it; its state stays until the destructor.
class ControllerProcess {
 public:
  ControllerProcess();
  ~ControllerProcess();
  ControllerProcess(const ControllerProcess&) = delete;
  ControllerProcess& operator=(const ControllerProcess&) = delete;

  // False: it has ended before it listened.
  bool Start();
  // SIGTERM, or another signal. Its exit code, or -1 when the signal killed it.
  int Stop(int signal);
  // Starts it and waits until it ends by itself: its exit code.
  int Run();

  void WriteConfig(const std::string& extra = "");
  // http://127.0.0.1:PORT
  const std::string& url() const { return url_; }
  std::string Log() const;
  const std::string& folder() const { return folder_; }

 private:
  void Spawn();
  int Wait();

  std::string folder_;
  std::string url_;
  pid_t pid_ = -1;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_CONTROLLER_PROGRAM_CONTROLLER_PROCESS_H_
