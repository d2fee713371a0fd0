#ifndef DAVIT_CONTROLLER_AGENTS_HELLO_H_
#define DAVIT_CONTROLLER_AGENTS_HELLO_H_

#include <string>

#include "controller/change/change.h"

namespace davit::controller::agents {

// The first message of a stream: registers the container instance, if it is new or has changed,
// makes the stream its session, and answers Welcome and the COMPLETE set. A Hello that is not
// acceptable ends the stream with the reason. `bound_host`: see agents.h.
void OnHello(const std::string& session_id, const std::string& bound_host, const v1::Hello& hello,
             change::Change* change);

}  // namespace davit::controller::agents

#endif  // DAVIT_CONTROLLER_AGENTS_HELLO_H_
