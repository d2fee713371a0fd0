#ifndef DAVIT_CONTROLLER_AGENTS_REPORTS_H_
#define DAVIT_CONTROLLER_AGENTS_REPORTS_H_

#include <string>

#include "controller/change/change.h"

namespace davit::controller::agents {

// What a connected agent reports about its host and its tasks.

void ObserveRuntime(const state::Instance& instance, bool is_available,
                    const std::string& impairment, change::Change* change);
// Merges every task of the report that is the instance's, and acknowledges all of it.
void OnReport(const state::Instance& instance, const v1::StatusReport& report,
              change::Change* change);
// Confirms the tasks that are stopped, or belong to another instance, by the controller's records.
// Unknown tasks keep running: the store may have been emptied.
void OnStopCandidates(const state::Instance& instance, const v1::StopCandidates& candidates,
                      change::Change* change);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_REPORTS_H_
