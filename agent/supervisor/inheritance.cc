#include "agent/supervisor/inheritance.h"

namespace davit::supervisor {

void Inherit(const HostTask& begun, task::TaskSnapshot* snapshot) {
  snapshot->owns_host_state = true;
  for (const std::string& name : begun.containers) {
    task::ContainerSnapshot* container = task::FindContainer(snapshot, name);
    if (container == nullptr) continue;
    container->phase = task::Phase::kCreated;
    container->work = task::Work::kStart;
  }
}

bool InheritFromController(const v1::Assignment& assignment, task::TaskSnapshot* snapshot) {
  HostTask begun;
  for (const v1::ContainerIdentity& container : assignment.containers()) {
    if (container.may_have_run()) begun.containers.push_back(container.name());
  }
  if (begun.containers.empty()) return false;
  Inherit(begun, snapshot);
  return true;
}

}  // namespace davit::supervisor
