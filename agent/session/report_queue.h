#ifndef DAVIT_AGENT_SESSION_REPORT_QUEUE_H_
#define DAVIT_AGENT_SESSION_REPORT_QUEUE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "davit/v1/agent.pb.h"

namespace davit::session {

// What is to be told to the controller in one connection: the latest state per task, in reports of
// which a few may be under way, each far below what gRPC takes (4 MiB). Pure; not thread-safe.
class ReportQueue {
 public:
  static constexpr size_t kMaxInFlight = 8;
  static constexpr int kMaxTasksPerReport = 500;
  // Of a report as it is sent. A state that is larger alone is shortened, and says so.
  static constexpr size_t kMaxReportBytes = 1 << 20;

  // Replaces an older waiting state of the same task.
  void Add(v1::TaskState state);
  // The next report to send, if there is something to tell and room under way.
  std::optional<v1::StatusReport> Next();
  // The controller has made this report durable. Returns the tasks whose terminal status it now
  // has.
  std::vector<std::string> Ack(uint64_t report_id);
  // The connection is gone, and with it all that was under way or waited: who reports does so
  // again.
  void Clear();

  size_t waiting() const { return waiting_.size(); }
  size_t in_flight() const { return in_flight_.size(); }

 private:
  std::map<std::string, v1::TaskState> waiting_;            // by task ARN
  std::map<uint64_t, std::vector<std::string>> in_flight_;  // report id -> terminal tasks in it
  uint64_t last_report_id_ = 0;
};

}  // namespace davit::session

#endif  // DAVIT_AGENT_SESSION_REPORT_QUEUE_H_
