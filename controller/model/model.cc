#include "controller/model/model.h"

#include "absl/strings/str_cat.h"
#include "controller/agents/agents.h"
#include "controller/agents/assignments.h"

namespace davit::controller::model {
namespace {

// What one tick does at most, so that it stays short.
constexpr size_t kDeadlinesPerTick = 1000;
constexpr size_t kForgottenPerTick = 1000;

void ForgetStoppedTasks(change::Change* change) {
  const int64_t before =
      absl::ToUnixMillis(change->now().wall - change->options().stopped_retention);
  for (const state::Task* task : change->state().StoppedBefore(before, kForgottenPerTick)) {
    const rows::Ref<v1::StoredTask> record = task->record;
    change->Erase(*record, change::Durability::kLazy);
  }
}

}  // namespace

Command CommandOf(const Operation* operation,
                  std::shared_ptr<const google::protobuf::Message> request) {
  return [operation, request = std::move(request)](change::Change* change) {
    return operation->apply(*request, change);
  };
}

Outcome Model::Run(Command* command, const change::Instant& now, size_t max_rows) {
  change::Change change(&state_, &options_, &deadlines_, now);
  Outcome outcome{(*command)(&change), {}, {}};
  if (!outcome.answer.ok()) return outcome;
  if (max_rows != 0 && change.CountRows() > max_rows) {
    outcome.answer = absl::InvalidArgumentError(
        absl::StrCat("the request changes ", change.CountRows(),
                     " objects at once; the store takes at most ", max_rows));
    return outcome;
  }
  agents::SendChanged(&change);
  change::Change::Result result = change.Finish();
  outcome.mutations = std::move(result.mutations);
  outcome.effects = std::move(result.effects);
  return outcome;
}

Outcome Model::Tick(const change::Instant& now) {
  Command command = [due = deadlines_.TakeDue(now.monotonic, kDeadlinesPerTick)](
                        change::Change* change) -> absl::StatusOr<Answer> {
    for (const change::Deadline& deadline : due) agents::OnDue(deadline, change);
    ForgetStoppedTasks(change);
    return Answer();
  };
  return Run(&command, now);
}

}  // namespace davit::controller::model
