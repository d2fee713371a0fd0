#include "agent/image/registry_client.h"

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "agent/image/digest.h"
#include "tests/agent/image/test_registry.h"

namespace davit::image {
namespace {

using Catch::Contains;

const std::string kManifest =
    R"({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})";

RegistryOptions FastOptions() {
  RegistryOptions options;
  options.retry = {.attempts = 3,
                   .first_delay = absl::ZeroDuration(),
                   .max_delay = absl::ZeroDuration(),
                   .max_retry_after = absl::Seconds(2)};
  return options;
}

HttpServerResponse ManifestAnswer() {
  return {200, kOciManifestType, kManifest, {{"Docker-Content-Digest", Sha256Digest(kManifest)}}};
}

HttpServerResponse Error(int status, absl::string_view code, absl::string_view message) {
  return {status,
          "application/json",
          absl::StrCat(R"({"errors": [{"code": ")", code, R"(", "message": ")", message, R"("}]})"),
          {}};
}

ImageReference Web(const std::string& host, const std::string& tag = "v1") {
  return {host, "team/web", tag, ""};
}

absl::Status Collect(RegistryClient* client, const std::string& host, const std::string& content,
                     std::string* received, int64_t offset = 0) {
  const Descriptor blob{"", Sha256Digest(content), static_cast<int64_t>(content.size()), {}};
  return client->FetchBlob(
      Web(host), blob, offset,
      [received](absl::string_view bytes) {
        received->append(bytes.data(), bytes.size());
        return absl::OkStatus();
      },
      nullptr);
}

TEST_CASE("a manifest is fetched by tag with one request that accepts every type", "[registry]") {
  TestRegistry registry([](const auto&) { return ManifestAnswer(); });
  RegistryClient client(FastOptions());
  const auto manifest = client.FetchManifest(Web(registry.host()), nullptr);
  REQUIRE(manifest.ok());
  CHECK(manifest->body == kManifest);
  CHECK(manifest->digest == Sha256Digest(kManifest));
  CHECK(manifest->media_type == kOciManifestType);
  REQUIRE(registry.requests().size() == 1);
  const HttpServerRequest request = registry.requests()[0];
  CHECK(request.path == "/v2/team/web/manifests/v1");
  for (const char* type : {kOciIndexType, kOciManifestType, kDockerListType, kDockerManifestType}) {
    CHECK_THAT(request.headers.at("accept"), Contains(type));
  }
  CHECK_THAT(request.headers.at("user-agent"), Contains("davit-agent/"));
  CHECK(request.headers.count("authorization") == 0);
}

TEST_CASE("a manifest that differs from the requested or announced digest is refused",
          "[registry]") {
  RegistryClient client(FastOptions());
  TestRegistry lying([](const auto&) {
    HttpServerResponse response = ManifestAnswer();
    response.headers["Docker-Content-Digest"] = Sha256Digest("other");
    return response;
  });
  CHECK(client.FetchManifest(Web(lying.host()), nullptr).status().code() ==
        absl::StatusCode::kDataLoss);
  TestRegistry honest([](const auto&) { return ManifestAnswer(); });
  ImageReference by_digest = Web(honest.host());
  by_digest.digest = Sha256Digest("other");
  const absl::Status status = client.FetchManifest(by_digest, nullptr).status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()), Contains(Sha256Digest("other")));
}

TEST_CASE("an unknown tag is not retried, and the error says what to check", "[registry]") {
  TestRegistry registry(
      [](const auto&) { return Error(404, "MANIFEST_UNKNOWN", "manifest unknown"); });
  RegistryClient client(FastOptions());
  const absl::Status status = client.FetchManifest(Web(registry.host(), "nope"), nullptr).status();
  CHECK(status == absl::NotFoundError(absl::StrCat(
                      "pull image manifest has been retried 1 time(s): GET ", registry.url(),
                      "/v2/team/web/manifests/nope: 404 manifest unknown (MANIFEST_UNKNOWN). "
                      "Check that the image exists.")));
  CHECK(registry.requests().size() == 1);
}

TEST_CASE("a failing registry is retried, then given up", "[registry]") {
  TestRegistry registry([](const auto&) {
    return HttpServerResponse{503, "text/html", "<x>", {}};
  });
  RegistryClient client(FastOptions());
  const absl::Status status = client.FetchManifest(Web(registry.host()), nullptr).status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(status.message()), Contains("retried 3 time(s)") && Contains(": 503"));
  CHECK(registry.requests().size() == 3);
}

TEST_CASE("a registry that limits the rate is retried after its Retry-After", "[registry]") {
  int asked = 0;
  TestRegistry registry([&asked](const auto&) {
    if (asked++ > 0) return ManifestAnswer();
    HttpServerResponse response = Error(429, "TOOMANYREQUESTS", "slow down");
    response.headers["Retry-After"] = "0";
    return response;
  });
  RegistryClient client(FastOptions());
  CHECK(client.FetchManifest(Web(registry.host()), nullptr).ok());
  CHECK(registry.requests().size() == 2);
}

