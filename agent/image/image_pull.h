#ifndef DAVIT_AGENT_IMAGE_IMAGE_PULL_H_
#define DAVIT_AGENT_IMAGE_IMAGE_PULL_H_

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/images.h"
#include "agent/image/image_puller.h"
#include "agent/image/layer_jobs.h"
#include "agent/image/single_flight.h"

namespace davit::image {

// Keeps the results of one or several pulls as long as it lives.
using Held = std::vector<std::shared_ptr<PullLease>>;

struct FinishedPull {
  PulledImage image;
  Held held;  // empty: everything existed already
};

// The services that a pull uses. Borrowed; all thread-safe.
struct PullDeps {
  LayerDeps layers;
  containerd::Images* images;
  containerd::Leases* leases;
  SingleFlight<Held>* downloads;  // by blob digest
  SingleFlight<Held>* unpacks;    // by chain id
  Platform platform;
};

// One pull of one image, from its name to its snapshot. Downloads layers in parallel and unpacks
// them in order, each as soon as possible. Not thread-safe; call Run() once. Blocks on network and
// disk.
class ImagePull {
 public:
  // `known`: the complete image that the last pull of this name found. Run() returns it again if
  // the name still refers to it. The caller must verify that it still exists.
  ImagePull(const PullDeps& deps, ImageReference reference, std::optional<PulledImage> known,
            CancelCheck is_cancelled);
  // The codes of ImagePuller::Pull(); the texts are not in ECS's words yet.
  absl::StatusOr<FinishedPull> Run();

 private:
  // A manifest, index or configuration in memory.
  struct Document {
    Descriptor descriptor;
    std::string body;
    bool is_stored = false;  // read from the content store
  };

  absl::StatusOr<Document> Resolve();
  absl::StatusOr<Document> ResolveLocally(absl::Status failure);
  absl::StatusOr<Document> LoadManifestFor(const Document& target);
  absl::StatusOr<Document> LoadConfig(const Descriptor& descriptor);
  absl::StatusOr<Document> ReadStored(const Descriptor& descriptor, int64_t max_bytes);
  absl::StatusOr<Document> FetchManifest(const ImageReference& reference,
                                         int attempts = std::numeric_limits<int>::max());
  absl::Status CheckConfig(const spec::ImageConfig& config) const;

  // Whether nothing is missing and an image record protects it.
  bool IsComplete() const;
  absl::Status Store();
  absl::StatusOr<size_t> CountUnpackedLayers();
  absl::Status FetchAndUnpackLayers();
  absl::Status UnpackInOrder(size_t first, std::vector<SingleFlight<Held>::Ticket>* downloads);
  absl::Status Record();
  std::string SnapshotLabel() const;

  const PullDeps deps_;
  const ImageReference reference_;
  const std::optional<PulledImage> known_;
  const CancelCheck is_cancelled_;

  // Set one after the other by Run().
  std::string recorded_digest_;  // the image record's digest, if the name is a tag
  Document target_;              // what the name refers to
  Document manifest_;            // the same, unless the target is an index
  Document config_;
  Manifest layers_;
  spec::ImageConfig image_config_;
  std::vector<std::string> chain_ids_;
  std::shared_ptr<PullLease> lease_;
  Held held_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_IMAGE_PULL_H_
