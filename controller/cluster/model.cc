#include "controller/cluster/model.h"

namespace davit::cluster {

Outcome Model::Apply(const Command& command, const Instant& now) {
  now_ = now;
  effects_.clear();
  Result result = std::visit([this](const auto& one) { return On(one); }, command);
  Outcome outcome;
  outcome.status = result.status();
  if (result.ok()) outcome.answer = *std::move(result);
  outcome.mutations = state_.TakeMutations();
  outcome.effects = std::move(effects_);
  return outcome;
}

void Model::Send(const std::string& session_id, v1::ControllerMessage message) {
  message.set_session_id(session_id);
  effects_.push_back(SendToAgent{session_id, std::move(message)});
}

void Model::AddNote(Note::Level level, absl::string_view message,
                    std::vector<std::pair<std::string, std::string>> fields) {
  effects_.push_back(Note{level, std::string(message), std::move(fields)});
}

}  // namespace davit::cluster
