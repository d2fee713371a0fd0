#ifndef DAVIT_CONTROLLER_AGENTS_ASSIGNMENTS_H_
#define DAVIT_CONTROLLER_AGENTS_ASSIGNMENTS_H_

#include "controller/change/change.h"

namespace davit::controller::agents {

// Tells a connected agent all that it shall do.
void SendComplete(const state::Instance& instance, change::Change* change);

// Tells the connected agents what `change` has changed for them: tasks that are new, tasks whose
// assignment_version has risen, and tasks that need no longer be remembered because the controller
// has their end. Once, at the end of a command.
void SendChanged(change::Change* change);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_ASSIGNMENTS_H_
