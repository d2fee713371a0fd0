#ifndef DAVIT_AGENT_SUPERVISOR_CONTAINER_INPUTS_H_
#define DAVIT_AGENT_SUPERVISOR_CONTAINER_INPUTS_H_

#include <string>

#include "agent/image/image_puller.h"
#include "agent/secret/value_resolver.h"
#include "agent/supervisor/task.h"

namespace davit::supervisor {

// What a container needs from afar: its image, and values that its definition only names.
// Thread-safe; blocks, as long as a network needs: on the `image` pool only.
class ContainerInputs {
 public:
  struct Deps {
    image::ImagePuller* puller;
    const secret::ValueResolver* values;  // null: environmentFiles and secrets are refused
  };
  explicit ContainerInputs(const Deps& deps) : deps_(deps) {}

  task::Pulled Pull(Task* task, const std::string& container, int attempt) const;
  // False: nothing is only named, and Resolve() is not needed.
  bool HasValues(const Task& task, const std::string& container) const;
  absl::StatusOr<secret::ResolvedValues> Resolve(const Task& task,
                                                 const std::string& container) const;

 private:
  const Deps deps_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_CONTAINER_INPUTS_H_
