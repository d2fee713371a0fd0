// davit-pause is process 1 of the namespaces that the containers of a task share
// (agent/spec/pause.h). It reaps orphaned processes and does nothing else until SIGTERM or SIGINT.
// It is linked statically, because its root file system is empty.
#include <signal.h>
#include <sys/wait.h>

#include <initializer_list>

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&signals, number);
  // Blocked signals stay pending, so no end between waitpid() and sigwait() is missed. All other
  // signals keep their default action, which the kernel does not apply to process 1 of a namespace
  // (pid_namespaces(7)).
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  for (;;) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    int number = 0;
    if (sigwait(&signals, &number) == 0 && number != SIGCHLD) return 0;
  }
}
