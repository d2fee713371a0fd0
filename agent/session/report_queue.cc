#include "agent/session/report_queue.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::session {

namespace {

constexpr size_t kFieldOverhead = 8;  // of one task in a report: its tag and its length

// Cuts what may be long until the state has at most `limit` bytes: first the containers' reasons,
// then their network bindings, then whole containers.
void Fit(size_t limit, v1::TaskState* state) {
  const size_t size = state->ByteSizeLong();
  if (size <= limit) return;
  state->set_waiting_reason(
      absl::StrCat("this report of the task had ", size, " bytes and was shortened"));
  for (const size_t reason_limit : {size_t{256}, size_t{64}}) {
    for (v1::ContainerState& container : *state->mutable_containers()) {
      if (state->ByteSizeLong() <= limit) return;
      container.set_reason(Shorten(container.reason(), reason_limit));
    }
    state->set_stopped_reason(Shorten(state->stopped_reason(), reason_limit));
  }
  for (v1::ContainerState& container : *state->mutable_containers()) {
    if (state->ByteSizeLong() <= limit) return;
    container.clear_network_bindings();
  }
  while (state->ByteSizeLong() > limit && state->containers_size() > 0)
    state->mutable_containers()->RemoveLast();
}

}  // namespace

void ReportQueue::Add(v1::TaskState state) {
  v1::TaskState& waiting = waiting_[state.task_arn()];
  if (waiting.sequence() <= state.sequence()) waiting = std::move(state);
}

std::optional<v1::StatusReport> ReportQueue::Next() {
  if (waiting_.empty() || in_flight_.size() >= kMaxInFlight) return std::nullopt;
  v1::StatusReport report;
  report.set_report_id(++last_report_id_);
  std::vector<std::string>& terminal = in_flight_[last_report_id_];
  size_t room = kMaxReportBytes - kFieldOverhead;  // the rest is for the report's id
  while (!waiting_.empty() && report.tasks_size() < kMaxTasksPerReport) {
    auto first = waiting_.begin();
    if (report.tasks_size() == 0) Fit(room - kFieldOverhead, &first->second);
    const size_t size = first->second.ByteSizeLong() + kFieldOverhead;
    if (size > room) break;
    room -= size;
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
