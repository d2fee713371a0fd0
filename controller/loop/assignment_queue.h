#ifndef DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_
#define DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_

#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "controller/change/effect.h"

namespace davit::controller::loop {

// What waits to be written to one agent. Assignments that follow each other become one set, so that
// an agent that reads slowly costs one set and not all of them: the latest assignment of each task
// wins. Sets are numbered, cut into messages of about kMessageBytes, and given the task definitions
// that the stream has not carried yet. Not thread-safe.
class AssignmentQueue {
 public:
  static constexpr size_t kMessageBytes = 1U << 20;

  void Push(v1::ControllerMessage message);
  void Push(const std::string& session_id, change::Assignments assignments);
  std::optional<v1::ControllerMessage> Pop();
  bool empty() const { return entries_.empty() && rest_.empty(); }
  size_t size() const { return entries_.size() + rest_.size(); }

 private:
  struct Set {
    std::string session_id;
    change::Assignments assignments;
  };
  void Cut(Set set);
  // For agents of protocol version 1: every assignment has its task definition.
  static void FillDefinition(const Set& set, v1::Assignment* assignment);
  size_t AddDefinition(const std::string& arn, const Set& set, v1::AssignmentSet* part);

  std::deque<std::variant<v1::ControllerMessage, Set>> entries_;
  std::deque<v1::ControllerMessage> rest_;    // of the set that is being written
  absl::flat_hash_set<std::string> carried_;  // ARNs of task definitions
  uint64_t last_set_ = 0;                     // results_in of the newest set
};

}  // namespace davit::controller::loop

#endif  // DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_
