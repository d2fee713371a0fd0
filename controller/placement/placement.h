#ifndef DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_
#define DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "controller/capacity/host_index.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::placement {

// One task that needs a host. Borrows the reservation.
struct Request {
  const Reservation* needs;
  std::vector<std::string> required_attributes = {};  // names
};

// The fitting host with the most free memory; among equal ones, the one with the fewest tasks, then
// the first by ARN, so that equal questions have equal answers. Null: none fits. Looks at few
// hosts, however many there are, unless ports or GPUs are what most of them lack. Pure.
const capacity::Host* Choose(const capacity::HostIndex& hosts, const Request& request);

// Why `host` cannot take the task; nullopt if it can. The reasons are ECS's, checked in this
// order: AGENT (not connected, or not ACTIVE), ATTRIBUTE, RESOURCE:CPU, RESOURCE:MEMORY,
// RESOURCE:PORTS, RESOURCE:PORTS_UDP, RESOURCE:GPU. Pure.
std::optional<v1::Failure> WhyNot(const capacity::Host& host, const Request& request);

}  // namespace davit::controller::placement

#endif  // DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_
