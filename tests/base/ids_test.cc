#include "base/ids.h"

#include <catch2/catch.hpp>
#include <set>
#include <tuple>

namespace davit {
namespace {

TEST_CASE("an ARN is parsed and printed unchanged", "[ids]") {
  using Row = std::tuple<std::string, std::string, std::string>;  // resource, type, id
  const auto [resource, type, id] = GENERATE(
      Row{"cluster/blue", "cluster", "blue"},
      Row{"task/blue/0123456789abcdef0123456789abcdef", "task", "0123456789abcdef0123456789abcdef"},
      Row{"container-instance/blue/ffff", "container-instance", "ffff"},
      Row{"container/blue/ffff/aaaa-bbbb", "container", "aaaa-bbbb"},
      Row{"task-definition/web:7", "task-definition", "web:7"});
  const std::string text = "arn:aws:ecs:eu-west-1:123456789012:" + resource;
  const auto arn = ParseArn(text);
  REQUIRE(arn.ok());
  CHECK(arn->region == "eu-west-1");
  CHECK(arn->account == "123456789012");
  CHECK(arn->resource == resource);
  CHECK(arn->Type() == type);
  CHECK(arn->Id() == id);
  CHECK(arn->ToString() == text);
  CHECK(ShortId(text) == id);
}

TEST_CASE("text that is not an ECS ARN is refused, and the error has the text", "[ids]") {
  const std::string text =
      GENERATE("", "arn", "arn:aws:ecs", "arn:aws:ecs:r:a:", "arn:aws:ecs:r:a:cluster",
               "arn:aws:ecs:r:a:cluster/", "arn:aws:ecs:r:a:/blue", "arn:aws:ecs::a:cluster/blue",
               "arn:aws:ecs:r::cluster/blue", "arn:aws:s3:r:a:cluster/blue",
               "arn:other:ecs:r:a:cluster/blue", "nra:aws:ecs:r:a:cluster/blue");
  const auto arn = ParseArn(text);
  REQUIRE(absl::IsInvalidArgument(arn.status()));
  CHECK_THAT(std::string(arn.status().message()), Catch::Contains("'" + text + "'"));
}

TEST_CASE("a short id is its own short form", "[ids]") {
  CHECK(ShortId("0123") == "0123");
  CHECK(ShortId("").empty());
  CHECK(LooksLikeArn("arn:aws:ecs:r:a:cluster/blue"));
  CHECK_FALSE(LooksLikeArn("blue"));
}

TEST_CASE("random ids have ECS's form and do not repeat", "[ids]") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = RandomHex32();
    REQUIRE(id.size() == 32);
    REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("a UUID has version 4", "[ids]") {
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = RandomUuid();
    REQUIRE(uuid.size() == 36);
    for (const size_t dash : {8U, 13U, 18U, 23U}) REQUIRE(uuid[dash] == '-');
    REQUIRE(uuid[14] == '4');
    REQUIRE(std::string("89ab").find(uuid[19]) != std::string::npos);
  }
}

}  // namespace
}  // namespace davit
