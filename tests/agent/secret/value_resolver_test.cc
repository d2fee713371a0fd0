#include "agent/secret/value_resolver.h"

#include <google/protobuf/util/json_util.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit::secret {
namespace {

using Variables = std::map<std::string, std::string>;

// Has secrets by AWS's id or name. Counts requests.
class MapSource final : public SecretSource {
 public:
  absl::StatusOr<std::string> Get(const SecretReference& reference) const override {
    ++asked;
    const auto found = values.find(reference.id);
    if (found == values.end()) return absl::Status(miss, "no " + reference.id);
    return found->second;
  }
  Variables values;
  absl::StatusCode miss = absl::StatusCode::kNotFound;
  mutable int asked = 0;
};

struct World {
  AwsClient aws{AwsOptions{}};
  MapSource first, second;
  ValueResolver resolver{&aws, {&first, &second}};
  absl::StatusOr<ResolvedValues> Resolve(const std::string& container_json,
                                         const v1::ContainerOverride& overrides = {}) const {
    v1::ContainerDefinition container;
    REQUIRE(google::protobuf::util::JsonStringToMessage(container_json, &container).ok());
    container.set_name("web");
    return resolver.Resolve(container, overrides);
  }
};

TEST_CASE("secrets come from the first source that has them", "[secret]") {
  World world;
  world.first.values = {{"a", "first"}};
  world.second.values = {{"a", "second"}, {"b", "second"}};
  const auto values = world.Resolve(R"({"secrets": [{"name": "A", "valueFrom": "a"},
                                                    {"name": "B", "valueFrom": "b"}]})");
  REQUIRE(values.ok());
  CHECK(values->secrets == Variables{{"A", "first"}, {"B", "second"}});
  CHECK(values->secret_files.empty());
}

TEST_CASE("two keys of one secret cause one request", "[secret]") {
  World world;
  const std::string arn = "arn:aws:secretsmanager:r:a:secret:db-a1B2c3";
  world.first.values = {{arn, R"({"user": "u", "password": "p"})"}};
  const auto values =
      world.Resolve(R"({"secrets": [{"name": "U", "valueFrom": ")" + arn + R"(:user::"},
                                                    {"name": "P", "valueFrom": ")" +
                    arn + R"(:password::"}]})");
  REQUIRE(values.ok());
  CHECK(values->secrets == Variables{{"U", "u"}, {"P", "p"}});
  CHECK(world.first.asked == 1);
}

TEST_CASE("a label turns a secret into a file", "[secret]") {
  World world;
  world.first.values = {{"a", "hunter2"}};
  const auto values = world.Resolve(R"({"secrets": [{"name": "A", "valueFrom": "a"}],
                                        "dockerLabels": {"davit.secret-file.A": "/run/secrets/a"}})");
  REQUIRE(values.ok());
  CHECK(values->secrets.empty());
  CHECK(values->secret_files == Variables{{"/run/secrets/a", "hunter2"}});
}

TEST_CASE("a label that names no secret is an error", "[secret]") {
  World world;
  const std::string json = R"({"dockerLabels": {"davit.secret-file.A": "/run/secrets/a"}})";
  v1::ContainerDefinition container;
  REQUIRE(google::protobuf::util::JsonStringToMessage(json, &container).ok());
  CHECK(ValueResolver::IsNeeded(container, {}));
  CHECK(world.Resolve(json).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a missing secret is named with the places that were searched", "[secret]") {
  World world;
  world.second.miss = absl::StatusCode::kFailedPrecondition;
  const absl::Status status =
      world.Resolve(R"({"secrets": [{"name": "A", "valueFrom": "a"}]})").status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(status.message() == "ResourceInitializationError: secret A of container 'web': no a; no a");
}

TEST_CASE("a failing source is not skipped", "[secret]") {
  World world;
  world.first.miss = GENERATE(absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnavailable);
  world.second.values = {{"a", "other"}};
  CHECK(world.Resolve(R"({"secrets": [{"name": "A", "valueFrom": "a"}]})").status().code() ==
        world.first.miss);
}

TEST_CASE("the earlier of two environment files wins, and an override replaces both", "[secret]") {
  World world;
  const test::ScratchFolder folder;
  REQUIRE(WriteFileAtomically(folder.path() + "/1", "A=1\nB=1\n").ok());
  REQUIRE(WriteFileAtomically(folder.path() + "/2", "B=2\nC=2\n").ok());
  const std::string base = "file://" + folder.path();
  const std::string json = R"({"environmentFiles": [{"value": ")" + base + R"(/1", "type": "s3"},
                                                    {"value": ")" +
                           base + R"(/2", "type": "s3"}]})";
  CHECK(world.Resolve(json)->file_environment == Variables{{"A", "1"}, {"B", "1"}, {"C", "2"}});
  v1::ContainerOverride overrides;
  overrides.add_environment_files()->set_value(base + "/2");
  CHECK(world.Resolve(json, overrides)->file_environment == Variables{{"B", "2"}, {"C", "2"}});
  CHECK(ValueResolver::IsNeeded({}, overrides));
  CHECK_FALSE(ValueResolver::IsNeeded({}, {}));
  const absl::Status missing =
      world.Resolve(R"({"environmentFiles": [{"value": ")" + base + R"(/3"}]})").status();
  CHECK_THAT(
      std::string(missing.message()),
      Catch::StartsWith("ResourceInitializationError: environmentFiles of container 'web': "));
}

}  // namespace
}  // namespace davit::secret