TEST_CASE("a registry that is down is Unavailable and named", "[registry]") {
  std::string host;
  {
    host = TestRegistry([](const auto&) { return ManifestAnswer(); }).host();
  }
  RegistryClient client(FastOptions());
  const absl::Status status = client.FetchManifest(Web(host), nullptr).status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(status.message()), Contains(host) && Contains("network configuration"));
}

TEST_CASE("a token is fetched from the challenge's service and used until it expires",
          "[registry]") {
  std::string url;
  TestRegistry registry([&url](const HttpServerRequest& request) -> HttpServerResponse {
    if (request.path == "/token") return {200, "application/json", R"({"token": "T1"})", {}};
    const auto sent = request.headers.find("authorization");
    if (sent != request.headers.end() && sent->second == "Bearer T1") return ManifestAnswer();
    HttpServerResponse response = Error(401, "UNAUTHORIZED", "authentication required");
    response.headers["WWW-Authenticate"] =
        absl::StrCat(R"(Bearer realm=")", url,
                     R"(/token",service="reg istry",scope="repository:team/web:pull")");
    return response;
  });
  url = registry.url();
  RegistryOptions options = FastOptions();
  options.credentials = [&registry](const std::string& host) -> std::optional<Credentials> {
    if (host != registry.host()) return std::nullopt;
    return Credentials{"user", "pass"};
  };
  RegistryClient client(options);
  REQUIRE(client.FetchManifest(Web(registry.host()), nullptr).ok());
  REQUIRE(client.FetchManifest(Web(registry.host()), nullptr).ok());
  const std::vector<HttpServerRequest> requests = registry.requests();
  REQUIRE(requests.size() == 4);  // 401, token, manifest; manifest
  CHECK(requests[1].path == "/token");
  CHECK(requests[1].query.at("service") == "reg istry");
  CHECK(requests[1].query.at("scope") == "repository:team/web:pull");
  CHECK(requests[1].headers.at("authorization") ==
        absl::StrCat("Basic ", absl::Base64Escape("user:pass")));
  CHECK(requests[3].headers.at("authorization") == "Bearer T1");
}

TEST_CASE("a token that the registry no longer accepts is replaced", "[registry]") {
  std::string url;
  int tokens = 0;
  std::string valid = "Bearer T1";
  TestRegistry registry([&](const HttpServerRequest& request) -> HttpServerResponse {
    if (request.path == "/token") {
      return {200, "application/json", absl::StrCat(R"({"token": "T)", ++tokens, R"("})"), {}};
    }
    const auto sent = request.headers.find("authorization");
    if (sent != request.headers.end() && sent->second == valid) return ManifestAnswer();
    HttpServerResponse response = Error(401, "UNAUTHORIZED", "authentication required");
    response.headers["WWW-Authenticate"] = absl::StrCat(R"(Bearer realm=")", url, R"(/token")");
    return response;
  });
  url = registry.url();
  RegistryClient client(FastOptions());
  REQUIRE(client.FetchManifest(Web(registry.host()), nullptr).ok());
  valid = "Bearer T2";
  CHECK(client.FetchManifest(Web(registry.host()), nullptr).ok());
  valid = "none";
  const absl::Status status = client.FetchManifest(Web(registry.host()), nullptr).status();
  CHECK(status.code() == absl::StatusCode::kUnauthenticated);
  CHECK_FALSE(absl::StrContains(status.message(), "T3"));
}

TEST_CASE("a registry that requires a login gets it, or the error says that there is none",
          "[registry]") {
  TestRegistry registry([](const HttpServerRequest& request) -> HttpServerResponse {
    const auto sent = request.headers.find("authorization");
    if (sent != request.headers.end() &&
        sent->second == absl::StrCat("Basic ", absl::Base64Escape("user:right"))) {
      return ManifestAnswer();
    }
    HttpServerResponse response = Error(401, "UNAUTHORIZED", "authentication required");
    response.headers["WWW-Authenticate"] = R"(Basic realm="basic-realm")";
    return response;
  });
  RegistryOptions options = FastOptions();
  RegistryClient anonymous(options);
  const absl::Status none = anonymous.FetchManifest(Web(registry.host()), nullptr).status();
  CHECK(none.code() == absl::StatusCode::kUnauthenticated);
  CHECK_THAT(std::string(none.message()), Contains("no basic auth credentials"));
  options.credentials = [](const std::string&) { return Credentials{"user", "right"}; };
  RegistryClient known(options);
  CHECK(known.FetchManifest(Web(registry.host()), nullptr).ok());
  options.credentials = [](const std::string&) { return Credentials{"user", "wrong-password"}; };
  RegistryClient wrong(options);
  const absl::Status refused = wrong.FetchManifest(Web(registry.host()), nullptr).status();
  CHECK(refused.code() == absl::StatusCode::kUnauthenticated);
  CHECK_FALSE(absl::StrContains(refused.message(), "wrong-password"));
}

