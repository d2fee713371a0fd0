#include "agent/supervisor/lookout.h"

#include <iterator>
#include <utility>

#include "base/log.h"

namespace davit::supervisor {
namespace {

constexpr absl::Duration kListingRetry = absl::Seconds(2);

task::Sighting::State StateOf(runtime::ContainerState state) {
  switch (state) {
    case runtime::ContainerState::kAbsent:
      return task::Sighting::State::kNoTask;
    case runtime::ContainerState::kCreated:
      return task::Sighting::State::kCreated;
    case runtime::ContainerState::kRunning:
      return task::Sighting::State::kRunning;
    case runtime::ContainerState::kStopped:
      return task::Sighting::State::kStopped;
    case runtime::ContainerState::kUnknown:
      return task::Sighting::State::kUnknown;
  }
  return task::Sighting::State::kAbsent;
}

}  // namespace

void Lookout::Ask(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) {
  Question question{task, {}};
  for (const task::ContainerSnapshot& container : snapshot.containers) {
    // What has ended is known, and stays so.
    if (container.phase != task::Phase::kStopped)
      question.attempts[container.name] = container.attempt;
  }
  deps_.serial->Post([this, question = std::move(question)] {
    questions_.push_back(question);
    if (!is_listing_) BeginListing();
  });
}

void Lookout::BeginListing() {
  is_listing_ = true;
  std::vector<Question> questions;
  questions.swap(questions_);
  deps_.blocking->Post({kHostLane, "listing the containers of the host"},
                       [this, questions = std::move(questions)]() mutable {
                         deps_.serial->Post([this, listed = deps_.runtime->List(),
                                             questions = std::move(questions)]() mutable {
                           Answer(std::move(listed), std::move(questions));
                         });
                       });
}

void Lookout::Answer(absl::StatusOr<std::vector<runtime::ContainerInfo>> listed,
                     std::vector<Question> questions) {
  is_listing_ = false;
  if (!listed.ok()) {
    LogWarning("containers cannot be listed", {{"status", listed.status()}});
    questions_.insert(questions_.end(), std::make_move_iterator(questions.begin()),
                      std::make_move_iterator(questions.end()));
    deps_.timers->After(kListingRetry, deps_.serial, [this] {
      if (!is_listing_ && !questions_.empty()) BeginListing();
    });
    return;
  }
  auto containers = std::make_shared<Containers>();
  for (runtime::ContainerInfo& info : *listed) containers->emplace(info.id, std::move(info));
  for (Question& question : questions) {
    const bool same_boot = rebooted_.erase(question.task->id()) == 0;
    BlockingCall call{question.task->id(), "examining the task's containers"};
    deps_.blocking->Post(std::move(call),
                         [this, question = std::move(question), same_boot, containers] {
                           task::Observed observed = Sightings(question, *containers);
                           observed.same_boot = same_boot;
                           question.task->Handle(std::move(observed));
                         });
  }
  if (!questions_.empty()) BeginListing();
}

task::Observed Lookout::Sightings(const Question& question, const Containers& containers) const {
  task::Observed observed;
  for (const auto& [name, attempt] : question.attempts) {
    task::Sighting sighting;
    sighting.container = name;
    sighting.attempt = attempt;
    const auto found = containers.find(question.task->ContainerId(name));
    if (found != containers.end()) {
      sighting.state = StateOf(found->second.state);
      sighting.pid = found->second.pid;
      sighting.exit_code = found->second.exit_code;
      sighting.exited_at = found->second.exited_at;
      if (sighting.state == task::Sighting::State::kStopped) {
        sighting.facts = deps_.post_mortems->Examine(*question.task, name);
        sighting.out_of_memory =
            sighting.exit_code.value_or(0) != 0 && sighting.facts.oom_kills > 0;
      }
    }
    observed.sightings.push_back(std::move(sighting));
  }
  return observed;
}

}  // namespace davit::supervisor
