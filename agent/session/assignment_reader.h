#ifndef DAVIT_AGENT_SESSION_ASSIGNMENT_READER_H_
#define DAVIT_AGENT_SESSION_ASSIGNMENT_READER_H_

#include <map>
#include <optional>
#include <string>

#include "davit/v1/agent.pb.h"

namespace davit::session {

// Puts the assignment sets of one session together again: a set may come in several messages, and
// names task definitions that an earlier message carried. Not thread-safe.
class AssignmentReader {
 public:
  // The whole set, with a task definition in every assignment whose definition the session has
  // carried; nullopt: more of it is to come.
  std::optional<v1::AssignmentSet> Read(v1::AssignmentSet message);
  // A new session begins.
  void Clear();

 private:
  std::map<std::string, v1::TaskDefinition> definitions_;  // by ARN
  v1::AssignmentSet pending_;                              // the parts that have come so far
};

}  // namespace davit::session

#endif  // DAVIT_AGENT_SESSION_ASSIGNMENT_READER_H_
