#ifndef DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_
#define DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_

#include <optional>

#include "absl/types/span.h"
#include "controller/capacity/host.h"

namespace davit::placement {

// Chooses hosts for `request.count` equal tasks. Each task goes to the fitting host with the most
// free memory; equal ones are told apart by fewest tasks, then by ARN, so that the same question
// always has the same answer. Takes into account what the tasks before it in the same request took.
// O(hosts + count * log(hosts)). Pure; thread-safe.
capacity::PlacementAnswer Place(absl::Span<const capacity::Host* const> hosts,
                                const capacity::PlacementRequest& request);

// Why `host` cannot take one task of `request`; nullopt if it can. The reasons are ECS's, looked at
// in this order: AGENT (not connected, or not ACTIVE), ATTRIBUTE, RESOURCE:CPU, RESOURCE:MEMORY,
// RESOURCE:PORTS, RESOURCE:PORTS_UDP, RESOURCE:GPU.
std::optional<v1::Failure> WhyNot(const capacity::Host& host,
                                  const capacity::PlacementRequest& request);

}  // namespace davit::placement

#endif  // DAVIT_CONTROLLER_PLACEMENT_PLACEMENT_H_
