#include "agent/secret/aws_credentials.h"

#include <catch2/catch.hpp>

#include "base/http_server.h"

namespace davit::secret {
namespace {

TEST_CASE("credentials are those of the default profile", "[secret]") {
  CHECK(ParseCredentialsFile("# mine\n[other]\naws_access_key_id = X\n\n[default]\n"
                             "aws_access_key_id = AKID\naws_secret_access_key=se/cr+et==\n[last]\n"
                             "aws_access_key_id = Y\n")
            .value() == AwsCredentials{"AKID", "se/cr+et==", ""});
  CHECK(ParseCredentialsFile("aws_access_key_id=A\naws_secret_access_key=B\naws_session_token=C")
            .value() == AwsCredentials{"A", "B", "C"});
}

TEST_CASE("an incomplete credentials file is refused without repeating it", "[secret]") {
  const absl::Status status =
      ParseCredentialsFile("[default]\naws_secret_access_key=hunter2\n").status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), !Catch::Contains("hunter2"));
}

TEST_CASE("a role's credentials come from the metadata service, with a token", "[secret]") {
  const auto server = HttpServer::Start({}, [](const HttpServerRequest& request) {
    HttpServerResponse response;
    const auto token = request.headers.find("x-aws-ec2-metadata-token");
    if (request.method == "PUT" && request.path == "/latest/api/token") {
      response.body = "TOKEN";
    } else if (token == request.headers.end() || token->second != "TOKEN") {
      response.status = 401;
    } else if (request.path == "/latest/meta-data/iam/security-credentials/") {
      response.body = "my-role";
    } else if (request.path == "/latest/meta-data/iam/security-credentials/my-role") {
      response.body = R"({"AccessKeyId": "A", "SecretAccessKey": "B", "Token": "C"})";
    } else {
      response.status = 404;
    }
    return response;
  });
  REQUIRE(server.ok());
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  CHECK(FetchRoleCredentials(endpoint).value() == AwsCredentials{"A", "B", "C"});
}

TEST_CASE("an instance without a role has no credentials", "[secret]") {
  const auto server = HttpServer::Start({}, [](const HttpServerRequest& request) {
    HttpServerResponse response;
    response.status = request.method == "PUT" ? 200 : 404;
    return response;
  });
  REQUIRE(server.ok());
  const std::string endpoint = "http://127.0.0.1:" + std::to_string((*server)->port());
  CHECK(FetchRoleCredentials(endpoint).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::secret
