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
      manifest_digest;  // digest of what the reference names, manifest or index (ECS's imageDigest)
  std::string chain_id;  // the unpacked snapshot that containers start from
  spec::ImageConfig config;
};

// Makes images ready to run. Thread-safe. Pull() blocks as long as the network needs: call it from
// the `image` pool.
class ImagePuller {
 public:
  virtual ~ImagePuller() = default;
  // Resolves `image` at its registry, fetches what the content store lacks, verifies every digest,
  // and unpacks for this host's platform, under `lease`. Callers of the same image share one pull.
  // `is_cancelled` is called about once a second. Errors use ECS's words: the message begins with
  // "CannotPullContainerError: " (or a sibling) and says what to do. NotFound: no such image, tag
  // or platform. Unauthenticated, PermissionDenied: credentials. Unavailable: the registry is
  // unreachable, after retries. Aborted: containerd did not answer, which says nothing about the
  // image; retry. DataLoss: content does not match its digest. Cancelled.
  virtual absl::StatusOr<PulledImage> Pull(const std::string& image, const std::string& lease,
                                           const std::function<bool()>& is_cancelled) = 0;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_IMAGE_PULLER_H_
