#ifndef DAVIT_AGENT_SUPERVISOR_POOLS_H_
#define DAVIT_AGENT_SUPERVISOR_POOLS_H_

#include "base/executor.h"
#include "base/lane_pool.h"

namespace davit::supervisor {

// The pools that blocking work runs on. A call that hangs holds up no other task's calls of its
// pool (base/lane_pool.h), and nothing of another pool.
struct Pools {
  Executor* control;             // never blocked: mailboxes and timers
  BlockingExecutor* runtime;     // makes and removes: containerd calls, cgroups, files
  BlockingExecutor* signal;      // stops: nothing else, so that none of them waits
  BlockingExecutor* inspection;  // looks: at containers, their ends, the whole host
  BlockingExecutor* image;       // pulls, and what else comes from afar: secrets
  BlockingExecutor* network;     // CNI plugins
  BlockingExecutor* health;      // checks of containers: as slow as what they ask
};
// The lane of calls that are for no single task.
inline constexpr char kHostLane[] = "host";

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_POOLS_H_
