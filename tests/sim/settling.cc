// What must be true in the end, and is not yet.
#include "absl/strings/str_cat.h"
#include "tests/sim/simulation.h"

namespace davit::sim {

void Simulation::StopAll() {
  for (const auto& [id, row] : witness_.rows()) {
    if (row.task().desired_status() != "STOPPED") StopTask(row.task().task_arn());
  }
}

std::string Simulation::WhatHasNotSettled() const {
  for (const auto& [id, row] : witness_.rows()) {
    if (witness_.IsAbandoned(row)) continue;
    const v1::Task& task = row.task();
    const bool is_running = task.last_status() == "RUNNING" && task.desired_status() == "RUNNING";
    if (!is_running && task.last_status() != "STOPPED") {
      return absl::StrCat(task.task_arn(), " is ", task.last_status(), ", wanted ",
                          task.desired_status(), " (", row.waiting_reason(), ")");
    }
    for (const v1::Container& container : task.containers()) {
      std::string missing = WhatIsWrongWith(absl::StrCat(id, "-", container.name()), container);
      if (!missing.empty()) return missing;
    }
  }
  return "";
}

std::string Simulation::WhatIsWrongWith(const std::string& id, const v1::Container& told) const {
  const bool is_claimed = told.last_status() == "RUNNING";
  if (is_claimed != witness_.IsLive(id)) {
    return absl::StrCat(id, is_claimed ? " does not run" : " runs", ", the controller says ",
                        told.last_status());
  }
  const v1::ContainerDefinition* const definition = witness_.DefinitionOf(id);
  if (!is_claimed || definition == nullptr || !definition->has_health_check()) return "";
  const Host& host = *hosts_[witness_.HostOf(id)];
  const std::string health = host.IsWell(id) ? "HEALTHY" : "UNHEALTHY";
  if (told.health_status() == health) return "";
  return absl::StrCat(id, " is ", health, ", the controller says ", told.health_status());
}

std::string Simulation::WhatIsLeft() const {
  for (const auto& [id, row] : witness_.rows()) {
    if (row.task().last_status() != "STOPPED" && !witness_.IsAbandoned(row)) {
      return absl::StrCat(row.task().task_arn(), " is ", row.task().last_status());
    }
  }
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const std::vector<std::string> owned = hosts_[i]->WhatIsOwned();
    if (!owned.empty()) return absl::StrCat("host ", i, " has ", owned.size(), ": ", owned.front());
  }
  return "";
}

}  // namespace davit::sim
