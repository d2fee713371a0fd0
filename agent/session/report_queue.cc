#include "agent/session/report_queue.h"

#include <utility>

namespace davit::session {

void ReportQueue::Add(v1::TaskState state) {
  v1::TaskState& waiting = waiting_[state.task_arn()];
  if (waiting.sequence() <= state.sequence()) waiting = std::move(state);
}

std::optional<v1::StatusReport> ReportQueue::Next() {
  if (waiting_.empty() || in_flight_.size() >= kMaxInFlight) return std::nullopt;
  v1::StatusReport report;
  report.set_report_id(++last_report_id_);
  std::vector<std::string>& terminal = in_flight_[last_report_id_];
  while (!waiting_.empty() && report.tasks_size() < kMaxTasksPerReport) {
    auto first = waiting_.begin();
    if (first->second.last_status() == v1::TaskStatus::STOPPED) terminal.push_back(first->first);
    *report.add_tasks() = std::move(first->second);
    waiting_.erase(first);
  }
  return report;
}

std::vector<std::string> ReportQueue::Ack(uint64_t report_id) {
  const auto found = in_flight_.find(report_id);
  if (found == in_flight_.end()) return {};
  std::vector<std::string> terminal = std::move(found->second);
  in_flight_.erase(found);
  return terminal;
}

void ReportQueue::Clear() {
  waiting_.clear();
  in_flight_.clear();
}

}  // namespace davit::session
