#include "agent/secret/aws_client.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/http_server.h"
#include "base/mutex.h"
#include "tests/support/scratch_folder.h"

namespace davit::secret {
namespace {

// Gives one answer to all requests and records the last request. Signatures are verified end to end
// (tests/e2e/aws_stub.py); this test only checks what is signed.
class AwsStub {
 public:
  AwsStub() {
    auto server = HttpServer::Start({}, [this](const HttpServerRequest& request) {
      MutexLock lock(&mu_);
      last_ = request;
      return answer_;
    });
    REQUIRE(server.ok());
    server_ = *std::move(server);
    REQUIRE(WriteFileAtomically(folder_.path() + "/credentials",
                                "[default]\naws_access_key_id=AKID\naws_secret_access_key=SECRET\n"
                                "aws_session_token=SESSION\n")
                .ok());
  }
  AwsClient Client() const {
    const std::string endpoint = "http://127.0.0.1:" + std::to_string(server_->port());
    return AwsClient(
        {"eu-west-1", folder_.path() + "/credentials", "", endpoint, endpoint, endpoint});
  }
  void Answer(int status, const std::string& body) {
    MutexLock lock(&mu_);
    answer_.status = status;
    answer_.body = body;
  }
  HttpServerRequest last() {
    MutexLock lock(&mu_);
    return last_;
  }

 private:
  const test::ScratchFolder folder_;
  Mutex mu_;
  HttpServerRequest last_;
  HttpServerResponse answer_;
  std::unique_ptr<HttpServer> server_;
};

TEST_CASE("an object is fetched by a signed request for bucket and key", "[secret]") {
  AwsStub aws;
  aws.Answer(200, "A=1\n");
  CHECK(aws.Client().GetObject("bucket", "folder/a file.env", 100).value() == "A=1\n");
  const HttpServerRequest request = aws.last();
  CHECK(request.method == "GET");
  CHECK(request.path == "/bucket/folder/a file.env");
  CHECK(request.headers.at("x-amz-security-token") == "SESSION");
  CHECK_THAT(request.headers.at("authorization"),
             Catch::StartsWith("AWS4-HMAC-SHA256 Credential=AKID/") &&
                 Catch::Contains("/eu-west-1/s3/aws4_request") &&
                 Catch::Contains("x-amz-security-token") && !Catch::Contains("SECRET"));
  CHECK(aws.Client().GetObject("bucket", "key", 3).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a secret is requested by id and version, in its own region", "[secret]") {
  AwsStub aws;
  aws.Answer(200, R"({"Name": "db", "SecretString": "hunter2"})");
  CHECK(aws.Client().GetSecretValue("us-east-1", "arn:db", "AWSPREVIOUS", "").value() == "hunter2");
  const HttpServerRequest request = aws.last();
  CHECK(request.headers.at("x-amz-target") == "secretsmanager.GetSecretValue");
  CHECK(nlohmann::json::parse(request.body) ==
        nlohmann::json{{"SecretId", "arn:db"}, {"VersionStage", "AWSPREVIOUS"}});
  CHECK_THAT(request.headers.at("authorization"),
             Catch::Contains("/us-east-1/secretsmanager/aws4_request"));
}

TEST_CASE("a parameter is requested decrypted, in the agent's region", "[secret]") {
  AwsStub aws;
  aws.Answer(200, R"({"Parameter": {"Value": "hunter2"}})");
  CHECK(aws.Client().GetParameter("", "/prod/db").value() == "hunter2");
  const HttpServerRequest request = aws.last();
  CHECK(request.headers.at("x-amz-target") == "AmazonSSM.GetParameter");
  CHECK(nlohmann::json::parse(request.body) ==
        nlohmann::json{{"Name", "/prod/db"}, {"WithDecryption", true}});
  CHECK_THAT(request.headers.at("authorization"), Catch::Contains("/eu-west-1/ssm/aws4_request"));
}

TEST_CASE("errors of AWS have a code that decides about retries", "[secret]") {
  AwsStub aws;
  const auto code_of = [&](int status, const std::string& body) {
    aws.Answer(status, body);
    return aws.Client().GetSecretValue("", "arn:db", "", "").status().code();
  };
  CHECK(code_of(400, R"({"__type": "ResourceNotFoundException"})") == absl::StatusCode::kNotFound);
  CHECK(code_of(400, R"({"__type": "com.amazonaws#AccessDeniedException"})") ==
        absl::StatusCode::kPermissionDenied);
  CHECK(code_of(400, R"({"__type": "ThrottlingException"})") == absl::StatusCode::kUnavailable);
  CHECK(code_of(503, "") == absl::StatusCode::kUnavailable);
  CHECK(code_of(200, R"({"SecretBinary": "AAAA"})") == absl::StatusCode::kNotFound);
  CHECK(code_of(200, "no JSON") == absl::StatusCode::kNotFound);
  aws.Answer(404, "<Error><Code>NoSuchKey</Code></Error>");
  const absl::Status status = aws.Client().GetObject("bucket", "key", 100).status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(status.message()), Catch::Contains("s3://bucket/key: HTTP 404 NoSuchKey"));
}

}  // namespace
}  // namespace davit::secret
