#ifndef DAVIT_TESTS_SIM_WORKLOAD_H_
#define DAVIT_TESTS_SIM_WORKLOAD_H_

#include <vector>

#include "davit/v1/ecs.pb.h"

namespace davit::sim {

// The task definitions that histories run. What their programs do is the host's choice (host.cc).
//   web      runs until stopped, with a port
//   job      ends by itself
//   pair     two containers, of which one may end without the other
//   phoenix  restarts in place when it ends, and has health checks
//   chain    four containers that wait for each other by all conditions of dependsOn
//   hosted   in the host's network
//   missing  its image is in no registry
std::vector<v1::RegisterTaskDefinitionRequest> Definitions();

// The policy does not restart a container that ends with this exit code.
bool IsIgnored(const v1::ContainerRestartPolicy& policy, int exit_code);

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_WORKLOAD_H_
