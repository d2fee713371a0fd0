#ifndef DAVIT_AGENT_LOG_KEEPER_H_
#define DAVIT_AGENT_LOG_KEEPER_H_

// Standard library only: part of davit-logger (see json_line.h).

namespace davit::log {

// Makes davit-logger two processes that both hold the container's pipes: a writer, which does the
// work, and a keeper, which waits for its end. A pipe without reader would kill the container's
// processes (SIGPIPE), and its log could not go on. Whichever of the two is killed, the other one
// replaces it; only both at once are the end. Not thread-safe; the process has one thread.
class Keeper {
 public:
  // `name`: argv[0], which in a keeper becomes "davit-logkeeper", as far as it fits.
  explicit Keeper(char* name) : name_(name) {}
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Returns in a new child, the writer. The calling process becomes its keeper and never returns:
  // it ends with the writer's exit code, and makes a new writer, in which Split() returns as well,
  // if a signal has ended that one. `descriptor` is closed in the keeper. Without a process to
  // spare the caller goes on as a writer that has no keeper.
  void Split(int descriptor = -1);

  // For poll(2): ready when the keeper has ended, and Split() is to be called again; -1: there is
  // no keeper.
  int fd() const { return fd_; }
  // How many writers were killed before this one.
  int killed_writers() const { return killed_writers_; }

 private:
  void BecomeKeeper() const;

  char* const name_;
  int fd_ = -1;
  int killed_writers_ = 0;
};

}  // namespace davit::log

#endif  // DAVIT_AGENT_LOG_KEEPER_H_
