#include "controller/agents/sessions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/ecs/hash.h"

namespace davit::controller::agents {
namespace {

using change::Deadline;
using change::Note;

constexpr absl::Duration kMinHeartbeatPeriod = absl::Seconds(5);
constexpr double kHeartbeatsPerSecond = 200;
constexpr int kMissedHeartbeats = 3;
constexpr double kMaxJitter = 0.1;

absl::Duration BasePeriod(size_t agents) {
  return std::max(kMinHeartbeatPeriod,
                  absl::Seconds(static_cast<double>(agents) / kHeartbeatsPerSecond));
}

std::string NameOf(const state::Instance& instance) {
  return absl::StrCat(instance.record->cluster(), "/", instance.record->id());
}

}  // namespace

absl::Duration HeartbeatPeriod(size_t agents, const std::string& instance_id, uint64_t sequence) {
  const uint64_t hash = ecs::Hash64(absl::StrCat(instance_id, "/", sequence));
  const double jitter = kMaxJitter * (2 * static_cast<double>(hash % 1024) / 1023.0 - 1);
  return BasePeriod(agents) * (1 + jitter);
}

void NoteConnected(const state::Instance& instance, change::Change* change) {
  change->ClearDeadline({Deadline::Kind::kHello, instance.session->id});
  change->ClearDeadline({Deadline::Kind::kAbsence, NameOf(instance)});
  NoteAlive(instance, change);
}

void NoteAlive(const state::Instance& instance, change::Change* change) {
  const absl::Duration period = BasePeriod(change->state().sessions().size()) * (1 + kMaxJitter);
  change->SetDeadline({Deadline::Kind::kSilence, instance.session->id}, kMissedHeartbeats * period);
}

void Disconnect(const state::Instance& instance, absl::string_view why, change::Change* change) {
  change->AddNote(Note::Level::kInfo, "agent disconnected",
                  {{"container_instance_arn", state::ArnOf(change->place(), *instance.record)},
                   {"reason", std::string(why)}});
  change->ClearDeadline({Deadline::Kind::kSilence, instance.session->id});
  change->SetDeadline({Deadline::Kind::kAbsence, NameOf(instance)}, change->options().grace);
  const rows::Ref<rows::Session> session = instance.session;
  change->EraseSession(*session);
}

}  // namespace davit::controller::agents
