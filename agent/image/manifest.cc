#include "agent/image/manifest.h"

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "agent/image/digest.h"
#include "base/status.h"

namespace davit::image {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
constexpr absl::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr absl::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
constexpr absl::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

// Longest list of platforms in a message; the rest is only counted.
constexpr size_t kMaxPlatformsNamed = 10;

absl::Status Malformed(absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("malformed manifest: ", problem));
}

absl::StatusOr<Json> ParseObject(absl::string_view json) {
  if (json.size() > kMaxManifestBytes) {
    return Malformed(absl::StrCat("larger than ", kMaxManifestBytes, " bytes"));
  }
  Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Malformed("not JSON");
  if (!document.is_object()) return Malformed("not an object");
  return document;
}

// Empty if absent or not a string.
std::string StringMember(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::StatusOr<Descriptor> ReadDescriptor(const Json& value, absl::string_view where) {
  if (!value.is_object()) return Malformed(absl::StrCat(where, " must be an object"));
  Descriptor descriptor{StringMember(value, "mediaType"), StringMember(value, "digest"), 0, {}};
  if (!IsSha256Digest(descriptor.digest)) {
    return Malformed(absl::StrCat(where, ".digest must be a sha256 digest, is '",
                                  Shorten(descriptor.digest, 100), "'"));
  }
  const auto size = value.find("size");
  if (size == value.end() || !size->is_number_unsigned() ||
      size->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return Malformed(absl::StrCat(where, ".size must be a number of bytes"));
  }
  descriptor.size = size->get<int64_t>();
  return descriptor;
}

Platform ReadPlatform(const Json& entry) {
  const auto found = entry.find("platform");
  if (found == entry.end() || !found->is_object()) return {};
  return {StringMember(*found, "os"), StringMember(*found, "architecture"),
          StringMember(*found, "variant")};
}

absl::Status CheckLayerType(absl::string_view type) {
  if (absl::StrContains(type, "nondistributable") || absl::StrContains(type, "foreign")) {
    return absl::InvalidArgumentError(
        absl::StrCat("a layer of type '", type,
                     "' is not kept in the registry: rebuild the image without foreign layers"));
  }
  absl::string_view compression = type;
  if (absl::ConsumePrefix(&compression, kOciLayer) &&
      (compression.empty() || compression == "+gzip" || compression == "+zstd")) {
    return absl::OkStatus();
  }
  if (absl::ConsumePrefix(&compression, kDockerLayer) &&
      (compression.empty() || compression == ".gzip" || compression == ".zstd")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unsupported layer media type '", Shorten(type, 100),
                   "': a container image has tar, tar+gzip or tar+zstd layers"));
}

// The 7 of "v7"; 0 if there is no number.
int VariantNumber(absl::string_view variant) {
  int number = 0;
  if (!absl::ConsumePrefix(&variant, "v") || !absl::SimpleAtoi(variant, &number)) return 0;
  return number;
}

// Sets the default variant of an architecture (containerd's platforms.Normalize).
Platform Normalize(Platform platform) {
  if (platform.variant.empty() && platform.architecture == "arm64") platform.variant = "v8";
  if (platform.variant.empty() && platform.architecture == "arm") platform.variant = "v7";
  if (platform.variant.empty() && platform.architecture == "amd64") platform.variant = "v1";
  return platform;
}

}  // namespace

std::string Platform::ToString() const {
  return absl::StrCat(os, "/", architecture, variant.empty() ? "" : "/", variant);
}

Platform HostPlatform() {
  utsname names{};
  uname(&names);
  const absl::string_view machine = names.machine;
  if (machine == "x86_64") return {"linux", "amd64", ""};
  if (machine == "aarch64") return {"linux", "arm64", "v8"};
  if (absl::StartsWith(machine, "armv6")) return {"linux", "arm", "v6"};
  if (absl::StartsWith(machine, "arm")) return {"linux", "arm", "v7"};
  return {"linux", std::string(machine),
          ""};  // ppc64le, s390x, riscv64: Go uses the kernel's names
}

bool IsIndexType(absl::string_view media_type) {
  return media_type == kOciIndexType || media_type == kDockerListType;
}

