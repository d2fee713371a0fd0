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
  int concurrent_images = 8;   // parallel pulls of different images
  int concurrent_layers = 4;   // parallel layer downloads, all images together
  int concurrent_unpacks = 2;  // parallel layer unpacks; more only makes the disk seek
  Platform platform = HostPlatform();
};

// Pulls images into containerd's content store and snapshots. It never fetches what exists there: a
// complete image costs no request if its name has a digest, and one request if it has a tag. A
// pulled image stays until its record (label "davit.pulled-from") is removed from containerd and no
// task's lease holds it. Thread-safe. Pull() blocks; threads of this object do the work and share
// it among callers. The destructor waits for running pulls, which are cancelled once their callers
// have left.
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
  // Declared in this order, so that pulls end before the threads that they wait for.
  ThreadPool unpack_threads_;
  ThreadPool layer_threads_;
  SingleFlight<Held> unpacks_;
  SingleFlight<Held> downloads_;
  const PullDeps deps_;
  ThreadPool image_threads_;
  SingleFlight<FinishedPull> pulls_;

  mutable Mutex mu_;
  // Complete images that the last pulls found, by image name.
  std::map<std::string, PulledImage> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_CONTAINERD_IMAGE_PULLER_H_