TEST_CASE("a blob is complete after a redirect, whose query is never shown", "[registry]") {
  const std::string content(300000, 'x');
  bool is_broken = false;
  TestRegistry storage([&](const HttpServerRequest&) -> HttpServerResponse {
    if (is_broken) return {403, "application/xml", "<Error/>", {}};
    return {200, "application/octet-stream", content, {}};
  });
  TestRegistry registry([&](const HttpServerRequest&) -> HttpServerResponse {
    return {307, "text/plain", "", {{"Location", storage.url() + "/blob?X-Signature=secret"}}};
  });
  RegistryClient client(FastOptions());
  std::string received;
  REQUIRE(Collect(&client, registry.host(), content, &received).ok());
  CHECK(received == content);
  is_broken = true;
  const absl::Status status = Collect(&client, registry.host(), content, &received);
  CHECK(status.code() == absl::StatusCode::kPermissionDenied);
  CHECK_FALSE(absl::StrContains(status.message(), "secret"));
}

TEST_CASE("a download resumes where the connection broke", "[registry]") {
  const std::string content = "0123456789";
  ScriptedServer server({
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123",
      "HTTP/1.1 206 Partial Content\r\nContent-Length: 6\r\nContent-Range: bytes 4-9/10\r\n\r\n45",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789",
  });
  RegistryClient client(FastOptions());
  std::string received;
  REQUIRE(Collect(&client, server.host(), content, &received).ok());
  CHECK(received == content);
  const std::vector<std::string> requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK_THAT(requests[0], !Contains("Range:"));
  CHECK_THAT(requests[1], Contains("Range: bytes=4-\r\n"));
  CHECK_THAT(requests[2], Contains("Range: bytes=6-\r\n"));
}

TEST_CASE("a download begins after the bytes that exist", "[registry]") {
  ScriptedServer server(
      {"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\nContent-Range: bytes 7-9/10\r\n"
       "Connection: close\r\n\r\n789"});
  RegistryClient client(FastOptions());
  std::string received;
  REQUIRE(Collect(&client, server.host(), "0123456789", &received, 7).ok());
  CHECK(received == "789");
  CHECK(Collect(&client, server.host(), "0123456789", &received, 10).ok());  // nothing to ask for
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a blob that never becomes complete is given up", "[registry]") {
  const std::string broken = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123";
  ScriptedServer server({broken, broken, broken});
  RegistryClient client(FastOptions());
  std::string received;
  const absl::Status status = Collect(&client, server.host(), "0123456789", &received);
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(received == "0123");
  CHECK(server.requests().size() == 3);
}

TEST_CASE("a blob longer than its manifest's size is DataLoss", "[registry]") {
  TestRegistry registry([](const auto&) {
    return HttpServerResponse{200, "application/octet-stream", "0123456789+", {}};
  });
  RegistryClient client(FastOptions());
  std::string received;
  CHECK(Collect(&client, registry.host(), "0123456789", &received).code() ==
        absl::StatusCode::kDataLoss);
}

TEST_CASE("a sink's failure ends the download and is not retried", "[registry]") {
  TestRegistry registry([](const auto&) {
    return HttpServerResponse{200, "application/octet-stream", "0123456789", {}};
  });
  RegistryClient client(FastOptions());
  const Descriptor blob{"", Sha256Digest("0123456789"), 10, {}};
  const absl::Status status = client.FetchBlob(
      Web(registry.host()), blob, 0,
      [](absl::string_view) { return absl::UnavailableError("disk is gone"); }, nullptr);
  CHECK(status == absl::UnavailableError("disk is gone"));
  CHECK(registry.requests().size() == 1);
}

TEST_CASE("plain HTTP is used only for the configured registries", "[registry]") {
  RegistryOptions options;
  options.insecure_registries = {"127.0.0.1", "a.example:5000", "[::1]"};
  const RegistryClient client(options);
  CHECK(client.IsInsecure("127.0.0.1"));
  CHECK(client.IsInsecure("127.0.0.1:5000"));
  CHECK(client.IsInsecure("a.example:5000"));
  CHECK(client.IsInsecure("[::1]:5000"));
  CHECK_FALSE(client.IsInsecure("a.example"));
  CHECK_FALSE(client.IsInsecure("a.example:5001"));
  CHECK_FALSE(client.IsInsecure("127.0.0.1.example"));
}

TEST_CASE("a caller that gives up ends the attempts", "[registry]") {
  TestRegistry registry([](const auto&) { return Error(503, "UNAVAILABLE", "later"); });
  RegistryOptions options = FastOptions();
  options.retry.first_delay = options.retry.max_delay = absl::Hours(1);
  RegistryClient client(options);
  CHECK(client.FetchManifest(Web(registry.host()), [] { return true; }).status().code() ==
        absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace davit::image
