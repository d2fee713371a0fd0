#ifndef DAVIT_CONTROLLER_CHANGE_EFFECT_H_
#define DAVIT_CONTROLLER_CHANGE_EFFECT_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "controller/rows/record.h"
#include "davit/v1/agent.pb.h"

namespace davit::controller::change {

// What is to be done outside once the mutations of a command are durable.

// To the agent at the other end of the stream `session_id`.
struct SendToAgent {
  std::string session_id;
  v1::ControllerMessage message;
};
// What an agent shall do, before it is cut into messages and numbered.
struct Assignments {
  bool is_complete = false;                 // all tasks of the agent, not only those that changed
  std::vector<v1::Assignment> assignments;  // with task_definition_arn only
  std::vector<std::string> removed_task_arns;
  // What `assignments` name, each once.
  std::vector<std::pair<std::string, rows::Ref<v1::StoredTaskDefinition>>> definitions;  // by ARN
  int protocol_version = 0;  // of the agent (agent.proto, Hello)
};
struct SendAssignments {
  std::string session_id;
  Assignments assignments;
};
// After what was sent to it before.
struct EndSession {
  std::string session_id;
};
// One line for the log: a change of state, or something that an operator should know.
struct Note {
  enum class Level { kInfo, kWarning };
  Level level = Level::kInfo;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};
using Effect = std::variant<SendToAgent, SendAssignments, EndSession, Note>;

}  // namespace davit::controller::change

#endif  // DAVIT_CONTROLLER_CHANGE_EFFECT_H_
