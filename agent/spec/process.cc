#include "agent/spec/process.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/spec/gpus.h"
#include "agent/spec/rlimits.h"
#include "agent/spec/user.h"
#include "base/status.h"

namespace davit::spec {
namespace {

constexpr absl::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kMaxHostname = 64;  // the kernel's __NEW_UTS_LEN

// Variables in the order of their first appearance. A later value replaces an earlier one in place.
class Environment {
 public:
  void Set(absl::string_view name, absl::string_view value) {
    std::string variable = absl::StrCat(name, "=", value);
    const auto [position, is_new] = positions_.emplace(name, variables_.size());
    if (is_new) {
      variables_.push_back(std::move(variable));
    } else {
      variables_[position->second] = std::move(variable);
    }
  }

  // Sets "NAME=value". Docker replaces a NAME alone by the daemon's own value, which containers
  // must not see, so it is ignored.
  void SetVariable(absl::string_view variable) {
    const size_t equals = variable.find('=');
    if (equals == absl::string_view::npos || equals == 0) return;
    Set(variable.substr(0, equals), variable.substr(equals + 1));
  }

  absl::Status SetAll(const google::protobuf::RepeatedPtrField<v1::KeyValuePair>& pairs,
                      absl::string_view member) {
    for (int i = 0; i < pairs.size(); ++i) {
      const std::string path = absl::StrCat(member, "[", i, "]");
      const std::string& name = pairs.Get(i).name();
      RETURN_IF_ERROR(CheckNoNul(name, absl::StrCat(path, ".name")));
      // The value may be a secret, so the error must not contain it.
      RETURN_IF_ERROR(CheckNoNul(pairs.Get(i).value(), absl::StrCat(path, ".value")));
      if (name.empty() || name.find('=') != std::string::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ".name: '", name,
                         "' is not a valid variable name: it must not be empty or contain '='"));
      }
      Set(name, pairs.Get(i).value());
    }
    return absl::OkStatus();
  }

  std::vector<std::string> Take() { return std::move(variables_); }

 private:
  std::vector<std::string> variables_;
  std::map<std::string, size_t> positions_;
};

