#ifndef DAVIT_AGENT_IMAGE_CREDENTIALS_H_
#define DAVIT_AGENT_IMAGE_CREDENTIALS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::image {

// A login at one registry. Never printed.
struct Credentials {
  std::string username;
  std::string password;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// The login for a registry's host ("docker.io", "127.0.0.1:5000"), or nothing: pull anonymously.
// Thread-safe; may block.
using CredentialsLookup = std::function<std::optional<Credentials>(const std::string& host)>;

// The "auths" of Docker's config.json, by host. Entries without a usable login are left out
// (credential helpers are not run). InvalidArgument: not such a file. Pure. Source:
// docker-login(1); the key of Docker Hub is a URL.
absl::StatusOr<std::map<std::string, Credentials>> ParseDockerConfig(absl::string_view json);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_CREDENTIALS_H_
