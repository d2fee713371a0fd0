#include "agent/spec/security_options.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace davit::spec {

bool ApplySecurityOption(absl::string_view option, SecurityOptions* options) {
  const size_t separator = option.find_first_of("=:");
  const absl::string_view name = option.substr(0, separator);
  const absl::string_view value =
      separator == absl::string_view::npos ? absl::string_view() : option.substr(separator + 1);
  if (name == "no-new-privileges") {
    options->no_new_privileges = value != "false";
    return separator == absl::string_view::npos || value == "true" || value == "false";
  }
  if (name == "seccomp") {
    options->seccomp_unconfined = value == "unconfined";
    return value == "unconfined" || value == "builtin";
  }
  return (name == "apparmor" && value == "unconfined") || (name == "label" && value == "disable");
}

absl::StatusOr<SecurityOptions> ResolveSecurityOptions(const SpecInput& input) {
  SecurityOptions options;
  for (int i = 0; i < input.container.docker_security_options_size(); ++i) {
    const std::string& option = input.container.docker_security_options(i);
    if (!ApplySecurityOption(option, &options)) {
      return absl::InvalidArgumentError(
          absl::StrCat("dockerSecurityOptions[", i, "]: '", option, "' is not supported"));
    }
  }
  if (input.container.privileged()) options.seccomp_unconfined = true;
  return options;
}

}  // namespace davit::spec
