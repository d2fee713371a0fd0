#include "controller/api/sigv4.h"

#include <catch2/catch.hpp>

#include "controller/ecs/ecs_error.h"

namespace davit::controller::api {
namespace {

// Signed by botocore 1.43.11 (SigV4Auth, key "AKID", secret "secret") for http://127.0.0.1:18311/.
HttpServerRequest Signed() {
  HttpServerRequest request;
  request.method = "POST";
  request.path = "/";
  request.body = "{}";
  request.headers = {
      {"host", "127.0.0.1:18311"},
      {"content-type", "application/x-amz-json-1.1"},
      {"x-amz-date", "20261123T061944Z"},
      {"x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/ecs/aws4_request, "
       "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
       "Signature=84635cecdc97b86e47ea83ec2152895e06fa023eaf25115ac50cc65cd57a5187"}};
  return request;
}

const absl::Time kThen =
    absl::FromCivil(absl::CivilSecond(2026, 11, 23, 6, 20, 0), absl::UTCTimeZone());
const AccessKeys kKeys = {{"AKID", "secret"}};

std::string Verify(const HttpServerRequest& request, const AccessKeys& keys = kKeys,
                   absl::Time now = kThen) {
  const absl::Status status = VerifySignature(request, keys, now);
  return status.ok() ? "OK" : ecs::ExceptionName(status);
}

TEST_CASE("a signature made by botocore is accepted", "[sigv4]") {
  CHECK(Verify(Signed()) == "OK");
}

TEST_CASE("blanks in header values do not matter", "[sigv4]") {
  HttpServerRequest request = Signed();
  request.headers["content-type"] = "  application/x-amz-json-1.1 ";
  CHECK(Verify(request) == "OK");
}

TEST_CASE("whatever was signed cannot be changed", "[sigv4]") {
  HttpServerRequest request = Signed();
  SECTION("body") { request.body = "{ }"; }
  SECTION("host") { request.headers["host"] = "127.0.0.1:18312"; }
  SECTION("operation") {
    request.headers["x-amz-target"] = "AmazonEC2ContainerServiceV20141113.DeleteCluster";
  }
  SECTION("time") { request.headers["x-amz-date"] = "20261123T061945Z"; }
  SECTION("body hash") { request.headers["x-amz-content-sha256"] = std::string(64, '0'); }
  CHECK(Verify(request) == "InvalidSignatureException");
}

TEST_CASE("the wrong secret, an unknown key and no signature are told apart", "[sigv4]") {
  CHECK(Verify(Signed(), {{"AKID", "other"}}) == "InvalidSignatureException");
  CHECK(Verify(Signed(), {{"OTHER", "secret"}}) == "UnrecognizedClientException");
  HttpServerRequest request = Signed();
  request.headers.erase("authorization");
  CHECK(Verify(request) == "MissingAuthenticationTokenException");
  request.headers["authorization"] = "Basic eDp5";
  CHECK(Verify(request) == "IncompleteSignatureException");
}

TEST_CASE("signatures are good for five minutes", "[sigv4]") {
  CHECK(Verify(Signed(), kKeys, kThen + absl::Minutes(4)) == "OK");
  CHECK(Verify(Signed(), kKeys, kThen + absl::Minutes(5)) == "InvalidSignatureException");
  CHECK(Verify(Signed(), kKeys, kThen - absl::Minutes(6)) == "InvalidSignatureException");
}

TEST_CASE("the operation must be among the signed headers", "[sigv4]") {
  HttpServerRequest request = Signed();
  std::string& authorization = request.headers["authorization"];
  authorization.replace(authorization.find(";x-amz-target"), 13, "");
  CHECK(Verify(request) == "InvalidSignatureException");
}

}  // namespace
}  // namespace davit::controller::api
