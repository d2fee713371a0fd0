#include "controller/placement/placement.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace davit::placement {
namespace {

using capacity::Host;
using capacity::PlacementAnswer;
using capacity::PlacementRequest;

std::vector<int> TakenAmong(const std::vector<int>& wanted, const std::vector<int>& taken) {
  std::vector<int> both;
  std::set_intersection(wanted.begin(), wanted.end(), taken.begin(), taken.end(),
                        std::back_inserter(both));
  return both;
}

std::vector<std::string> MissingAttributes(const Host& host, const PlacementRequest& request) {
  std::vector<std::string> missing;
  for (const std::string& name : request.required_attributes) {
    if (host.attributes.count(name) > 0) continue;
    if (capacity::IsCapability(name) && !host.states_capabilities) continue;
    missing.push_back(name);
  }
  return missing;
}

bool HasGpus(const Host& host, int count) {
  return count == 0 || host.FreeGpus().size() >= static_cast<size_t>(count);
}

bool Fits(const Host& host, const PlacementRequest& request) {
  const Reservation& needs = request.needs;
  return host.is_connected && host.is_active && host.free_cpu_units >= needs.cpu_units &&
         host.free_memory_mib >= needs.memory_mib &&
         TakenAmong(needs.tcp_ports, host.tcp_ports).empty() &&
         TakenAmong(needs.udp_ports, host.udp_ports).empty() && HasGpus(host, needs.gpus) &&
         MissingAttributes(host, request).empty();
}

v1::Failure MakeFailure(const Host& host, absl::string_view reason, absl::string_view detail) {
  v1::Failure failure;
  failure.set_arn(host.arn);
  failure.set_reason(std::string(reason));
  failure.set_detail(std::string(detail));
  return failure;
}

// A host that fits, and what its place in the order depends on.
struct Candidate {
  size_t index;
  Host host;  // a copy: the tasks of this request are reserved on it
};

// One task of the request, on this host: it would be given the first GPUs that are free.
Reservation ReservationOn(const Host& host, const PlacementRequest& request) {
  Reservation needs = request.needs;
  if (needs.gpus == 0) return needs;
  needs.gpu_ids = host.FreeGpus();
  needs.gpu_ids.resize(static_cast<size_t>(needs.gpus));
  return needs;
}

// True when `a` is the worse choice: std heaps keep the greatest element on top.
bool IsWorse(const Candidate& a, const Candidate& b) {
  return std::tie(a.host.free_memory_mib, b.host.task_count, b.host.arn) <
         std::tie(b.host.free_memory_mib, a.host.task_count, a.host.arn);
}

}  // namespace

std::optional<v1::Failure> WhyNot(const Host& host, const PlacementRequest& request) {
  const Reservation& needs = request.needs;
  if (!host.is_connected)
    return MakeFailure(host, "AGENT",
                       "the agent is not connected, or its container runtime is not available");
  if (!host.is_active) return MakeFailure(host, "AGENT", "the container instance is not ACTIVE");
  if (const auto missing = MissingAttributes(host, request); !missing.empty()) {
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
  if (const auto taken = TakenAmong(needs.tcp_ports, host.tcp_ports); !taken.empty()) {
    return MakeFailure(host, "RESOURCE:PORTS",
                       absl::StrCat("already in use: TCP port ", absl::StrJoin(taken, ", ")));
  }
  if (const auto taken = TakenAmong(needs.udp_ports, host.udp_ports); !taken.empty()) {
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

PlacementAnswer Place(absl::Span<const Host* const> hosts, const PlacementRequest& request) {
  // Only the `count` best of those that fit can ever be chosen, and only those are copied.
  std::vector<size_t> fitting;
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (Fits(*hosts[i], request)) fitting.push_back(i);
  }
  const auto is_better = [&hosts](size_t a, size_t b) {
    return std::tie(hosts[b]->free_memory_mib, hosts[a]->task_count, hosts[a]->arn) <
           std::tie(hosts[a]->free_memory_mib, hosts[b]->task_count, hosts[b]->arn);
  };
  const size_t kept = std::min(fitting.size(), static_cast<size_t>(request.count));
  std::partial_sort(fitting.begin(), fitting.begin() + static_cast<std::ptrdiff_t>(kept),
                    fitting.end(), is_better);
  std::vector<Candidate> heap;
  for (size_t i = 0; i < kept; ++i) heap.push_back({fitting[i], *hosts[fitting[i]]});
  std::make_heap(heap.begin(), heap.end(), IsWorse);

  PlacementAnswer answer;
  std::map<size_t, Host> full;  // hosts that this request itself has filled
  while (!heap.empty() && answer.chosen.size() < static_cast<size_t>(request.count)) {
    std::pop_heap(heap.begin(), heap.end(), IsWorse);
    Candidate& best = heap.back();
    answer.chosen.push_back(best.index);
    best.host.Reserve(ReservationOn(best.host, request));
    if (Fits(best.host, request)) {
      std::push_heap(heap.begin(), heap.end(), IsWorse);
    } else {
      full.emplace(best.index, std::move(best.host));
      heap.pop_back();
    }
  }
  if (answer.chosen.size() == static_cast<size_t>(request.count)) return answer;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const auto found = full.find(i);
    const Host& host = found == full.end() ? *hosts[i] : found->second;
    if (auto failure = WhyNot(host, request)) answer.failures.push_back(*std::move(failure));
  }
  return answer;
}

}  // namespace davit::placement
