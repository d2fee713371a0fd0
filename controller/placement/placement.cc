#include "controller/placement/placement.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace davit::controller::placement {
namespace {

using capacity::Host;
using capacity::Traits;

std::vector<int> TakenAmong(const std::vector<int>& wanted, const std::vector<int>& taken) {
  std::vector<int> both;
  std::set_intersection(wanted.begin(), wanted.end(), taken.begin(), taken.end(),
                        std::back_inserter(both));
  return both;
}

std::vector<std::string> MissingAttributes(const Traits& traits, const Request& request) {
  std::vector<std::string> missing;
  for (const std::string& name : request.required_attributes) {
    if (traits.attributes.count(name) > 0) continue;
    if (capacity::IsCapability(name) && !traits.states_capabilities) continue;
    missing.push_back(name);
  }
  return missing;
}

bool HasGpus(const Host& host, int count) {
  return count == 0 || host.FreeGpus().size() >= static_cast<size_t>(count);
}

// Of a host that is in the index, with the right traits.
bool Fits(const Host& host, const Reservation& needs) {
  return host.free_cpu_units >= needs.cpu_units && host.free_memory_mib >= needs.memory_mib &&
         TakenAmong(needs.tcp_ports, host.taken_tcp_ports).empty() &&
         TakenAmong(needs.udp_ports, host.taken_udp_ports).empty() && HasGpus(host, needs.gpus);
}

v1::Failure MakeFailure(const Host& host, absl::string_view reason, absl::string_view detail) {
  v1::Failure failure;
  failure.set_arn(host.arn);
  failure.set_reason(std::string(reason));
  failure.set_detail(std::string(detail));
  return failure;
}

}  // namespace

const Host* Choose(const capacity::HostIndex& hosts, const Request& request) {
  const Host* chosen = nullptr;
  hosts.Visit(
      request.needs->cpu_units, request.needs->memory_mib,
      [&](const Traits& traits) { return MissingAttributes(traits, request).empty(); },
      [&](const Host& host) {
        if (!Fits(host, *request.needs)) return true;
        chosen = &host;
        return false;
      });
  return chosen;
}

std::optional<v1::Failure> WhyNot(const Host& host, const Request& request) {
  const Reservation& needs = *request.needs;
  if (!host.is_connected)
    return MakeFailure(host, "AGENT",
                       "the agent is not connected, or its container runtime is not available");
  if (!host.is_active) return MakeFailure(host, "AGENT", "the container instance is not ACTIVE");
  if (const auto missing = MissingAttributes(*host.traits, request); !missing.empty()) {
    return MakeFailure(host, "ATTRIBUTE", absl::StrCat("lacks ", absl::StrJoin(missing, ", ")));
  }
  if (host.free_cpu_units < needs.cpu_units) {
    return MakeFailure(host, "RESOURCE:CPU",
                       absl::StrCat("needs ", needs.cpu_units, " CPU units, has ",
                                    host.free_cpu_units, " of ", host.cpu_units, " left"));
  }
  if (host.free_memory_mib < needs.memory_mib) {
    return MakeFailure(host, "RESOURCE:MEMORY",
                       absl::StrCat("needs ", needs.memory_mib, " MiB of memory, has ",
                                    host.free_memory_mib, " of ", host.memory_mib, " left"));
  }
  if (const auto taken = TakenAmong(needs.tcp_ports, host.taken_tcp_ports); !taken.empty()) {
    return MakeFailure(host, "RESOURCE:PORTS",
                       absl::StrCat("already in use: TCP port ", absl::StrJoin(taken, ", ")));
  }
  if (const auto taken = TakenAmong(needs.udp_ports, host.taken_udp_ports); !taken.empty()) {
    return MakeFailure(host, "RESOURCE:PORTS_UDP",
                       absl::StrCat("already in use: UDP port ", absl::StrJoin(taken, ", ")));
  }
  if (!HasGpus(host, needs.gpus)) {
    return MakeFailure(
        host, "RESOURCE:GPU",
        absl::StrCat("needs ", needs.gpus, needs.gpus == 1 ? " GPU" : " GPUs", ", has ",
                     host.FreeGpus().size(), " of ", host.gpus.size(), " left"));
  }
  return std::nullopt;
}

}  // namespace davit::controller::placement
