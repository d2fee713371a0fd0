#ifndef DAVIT_CONTROLLER_TASK_RENDER_H_
#define DAVIT_CONTROLLER_TASK_RENDER_H_

#include "controller/state/state.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::task {

using state::Ref;

// All that is shown of one task. A value: it may be rendered on any thread, at any time.
struct TaskView {
  Ref<v1::StoredTask> record;
  Ref<v1::StoredTaskDefinition> definition;  // null: the store lacks it
  Ref<Reservation> needs;
  bool has_instance = false;
  bool is_connected = false;  // the agent of its instance
};
TaskView ViewOf(const state::Task& task);

// The task as the API shows it.
v1::Task Render(const state::Place& place, const TaskView& task);

// By ECS's rule (HealthCheck in its API reference), which looks at essential containers with a
// check only: UNHEALTHY if one of them is, HEALTHY if all are, else, or if there is none, UNKNOWN.
v1::HealthStatus::Value HealthOf(const v1::StoredTask& task, const v1::TaskDefinition& definition);

}  // namespace davit::controller::task

#endif  // DAVIT_CONTROLLER_TASK_RENDER_H_
