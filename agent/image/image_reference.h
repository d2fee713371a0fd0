#ifndef DAVIT_AGENT_IMAGE_IMAGE_REFERENCE_H_
#define DAVIT_AGENT_IMAGE_IMAGE_REFERENCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::image {

// The name of an image, as in a task definition: [host[:port]/]repository[:tag][@digest]. A value;
// ParseImageReference() sets every part.
struct ImageReference {
  std::string host;        // "docker.io", "127.0.0.1:5000", "[::1]:5000"
  std::string repository;  // "library/busybox"
  std::string tag;         // empty only if there is a digest
  std::string digest;      // "sha256:..." or empty

  // The whole name, as containerd lists it: "docker.io/library/busybox:latest".
  std::string ToString() const;
  // The host to send requests to. Docker Hub's registry has another name than its images.
  std::string RegistryHost() const;
  // The last part of /v2/REPOSITORY/manifests/...: the digest if there is one, else the tag.
  const std::string& ManifestName() const { return digest.empty() ? tag : digest; }

  friend bool operator==(const ImageReference&, const ImageReference&) = default;
};

// Docker's rules: no host means docker.io, a docker.io name without '/' is in "library/", neither
// tag nor digest means "latest". InvalidArgument: not a reference; the message says why. Pure;
// accepts any bytes. Source: github.com/distribution/reference, grammar and ParseNormalizedNamed.
absl::StatusOr<ImageReference> ParseImageReference(absl::string_view text);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_IMAGE_REFERENCE_H_
