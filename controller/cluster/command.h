#ifndef DAVIT_CONTROLLER_CLUSTER_COMMAND_H_
#define DAVIT_CONTROLLER_CLUSTER_COMMAND_H_

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "controller/cluster/mutation.h"
#include "davit/v1/agent.pb.h"
#include "davit/v1/ecs.pb.h"

namespace davit::cluster {

// When a command is applied. The model reads no clock of its own.
struct Instant {
  absl::Time wall;           // for people and records
  absl::Duration monotonic;  // for deadlines
};

// The process has started: raises the epoch. Always the first command.
struct Started {};
// Something came over an agent's stream. `session_id` names the stream, not what the message
// claims.
struct AgentSaid {
  std::string session_id;
  v1::AgentMessage message;
};
// The stream has ended. No more comes from it.
struct AgentGone {
  std::string session_id;
};
// Time has passed: looks for silent agents and for stopped tasks that have been kept long enough.
// Due every second.
struct Tick {};
// The controller goes down: every agent is told to dial again.
struct Stopping {};

// All that changes the cluster. API requests are the messages of ecs.proto.
using Command = std::variant<v1::CreateClusterRequest, v1::DeleteClusterRequest,
                             v1::RegisterTaskDefinitionRequest, v1::DeregisterTaskDefinitionRequest,
                             v1::RunTaskRequest, v1::StopTaskRequest, Started, AgentSaid, AgentGone,
                             Tick, Stopping>;

// Effects: what is to be done once the mutations are durable.

// To the agent at the other end of the stream `session_id`.
struct SendToAgent {
  std::string session_id;
  v1::ControllerMessage message;
};
// After what was sent to it before.
struct EndSession {
  std::string session_id;
};
// One line for the log: a change of state, or something an operator should know.
struct Note {
  enum class Level { kInfo, kWarning };
  Level level = Level::kInfo;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};
using Effect = std::variant<SendToAgent, EndSession, Note>;

// What a command came to. With a status that is not OK nothing was changed, and there are no
// mutations.
struct Outcome {
  absl::Status status;
  std::shared_ptr<const google::protobuf::Message> answer;  // of API requests: the response message
  std::vector<Mutation> mutations;
  std::vector<Effect> effects;
};

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_COMMAND_H_
