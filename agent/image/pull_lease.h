#ifndef DAVIT_AGENT_IMAGE_PULL_LEASE_H_
#define DAVIT_AGENT_IMAGE_PULL_LEASE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/leases.h"

namespace davit::image {

// A containerd lease for the duration of one pull. It protects the pull's results from the garbage
// collector until an image record or a task's lease holds them. The lease belongs to the pull, not
// to the first caller, whose task may be removed while others still wait. If the agent dies, it
// expires by itself. Thread-safe; every call and the destructor block for a call to containerd.
class PullLease {
 public:
  // `leases` outlives it.
  static absl::StatusOr<std::shared_ptr<PullLease>> Create(containerd::Leases* leases);
  ~PullLease();
  PullLease(const PullLease&) = delete;
  PullLease& operator=(const PullLease&) = delete;

  const std::string& id() const { return id_; }
  // Protects an object, which need not exist yet. Call Hold() first and inspect the object
  // afterwards.
  absl::Status Hold(const std::string& type, const std::string& id);

 private:
  PullLease(containerd::Leases* leases, std::string id);
  containerd::Leases* const leases_;
  const std::string id_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_PULL_LEASE_H_
