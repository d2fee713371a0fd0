#include "agent/image/manifest.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "agent/image/digest.h"

namespace davit::image {
namespace {

const std::string kDigestA = Sha256Digest("a");
const std::string kDigestB = Sha256Digest("b");

std::string DescriptorJson(absl::string_view type, absl::string_view digest,
                           absl::string_view size) {
  return absl::StrCat(R"({"mediaType": ")", type, R"(", "digest": ")", digest, R"(", "size": )",
                      size, "}");
}

std::string ManifestJson(absl::string_view layer_type, absl::string_view digest = kDigestB,
                         absl::string_view size = "7") {
  return absl::StrCat(R"({"schemaVersion": 2, "config": )",
                      DescriptorJson("application/vnd.oci.image.config.v1+json", kDigestA, "3"),
                      R"(, "layers": [)", DescriptorJson(layer_type, digest, size), "]}");
}

IndexEntry Entry(const std::string& content, Platform platform) {
  return {{kOciManifestType, Sha256Digest(content), 1, {}}, std::move(platform)};
}

TEST_CASE("a manifest is parsed into its configuration and layers", "[manifest]") {
  const auto manifest = ParseManifest(ManifestJson("application/vnd.oci.image.layer.v1.tar+zstd"));
  REQUIRE(manifest.ok());
  CHECK(manifest->config.digest == kDigestA);
  REQUIRE(manifest->layers.size() == 1);
  CHECK(manifest->layers[0] ==
        Descriptor{"application/vnd.oci.image.layer.v1.tar+zstd", kDigestB, 7, {}});
}

TEST_CASE("tar layers of OCI and Docker are accepted, with gzip, zstd or neither", "[manifest]") {
  for (const char* type :
       {"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd"}) {
    CAPTURE(type);
    CHECK(ParseManifest(ManifestJson(type)).ok());
  }
  CHECK(DifferLayerType("application/vnd.docker.image.rootfs.diff.tar.zstd") ==
        "application/vnd.oci.image.layer.v1.tar+zstd");
  CHECK(DifferLayerType("application/vnd.docker.image.rootfs.diff.tar.gzip") ==
        "application/vnd.docker.image.rootfs.diff.tar.gzip");
}

TEST_CASE("layers that are not in the registry are refused", "[manifest]") {
  for (const char* type : {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                           "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}) {
    const auto manifest = ParseManifest(ManifestJson(type));
    CHECK(manifest.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(manifest.status().message()), Catch::Contains("foreign layers"));
  }
}

TEST_CASE("malformed manifests are refused", "[manifest]") {
  const std::string tar = "application/vnd.oci.image.layer.v1.tar";
  std::string many = R"({"config": )";
  absl::StrAppend(&many, DescriptorJson("application/vnd.oci.image.config.v1+json", kDigestA, "3"),
                  R"(, "layers": [)");
  for (size_t i = 0; i <= kMaxLayers; ++i) {
    absl::StrAppend(&many, i == 0 ? "" : ",", DescriptorJson(tar, kDigestB, "1"));
  }
  many += "]}";
  for (const std::string& json :
       std::vector<std::string>{"",
                                "null",
                                "[]",
                                "{}",
                                "{",
                                R"({"config": 1})",
                                R"({"config": {}, "layers": []})",
                                ManifestJson(tar, "sha256:short"),
                                ManifestJson(tar, "sha512:abc"),
                                ManifestJson(tar, kDigestB, "-1"),
                                ManifestJson(tar, kDigestB, "1.5"),
                                ManifestJson(tar, kDigestB, "\"7\""),
                                ManifestJson(tar, kDigestB, "18446744073709551615"),
                                ManifestJson(tar, kDigestB, "99999999999999999999999"),
                                ManifestJson("text/plain"),
                                ManifestJson(""),
                                many,
                                std::string(kMaxManifestBytes + 1, ' '),
                                std::string(100000, '['),
                                std::string("\xff\xfe", 2)}) {
    CAPTURE(json.substr(0, 200));
    CHECK(ParseManifest(json).status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(ParseIndex(json).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("a configuration of another type is refused as not an image", "[manifest]") {
  const std::string json = absl::StrCat(
      R"({"config": )", DescriptorJson("application/vnd.cncf.helm.config.v1+json", kDigestA, "3"),
      R"(, "layers": []})");
  CHECK_THAT(std::string(ParseManifest(json).status().message()), Catch::Contains("artifact"));
}

TEST_CASE("the media type comes from the document, else from the response, else from its shape",
          "[manifest]") {
  CHECK(*ManifestMediaType(absl::StrCat(R"({"mediaType": ")", kDockerListType, R"("})"),
                           kOciManifestType) == kDockerListType);
  CHECK(*ManifestMediaType("{}", absl::StrCat(kOciManifestType, "; charset=utf-8")) ==
        kOciManifestType);
  CHECK(*ManifestMediaType(R"({"manifests": []})", "application/json") == kOciIndexType);
  CHECK(*ManifestMediaType(R"({"config": {}, "layers": []})", "") == kOciManifestType);
  CHECK(ManifestMediaType("{}", "text/html").status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("Docker's schema 1 is refused by name", "[manifest]") {
  const auto type = ManifestMediaType(R"({"schemaVersion": 1, "fsLayers": []})",
                                      "application/vnd.docker.distribution.manifest.v1+prettyjws");
  CHECK(type.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(type.status().message()), Catch::Contains("schema 1"));
}

TEST_CASE("the image for the host's platform is chosen from an index", "[manifest]") {
  const Index index{{Entry("amd64", {"linux", "amd64", ""}), Entry("v6", {"linux", "arm", "v6"}),
                     Entry("v7", {"linux", "arm", "v7"}), Entry("arm64", {"linux", "arm64", "v8"}),
                     Entry("windows", {"windows", "amd64", ""}),
                     Entry("attestation", {"unknown", "unknown", ""})}};
  const auto chosen = [&](const Platform& host) { return SelectPlatform(index, host)->digest; };
  CHECK(chosen({"linux", "amd64", ""}) == Sha256Digest("amd64"));
  CHECK(chosen({"linux", "arm64", ""}) == Sha256Digest("arm64"));
  CHECK(chosen({"linux", "arm", "v6"}) == Sha256Digest("v6"));
  CHECK(chosen({"linux", "arm", "v7"}) == Sha256Digest("v7"));
}

TEST_CASE("a variant above the host's is not chosen", "[manifest]") {
  const Index index{{Entry("v3", {"linux", "amd64", "v3"}), Entry("v1", {"linux", "amd64", ""})}};
  CHECK(SelectPlatform(index, {"linux", "amd64", ""})->digest == Sha256Digest("v1"));
}

TEST_CASE("an index without the host's platform lists its platforms", "[manifest]") {
  const Index index{
      {Entry("arm64", {"linux", "arm64", "v8"}), Entry("x", {"unknown", "unknown", ""})}};
  const auto chosen = SelectPlatform(index, {"linux", "amd64", ""});
  CHECK(chosen.status().code() == absl::StatusCode::kNotFound);
  CHECK(std::string(chosen.status().message()) ==
        "image Manifest does not contain descriptor matching platform 'linux/amd64'; it has: "
        "linux/arm64/v8");
}

TEST_CASE("the only image of an index may lack a platform", "[manifest]") {
  CHECK(SelectPlatform({{Entry("a", {})}}, {"linux", "amd64", ""}).ok());
  CHECK_FALSE(SelectPlatform({{Entry("a", {}), Entry("b", {})}}, {"linux", "amd64", ""}).ok());
}

TEST_CASE("an index is read with its platforms", "[manifest]") {
  const auto index = ParseIndex(absl::StrCat(
      R"({"manifests": [{"mediaType": ")", kOciManifestType, R"(", "digest": ")", kDigestA,
      R"(", "size": 5, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}]})"));
  REQUIRE(index.ok());
  REQUIRE(index->entries.size() == 1);
  CHECK(index->entries[0].platform == Platform{"linux", "arm", "v7"});
  CHECK(index->entries[0].descriptor == Descriptor{kOciManifestType, kDigestA, 5, {}});
}

TEST_CASE("digests and chain ids are those of the OCI specification", "[digest]") {
  CHECK(Sha256Digest("") ==
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(ChainIds({}).empty());
  const std::vector<std::string> chain = ChainIds({kDigestA, kDigestB});
  CHECK(chain == std::vector<std::string>{kDigestA, Sha256Digest(kDigestA + " " + kDigestB)});
  CHECK(IsSha256Digest(kDigestA));
  CHECK_FALSE(IsSha256Digest(kDigestA.substr(1)));
  CHECK_FALSE(IsSha256Digest(kDigestA + "0"));
  CHECK_FALSE(IsSha256Digest("sha256:" + std::string(64, 'G')));
}

}  // namespace
}  // namespace davit::image
