#include "controller/agents/reports.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/agents/merge.h"
#include "controller/ecs/hash.h"

namespace davit::controller::agents {
namespace {

using change::Change;
using change::Durability;
using change::Note;
using state::Instance;
using state::Task;

constexpr size_t kMaxImpairment = 1024;

void NoteForeign(const v1::TaskState& seen, const Task* task, const Instance& instance,
                 Change* change) {
  change->AddNote(Note::Level::kWarning,
                  task == nullptr ? "report of an unknown task ignored"
                                  : "report of another instance's task ignored",
                  {{"task_arn", seen.task_arn()},
                   {"container_instance_arn", state::ArnOf(change->place(), *instance.record)}});
}

// In another session than before nothing is older, since sessions are fenced; and an agent that was
// killed before it had saved its sequence counts some numbers twice.
bool IsOld(const v1::TaskState& seen, const v1::StoredTask& record, uint64_t session) {
  return record.heard_in() == session && seen.sequence() != 0 &&
         seen.sequence() <= record.sequence();
}

void Observe(const Task& task, const v1::TaskState& seen, uint64_t session, Change* change) {
  const rows::Ref<v1::StoredTask> before = task.record;
  v1::StoredTask after = Merge(*before, seen, change->now_ms());
  after.set_heard_in(session);
  if (after.last_status() != before->last_status()) {
    const bool is_stopped = after.last_status() == v1::TaskStatus::STOPPED;
    change->AddNote(Note::Level::kInfo, "task status changed",
                    {{"task_arn", seen.task_arn()},
                     {"last_status", v1::TaskStatus::Value_Name(after.last_status())},
                     {"stopped_reason", is_stopped ? after.stopped_reason() : ""}});
  }
  const Durability durability =
      MustBeDurable(*before, after) ? Durability::kNow : Durability::kLazy;
  change->Put(std::move(after), durability);
}

}  // namespace

void ObserveRuntime(const Instance& instance, bool is_available, const std::string& impairment,
                    Change* change) {
  rows::Session session = *instance.session;
  session.is_runtime_available = is_available;
  session.impairment = Shorten(impairment, kMaxImpairment);
  if (session.is_runtime_available == instance.session->is_runtime_available &&
      session.impairment == instance.session->impairment) {
    return;
  }
  change->AddNote(is_available && impairment.empty() ? Note::Level::kInfo : Note::Level::kWarning,
                  "host health changed",
                  {{"container_instance_arn", state::ArnOf(change->place(), *instance.record)},
                   {"runtime_available", is_available ? "true" : "false"},
                   {"impairment", session.impairment}});
  change->PutSession(std::move(session));
}

void OnReport(const Instance& instance, const v1::StatusReport& report, Change* change) {
  const uint64_t session = ecs::Hash64(instance.session->id);
  change::Assignments known_ends;
  known_ends.protocol_version = instance.session->protocol_version;
  for (const v1::TaskState& seen : report.tasks()) {
    const Task* task = change->state().FindTaskByArn(seen.task_arn());
    if (task == nullptr || task->instance != &instance) {
      NoteForeign(seen, task, instance, change);
    } else if (!task->is_stopped()) {
      if (!IsOld(seen, *task->record, session)) Observe(*task, seen, session, change);
    } else if (seen.last_status() == v1::TaskStatus::STOPPED) {
      // The agent does not know yet that this end is recorded. (SendChanged() announces new ends.)
      known_ends.removed_task_arns.push_back(seen.task_arn());
    }
  }
  v1::ControllerMessage message;
  message.mutable_report_ack()->set_report_id(report.report_id());
  change->Send(instance.session->id, std::move(message));
  if (!known_ends.removed_task_arns.empty())
    change->SendAssignments(instance.session->id, std::move(known_ends));
}

void OnStopCandidates(const Instance& instance, const v1::StopCandidates& candidates,
                      Change* change) {
  v1::ControllerMessage message;
  v1::StopConfirmation* confirmation = message.mutable_stop_confirmation();
  size_t unknown = 0;
  for (const std::string& arn : candidates.task_arns()) {
    const Task* task = change->state().FindTaskByArn(arn);
    if (task == nullptr) {
      ++unknown;
    } else if (task->is_stopped() || task->instance != &instance) {
      confirmation->add_task_arns(arn);
    }
  }
  if (unknown > 0) {
    change->AddNote(Note::Level::kWarning,
                    "agent runs tasks that this controller does not know; they are left alone",
                    {{"container_instance_arn", state::ArnOf(change->place(), *instance.record)},
                     {"tasks", absl::StrCat(unknown)}});
  }
  if (confirmation->task_arns().empty()) return;
  confirmation->set_reason("the controller knows it as stopped, or as another instance's");
  change->Send(instance.session->id, std::move(message));
}

}  // namespace davit::controller::agents
