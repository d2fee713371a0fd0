// Conditions that must hold in the end but do not hold yet.
#include "absl/strings/str_cat.h"
#include "tests/sim/simulation.h"

namespace davit::sim {

void Simulation::StopAll() {
  for (const auto& [id, row] : witness_.rows()) {
    if (row.desired_status() != v1::TaskStatus::STOPPED) StopTask(id);
  }
}

std::string Simulation::WhatHasNotSettled() const {
  for (const auto& [id, row] : witness_.rows()) {
    if (witness_.IsAbandoned(row)) continue;
    const bool is_running = row.last_status() == v1::TaskStatus::RUNNING &&
                            row.desired_status() == v1::TaskStatus::RUNNING;
    if (!is_running && row.last_status() != v1::TaskStatus::STOPPED) {
      return absl::StrCat(id, " is ", v1::TaskStatus::Value_Name(row.last_status()), ", wanted ",
                          v1::TaskStatus::Value_Name(row.desired_status()), " (",
                          row.waiting_reason(), ")");
    }
    for (const v1::StoredContainer& container : row.containers()) {
      std::string missing = WhatIsWrongWith(absl::StrCat(id, "-", container.name()), container);
      if (!missing.empty()) return missing;
    }
  }
  return "";
}

std::string Simulation::WhatIsWrongWith(const std::string& id,
                                        const v1::StoredContainer& told) const {
  const bool is_claimed = told.last_status() == v1::ContainerStatus::RUNNING;
  if (is_claimed != witness_.IsLive(id)) {
    return absl::StrCat(id, is_claimed ? " does not run" : " runs", ", the controller says ",
                        v1::ContainerStatus::Value_Name(told.last_status()));
  }
  const v1::ContainerDefinition* const definition = witness_.DefinitionOf(id);
  if (!is_claimed || definition == nullptr || !definition->has_health_check()) return "";
  const Host& host = *hosts_[witness_.HostOf(id)];
  const auto health = host.IsWell(id) ? v1::HealthStatus::HEALTHY : v1::HealthStatus::UNHEALTHY;
  if (told.health_status() == health) return "";
  return absl::StrCat(id, " is ", v1::HealthStatus::Value_Name(health), ", the controller says ",
                      v1::HealthStatus::Value_Name(told.health_status()));
}

std::string Simulation::WhatIsLeft() const {
  for (const auto& [id, row] : witness_.rows()) {
    if (row.last_status() != v1::TaskStatus::STOPPED && !witness_.IsAbandoned(row))
      return absl::StrCat(id, " is ", v1::TaskStatus::Value_Name(row.last_status()));
  }
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const std::vector<std::string> owned = hosts_[i]->WhatIsOwned();
    if (!owned.empty()) return absl::StrCat("host ", i, " has ", owned.size(), ": ", owned.front());
  }
  return "";
}

}  // namespace davit::sim
