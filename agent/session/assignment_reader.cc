#include "agent/session/assignment_reader.h"

#include <utility>

namespace davit::session {

std::optional<v1::AssignmentSet> AssignmentReader::Read(v1::AssignmentSet message) {
  for (v1::TaskDefinition& definition : *message.mutable_task_definitions()) {
    std::string arn = definition.task_definition_arn();
    definitions_[std::move(arn)] = std::move(definition);
  }
  message.clear_task_definitions();
  const bool has_more = message.has_more();
  // Parts of another set were cut off by a resync: this one stands for itself.
  if (pending_.results_in() != message.results_in()) pending_.Clear();
  pending_.MergeFrom(message);
  if (has_more) return std::nullopt;
  v1::AssignmentSet set = std::exchange(pending_, {});
  set.clear_has_more();
  for (v1::Assignment& assignment : *set.mutable_assignments()) {
    const auto definition = definitions_.find(assignment.task_definition_arn());
    if (definition != definitions_.end() && !assignment.has_task_definition())
      *assignment.mutable_task_definition() = definition->second;
  }
  return set;
}

void AssignmentReader::Clear() {
  definitions_.clear();
  pending_.Clear();
}

}  // namespace davit::session
