#include "controller/loop/agent_sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "controller/agents/agents.h"

namespace davit::controller::loop {
namespace {

using change::Change;

void WriteNote(const change::Note& note) {
  std::vector<LogField> fields;
  for (const auto& [name, value] : note.fields) {
    if (!value.empty()) fields.emplace_back(name, value);
  }
  Log(note.level == change::Note::Level::kWarning ? LogLevel::kWarning : LogLevel::kInfo,
      note.message, fields);
}

}  // namespace

std::string AgentSessions::Open(std::shared_ptr<AgentSink> sink, std::string bound_host) {
  std::string id = new_id_();
  {
    MutexLock lock(&mu_);
    streams_[id] = {std::move(sink), std::move(bound_host)};
  }
  Submit(
      id, [id](Change* change) { agents::OnStreamBegun(id, change); }, nullptr);
  return id;
}

void AgentSessions::Receive(const std::string& session_id, v1::AgentMessage message, Work taken) {
  std::string bound_host;
  {
    MutexLock lock(&mu_);
    const auto stream = streams_.find(session_id);
    if (stream != streams_.end()) bound_host = stream->second.bound_host;
  }
  Submit(
      session_id,
      [session_id, bound_host = std::move(bound_host), message = std::move(message)](
          Change* change) { agents::OnMessage(session_id, bound_host, message, change); },
      std::move(taken));
}

void AgentSessions::Close(const std::string& session_id) {
  {
    MutexLock lock(&mu_);
    if (streams_.erase(session_id) == 0) return;
  }
  Submit(
      session_id, [session_id](Change* change) { agents::OnStreamEnded(session_id, change); },
      nullptr);
}

void AgentSessions::Submit(const std::string& session_id, absl::AnyInvocable<void(Change*)> command,
                           Work taken) {
  loop_->SubmitAlways(
      [command = std::move(command)](Change* change) mutable -> absl::StatusOr<Answer> {
        command(change);
        return Answer();
      },
      [this, session_id, taken = std::move(taken)](const absl::StatusOr<Answer>& answer) mutable {
        // What was said is lost, and would never be said again on this stream.
        if (!answer.ok()) EndLost(session_id);
        if (!taken) return;
        if (flusher_ == nullptr) return taken();
        flusher_->Post(std::move(taken));  // it reads on, which costs as much as a write
      });
}

void AgentSessions::EndLost(const std::string& session_id) {
  std::shared_ptr<AgentSink> sink = FindSink(session_id);
  if (sink == nullptr) return;
  v1::ControllerMessage message;
  message.set_session_id(session_id);
  message.mutable_goodbye()->set_code(v1::Goodbye::STALE);
  message.mutable_goodbye()->set_reason("the controller lost its state and loads it again");
  sink->Queue(std::move(message));
  sink->QueueEnd();
  to_flush_.push_back(std::move(sink));
  Flush();
}

std::shared_ptr<AgentSink> AgentSessions::FindSink(const std::string& session_id) const {
  MutexLock lock(&mu_);
  const auto found = streams_.find(session_id);
  return found == streams_.end() ? nullptr : found->second.sink;
}

void AgentSessions::OnEffect(change::Effect effect) {
  if (const auto* note = std::get_if<change::Note>(&effect)) return WriteNote(*note);
  const std::string& session_id = std::visit(
      [](const auto& one) -> const std::string& {
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, change::Note>) {
          return one.message;  // never
        } else {
          return one.session_id;
        }
      },
      effect);
  std::shared_ptr<AgentSink> sink = FindSink(session_id);
  if (sink == nullptr) return;
  if (auto* send = std::get_if<change::SendToAgent>(&effect)) sink->Queue(std::move(send->message));
  if (auto* assign = std::get_if<change::SendAssignments>(&effect))
    sink->Queue(assign->session_id, std::move(assign->assignments));
  if (std::holds_alternative<change::EndSession>(effect)) sink->QueueEnd();
  if (to_flush_.empty() || to_flush_.back() != sink) to_flush_.push_back(std::move(sink));
}

void AgentSessions::Flush() {
  if (to_flush_.empty()) return;
  Work work = [sinks = std::exchange(to_flush_, {})] {
    for (const auto& sink : sinks) sink->Flush();
  };
  if (flusher_ == nullptr) return work();
  flusher_->Post(std::move(work));
}

void AgentSessions::OnModelLost() {
  std::vector<std::string> ids;
  {
    MutexLock lock(&mu_);
    for (const auto& [id, stream] : streams_) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const std::string& id : ids) EndLost(id);
}

}  // namespace davit::controller::loop
