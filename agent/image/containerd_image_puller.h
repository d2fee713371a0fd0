#ifndef DAVIT_AGENT_IMAGE_CONTAINERD_IMAGE_PULLER_H_
#define DAVIT_AGENT_IMAGE_CONTAINERD_IMAGE_PULLER_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/client.h"
#include "agent/image/image_pull.h"
#include "agent/image/image_puller.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace davit::image {

struct ImagePullerOptions {
  std::string snapshotter = "overlayfs";
  RegistryOptions registry;
  int concurrent_images = 8;   // pulls of different images at the same time
  int concurrent_layers = 4;   // downloads of layers at the same time, of all images together
  int concurrent_unpacks = 2;  // more only makes the disk seek
  Platform platform = HostPlatform();
};

// Pulls images into containerd's content store and snapshots. What exists there is not fetched
// again: a name with digest that is complete costs no request, one with a tag costs one. An image
// pulled here stays until its record is removed from containerd (label "davit.pulled-from"), and
// until no task's lease holds it. Thread-safe. Pull() blocks; the work itself runs on threads of
// this object, shared by all callers. The destructor waits for running pulls, which end as
// cancelled once their callers have left.
class ContainerdImagePuller final : public ImagePuller {
 public:
  // `client` outlives it.
  ContainerdImagePuller(containerd::Client* client, ImagePullerOptions options);

  // An empty `lease`: the image record alone keeps the image.
  absl::StatusOr<PulledImage> Pull(const std::string& image, const std::string& lease,
                                   const std::function<bool()>& is_cancelled) override;

 private:
  absl::StatusOr<PulledImage> PullFor(const ImageReference& reference, const std::string& lease,
                                      const CancelCheck& is_cancelled);
  std::optional<PulledImage> Known(const std::string& name) const;

  RegistryClient registry_;
  containerd::ContentStore content_;
  containerd::Diffs diffs_;
  containerd::Snapshots snapshots_;
  containerd::Images images_;
  containerd::Leases leases_;
  // In this order, so that pulls end before what they wait for.
  ThreadPool unpack_threads_;
  ThreadPool layer_threads_;
  SingleFlight<Held> unpacks_;
  SingleFlight<Held> downloads_;
  const PullDeps deps_;
  ThreadPool image_threads_;
  SingleFlight<FinishedPull> pulls_;

  mutable Mutex mu_;
  // What the last pulls found whole, by image name.
  std::map<std::string, PulledImage> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_CONTAINERD_IMAGE_PULLER_H_
