#include "controller/loop/assignment_queue.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace davit::loop {
namespace {

bool IsIncremental(const v1::ControllerMessage& message) {
  return message.has_assignment_set() &&
         message.assignment_set().type() == v1::AssignmentSet::INCREMENTAL;
}

// True if `next` could be added to the set before it: then that one leads to what `next` results
// in.
bool Merge(v1::AssignmentSet* set, v1::AssignmentSet* next) {
  if (set->results_in() != next->applies_to()) return false;
  std::unordered_map<std::string, int> places;
  for (int i = 0; i < set->assignments_size(); ++i) places[set->assignments(i).task_arn()] = i;
  for (v1::Assignment& assignment : *next->mutable_assignments()) {
    const auto place = places.find(assignment.task_arn());
    if (place == places.end()) {
      *set->add_assignments() = std::move(assignment);
    } else {
      *set->mutable_assignments(place->second) = std::move(assignment);
    }
  }
  for (std::string& arn : *next->mutable_removed_task_arns()) {
    auto* assignments = set->mutable_assignments();
    assignments->erase(
        std::remove_if(assignments->begin(), assignments->end(),
                       [&arn](const auto& assignment) { return assignment.task_arn() == arn; }),
        assignments->end());
    // A COMPLETE set removes by leaving out.
    if (set->type() == v1::AssignmentSet::INCREMENTAL) set->add_removed_task_arns(std::move(arn));
  }
  set->set_results_in(next->results_in());
  return true;
}

}  // namespace

void AssignmentQueue::Push(v1::ControllerMessage message) {
  if (IsIncremental(message) && !messages_.empty() && messages_.back().has_assignment_set() &&
      Merge(messages_.back().mutable_assignment_set(), message.mutable_assignment_set())) {
    return;
  }
  messages_.push_back(std::move(message));
}

std::optional<v1::ControllerMessage> AssignmentQueue::Pop() {
  if (messages_.empty()) return std::nullopt;
  v1::ControllerMessage message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

}  // namespace davit::loop
