#ifndef DAVIT_AGENT_SPEC_IMAGE_CONFIG_H_
#define DAVIT_AGENT_SPEC_IMAGE_CONFIG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::spec {

// An image's settings for its containers (OCI image-spec config.md; Docker's config has the same
// members).
struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value"
  std::string user;                      // "", "user", "user:group", "uid:gid"
  std::string working_directory;
  std::string stop_signal;           // "SIGQUIT", "3" or empty
  std::vector<std::string> volumes;  // paths of anonymous volumes
  std::map<std::string, std::string> labels;
  std::vector<std::string> diff_ids;  // of the layers, lowest first
  std::string architecture;
  std::string os;

  friend bool operator==(const ImageConfig&, const ImageConfig&) = default;
};

// InvalidArgument: not an image configuration; the message names the member.
absl::StatusOr<ImageConfig> ParseImageConfig(absl::string_view json);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_IMAGE_CONFIG_H_
