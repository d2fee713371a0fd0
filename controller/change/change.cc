#include "controller/change/change.h"

#include <algorithm>

namespace davit::controller::change {

Change::~Change() {
  for (auto write = writes_.rbegin(); write != writes_.rend(); ++write)
    state_->Apply(write->before);
}

void Change::Stage(rows::Mutation mutation) {
  rows::Mutation before = state_->Apply(mutation);
  writes_.push_back({std::move(mutation), std::move(before)});
}

void Change::Send(const std::string& session_id, v1::ControllerMessage message) {
  message.set_session_id(session_id);
  effects_.push_back(SendToAgent{session_id, std::move(message)});
}

void Change::SendAssignments(const std::string& session_id, Assignments assignments) {
  effects_.push_back(change::SendAssignments{session_id, std::move(assignments)});
}

void Change::EndSession(const std::string& session_id, v1::Goodbye::Code code,
                        absl::string_view reason) {
  v1::ControllerMessage message;
  message.mutable_goodbye()->set_code(code);
  message.mutable_goodbye()->set_reason(std::string(reason));
  Send(session_id, std::move(message));
  effects_.push_back(change::EndSession{session_id});
}

void Change::AddNote(Note::Level level, absl::string_view message,
                     std::vector<std::pair<std::string, std::string>> fields) {
  effects_.push_back(Note{level, std::string(message), std::move(fields)});
}

void Change::SetDeadline(Deadline deadline, absl::Duration delay) {
  timings_.push_back({std::move(deadline), now_.monotonic + delay});
}

void Change::ClearDeadline(Deadline deadline) {
  timings_.push_back({std::move(deadline), std::nullopt});
}

size_t Change::CountRows() const {
  return static_cast<size_t>(std::count_if(writes_.begin(), writes_.end(), [](const Write& write) {
    return write.mutation.durability != Durability::kNever;
  }));
}

Change::Result Change::Finish() {
  Result result;
  result.mutations.reserve(writes_.size());
  for (Write& write : writes_) result.mutations.push_back(std::move(write.mutation));
  writes_.clear();
  result.effects = std::move(effects_);
  for (const Timing& timing : timings_) {
    if (timing.when) {
      deadlines_->Set(timing.deadline, *timing.when);
    } else {
      deadlines_->Clear(timing.deadline);
    }
  }
  timings_.clear();
  return result;
}

}  // namespace davit::controller::change
