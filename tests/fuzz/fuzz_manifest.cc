#include "agent/image/manifest.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzManifest(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(
      image::ManifestMediaType(text, "application/vnd.oci.image.manifest.v1+json; charset=utf-8"));
  static_cast<void>(image::ManifestMediaType("{}", text));
  const auto manifest = image::ParseManifest(text);
  if (manifest.ok()) {
    Must(manifest->layers.size() <= image::kMaxLayers);
    Must(manifest->config.size >= 0 && manifest->config.size <= image::kMaxConfigBytes);
    for (const image::Descriptor& layer : manifest->layers)
      Must(layer.size >= 0 && !layer.digest.empty());
  }
  const auto index = image::ParseIndex(text);
  if (index.ok()) {
    Must(index->entries.size() <= image::kMaxIndexEntries);
    static_cast<void>(image::SelectPlatform(*index, {"linux", "arm64", "v8"}));
  }
  return 0;
}

}  // namespace davit::fuzz