absl::StatusOr<std::string> ManifestMediaType(absl::string_view json,
                                              absl::string_view content_type) {
  ASSIGN_OR_RETURN(const Json document, ParseObject(json));
  const auto version = document.find("schemaVersion");
  if (version != document.end() && version->is_number_integer() && *version == 1) {
    return absl::InvalidArgumentError(
        "the registry holds a Docker schema 1 manifest, which is no longer supported: push the "
        "image again with a current tool");
  }
  std::string type = StringMember(document, "mediaType");
  if (type.empty()) {
    type = absl::AsciiStrToLower(
        absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
  }
  if (IsIndexType(type) || type == kOciManifestType || type == kDockerManifestType) return type;
  if (document.contains("manifests") && !document.contains("layers")) return kOciIndexType;
  if (document.contains("layers") && document.contains("config")) return kOciManifestType;
  return absl::InvalidArgumentError(
      absl::StrCat("'", Shorten(type, 100), "' is not a container image"));
}

absl::StatusOr<Manifest> ParseManifest(absl::string_view json) {
  ASSIGN_OR_RETURN(const Json document, ParseObject(json));
  const auto config = document.find("config");
  if (config == document.end()) return Malformed("config is missing");
  Manifest manifest;
  ASSIGN_OR_RETURN(manifest.config, ReadDescriptor(*config, "config"));
  if (manifest.config.media_type != kOciConfig && manifest.config.media_type != kDockerConfig) {
    return absl::InvalidArgumentError(
        absl::StrCat("config media type '", Shorten(manifest.config.media_type, 100),
                     "' is not a container image's: is it an artifact or a chart?"));
  }
  if (manifest.config.size > kMaxConfigBytes) {
    return Malformed(absl::StrCat("the config is larger than ", kMaxConfigBytes, " bytes"));
  }
  const auto layers = document.find("layers");
  if (layers == document.end() || !layers->is_array()) return Malformed("layers are missing");
  if (layers->size() > kMaxLayers) {
    return Malformed(absl::StrCat(layers->size(), " layers; at most ", kMaxLayers, " are allowed"));
  }
  for (const Json& layer : *layers) {
    ASSIGN_OR_RETURN(Descriptor descriptor,
                     ReadDescriptor(layer, absl::StrCat("layers[", manifest.layers.size(), "]")));
    RETURN_IF_ERROR(CheckLayerType(descriptor.media_type));
    manifest.layers.push_back(std::move(descriptor));
  }
  return manifest;
}

absl::StatusOr<Index> ParseIndex(absl::string_view json) {
  ASSIGN_OR_RETURN(const Json document, ParseObject(json));
  const auto manifests = document.find("manifests");
  if (manifests == document.end() || !manifests->is_array()) {
    return Malformed("the index has no manifests");
  }
  if (manifests->size() > kMaxIndexEntries) {
    return Malformed(absl::StrCat(manifests->size(), " manifests in the index; at most ",
                                  kMaxIndexEntries, " are allowed"));
  }
  Index index;
  for (const Json& entry : *manifests) {
    ASSIGN_OR_RETURN(Descriptor descriptor,
                     ReadDescriptor(entry, absl::StrCat("manifests[", index.entries.size(), "]")));
    index.entries.push_back({std::move(descriptor), ReadPlatform(entry)});
  }
  return index;
}

bool Matches(const Platform& image, const Platform& host) {
  if (image.architecture.empty() && image.os.empty()) return true;
  const Platform wanted = Normalize(host);
  const Platform offered = Normalize(image);
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return false;
  return VariantNumber(offered.variant) <= VariantNumber(wanted.variant);
}

absl::StatusOr<Descriptor> SelectPlatform(const Index& index, const Platform& host) {
  const IndexEntry* best = nullptr;
  std::vector<std::string> offered;
  for (const IndexEntry& entry : index.entries) {
    const bool says_nothing = entry.platform.architecture.empty() && entry.platform.os.empty();
    if (says_nothing && index.entries.size() > 1) continue;  // unknown platform
    if (entry.platform.os == "unknown") continue;  // an attestation of BuildKit, not an image
    offered.push_back(says_nothing ? "unnamed" : entry.platform.ToString());
    if (!Matches(entry.platform, host)) continue;
    if (best == nullptr || VariantNumber(Normalize(entry.platform).variant) >
                               VariantNumber(Normalize(best->platform).variant)) {
      best = &entry;
    }
  }
  if (best != nullptr) return best->descriptor;
  const size_t named = std::min(offered.size(), kMaxPlatformsNamed);
  const size_t rest = offered.size() - named;
  offered.resize(named);
  return absl::NotFoundError(absl::StrCat(
      "image Manifest does not contain descriptor matching platform '", host.ToString(),
      "'; it has: ", offered.empty() ? "none" : absl::StrJoin(offered, ", "),
      rest == 0 ? "" : absl::StrCat(" and ", rest, " more")));
}

std::string DifferLayerType(absl::string_view media_type) {
  if (media_type == absl::StrCat(kDockerLayer, ".zstd")) return absl::StrCat(kOciLayer, "+zstd");
  return std::string(media_type);
}

}  // namespace davit::image
