#ifndef DAVIT_AGENT_RUNTIME_CONTAINERD_REMOVAL_H_
#define DAVIT_AGENT_RUNTIME_CONTAINERD_REMOVAL_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/containerd/containers.h"
#include "agent/containerd/tasks.h"
#include "agent/runtime/forgotten_shim.h"

namespace davit::runtime {

// Ends processes of containers and makes containerd and its shims let go of them, whatever state an
// agent or a containerd that was killed has left. Thread-safe; each call blocks for up to a few
// deadlines. Codes are containerd's own.
class ContainerdRemoval {
 public:
  struct Options {
    std::string containerd_address;
    std::string containerd_namespace;
    std::string runtime;  // of records made for tasks that have none
    std::string runc;     // for what containerd has forgotten
    absl::Duration call_timeout;
    absl::Duration kill_timeout;
  };
  // Both outlive this object.
  ContainerdRemoval(containerd::Containers* containers, containerd::Tasks* tasks, Options options)
      : containers_(containers), tasks_(tasks), options_(std::move(options)) {}

  // Gives a task without a record one: containerd does not let go of it otherwise. OK if there is
  // no such task.
  absl::Status AdoptOrphan(const std::string& container_id);
  // Kills all processes and waits for the main one's end. OK if there is none. DeadlineExceeded: it
  // does not die.
  absl::Status KillTask(const std::string& container_id);
  // Deletes the task, and what containerd no longer knows of it. OK if there was none.
  absl::Status ClearTask(const std::string& container_id);
  // Ends the shim of a container that has no task, and removes the bundle that is in the way of a
  // new one (FindForgottenBundle()).
  absl::Status ClearBundle(const std::string& container_id, const std::string& bundle);
  ShimIdentity ShimOf(const std::string& container_id) const {
    return {options_.containerd_address, options_.containerd_namespace, container_id};
  }

 private:
  containerd::CallOptions Within(absl::Duration timeout) const {
    return {.lease = "", .timeout = timeout};
  }
  // NotFound: there was none.
  absl::Status DeleteTask(const std::string& container_id);

  containerd::Containers* const containers_;
  containerd::Tasks* const tasks_;
  const Options options_;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CONTAINERD_REMOVAL_H_
