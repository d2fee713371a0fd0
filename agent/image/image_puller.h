#ifndef DAVIT_AGENT_IMAGE_IMAGE_PULLER_H_
#define DAVIT_AGENT_IMAGE_IMAGE_PULLER_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/spec/image_config.h"

namespace davit::image {

struct PulledImage {
  std::string
      name;  // full reference as containerd lists it: "host:port/repo:tag" or "...@sha256:..."
  std::string
      manifest_digest;  // of what the reference named: the index's if it is one (ECS's imageDigest)
  std::string chain_id;  // the unpacked snapshot that containers start from
  spec::ImageConfig config;
};

// Gets images ready to run. Thread-safe. Pull() blocks for as long as the network needs: use from
// the `image` pool.
class ImagePuller {
 public:
  virtual ~ImagePuller() = default;
  // Resolves `image` at its registry, fetches what the content store lacks, checks every digest,
  // unpacks for this host's platform, under `lease`. Several callers of one image share one pull.
  // `is_cancelled` is looked at about once a second. Errors are in ECS's words: the message begins
  // with "CannotPullContainerError: " (or its siblings) and says what to do. NotFound: no such
  // image, tag or platform. Unauthenticated/PermissionDenied: credentials. Unavailable: registry
  // cannot be reached, tried again before. Aborted: containerd did not answer, which says nothing
  // about the image: try again. DataLoss: content does not match its digest. Cancelled.
  virtual absl::StatusOr<PulledImage> Pull(const std::string& image, const std::string& lease,
                                           const std::function<bool()>& is_cancelled) = 0;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_IMAGE_PULLER_H_
