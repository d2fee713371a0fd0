#include "controller/agents/agents.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controller/agents/assignments.h"
#include "controller/agents/hello.h"
#include "controller/agents/reports.h"
#include "controller/agents/sessions.h"
#include "controller/rows/migration.h"

namespace davit::controller::agents {
namespace {

using change::Change;
using change::Deadline;
using change::Note;
using state::Instance;

constexpr absl::Duration kHelloTime = absl::Seconds(30);

void OnHeartbeat(const Instance& instance, const v1::Heartbeat& heartbeat, Change* change) {
  ObserveRuntime(instance, heartbeat.runtime_available(), heartbeat.impairment(), change);
  v1::ControllerMessage message;
  message.mutable_heartbeat_ack()->set_sequence(heartbeat.sequence());
  message.mutable_heartbeat_ack()->set_period_ms(
      static_cast<int32_t>(absl::ToInt64Milliseconds(HeartbeatPeriod(
          change->state().sessions().size(), instance.record->id(), heartbeat.sequence()))));
  change->Send(instance.session->id, std::move(message));
}

void OnSilence(const std::string& session_id, Change* change) {
  const Instance* instance = change->state().FindInstanceBySession(session_id);
  if (instance == nullptr) return;
  change->EndSession(session_id, v1::Goodbye::STALE, "three heartbeats were missed");
  Disconnect(*instance, "three heartbeats were missed", change);
}

void OnAbsence(const std::string& name, Change* change) {
  const auto [cluster, id] = rows::SplitName(name);
  const Instance* instance = change->state().FindInstance(cluster, id);
  if (instance == nullptr || instance->is_connected()) return;
  change->AddNote(Note::Level::kWarning, "agent is away for longer than its grace period",
                  {{"container_instance_arn", state::ArnOf(change->place(), *instance->record)},
                   {"ec2_instance_id", instance->record->ec2_instance_id()},
                   {"tasks", absl::StrCat(instance->running_count + instance->pending_count)}});
}

}  // namespace

void OnLoaded(Change* change) {
  // Seconds since 1970, so that a store that was emptied or restored is still above what its fleet
  // has seen.
  const auto now =
      static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixSeconds(change->now().wall), 0));
  v1::StoredMeta meta;
  meta.set_format(rows::kFormat);
  meta.set_epoch(std::max(change->state().epoch() + 1, now));
  change->Put(std::move(meta));
  for (const auto& [name, cluster] : change->state().clusters()) {
    for (const auto& [id, instance] : cluster.instances) {
      change->SetDeadline({Deadline::Kind::kAbsence, absl::StrCat(name, "/", id)},
                          change->options().grace);
    }
  }
}

void OnStreamBegun(const std::string& session_id, Change* change) {
  change->SetDeadline({Deadline::Kind::kHello, session_id}, kHelloTime);
}

void OnMessage(const std::string& session_id, const std::string& bound_host,
               const v1::AgentMessage& message, Change* change) {
  const Instance* instance = change->state().FindInstanceBySession(session_id);
  if (message.has_hello()) {
    if (instance == nullptr) return OnHello(session_id, bound_host, message.hello(), change);
    change->EndSession(session_id, v1::Goodbye::REFUSED, "Hello was already said on this stream");
    return Disconnect(*instance, "it said Hello twice", change);
  }
  if (instance == nullptr) {
    return change->EndSession(session_id, v1::Goodbye::STALE,
                              "no Hello was accepted on this stream");
  }
  if (message.session_id() != session_id) {
    change->EndSession(session_id, v1::Goodbye::STALE, "session_id is not the current one");
    return Disconnect(*instance, "it sent a message of another session", change);
  }
  NoteAlive(*instance, change);
  if (message.has_heartbeat()) OnHeartbeat(*instance, message.heartbeat(), change);
  if (message.has_status_report()) OnReport(*instance, message.status_report(), change);
  if (message.has_stop_candidates()) OnStopCandidates(*instance, message.stop_candidates(), change);
  if (message.has_resync_request()) SendComplete(*instance, change);
}

void OnStreamEnded(const std::string& session_id, Change* change) {
  change->ClearDeadline({Deadline::Kind::kHello, session_id});
  const Instance* instance = change->state().FindInstanceBySession(session_id);
  if (instance != nullptr) Disconnect(*instance, "the stream ended", change);
}

void OnDue(const Deadline& deadline, Change* change) {
  switch (deadline.kind) {
    case Deadline::Kind::kHello:
      return change->EndSession(deadline.name, v1::Goodbye::STALE,
                                "no Hello was accepted in time on this stream");
    case Deadline::Kind::kSilence:
      return OnSilence(deadline.name, change);
    case Deadline::Kind::kAbsence:
      return OnAbsence(deadline.name, change);
  }
}

void OnStopping(Change* change) {
  std::vector<rows::Ref<rows::Session>> sessions;
  for (const auto& [id, instance] : change->state().sessions())
    sessions.push_back(instance->session);
  // The order of a hash map must not show in the outcome.
  std::sort(sessions.begin(), sessions.end(),
            [](const auto& a, const auto& b) { return a->id < b->id; });
  for (const auto& session : sessions) {
    change->EndSession(session->id, v1::Goodbye::SHUTTING_DOWN, "the controller is stopping");
    change->EraseSession(*session);
  }
}

}  // namespace davit::controller::agents
