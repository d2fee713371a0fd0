#ifndef DAVIT_AGENT_IMAGE_MANIFEST_H_
#define DAVIT_AGENT_IMAGE_MANIFEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/containerd/types.h"

// OCI image manifests and indexes, and Docker's schema 2 of both. Pure; total on any bytes.
// Source: OCI image-spec manifest.md, image-index.md, descriptor.md; Docker registry "Image
// Manifest V 2, Schema 2".
namespace davit::image {

inline constexpr char kOciIndexType[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciManifestType[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kDockerListType[] =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerManifestType[] =
    "application/vnd.docker.distribution.manifest.v2+json";

inline constexpr size_t kMaxManifestBytes = 4U << 20;  // Docker's own limit
inline constexpr int64_t kMaxConfigBytes = 8 << 20;
inline constexpr size_t kMaxLayers = 256;  // overlayfs cannot stack many more; Docker stops at 127
inline constexpr size_t kMaxIndexEntries = 1024;

using containerd::Descriptor;

// In Go's names: "linux", "arm64", "v8".
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string ToString() const;  // "linux/arm64/v8"
  friend bool operator==(const Platform&, const Platform&) = default;
};

struct IndexEntry {
  Descriptor descriptor;
  Platform platform;  // empty members where the index says nothing
};

struct Index {
  std::vector<IndexEntry> entries;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
};

// What this process runs on.
Platform HostPlatform();

// The type of a document by its own words, else by `content_type` (the Content-Type of the answer,
// parameters allowed); OCI documents need not repeat it. InvalidArgument: neither an image nor an
// index of images; Docker's schema 1 by name.
absl::StatusOr<std::string> ManifestMediaType(absl::string_view json,
                                              absl::string_view content_type);
bool IsIndexType(absl::string_view media_type);

// InvalidArgument: malformed, beyond the limits above, no image (an artifact), or layers that are
// not in the registry
// ("foreign", "nondistributable").
absl::StatusOr<Manifest> ParseManifest(absl::string_view json);
absl::StatusOr<Index> ParseIndex(absl::string_view json);

// The image for `host`. NotFound: there is none; lists what there is.
absl::StatusOr<Descriptor> SelectPlatform(const Index& index, const Platform& host);

// Whether an image of architecture and os runs on `host`; an image that does not say is taken at
// its word.
bool Matches(const Platform& image, const Platform& host);

// The media type under which containerd's differ knows a layer: Docker's own name for zstd is
// foreign to it, OCI's is not.
std::string DifferLayerType(absl::string_view media_type);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_MANIFEST_H_
