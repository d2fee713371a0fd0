// Sessions of agents, and the passing of time.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "controller/cluster/model.h"

namespace davit::cluster {
namespace {

// A batch of rows that one Tick may remove, so that a tick stays short.
constexpr size_t kForgottenPerTick = 1000;
constexpr int kMissedHeartbeats = 3;

}  // namespace

Model::Result Model::On(const Started& /*started*/) {
  state_.PutEpoch(state_.epoch() + 1);
  for (const auto& [name, cluster] : state_.clusters()) {
    for (const auto& [id, instance] : cluster.instances)
      instance->session.away_since = now_.monotonic;
  }
  return Answer();
}

Model::Result Model::On(const AgentSaid& said) {
  const v1::AgentMessage& message = said.message;
  Instance* instance = state_.FindInstanceBySession(said.session_id);
  if (message.has_hello()) {
    if (instance != nullptr) {
      EndSession(said.session_id, v1::Goodbye::REFUSED, "Hello was already said on this stream");
      Disconnect(instance, "it said Hello twice");
      return Answer();
    }
    OnHello(said.session_id, message.hello());
    return Answer();
  }
  if (instance == nullptr || message.session_id() != said.session_id) {
    EndSession(said.session_id, v1::Goodbye::STALE,
               instance == nullptr ? "no Hello was accepted on this stream"
                                   : "session_id is not the current one");
    if (instance != nullptr) Disconnect(instance, "it sent a message of another session");
    return Answer();
  }
  instance->session.last_heard = now_.monotonic;
  if (message.has_heartbeat()) OnHeartbeat(instance, message.heartbeat());
  if (message.has_status_report()) OnReport(instance, message.status_report());
  if (message.has_stop_candidates()) OnStopCandidates(instance, message.stop_candidates());
  if (message.has_resync_request()) SendComplete(instance);
  return Answer();
}

Model::Result Model::On(const AgentGone& gone) {
  Instance* instance = state_.FindInstanceBySession(gone.session_id);
  if (instance != nullptr) Disconnect(instance, "the stream ended");
  return Answer();
}

Model::Result Model::On(const Tick& /*tick*/) {
  std::vector<Instance*> silent;
  for (const auto& [session_id, instance] : state_.sessions()) {
    const absl::Duration silence = now_.monotonic - instance->session.last_heard;
    if (silence > kMissedHeartbeats * instance->session.period) silent.push_back(instance);
  }
  // The order of a hash map must not show in the outcome.
  std::sort(silent.begin(), silent.end(),
            [](const Instance* a, const Instance* b) { return a->arn() < b->arn(); });
  for (Instance* instance : silent) {
    EndSession(instance->session.id, v1::Goodbye::STALE, "three heartbeats were missed");
    Disconnect(instance, "three heartbeats were missed");
  }
  NoteAbsences();
  ForgetStoppedTasks();
  return Answer();
}

Model::Result Model::On(const Stopping& /*stopping*/) {
  std::vector<std::string> ids;
  std::transform(state_.sessions().begin(), state_.sessions().end(), std::back_inserter(ids),
                 [](const auto& entry) { return entry.first; });
  std::sort(ids.begin(), ids.end());
  for (const std::string& id : ids) {
    EndSession(id, v1::Goodbye::SHUTTING_DOWN, "the controller is stopping");
    state_.SetSession(state_.FindInstanceBySession(id), "");
  }
  return Answer();
}

void Model::EndSession(const std::string& session_id, v1::Goodbye::Code code,
                       absl::string_view reason) {
  v1::ControllerMessage message;
  message.mutable_goodbye()->set_code(code);
  message.mutable_goodbye()->set_reason(std::string(reason));
  Send(session_id, std::move(message));
  effects_.push_back(davit::cluster::EndSession{session_id});
}

void Model::Disconnect(Instance* instance, absl::string_view why) {
  AddNote(Note::Level::kInfo, "agent disconnected",
          {{"container_instance_arn", instance->arn()}, {"reason", std::string(why)}});
  state_.SetSession(instance, "");
  instance->session.away_since = now_.monotonic;
  instance->session.is_absence_noted = false;
}

void Model::NoteAbsences() {
  for (const auto& [name, cluster] : state_.clusters()) {
    for (const auto& [id, instance] : cluster.instances) {
      Session& session = instance->session;
      if (!session.id.empty() || session.is_absence_noted ||
          now_.monotonic - session.away_since <= options_.grace) {
        continue;
      }
      session.is_absence_noted = true;
      AddNote(Note::Level::kWarning, "agent is away for longer than its grace period",
              {{"container_instance_arn", instance->arn()},
               {"ec2_instance_id", instance->record.instance().ec2_instance_id()},
               {"tasks", absl::StrCat(instance->running_count + instance->pending_count)}});
    }
  }
}

void Model::ForgetStoppedTasks() {
  const double before = ToEpochSeconds(now_.wall - options_.stopped_retention);
  for (Task* task : state_.StoppedBefore(before, kForgottenPerTick)) state_.EraseTask(task);
}

}  // namespace davit::cluster
