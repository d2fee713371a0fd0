#include "agent/supervisor/task.h"

#include <cstdlib>
#include <utility>

#include "agent/task/task_record.h"
#include "base/ids.h"
#include "base/log.h"

namespace davit::supervisor {

Task::Task(const Deps& deps, v1::Assignment assignment, task::TaskSnapshot snapshot,
           uint64_t sequence)
    : deps_(deps),
      assignment_(std::move(assignment)),
      id_(snapshot.task_id),
      serial_(deps.control),
      snapshot_(std::move(snapshot)),
      sequence_(sequence) {}

void Task::Begin(bool restarted) {
  serial_.Post([self = shared_from_this(), restarted] {
    if (restarted) {
      self->Apply(task::Recover(self->snapshot_));
      self->deps_.store->SaveTask(self->id_, self->Record(),
                                  nullptr);  // stores the new base of sequence numbers
    }
  });
  Handle(
      task::GoalChanged{task::Goal::kRun, "", v1::StopCode::UNSPECIFIED});  // causes the first plan
}

void Task::Handle(decltype(task::Event::what) what) {
  serial_.Post([self = shared_from_this(), what = std::move(what)]() mutable {
    const Clock& clock = *self->deps_.clock;
    const task::Event event{clock.Now(), std::move(what), clock.MonotonicWithSleep()};
    self->Apply(task::Advance(self->snapshot_, event));
  });
}

void Task::Inspect(absl::AnyInvocable<void(const task::TaskSnapshot&)> look) {
  serial_.Post(
      [self = shared_from_this(), look = std::move(look)]() mutable { look(self->snapshot_); });
}

void Task::Apply(task::Step step) {
  if (step.next.last_status != snapshot_.last_status) {
    LogInfo("task status changed", {{"task_arn", arn()},
                                    {"from", v1::TaskStatus::Value_Name(snapshot_.last_status)},
                                    {"to", v1::TaskStatus::Value_Name(step.next.last_status)},
                                    {"reason", step.next.stopped_reason}});
  }
  snapshot_ = std::move(step.next);
  Perform(step.actions, 0);
}

void Task::Perform(const task::Actions& actions, size_t first) {
  for (size_t i = first; i < actions.size(); ++i) {
    if (!std::holds_alternative<task::Persist>(actions[i])) {
      LogDebug("task action", {{"task_arn", arn()}, {"action", task::ToString(actions[i])}});
      deps_.effects->Begin(shared_from_this(), snapshot_, actions[i]);
      continue;
    }
    Work resume = nullptr;
    if (i + 1 < actions.size()) {
      resume = [self = shared_from_this(), actions, i]() mutable {
        Task* task = self.get();
        task->serial_.Post([self = std::move(self), actions = std::move(actions), i] {
          self->Perform(actions, i + 1);
        });
      };
    }
    deps_.store->SaveTask(id_, Record(), std::move(resume));
    return;
  }
}

v1::TaskRecord Task::Record() const {
  v1::TaskRecord record = task::ToRecord(snapshot_);
  *record.mutable_assignment() = assignment_;
  record.set_boot_id(deps_.boot_id);
  record.set_ec2_instance_id(deps_.ec2_instance_id);
  record.set_sequence(sequence_);
  record.set_terminal_acked(terminal_acked_);
  return record;
}

v1::TaskState Task::NextState(const task::TaskSnapshot& snapshot) {
  return task::ToTaskState(arn(), snapshot, ++sequence_);
}

void Task::NoteTerminalAcked() {
  serial_.Post([self = shared_from_this()] {
    if (self->terminal_acked_ || !self->snapshot_.finished) return;
    self->terminal_acked_ = true;
    self->deps_.store->SaveTask(self->id_, self->Record(), nullptr);
  });
}

void Task::RemoveRecord() {
  serial_.Post([self = shared_from_this()] { self->deps_.store->RemoveTask(self->id_); });
}

std::string Task::ContainerName(const std::string& container_id) const {
  for (const v1::ContainerDefinition& one : assignment_.task_definition().container_definitions()) {
    if (ContainerId(one.name()) == container_id) return one.name();
  }
  return "";
}

const v1::ContainerDefinition& Task::Definition(const std::string& container) const {
  for (const v1::ContainerDefinition& definition :
       assignment_.task_definition().container_definitions()) {
    if (definition.name() == container) return definition;
  }
  std::abort();  // the machine only names containers of the definition
}

void Task::SetImage(const std::string& container, image::PulledImage image) {
  MutexLock lock(&mu_);
  images_[container] = std::move(image);
}

image::PulledImage Task::Image(const std::string& container) const {
  MutexLock lock(&mu_);
  const auto found = images_.find(container);
  return found == images_.end() ? image::PulledImage() : found->second;
}

std::shared_ptr<std::atomic<bool>> Task::CancelFlag(const std::string& container) {
  MutexLock lock(&mu_);
  std::shared_ptr<std::atomic<bool>>& flag = cancel_flags_[container];
  if (flag == nullptr) flag = std::make_shared<std::atomic<bool>>(false);
  return flag;
}

void Task::AddSecrets(const std::string& container, const secret::ResolvedValues& values) {
  MutexLock lock(&mu_);
  std::set<std::string>& known = secrets_[container];
  for (const auto& [name, value] : values.secrets) known.insert(value);
  for (const auto& [path, value] : values.secret_files) known.insert(value);
}

std::optional<std::set<std::string>> Task::SecretsOf(const std::string& container) const {
  if (Definition(container).secrets().empty()) return std::set<std::string>();
  MutexLock lock(&mu_);
  const auto found = secrets_.find(container);
  return found == secrets_.end() ? std::nullopt : std::optional(found->second);
}

void Task::ForgetSecrets() {
  MutexLock lock(&mu_);
  secrets_.clear();
}

}  // namespace davit::supervisor
