#include "controller/loop/agent_sessions.h"

#include <utility>
#include <vector>

#include "base/log.h"

namespace davit::loop {
namespace {

void WriteNote(const cluster::Note& note) {
  std::vector<LogField> fields;
  for (const auto& [name, value] : note.fields) {
    if (!value.empty()) fields.emplace_back(name, value);
  }
  Log(note.level == cluster::Note::Level::kWarning ? LogLevel::kWarning : LogLevel::kInfo,
      note.message, fields);
}

}  // namespace

std::string AgentSessions::Open(std::shared_ptr<AgentSink> sink) {
  std::string id = new_id_();
  MutexLock lock(&mu_);
  sinks_[id] = std::move(sink);
  return id;
}

void AgentSessions::Receive(const std::string& session_id, v1::AgentMessage message) {
  loop_->Submit(cluster::AgentSaid{session_id, std::move(message)});
}

void AgentSessions::Close(const std::string& session_id) {
  {
    MutexLock lock(&mu_);
    if (sinks_.erase(session_id) == 0) return;
  }
  loop_->Submit(cluster::AgentGone{session_id});
}

std::shared_ptr<AgentSink> AgentSessions::FindSink(const std::string& session_id) const {
  MutexLock lock(&mu_);
  const auto found = sinks_.find(session_id);
  return found == sinks_.end() ? nullptr : found->second;
}

void AgentSessions::OnEffect(const cluster::Effect& effect) {
  if (const auto* send = std::get_if<cluster::SendToAgent>(&effect)) {
    if (const auto sink = FindSink(send->session_id)) sink->Send(send->message);
  } else if (const auto* end = std::get_if<cluster::EndSession>(&effect)) {
    if (const auto sink = FindSink(end->session_id)) sink->End();
  } else {
    WriteNote(std::get<cluster::Note>(effect));
  }
}

void AgentSessions::OnModelReloaded() {
  std::vector<std::pair<std::string, std::shared_ptr<AgentSink>>> all;
  {
    MutexLock lock(&mu_);
    all.assign(sinks_.begin(), sinks_.end());
  }
  for (const auto& [id, sink] : all) {
    v1::ControllerMessage message;
    message.set_session_id(id);
    message.mutable_goodbye()->set_code(v1::Goodbye::STALE);
    message.mutable_goodbye()->set_reason("the controller lost its state and has loaded it again");
    sink->Send(std::move(message));
    sink->End();
  }
}

}  // namespace davit::loop
