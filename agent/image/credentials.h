#ifndef DAVIT_AGENT_IMAGE_CREDENTIALS_H_
#define DAVIT_AGENT_IMAGE_CREDENTIALS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::image {

// The login for one registry. Never printed.
struct Credentials {
  std::string username;
  std::string password;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Finds the login for a registry's host ("docker.io", "127.0.0.1:5000"). nullopt: pull anonymously.
// Thread-safe; may block.
using CredentialsLookup = std::function<std::optional<Credentials>(const std::string& host)>;

// Parses the "auths" of Docker's config.json, by host. Skips entries without a login, such as those
// of credential helpers. InvalidArgument: not such a file. Pure. Source: docker-login(1); the key
// of Docker Hub is a URL.
absl::StatusOr<std::map<std::string, Credentials>> ParseDockerConfig(absl::string_view json);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_CREDENTIALS_H_
