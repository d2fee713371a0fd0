#include "agent/image/containerd_image_puller.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/image/pull_error.h"
#include "base/status.h"

namespace davit::image {
namespace {

// How often an image may vanish after its pull, before the caller's lease holds it.
constexpr int kHoldAttempts = 3;
// Bounds the memory of a host that runs many images over the years.
constexpr size_t kMaxKnown = 256;

}  // namespace

ContainerdImagePuller::ContainerdImagePuller(containerd::Client* client, ImagePullerOptions options)
    : registry_(options.registry),
      content_(client),
      diffs_(client),
      snapshots_(client, options.snapshotter),
      images_(client),
      leases_(client),
      unpack_threads_("image-unpack", options.concurrent_unpacks),
      layer_threads_("image-layer", options.concurrent_layers),
      unpacks_(&unpack_threads_),
      downloads_(&layer_threads_),
      deps_{{&registry_, &content_, &diffs_, &snapshots_, options.registry.retry},
            &images_,
            &leases_,
            &downloads_,
            &unpacks_,
            options.platform},
      image_threads_("image-pull", options.concurrent_images),
      pulls_(&image_threads_) {}

absl::StatusOr<PulledImage> ContainerdImagePuller::Pull(const std::string& image,
                                                        const std::string& lease,
                                                        const std::function<bool()>& is_cancelled) {
  const absl::StatusOr<ImageReference> reference = ParseImageReference(image);
  if (!reference.ok()) return PullError(reference.status());
  absl::StatusOr<PulledImage> pulled = PullFor(*reference, lease, is_cancelled);
  for (int i = 1; i < kHoldAttempts && pulled.status().code() == absl::StatusCode::kAborted; ++i) {
    pulled = PullFor(*reference, lease, is_cancelled);
  }
  if (pulled.ok()) return pulled;
  if (containerd::IsNoAnswer(pulled.status())) {
    return PullError(absl::AbortedError(pulled.status().message()));
  }
  if (pulled.status().code() == absl::StatusCode::kAborted) {
    return PullError(absl::UnavailableError(pulled.status().message()));
  }
  return PullError(pulled.status());
}

// Aborted: somebody removed the image before the lease held it.
absl::StatusOr<PulledImage> ContainerdImagePuller::PullFor(const ImageReference& reference,
                                                           const std::string& lease,
                                                           const CancelCheck& is_cancelled) {
  const std::string name = reference.ToString();
  // Only a caller with a lease verifies below that the image still exists.
  const std::optional<PulledImage> known = lease.empty() ? std::nullopt : Known(name);
  auto ticket = pulls_.Join(name, [this, reference, known](const CancelCheck& cancelled) {
    return ImagePull(deps_, reference, known, cancelled).Run();
  });
  ASSIGN_OR_RETURN(const FinishedPull pull, ticket.Wait(is_cancelled));
  if (lease.empty()) return pull.image;
  // It is enough to hold the manifest: its labels refer to configuration, layers and snapshots.
  RETURN_IF_ERROR(
      OkIfAlreadyExists(leases_.AddResource(lease, {"content", pull.image.manifest_digest})),
      "holding image ", pull.image.name, " for lease ", lease);
  const bool is_there = content_.Info(pull.image.manifest_digest).ok() &&
                        (pull.image.chain_id.empty() || snapshots_.Stat(pull.image.chain_id).ok());
  const MutexLock lock(&mu_);
  if (is_there) {
    if (known_.size() >= kMaxKnown) known_.clear();
    known_[name] = pull.image;
    return pull.image;
  }
  known_.erase(name);
  return absl::AbortedError(
      absl::StrCat("image ", pull.image.name, " was removed from containerd during the pull"));
}

std::optional<PulledImage> ContainerdImagePuller::Known(const std::string& name) const {
  const MutexLock lock(&mu_);
  const auto found = known_.find(name);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace davit::image
