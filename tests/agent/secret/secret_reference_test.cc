#include "agent/secret/secret_reference.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace davit::secret {
namespace {

using Names = std::vector<std::string>;

// Joined by '|': id, region, name, key, stage, version.
std::string Text(absl::string_view value_from) {
  const SecretReference one = ParseSecretReference(value_from).value();
  return absl::StrJoin(
      {one.id, one.region, one.name, one.json_key, one.version_stage, one.version_id}, "|");
}

constexpr char kArn[] = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1B2c3";

TEST_CASE("the ARN of a Secrets Manager secret is parsed", "[secret]") {
  const std::string begin = absl::StrCat(kArn, "|eu-west-1|prod/db-a1B2c3|");
  CHECK(ParseSecretReference(kArn)->kind == SecretReference::Kind::kSecretsManager);
  CHECK(Text(kArn) == absl::StrCat(begin, "||"));
  CHECK(Text(absl::StrCat(kArn, ":password:AWSPREVIOUS:9d4c-1")) ==
        absl::StrCat(begin, "password|AWSPREVIOUS|9d4c-1"));
  CHECK(Text(absl::StrCat(kArn, ":password::")) == absl::StrCat(begin, "password||"));
  CHECK(Text(absl::StrCat(kArn, "::AWSPREVIOUS:")) == absl::StrCat(begin, "|AWSPREVIOUS|"));
}

TEST_CASE("a parameter is named by its ARN or by its name alone", "[secret]") {
  const std::string arn = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/db";
  CHECK(ParseSecretReference(arn)->kind == SecretReference::Kind::kParameter);
  CHECK(Text(arn) == absl::StrCat(arn, "|us-east-1|/prod/db|||"));
  CHECK(Text("db-password") == "db-password||db-password|||");
}

TEST_CASE("a value that names no secret is refused", "[secret]") {
  const char* const value =
      GENERATE("", "arn:aws:s3:::bucket/key", "arn:aws:ssm:r:a:document/x",
               "arn:aws:secretsmanager:r:a:secret",
               "arn:aws:secretsmanager:r:a:secret:", "arn:", "arn:aws:ssm:r:a:parameter/");
  CHECK(ParseSecretReference(value).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a file may have the secret's name with or without AWS's six characters", "[secret]") {
  CHECK(PlainNames(ParseSecretReference(kArn).value()) == Names{"prod/db-a1B2c3", "prod/db"});
  CHECK(
      PlainNames(ParseSecretReference("arn:aws:secretsmanager:r:a:secret:prod-database").value()) ==
      Names{"prod-database"});
  CHECK(PlainNames(ParseSecretReference("/prod/db-a1B2c3").value()) == Names{"prod/db-a1B2c3"});
}

TEST_CASE("a key selects a member of a JSON secret", "[secret]") {
  const std::string value = R"({"user": "root", "port": 5432, "tls": {"on": true}})";
  CHECK(SelectJsonKey(value, "user").value() == "root");
  CHECK(SelectJsonKey(value, "port").value() == "5432");
  CHECK(SelectJsonKey(value, "tls").value() == R"({"on":true})");
}

TEST_CASE("a key that a secret lacks is an error that does not contain the secret", "[secret]") {
  const std::string value = GENERATE(R"({"user": "hunter2"})", "hunter2", R"(["hunter2"])");
  const absl::Status status = SelectJsonKey(value, "password").status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("'password'") && !Catch::Contains("hunter2"));
}

}  // namespace
}  // namespace davit::secret
