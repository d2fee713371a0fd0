#include "tests/agent/image/oci_layout.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/image/digest.h"
#include "base/file.h"
#include "base/status.h"
#include "base/subprocess.h"

namespace davit::image {
namespace {

using Json = nlohmann::json;

constexpr char kTar[] = "/usr/bin/tar";
constexpr char kGzip[] = "/usr/bin/gzip";
constexpr char kSkopeo[] = "/usr/bin/skopeo";

absl::Status Run(std::vector<std::string> arguments) {
  const std::string program = arguments[0];
  ASSIGN_OR_RETURN(
      const CommandResult result,
      RunCommand({std::move(arguments), {{"PATH", "/usr/bin:/bin"}}, "", absl::Minutes(2)}),
      program);
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(program, ": ", result.error_output));
}

Json ToJson(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

}  // namespace

OciLayout::OciLayout(std::string folder) : folder_(std::move(folder)) {}

absl::StatusOr<Descriptor> OciLayout::AddBlob(const std::string& media_type,
                                              const std::string& content) {
  const Descriptor descriptor{
      media_type, Sha256Digest(content), static_cast<int64_t>(content.size()), {}};
  RETURN_IF_ERROR(MakeDirectories(folder_ + "/blobs/sha256"));
  RETURN_IF_ERROR(WriteFileAtomically(
      absl::StrCat(folder_, "/blobs/sha256/", descriptor.digest.substr(7)), content));
  return descriptor;
}

absl::StatusOr<OciLayout::Layer> OciLayout::AddLayer(
    const std::map<std::string, std::string>& files) {
  const std::string root = absl::StrCat(folder_, "/tree-", ++layers_);
  const std::string tar = root + ".tar";
  RETURN_IF_ERROR(MakeDirectories(root));
  for (const auto& [path, content] : files) {
    const std::string full = absl::StrCat(root, "/", path);
    RETURN_IF_ERROR(MakeDirectories(full.substr(0, full.rfind('/'))));
    if (!absl::EndsWith(path, "/")) RETURN_IF_ERROR(WriteFileAtomically(full, content, 0755));
  }
  RETURN_IF_ERROR(Run({kTar, "--create", "--file", tar, "--directory", root, "--sort=name",
                       "--owner=0", "--group=0", "--mtime=@0", "."}));
  ASSIGN_OR_RETURN(const std::string plain, ReadFile(tar));
  RETURN_IF_ERROR(Run({kGzip, "--no-name", tar}));
  ASSIGN_OR_RETURN(const std::string zipped, ReadFile(tar + ".gz"));
  ASSIGN_OR_RETURN(Descriptor descriptor,
                   AddBlob("application/vnd.oci.image.layer.v1.tar+gzip", zipped));
  return Layer{std::move(descriptor), Sha256Digest(plain)};
}

absl::StatusOr<Descriptor> OciLayout::AddImage(const std::vector<Layer>& layers,
                                               const Platform& platform,
                                               const std::string& command) {
  Json config = {{"os", platform.os},
                 {"architecture", platform.architecture},
                 {"config", {{"Cmd", {command}}}},
                 {"rootfs", {{"type", "layers"}, {"diff_ids", Json::array()}}}};
  Json manifest = {
      {"schemaVersion", 2}, {"mediaType", kOciManifestType}, {"layers", Json::array()}};
  for (const Layer& layer : layers) {
    config["rootfs"]["diff_ids"].push_back(layer.diff_id);
    manifest["layers"].push_back(ToJson(layer.descriptor));
  }
  ASSIGN_OR_RETURN(const Descriptor described,
                   AddBlob("application/vnd.oci.image.config.v1+json", config.dump()));
  manifest["config"] = ToJson(described);
  return AddBlob(kOciManifestType, manifest.dump());
}

absl::StatusOr<Descriptor> OciLayout::AddIndex(
    const std::vector<std::pair<Descriptor, Platform>>& images) {
  Json index = {{"schemaVersion", 2}, {"mediaType", kOciIndexType}, {"manifests", Json::array()}};
  for (const auto& [image, platform] : images) {
    Json entry = ToJson(image);
    entry["platform"] = {{"os", platform.os}, {"architecture", platform.architecture}};
    index["manifests"].push_back(std::move(entry));
  }
  return AddBlob(kOciIndexType, index.dump());
}

absl::Status OciLayout::Push(const Descriptor& image, const std::string& name,
                             const std::vector<std::string>& arguments) {
  Json entry = ToJson(image);
  entry["annotations"] = {{"org.opencontainers.image.ref.name", "push"}};
  const Json index = {{"schemaVersion", 2}, {"manifests", {entry}}};
  RETURN_IF_ERROR(WriteFileAtomically(folder_ + "/index.json", index.dump()));
  RETURN_IF_ERROR(
      WriteFileAtomically(folder_ + "/oci-layout", R"({"imageLayoutVersion": "1.0.0"})"));
  std::vector<std::string> command = {kSkopeo, "--insecure-policy", "copy", "--all",
                                      "--dest-tls-verify=false"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back(absl::StrCat("oci:", folder_, ":push"));
  command.push_back(absl::StrCat("docker://", name));
  return Run(std::move(command));
}

}  // namespace davit::image