std::vector<std::string> ToVector(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

absl::StatusOr<std::string> ResolveWorkingDirectory(const SpecInput& input) {
  if (!input.container.working_directory().empty()) {
    return CleanAbsolutePath(input.container.working_directory(), "workingDirectory");
  }
  if (input.image.working_directory.empty()) return std::string("/");
  return CleanAbsolutePath(input.image.working_directory, "the image's working directory");
}

absl::StatusOr<nlohmann::json> BuildUser(const SpecInput& input) {
  const std::string& name =
      input.container.user().empty() ? input.image.user : input.container.user();
  ASSIGN_OR_RETURN(const ResolvedUser user,
                   ResolveUser(name, input.place.passwd, input.place.group));
  return nlohmann::json{
      {"uid", user.uid}, {"gid", user.gid}, {"additionalGids", user.additional_gids}};
}

bool IsHostnameCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ResolveArguments(const SpecInput& input) {
  std::vector<std::string> entry_point = ToVector(input.container.entry_point());
  std::vector<std::string> command = ToVector(
      input.overrides.command().empty() ? input.container.command() : input.overrides.command());
  if (entry_point.empty()) {
    entry_point = input.image.entrypoint;
    if (command.empty()) command = input.image.command;
  }
  if (entry_point.size() == 1 && entry_point[0].empty()) entry_point.clear();
  entry_point.insert(entry_point.end(), command.begin(), command.end());
  if (entry_point.empty() || entry_point[0].empty()) {
    return absl::InvalidArgumentError(
        "command: nothing to execute: neither the definition nor the image has an entry point or a "
        "command");
  }
  if (RunsUnderInit(input)) {
    if (input.host.init_path.empty()) {
      return absl::InvalidArgumentError(
          "linuxParameters.initProcessEnabled: the host has no init program: install tini, or set "
          "containers.init_path in agent.toml");
    }
    entry_point.insert(entry_point.begin(), {std::string(kInitInContainer), "--"});
  }
  for (const std::string& argument : entry_point) {
    RETURN_IF_ERROR(CheckNoNul(argument, "command: an argument"));
  }
  return entry_point;
}

absl::StatusOr<std::vector<std::string>> ResolveEnvironment(const SpecInput& input) {
  Environment environment;
  ASSIGN_OR_RETURN(const std::string hostname, ResolveHostname(input));
  environment.Set("PATH", kDefaultPath);
  if (!hostname.empty()) environment.Set("HOSTNAME", hostname);
  if (input.container.pseudo_terminal()) environment.Set("TERM", "xterm");
  const std::vector<std::string>& gpu_ids = input.place.gpu_ids;
  if (!gpu_ids.empty()) environment.Set(kDriverCapabilities, kDefaultDriverCapabilities);
  for (const std::string& variable : input.image.environment) {
    RETURN_IF_ERROR(CheckNoNul(variable, "the image's environment"));
    environment.SetVariable(variable);
  }
  for (const auto& [name, value] : input.place.extra_environment) environment.Set(name, value);
  for (const auto& [name, value] : input.place.file_environment) environment.Set(name, value);
  RETURN_IF_ERROR(environment.SetAll(input.container.environment(), "environment"));
  RETURN_IF_ERROR(environment.SetAll(input.overrides.environment(),
                                     "overrides.containerOverrides.environment"));
  for (const auto& [name, value] : input.place.secrets) {
    RETURN_IF_ERROR(CheckNoNul(value, absl::StrCat("secret ", name)));
    environment.Set(name, value);
  }
  // Set last, as in ECS: the definition cannot choose the GPUs.
  if (!gpu_ids.empty()) environment.Set(kVisibleDevices, absl::StrJoin(gpu_ids, ","));
  return environment.Take();
}

absl::StatusOr<std::string> ResolveHostname(const SpecInput& input) {
  const std::string& hostname =
      input.container.hostname().empty() ? input.place.hostname : input.container.hostname();
  if (hostname.size() > kMaxHostname) {
    return absl::InvalidArgumentError(
        absl::StrCat("hostname: ", hostname.size(), " bytes, the kernel allows ", kMaxHostname));
  }
  if (!std::all_of(hostname.begin(), hostname.end(), IsHostnameCharacter)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "hostname: '", hostname, "' must contain only letters, digits, '-', '.' and '_'"));
  }
  return hostname;
}

absl::StatusOr<nlohmann::json> BuildProcess(const SpecInput& input, const SecurityOptions& security,
                                            const std::vector<std::string>& capabilities) {
  ASSIGN_OR_RETURN(const std::vector<std::string> arguments, ResolveArguments(input));
  ASSIGN_OR_RETURN(const std::vector<std::string> environment, ResolveEnvironment(input));
  ASSIGN_OR_RETURN(const std::string working_directory, ResolveWorkingDirectory(input));
  ASSIGN_OR_RETURN(nlohmann::json user, BuildUser(input));
  ASSIGN_OR_RETURN(nlohmann::json rlimits, BuildRlimits(input));
  nlohmann::json process{{"args", arguments},
                         {"env", environment},
                         {"cwd", working_directory},
                         {"user", std::move(user)},
                         {"terminal", input.container.pseudo_terminal()},
                         {"noNewPrivileges", security.no_new_privileges},
                         {"rlimits", std::move(rlimits)}};
  // Neither inheritable nor ambient, so that a file's inheritable bits cannot pass them on
  // (CVE-2022-24769).
  process["capabilities"] = {
      {"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}};
  // Resets the score that containers inherit from containerd. Lowering it requires
  // CAP_SYS_RESOURCE.
  if (input.host.can_raise_rlimits) process["oomScoreAdj"] = 0;
  return process;
}

}  // namespace davit::spec
