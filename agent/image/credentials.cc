#include "agent/image/credentials.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace davit::image {
namespace {

using Json = nlohmann::json;

// "https://index.docker.io/v1/" -> "docker.io"; "registry.example/v2" -> "registry.example".
std::string HostOfKey(absl::string_view key) {
  if (!absl::ConsumePrefix(&key, "https://")) absl::ConsumePrefix(&key, "http://");
  key = key.substr(0, key.find('/'));
  if (key == "index.docker.io" || key == "registry-1.docker.io") return "docker.io";
  return std::string(key);
}

std::string StringMember(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Credentials> ReadLogin(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  Credentials login{StringMember(entry, "username"), StringMember(entry, "password")};
  std::string decoded;
  if (login.username.empty() && absl::Base64Unescape(StringMember(entry, "auth"), &decoded)) {
    const size_t colon = decoded.find(':');
    if (colon == std::string::npos) return std::nullopt;
    login = {decoded.substr(0, colon), decoded.substr(colon + 1)};
  }
  if (login.username.empty()) return std::nullopt;
  return login;
}

}  // namespace

absl::StatusOr<std::map<std::string, Credentials>> ParseDockerConfig(absl::string_view json) {
  const Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    return absl::InvalidArgumentError("registry credentials: not a JSON object");
  }
  std::map<std::string, Credentials> logins;
  const auto auths = document.find("auths");
  if (auths == document.end() || auths->is_null()) return logins;
  if (!auths->is_object()) {
    return absl::InvalidArgumentError("registry credentials: 'auths' must be an object");
  }
  for (const auto& [key, entry] : auths->items()) {
    if (std::optional<Credentials> login = ReadLogin(entry)) {
      logins.emplace(HostOfKey(key), *std::move(login));
    }
  }
  return logins;
}

}  // namespace davit::image
