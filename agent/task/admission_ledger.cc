#include "agent/task/admission_ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace davit::task {
namespace {

// A port of `wanted` that is in `taken`; 0 if there is none.
int Conflict(const std::set<int>& wanted, const std::set<int>& taken) {
  const auto found = std::find_if(wanted.begin(), wanted.end(),
                                  [&taken](int port) { return taken.count(port) > 0; });
  return found == wanted.end() ? 0 : *found;
}

}  // namespace

ResourceNeeds AdmissionLedger::Used() const {
  ResourceNeeds used;
  for (const auto& [id, needs] : admitted_) {
    used.cpu += needs.cpu;
    used.memory += needs.memory;
    used.tcp_ports.insert(needs.tcp_ports.begin(), needs.tcp_ports.end());
    used.udp_ports.insert(needs.udp_ports.begin(), needs.udp_ports.end());
    used.gpus.insert(needs.gpus.begin(), needs.gpus.end());
  }
  return used;
}

std::string AdmissionLedger::WhatIsMissing(const ResourceNeeds& needs,
                                           const ResourceNeeds& used) const {
  if (used.cpu + needs.cpu > total_.cpu) {
    return absl::StrCat("RESOURCE:CPU: needs ", needs.cpu, " CPU units, ", total_.cpu - used.cpu,
                        " of ", total_.cpu, " are free");
  }
  if (used.memory + needs.memory > total_.memory) {
    return absl::StrCat("RESOURCE:MEMORY: needs ", needs.memory, " MiB, ",
                        total_.memory - used.memory, " of ", total_.memory, " MiB are free");
  }
  if (const int port = Conflict(needs.tcp_ports, used.tcp_ports); port != 0) {
    return absl::StrCat("RESOURCE:PORTS: host port ", port, "/tcp is used by another task");
  }
  if (const int port = Conflict(needs.udp_ports, used.udp_ports); port != 0) {
    return absl::StrCat("RESOURCE:PORTS_UDP: host port ", port, "/udp is used by another task");
  }
  for (const std::string& gpu : needs.gpus) {
    if (total_.gpus.count(gpu) == 0) {
      return absl::StrCat("RESOURCE:GPU: resourceRequirements: this host has no GPU ", gpu,
                          " (see gpu.devices in agent.toml)");
    }
    if (used.gpus.count(gpu) > 0) {
      return absl::StrCat("RESOURCE:GPU: GPU ", gpu, " is used by another task");
    }
  }
  return "";
}

AdmissionLedger::Answer AdmissionLedger::Request(const std::string& id,
                                                 const ResourceNeeds& needs) {
  if (admitted_.count(id) > 0) return {Verdict::kAdmitted, ""};
  ResourceNeeds reserved;  // reserved by the host
  reserved.tcp_ports = total_.tcp_ports;
  reserved.udp_ports = total_.udp_ports;
  if (std::string never = WhatIsMissing(needs, reserved); !never.empty())
    return {Verdict::kNever, never};
  std::string missing = WhatIsMissing(needs, Used());
  const auto queued =
      std::find_if(queue_.begin(), queue_.end(), [&id](const Waiter& w) { return w.id == id; });
  if (queued != queue_.end()) return {Verdict::kWaits, missing};
  const bool must_queue = !queue_.empty() && queue_.front().overtaken >= kMaxOvertakes;
  if (missing.empty() && !must_queue) {
    if (!queue_.empty()) ++queue_.front().overtaken;
    admitted_.emplace(id, needs);
    return {Verdict::kAdmitted, ""};
  }
  if (missing.empty())
    missing = absl::StrCat("waits behind task ", queue_.front().id, ", which waited longest");
  queue_.push_back(Waiter{id, needs});
  return {Verdict::kWaits, missing};
}

void AdmissionLedger::Adopt(const std::string& id, const ResourceNeeds& needs) {
  admitted_.emplace(id, needs);
}

std::vector<std::string> AdmissionLedger::Release(const std::string& id) {
  admitted_.erase(id);
  queue_.remove_if([&id](const Waiter& waiter) { return waiter.id == id; });
  std::vector<std::string> admitted;
  for (auto waiter = queue_.begin(); waiter != queue_.end();) {
    if (WhatIsMissing(waiter->needs, Used()).empty()) {
      if (waiter != queue_.begin()) ++queue_.front().overtaken;
      admitted_.emplace(waiter->id, waiter->needs);
      admitted.push_back(waiter->id);
      waiter = queue_.erase(waiter);
    } else if (waiter == queue_.begin() && waiter->overtaken >= kMaxOvertakes) {
      break;
    } else {
      ++waiter;
    }
  }
  return admitted;
}

}  // namespace davit::task
