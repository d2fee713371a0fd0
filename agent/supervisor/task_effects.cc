#include "agent/supervisor/task_effects.h"

#include <utility>

#include "agent/spec/pause.h"
#include "agent/supervisor/container_network.h"
#include "agent/supervisor/outcome.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

// ECS allows a check a minute; the runtime's own calls come on top.
constexpr absl::Duration kCheckPatience = absl::Seconds(150);

}  // namespace

void TaskEffects::Begin(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot,
                        const task::Action& action) {
  if (std::holds_alternative<task::Admit>(action)) {
    deps_.host->Admit(task, snapshot.owns_host_state);
  } else if (std::holds_alternative<task::Release>(action)) {
    deps_.host->Release(task->id());
  } else if (std::holds_alternative<task::Observe>(action)) {
    deps_.host->Observe(task, snapshot);
  } else if (std::holds_alternative<task::Report>(action)) {
    deps_.host->Report(task, snapshot);
  } else if (const auto* provision = std::get_if<task::Provision>(&action)) {
    deps_.pools.runtime->Post(
        {task->id(), "making the task's cgroup, volumes and lease"},
        [this, task, attempt = provision->attempt] {
          task->Handle(task::Provisioned{attempt, deps_.provisioning->Provision(*task)});
        });
  } else if (const auto* pull = std::get_if<task::Pull>(&action)) {
    BeginPull(task, *pull);
  } else if (const auto* cancel = std::get_if<task::CancelPull>(&action)) {
    task->CancelFlag(cancel->container)->store(true);
  } else if (const auto* create = std::get_if<task::Create>(&action)) {
    BeginCreate(task, *create);
  } else if (const auto* start = std::get_if<task::Start>(&action)) {
    BeginStart(task, *start);
  } else if (const auto* signal = std::get_if<task::Signal>(&action)) {
    BeginSignal(task, *signal);
  } else if (const auto* check = std::get_if<task::Check>(&action)) {
    deps_.pools.health->Post(
        {task->id(), absl::StrCat("checking container ", check->container), kCheckPatience},
        [this, task, action = *check] { task->Handle(deps_.life->Check(*task, action)); });
  } else if (const auto* deprovision = std::get_if<task::Deprovision>(&action)) {
    BeginDeprovision(task, snapshot, deprovision->attempt);
  } else if (const auto* timer = std::get_if<task::ArmTimer>(&action)) {
    deps_.timers->After(timer->delay, deps_.pools.control,
                        [task, key = timer->key] { task->Handle(task::TimerFired{key}); });
  }
}

// As long as a network needs; the puller has deadlines of its own.
void TaskEffects::BeginPull(const std::shared_ptr<Task>& task, const task::Pull& pull) {
  task->CancelFlag(pull.container)->store(false);
  BlockingCall call{task->id(), absl::StrCat("pulling the image of ", pull.container),
                    absl::InfiniteDuration()};
  deps_.pools.image->Post(std::move(call), [this, task, pull] {
    task->Handle(deps_.inputs->Pull(task.get(), pull.container, pull.attempt));
  });
}

void TaskEffects::BeginStart(const std::shared_ptr<Task>& task, const task::Start& start) {
  BlockingCall call{task->id(), absl::StrCat("starting container ", start.container)};
  deps_.pools.runtime->Post(std::move(call), [this, task, start] {
    const absl::StatusOr<int> pid = deps_.life->Start(*task, start.container);
    task->Handle(task::Started{start.container, start.attempt,
                               ToOutcome(pid.status(), "CannotStartContainerError"),
                               pid.value_or(0)});
  });
}

void TaskEffects::BeginSignal(const std::shared_ptr<Task>& task, const task::Signal& signal) {
  BlockingCall call{task->id(), absl::StrCat("sending signal ", signal.signal_number,
                                             " to container ", signal.container)};
  deps_.pools.signal->Post(std::move(call), [this, task, signal] {
    task->Handle(task::Signalled{signal.container, ToOutcome(deps_.life->Signal(*task, signal),
                                                             "CannotStopContainerError")});
  });
}

void TaskEffects::BeginDeprovision(const std::shared_ptr<Task>& task,
                                   const task::TaskSnapshot& snapshot, int attempt) {
  std::vector<std::string> containers;
  for (const task::ContainerSnapshot& container : snapshot.containers)
    containers.push_back(container.name);
  // After the containers in its namespaces.
  if (spec::NeedsPause(task->assignment().task_definition()))
    containers.emplace_back(kPauseContainer);
  deps_.pools.runtime->Post(
      {task->id(), "removing the task"}, [this, task, attempt, containers = std::move(containers)] {
        task->Handle(deps_.removal->Deprovision(task.get(), containers, attempt));
      });
}

// First fetches the values that the definition only names. Their stores are as slow as registries,
// so this uses the same pool.
void TaskEffects::BeginCreate(const std::shared_ptr<Task>& task, const task::Create& action) {
  if (!deps_.inputs->HasValues(*task, action.container)) {
    BeginAttach(task, action, std::make_shared<secret::ResolvedValues>());
    return;
  }
  BlockingCall call{
      task->id(), absl::StrCat("reading the secrets and environment files of ", action.container)};
  deps_.pools.image->Post(std::move(call), [this, task, action] {
    absl::StatusOr<secret::ResolvedValues> values = deps_.inputs->Resolve(*task, action.container);
    if (values.ok()) {
      task->AddSecrets(action.container, *values);
      BeginAttach(task, action, std::make_shared<secret::ResolvedValues>(*std::move(values)));
    } else {
      task->Handle(task::Created{action.container,
                                 action.attempt,
                                 ToOutcome(values.status(), "ResourceInitializationError"),
                                 {}});
    }
  });
}

// Then the network, on its own pool: CNI plugins are slow, and nothing else must wait for them.
void TaskEffects::BeginAttach(const std::shared_ptr<Task>& task, const task::Create& action,
                              std::shared_ptr<const secret::ResolvedValues> values) {
  const auto create = [this, task, action, values](const network::Attachment& attachment) {
    const absl::Status created =
        deps_.creation->Create(*task, action.container, action.again, attachment, *values);
    task::Outcome outcome = ToOutcome(created, "CannotCreateContainerError");
    // It runs or ran, started by an agent that died. The machine inspects it and continues from
    // there.
    if (absl::IsAlreadyExists(created)) outcome.kind = task::Outcome::Kind::kRetry;
    task->Handle(task::Created{action.container, action.attempt, std::move(outcome),
                               BindingsOf(task->assignment().task_definition(),
                                          task->Definition(action.container), attachment)});
  };
  const BlockingCall creating{task->id(), absl::StrCat("creating container ", action.container)};
  if (!HasOwnNetwork(task->assignment().task_definition(), task->Definition(action.container))) {
    deps_.pools.runtime->Post(creating, [create] { create(network::Attachment()); });
    return;
  }
  const BlockingCall attaching{task->id(),
                               absl::StrCat("making the network of container ", action.container)};
  deps_.pools.network->Post(attaching, [this, task, action, create, creating] {
    absl::StatusOr<network::Attachment> attachment =
        deps_.creation->Attach(*task, action.container);
    if (!attachment.ok()) {
      task->Handle(task::Created{action.container,
                                 action.attempt,
                                 ToOutcome(attachment.status(), "CannotStartContainerError"),
                                 {}});
      return;
    }
    deps_.pools.runtime->Post(
        creating, [create, attachment = *std::move(attachment)] { create(attachment); });
  });
}

}  // namespace davit::supervisor
