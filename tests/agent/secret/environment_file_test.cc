#include "agent/secret/environment_file.h"

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/http_server.h"
#include "tests/support/scratch_folder.h"

namespace davit::secret {
namespace {

using Variables = std::map<std::string, std::string>;

TEST_CASE("an environment file is parsed by ECS's rules", "[secret]") {
  CHECK(ParseEnvironmentFile("# comment\nA=1\n\nB = 2 \r\nC=\"quoted # text\"\nD=x=y\nA=3\n") ==
        Variables{{"A", "3"}, {"B ", " 2 "}, {"C", "\"quoted # text\""}, {"D", "x=y"}});
  CHECK(ParseEnvironmentFile("NOTHING\n=value\nEMPTY=\n #A=1") == Variables{{" #A", "1"}});
  CHECK(ParseEnvironmentFile("").empty());
}

TEST_CASE("an environment file comes from the host", "[secret]") {
  const test::ScratchFolder folder;
  const AwsClient aws({});
  REQUIRE(WriteFileAtomically(folder.path() + "/a.env", "A=1\n").ok());
  CHECK(FetchEnvironmentFile("file://" + folder.path() + "/a.env", aws).value() == "A=1\n");
  CHECK(FetchEnvironmentFile("file://" + folder.path() + "/b.env", aws).status().code() ==
        absl::StatusCode::kNotFound);
  CHECK(FetchEnvironmentFile("file:///dev/zero", aws).status().code() ==
        absl::StatusCode::kInvalidArgument);
  REQUIRE(WriteFileAtomically(folder.path() + "/large.env", std::string((1 << 20) + 1, 'x')).ok());
  CHECK_THAT(
      std::string(
          FetchEnvironmentFile("file://" + folder.path() + "/large.env", aws).status().message()),
      Catch::Contains("larger than 1048576 bytes"));
}

TEST_CASE("an environment file comes from a web server", "[secret]") {
  const auto server = HttpServer::Start({}, [](const HttpServerRequest& request) {
    HttpServerResponse response;
    response.status = request.path == "/a.env" ? 200 : request.path == "/busy" ? 503 : 404;
    response.body = "A=1\n";
    return response;
  });
  REQUIRE(server.ok());
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  const AwsClient aws({});
  CHECK(FetchEnvironmentFile(url + "/a.env", aws).value() == "A=1\n");
  const absl::Status missing = FetchEnvironmentFile(url + "/b.env?signature=hunter2", aws).status();
  CHECK(missing.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(missing.message()),
             Catch::Contains("/b.env: HTTP 404") && !Catch::Contains("hunter2"));
  CHECK(FetchEnvironmentFile(url + "/busy", aws).status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("an unsupported source of environment files is refused", "[secret]") {
  const char* const value =
      GENERATE("", "a.env", "file://a.env", "ftp://host/a.env", "arn:aws:s3:::bucket",
               "arn:aws:s3:::/key", "arn:aws:ssm:r:a:parameter/x");
  CHECK(FetchEnvironmentFile(value, AwsClient({})).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("an agent that is not configured for AWS says what to set", "[secret]") {
  const absl::Status status =
      FetchEnvironmentFile("arn:aws:s3:::bucket/a.env", AwsClient({})).status();
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("s3://bucket/a.env") && Catch::Contains("aws.region"));
}

}  // namespace
}  // namespace davit::secret
