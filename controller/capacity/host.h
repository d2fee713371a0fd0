#ifndef DAVIT_CONTROLLER_CAPACITY_HOST_H_
#define DAVIT_CONTROLLER_CAPACITY_HOST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/definition/reservation.h"
#include "davit/v1/ecs.pb.h"

namespace davit::capacity {

// One container instance, as far as placing tasks is concerned. A value.
struct Host {
  std::string arn;
  bool is_active = true;      // status ACTIVE: takes new tasks
  bool is_connected = false;  // its agent has a session and its container runtime answers
  int64_t cpu_units = 0;      // registered
  int64_t memory_mib = 0;
  int64_t free_cpu_units = 0;  // registered less what its tasks reserve
  int64_t free_memory_mib = 0;
  int task_count = 0;  // tasks that are not STOPPED
  std::vector<int>
      tcp_ports;  // taken ones, the host's own reserved ports included; sorted, may repeat
  std::vector<int> udp_ports;
  std::vector<std::string> gpus;        // ids, as registered; sorted
  std::vector<std::string> taken_gpus;  // what its tasks hold; sorted
  std::map<std::string, std::string> attributes;
  // Whether any attribute is a capability. An agent that states none is asked for none.
  bool states_capabilities = false;

  // Takes and gives back. Release() of what was reserved restores the host exactly.
  void Reserve(const Reservation& needs);
  void Release(const Reservation& needs);
  // Ids that no task holds; sorted. Of a GPU that a task holds and the host has no longer, nothing
  // is counted.
  std::vector<std::string> FreeGpus() const;
};

// Whether an attribute says what an agent can do, by ECS's names.
bool IsCapability(absl::string_view attribute);

// A host as its agent registered it, with nothing running on it: status, resources and attributes
// of `instance` are looked at.
Host HostFrom(const std::string& arn, const v1::ContainerInstance& instance);

struct PlacementRequest {
  Reservation needs;
  std::vector<std::string> required_attributes;  // names
  int count = 1;
};

struct PlacementAnswer {
  // One index into the hosts for each task that could be placed, at most `count`; a host may come
  // several times.
  std::vector<size_t> chosen;
  // When `chosen` is short: why each host refused the first task that found no place. Empty if
  // there are no hosts.
  std::vector<v1::Failure> failures;
};

// The scheduler's decision, injected where it is needed (placement/placement.h has the real one).
// Must be pure.
using PlaceFunction = std::function<PlacementAnswer(absl::Span<const Host* const> hosts,
                                                    const PlacementRequest& request)>;

}  // namespace davit::capacity

#endif  // DAVIT_CONTROLLER_CAPACITY_HOST_H_
