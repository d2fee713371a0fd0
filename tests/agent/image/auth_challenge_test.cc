#include "agent/image/auth_challenge.h"

#include <catch2/catch.hpp>

#include "agent/image/credentials.h"

namespace davit::image {
namespace {

using Scheme = AuthChallenge::Scheme;

TEST_CASE("a bearer challenge names the token service and the scope", "[auth]") {
  const auto challenge = ParseAuthChallenge(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
      R"(scope="repository:library/busybox:pull,push",error="invalid_token")");
  REQUIRE(challenge.ok());
  CHECK(*challenge == AuthChallenge{Scheme::kBearer, "https://auth.docker.io/token",
                                    "registry.docker.io", "repository:library/busybox:pull,push"});
}

TEST_CASE("challenges may have spaces, escapes, no quotes, and any case", "[auth]") {
  CHECK(*ParseAuthChallenge(R"(bEaReR  Realm = "https://a/\"t\"" , SERVICE=s)") ==
        AuthChallenge{Scheme::kBearer, "https://a/\"t\"", "s", ""});
  CHECK(*ParseAuthChallenge("Basic") == AuthChallenge{Scheme::kBasic, "", "", ""});
}

TEST_CASE("bearer is preferred to basic in any order", "[auth]") {
  const AuthChallenge bearer{Scheme::kBearer, "https://t", "", ""};
  CHECK(*ParseAuthChallenge(R"(Basic realm="r", Bearer realm="https://t")") == bearer);
  CHECK(*ParseAuthChallenge(R"(Bearer realm="https://t", Basic realm="r")") == bearer);
  CHECK(ParseAuthChallenge(R"(Negotiate, Basic realm="r")")->scheme == Scheme::kBasic);
}

TEST_CASE("an unsupported challenge is an authentication failure", "[auth]") {
  for (const char* header : {"", ",", "Negotiate", "Bearer", R"(Bearer realm="unclosed)", "=", "\"",
                             "Bearer service=s", "realm=\"x\""}) {
    CAPTURE(header);
    CHECK(ParseAuthChallenge(header).status().code() == absl::StatusCode::kUnauthenticated);
  }
}

TEST_CASE("a token lives as long as its service says, else a minute", "[auth]") {
  CHECK(ParseAuthToken(R"({"token": "t", "expires_in": 300})")->lifetime == absl::Seconds(300));
  CHECK(ParseAuthToken(R"({"access_token": "t"})")->token == "t");
  CHECK(ParseAuthToken(R"({"token": "t"})")->lifetime == absl::Minutes(1));
  CHECK(ParseAuthToken(R"({"token": "t", "expires_in": -5})")->lifetime == absl::Minutes(1));
  CHECK(ParseAuthToken(R"({"token": "t", "expires_in": 1e300})")->lifetime == absl::Hours(24));
}

TEST_CASE("a response without a usable token is an authentication failure", "[auth]") {
  for (const char* json :
       {"", "[]", "{}", R"({"token": 5})", R"({"token": ""})", R"({"token": "a\r\nX-Other: b"})"}) {
    CAPTURE(json);
    CHECK(ParseAuthToken(json).status().code() == absl::StatusCode::kUnauthenticated);
  }
}

TEST_CASE("logins are read from Docker's configuration by host", "[auth]") {
  const auto logins = ParseDockerConfig(R"({"auths": {
    "https://index.docker.io/v1/": {"auth": "dXNlcjpwYTpzcw=="},
    "a.example:5000": {"username": "u", "password": "p"},
    "helper.example": {}, "broken.example": {"auth": "!!"}, "colon.example": {"auth": "dXNlcg=="}
  }, "credsStore": "x"})");
  REQUIRE(logins.ok());
  CHECK(*logins == std::map<std::string, Credentials>{{"docker.io", {"user", "pa:ss"}},
                                                      {"a.example:5000", {"u", "p"}}});
  CHECK(ParseDockerConfig("{}")->empty());
  CHECK_FALSE(ParseDockerConfig("[]").ok());
  CHECK_FALSE(ParseDockerConfig(R"({"auths": 1})").ok());
}

}  // namespace
}  // namespace davit::image
