#ifndef DAVIT_AGENT_IMAGE_MANIFEST_H_
#define DAVIT_AGENT_IMAGE_MANIFEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/containerd/types.h"

// OCI image manifests and indexes, and Docker's schema 2 of both. Pure; accepts any bytes. Source:
// OCI image-spec manifest.md, image-index.md, descriptor.md; Docker registry "Image Manifest V 2,
// Schema 2".
namespace davit::image {

inline constexpr char kOciIndexType[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciManifestType[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kDockerListType[] =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerManifestType[] =
    "application/vnd.docker.distribution.manifest.v2+json";

inline constexpr size_t kMaxManifestBytes = 4U << 20;  // Docker's own limit
inline constexpr int64_t kMaxConfigBytes = 8 << 20;
inline constexpr size_t kMaxLayers = 256;  // near overlayfs's limit; Docker allows 127
inline constexpr size_t kMaxIndexEntries = 1024;

using containerd::Descriptor;

// With Go's names: "linux", "arm64", "v8".
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string ToString() const;  // "linux/arm64/v8"
  friend bool operator==(const Platform&, const Platform&) = default;
};

struct IndexEntry {
  Descriptor descriptor;
  Platform platform;  // members that the index lacks are empty
};

struct Index {
  std::vector<IndexEntry> entries;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
};

// The platform of this host.
Platform HostPlatform();

// The media type of a document: its own mediaType, else `content_type` (the response's
// Content-Type, with or without parameters), because OCI documents may omit it. InvalidArgument:
// neither an image nor an index of images; the message names Docker's schema 1.
absl::StatusOr<std::string> ManifestMediaType(absl::string_view json,
                                              absl::string_view content_type);
bool IsIndexType(absl::string_view media_type);

// InvalidArgument: malformed, beyond the limits above, not an image (an artifact), or layers that
// are not in the registry ("foreign", "nondistributable").
absl::StatusOr<Manifest> ParseManifest(absl::string_view json);
absl::StatusOr<Index> ParseIndex(absl::string_view json);

// The image for `host`. NotFound: the index has none; the message lists its platforms.
absl::StatusOr<Descriptor> SelectPlatform(const Index& index, const Platform& host);

// Whether an image for platform `image` runs on `host`. An unset member matches every host.
bool Matches(const Platform& image, const Platform& host);

// The media type that containerd's differ accepts for a layer: it knows OCI's name for zstd, but
// not Docker's.
std::string DifferLayerType(absl::string_view media_type);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_MANIFEST_H_
