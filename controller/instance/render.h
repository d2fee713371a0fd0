#ifndef DAVIT_CONTROLLER_INSTANCE_RENDER_H_
#define DAVIT_CONTROLLER_INSTANCE_RENDER_H_

#include "controller/state/state.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::instance {

// All that is shown of one container instance. A value.
struct InstanceView {
  state::Ref<v1::StoredContainerInstance> record;
  state::Ref<rows::Session> session;  // null: its agent is not connected
  capacity::Host host;
  int running_count = 0;
  int pending_count = 0;
};
InstanceView ViewOf(const state::Instance& instance);

// The container instance as the API shows it, without its health.
v1::ContainerInstance Render(const state::Place& place, const InstanceView& instance);
v1::ContainerInstanceHealthStatus RenderHealth(const InstanceView& instance);

}  // namespace davit::controller::instance

#endif  // DAVIT_CONTROLLER_INSTANCE_RENDER_H_
