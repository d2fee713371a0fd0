#include "agent/image/image_reference.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace davit::image {
namespace {

constexpr char kDigest[] =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST_CASE("references are completed by Docker's rules", "[image_reference]") {
  struct Case {
    std::string text;
    ImageReference expected;
    std::string name;
  };
  const std::string digest = kDigest;
  const std::vector<Case> cases = {
      {"busybox",
       {"docker.io", "library/busybox", "latest", ""},
       "docker.io/library/busybox:latest"},
      {"busybox:1.36",
       {"docker.io", "library/busybox", "1.36", ""},
       "docker.io/library/busybox:1.36"},
      {"user/app", {"docker.io", "user/app", "latest", ""}, "docker.io/user/app:latest"},
      {"docker.io/busybox",
       {"docker.io", "library/busybox", "latest", ""},
       "docker.io/library/busybox:latest"},
      {"index.docker.io/busybox",
       {"docker.io", "library/busybox", "latest", ""},
       "docker.io/library/busybox:latest"},
      {"localhost/web", {"localhost", "web", "latest", ""}, "localhost/web:latest"},
      {"localhost:5000/web:v1", {"localhost:5000", "web", "v1", ""}, "localhost:5000/web:v1"},
      {"127.0.0.1:5000/a/b/c:T_1.x-y",
       {"127.0.0.1:5000", "a/b/c", "T_1.x-y", ""},
       "127.0.0.1:5000/a/b/c:T_1.x-y"},
      {"[::1]:5000/web", {"[::1]:5000", "web", "latest", ""}, "[::1]:5000/web:latest"},
      {"Registry/web", {"Registry", "web", "latest", ""}, "Registry/web:latest"},
      {"a.example/x@" + digest, {"a.example", "x", "", digest}, "a.example/x@" + digest},
      {"a.example/x:v1@" + digest, {"a.example", "x", "v1", digest}, "a.example/x:v1@" + digest},
      {"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web__x/a--b:1",
       {"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "web__x/a--b", "1", ""},
       "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web__x/a--b:1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto reference = ParseImageReference(c.text);
    REQUIRE(reference.ok());
    CHECK(*reference == c.expected);
    CHECK(reference->ToString() == c.name);
    const auto again = ParseImageReference(reference->ToString());
    REQUIRE(again.ok());
    CHECK(*again == *reference);
  }
}

TEST_CASE("Docker Hub's images are requested from its registry", "[image_reference]") {
  CHECK(ParseImageReference("busybox")->RegistryHost() == "registry-1.docker.io");
  CHECK(ParseImageReference("a.example:1/x")->RegistryHost() == "a.example:1");
}

TEST_CASE("a digest wins over a tag", "[image_reference]") {
  CHECK(ParseImageReference("a.example/x:v1")->ManifestName() == "v1");
  CHECK(ParseImageReference(absl::StrCat("a.example/x:v1@", kDigest))->ManifestName() == kDigest);
}

TEST_CASE("an invalid reference is refused", "[image_reference]") {
  const std::string long_name(256, 'a');
  for (const std::string& text : std::vector<std::string>{"",
                                                          "/",
                                                          "a/",
                                                          "/a",
                                                          "a//b",
                                                          ":tag",
                                                          "a:",
                                                          "a:-tag",
                                                          "a:.tag",
                                                          "a:b:c",
                                                          "a@",
                                                          "@",
                                                          "a@sha256:abc",
                                                          "a@sha512:0123",
                                                          "UPPER",
                                                          "a/Upper",
                                                          "a_/b",
                                                          "a-",
                                                          "-a",
                                                          "a..b",
                                                          "a___b",
                                                          "a b",
                                                          "a\nb",
                                                          "a.example:0/x",
                                                          "a.example:65536/x",
                                                          "a.example:port/x",
                                                          ".example/x",
                                                          "a..example/x",
                                                          "-a.example/x",
                                                          "https://a.example/x",
                                                          "[::1/x",
                                                          "[]/x",
                                                          "[::1]x/y",
                                                          "a.example/" + long_name,
                                                          "a:" + std::string(129, 't'),
                                                          std::string("a\0b", 3),
                                                          std::string(64, 'a')}) {
    CAPTURE(text);
    CHECK(ParseImageReference(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("the error says what is wrong with the reference", "[image_reference]") {
  using Catch::Contains;
  const auto refusal = [](absl::string_view text) {
    return std::string(ParseImageReference(text).status().message());
  };
  CHECK_THAT(refusal("web:"), Contains("invalid reference format: 'web:'") && Contains("tag"));
  CHECK_THAT(refusal("a.example/Web"), Contains("lower-case"));
  CHECK_THAT(refusal(std::string(64, 'a')), Contains("image id"));
}

}  // namespace
}  // namespace davit::image
