#ifndef DAVIT_AGENT_IMAGE_PULL_LEASE_H_
#define DAVIT_AGENT_IMAGE_PULL_LEASE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/leases.h"

namespace davit::image {

// A containerd lease for the time of one pull: what the pull makes is safe from the garbage
// collector until an image record or a task's lease holds it. It belongs to the pull and not to the
// first caller, whose task may be removed while others still wait. Should the agent die, it expires
// by itself. Thread-safe; all calls, the destructor too, block for a call to containerd.
class PullLease {
 public:
  // `leases` outlives it.
  static absl::StatusOr<std::shared_ptr<PullLease>> Create(containerd::Leases* leases);
  ~PullLease();
  PullLease(const PullLease&) = delete;
  PullLease& operator=(const PullLease&) = delete;

  const std::string& id() const { return id_; }
  // Keeps something whether or not it exists yet. Hold first, look afterwards.
  absl::Status Hold(const std::string& type, const std::string& id);

 private:
  PullLease(containerd::Leases* leases, std::string id);
  containerd::Leases* const leases_;
  const std::string id_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_PULL_LEASE_H_
