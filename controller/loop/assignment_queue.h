#ifndef DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_
#define DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_

#include <deque>
#include <optional>

#include "davit/v1/agent.pb.h"

namespace davit::loop {

// What waits to be written to one agent. Assignment sets that follow each other become one, so that
// an agent that reads slowly costs one set and not all of them: the latest assignment per task
// wins. Not thread-safe.
class AssignmentQueue {
 public:
  void Push(v1::ControllerMessage message);
  std::optional<v1::ControllerMessage> Pop();
  bool empty() const { return messages_.empty(); }
  size_t size() const { return messages_.size(); }

 private:
  std::deque<v1::ControllerMessage> messages_;
};

}  // namespace davit::loop

#endif  // DAVIT_CONTROLLER_LOOP_ASSIGNMENT_QUEUE_H_
