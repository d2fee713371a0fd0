#include "controller/loop/assignment_queue.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace davit::controller::loop {
namespace {

// The protocol version from which on agents know sets in several messages, and task definitions
// that a session carries once.
constexpr int kPartsSince = 2;

// Makes `set` mean what it and `next` after it mean.
void Merge(change::Assignments* set, change::Assignments next) {
  set->protocol_version = std::max(set->protocol_version, next.protocol_version);
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i = 0; i < set->assignments.size(); ++i) places[set->assignments[i].task_arn()] = i;
  for (v1::Assignment& assignment : next.assignments) {
    const auto [place, is_new] = places.try_emplace(assignment.task_arn(), set->assignments.size());
    if (is_new) {
      set->assignments.push_back(std::move(assignment));
    } else {
      set->assignments[place->second] = std::move(assignment);
    }
  }
  const absl::flat_hash_set<std::string> removed(next.removed_task_arns.begin(),
                                                 next.removed_task_arns.end());
  if (!removed.empty()) {
    auto& list = set->assignments;
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const auto& one) { return removed.contains(one.task_arn()); }),
               list.end());
  }
  // A complete set removes by leaving out.
  if (!set->is_complete) {
    std::move(next.removed_task_arns.begin(), next.removed_task_arns.end(),
              std::back_inserter(set->removed_task_arns));
  }
  for (auto& definition : next.definitions) {
    const bool is_known =
        std::any_of(set->definitions.begin(), set->definitions.end(),
                    [&](const auto& known) { return known.first == definition.first; });
    if (!is_known) set->definitions.push_back(std::move(definition));
  }
}

}  // namespace

void AssignmentQueue::Push(v1::ControllerMessage message) {
  entries_.emplace_back(std::move(message));
}

void AssignmentQueue::Push(const std::string& session_id, change::Assignments assignments) {
  Set* last = entries_.empty() ? nullptr : std::get_if<Set>(&entries_.back());
  if (last == nullptr) {
    entries_.emplace_back(Set{session_id, std::move(assignments)});
  } else if (assignments.is_complete) {
    last->assignments = std::move(assignments);
  } else {
    Merge(&last->assignments, std::move(assignments));
  }
}

std::optional<v1::ControllerMessage> AssignmentQueue::Pop() {
  if (rest_.empty() && entries_.empty()) return std::nullopt;
  if (rest_.empty()) {
    auto entry = std::move(entries_.front());
    entries_.pop_front();
    if (auto* message = std::get_if<v1::ControllerMessage>(&entry)) return std::move(*message);
    Cut(std::get<Set>(std::move(entry)));
  }
  v1::ControllerMessage message = std::move(rest_.front());
  rest_.pop_front();
  return message;
}

void AssignmentQueue::Cut(Set set) {
  const uint64_t before = last_set_++;
  const bool is_old_agent = set.assignments.protocol_version < kPartsSince;
  size_t bytes = 0;
  const auto begin_part = [&] {
    v1::ControllerMessage& message = rest_.emplace_back();
    message.set_session_id(set.session_id);
    v1::AssignmentSet* part = message.mutable_assignment_set();
    part->set_type(set.assignments.is_complete ? v1::AssignmentSet::COMPLETE
                                               : v1::AssignmentSet::INCREMENTAL);
    if (!set.assignments.is_complete) part->set_applies_to(before);
    part->set_results_in(last_set_);
    bytes = 0;
    return part;
  };
  v1::AssignmentSet* part = begin_part();
  for (v1::Assignment& assignment : set.assignments.assignments) {
    if (is_old_agent) {
      FillDefinition(set, &assignment);
      *part->add_assignments() = std::move(assignment);
      continue;
    }
    if (bytes >= kMessageBytes) {
      part->set_has_more(true);
      part = begin_part();
    }
    if (!carried_.contains(assignment.task_definition_arn()))
      bytes += AddDefinition(assignment.task_definition_arn(), set, part);
    bytes += assignment.ByteSizeLong();
    *part->add_assignments() = std::move(assignment);
  }
  for (std::string& arn : set.assignments.removed_task_arns)
    part->add_removed_task_arns(std::move(arn));
}

void AssignmentQueue::FillDefinition(const Set& set, v1::Assignment* assignment) {
  for (const auto& [arn, record] : set.assignments.definitions) {
    if (arn != assignment->task_definition_arn()) continue;
    *assignment->mutable_task_definition() = record->content();
    assignment->mutable_task_definition()->set_task_definition_arn(arn);
  }
}

// Returns how many bytes that adds; 0: the store lacks the definition.
size_t AssignmentQueue::AddDefinition(const std::string& arn, const Set& set,
                                      v1::AssignmentSet* part) {
  for (const auto& [known, record] : set.assignments.definitions) {
    if (known != arn) continue;
    carried_.insert(arn);
    v1::TaskDefinition* definition = part->add_task_definitions();
    *definition = record->content();
    definition->set_task_definition_arn(arn);
    return definition->ByteSizeLong();
  }
  return 0;
}

}  // namespace davit::controller::loop
