#include "agent/supervisor/lookout.h"

#include <utility>

#include "base/log.h"

namespace davit::supervisor {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(2);
// Hundreds of tasks take their time; each of the calls has a deadline.
constexpr absl::Duration kHostPatience = absl::Seconds(60);

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

Lookout::Question Lookout::QuestionOf(const std::shared_ptr<Task>& task,
                                      const task::TaskSnapshot& snapshot) {
  Question question{task, {}};
  for (const task::ContainerSnapshot& container : snapshot.containers) {
    // What has ended is known, and stays so.
    if (container.phase != task::Phase::kStopped)
      question.attempts[container.name] = container.attempt;
  }
  return question;
}

void Lookout::Ask(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) {
  deps_.serial->Post([this, question = QuestionOf(task, snapshot)] {
    if (!has_begun_) return;
    if (gathering_ == 0) return AskSingly(question);
    questions_[question.task->id()] = question;
  });
}

void Lookout::AskSingly(Question question) {
  const auto [single, is_first] = singles_.try_emplace(question.task->id());
  if (!is_first) {
    single->second.next = std::move(question);
    return;
  }
  BeginSingle(question);
}

void Lookout::BeginSingle(const Question& question) {
  BlockingCall call{question.task->id(), "inspecting the task's containers"};
  deps_.blocking->Post(std::move(call), [this, question] {
    absl::StatusOr<task::Observed> observed;
    const absl::StatusOr<Containers> containers = InspectAll(question);
    if (containers.ok()) {
      observed = Sightings(question, *containers);
    } else {
      observed = containers.status();
    }
    deps_.serial->Post([this, question, observed = std::move(observed)]() mutable {
      EndSingle(question, std::move(observed));
    });
  });
}

void Lookout::EndSingle(const Question& question, absl::StatusOr<task::Observed> observed) {
  const std::string& id = question.task->id();
  Single& single = singles_[id];
  if (observed.ok()) {
    Tell(question.task.get(), *std::move(observed));
    if (!single.next) {
      singles_.erase(id);
      return;
    }
    return BeginSingle(*std::exchange(single.next, std::nullopt));
  }
  LogWarning("the task's containers cannot be inspected",
             {{"task_arn", question.task->arn()}, {"status", observed.status()}});
  if (!single.next) single.next = question;
  deps_.timers->After(kRetry, deps_.serial,
                      [this, id] { BeginSingle(*std::exchange(singles_[id].next, std::nullopt)); });
}

void Lookout::LookAtHost(const std::vector<std::shared_ptr<Task>>& tasks, Done done) {
  has_begun_ = true;
  done_ = std::move(done);
  gathering_ = tasks.size();
  if (gathering_ == 0) return BeginListing();
  for (const std::shared_ptr<Task>& task : tasks) {
    task->Inspect([this, task](const task::TaskSnapshot& snapshot) {
      Question question = QuestionOf(task, snapshot);
      const bool is_asked = !snapshot.finished &&
                            (snapshot.owns_host_state || !snapshot.observed) &&
                            (!question.attempts.empty() || !snapshot.observed);
      deps_.serial->Post([this, is_asked, question = std::move(question)] {
        if (is_asked) questions_[question.task->id()] = question;
        if (--gathering_ == 0) BeginListing();
      });
    });
  }
}

void Lookout::BeginListing() {
  std::vector<Question> questions;
  for (auto& [id, question] : questions_) questions.push_back(std::move(question));
  questions_.clear();
  BlockingCall call{kHostLane, "inspecting the whole host", kHostPatience};
  deps_.blocking->Post(std::move(call), [this, questions = std::move(questions)] {
    const auto listed = deps_.host.runtime->List();
    deps_.serial->Post([this, listed, questions] { Answer(listed, questions); });
    absl::StatusOr<HostInventory> inventory;
    if (listed.ok()) {
      inventory = TakeInventory(*listed, deps_.host);
    } else {
      inventory = listed.status();
    }
    deps_.serial->Post([this, inventory = std::move(inventory)] {
      const Done done = std::exchange(done_, nullptr);
      done(inventory);
    });
  });
}

void Lookout::Answer(const absl::StatusOr<std::vector<runtime::ContainerInfo>>& listed,
                     const std::vector<Question>& questions) {
  if (!listed.ok()) return;  // the next look asks for the same tasks
  auto containers = std::make_shared<Containers>();
  for (const runtime::ContainerInfo& info : *listed) containers->emplace(info.id, info);
  for (const Question& question : questions) {
    BlockingCall call{question.task->id(), "examining the task's containers"};
    deps_.blocking->Post(std::move(call), [this, question, containers] {
      task::Observed observed = Sightings(question, *containers);
      deps_.serial->Post([this, task = question.task, observed = std::move(observed)]() mutable {
        Tell(task.get(), std::move(observed));
      });
    });
  }
}

void Lookout::Tell(Task* task, task::Observed observed) {
  observed.same_boot = rebooted_.erase(task->id()) == 0;
  task->Handle(std::move(observed));
}

absl::StatusOr<Lookout::Containers> Lookout::InspectAll(const Question& question) const {
  Containers containers;
  for (const auto& [name, attempt] : question.attempts) {
    const std::string id = question.task->ContainerId(name);
    absl::StatusOr<runtime::ContainerInfo> info = deps_.host.runtime->Inspect(id);
    if (absl::IsNotFound(info.status())) continue;
    if (!info.ok()) return info.status();
    containers.emplace(id, *std::move(info));
  }
  return containers;
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
