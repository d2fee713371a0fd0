#include "agent/spec/namespaces.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/spec/pause.h"
#include "base/status.h"

namespace davit::spec {
namespace {

absl::Status CheckMode(absl::string_view mode, absl::string_view member, bool none_is_allowed) {
  if (mode.empty() || mode == "host" || mode == "task" || (mode == "none" && none_is_allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      member, ": '", mode, "' is not ", none_is_allowed ? "host, task or none" : "host or task"));
}

absl::StatusOr<nlohmann::json> NetworkNamespace(const SpecInput& input) {
  const std::string& path = input.place.network_namespace_path;
  if (HasOwnNetwork(input) == path.empty()) {
    return absl::InternalError(absl::StrCat("networkMode '", input.task.network_mode(), "' with ",
                                            path.empty() ? "no" : "a", " network namespace"));
  }
  if (path.empty()) return nlohmann::json();
  return nlohmann::json{{"type", "network"}, {"path", path}};
}

// A new namespace, or the task's.
absl::StatusOr<nlohmann::json> OwnOrShared(const std::string& type, bool is_shared,
                                           const std::string& path) {
  if (is_shared == path.empty()) {
    return absl::InternalError(absl::StrCat(
        type, " namespace of the task: ", path.empty() ? "there is none" : "is not shared"));
  }
  nlohmann::json entry{{"type", type}};
  if (is_shared) entry["path"] = path;
  return entry;
}

bool IsIpcSetting(absl::string_view name) {
  static constexpr absl::string_view kNames[] = {
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
      "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         absl::StartsWith(name, "fs.mqueue.");
}

// The runtime replaces dots by slashes below /proc/sys. A slash or an empty part would lead
// elsewhere.
bool IsPlainSetting(absl::string_view name) {
  return !absl::StrContains(name, "..") && !absl::EndsWith(name, ".") &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

absl::Status CheckSysctl(const SpecInput& input, absl::string_view name, absl::string_view member) {
  const bool is_network = absl::StartsWith(name, "net.") && IsPlainSetting(name);
  const bool is_ipc = IsIpcSetting(name) && IsPlainSetting(name);
  if (!is_network && !is_ipc) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ".namespace: '", name,
                     "' is not a setting that a container has of its own (net.*, fs.mqueue.* and "
                     "the IPC settings of kernel.*)"));
  }
  if (is_network && !HasOwnNetwork(input)) {
    return absl::InvalidArgumentError(absl::StrCat(member, ".namespace: '", name,
                                                   "' would change the host: networkMode is host"));
  }
  if (is_ipc && SharesHostIpc(input)) {
    return absl::InvalidArgumentError(
        absl::StrCat(member, ".namespace: '", name, "' would change the host: ipcMode is host"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<nlohmann::json> BuildNamespaces(const SpecInput& input) {
  RETURN_IF_ERROR(CheckMode(input.task.pid_mode(), "pidMode", false));
  RETURN_IF_ERROR(CheckMode(input.task.ipc_mode(), "ipcMode", true));
  ASSIGN_OR_RETURN(nlohmann::json pid,
                   OwnOrShared("pid", SharesTaskPid(input.task), input.place.pid_namespace_path));
  ASSIGN_OR_RETURN(nlohmann::json ipc,
                   OwnOrShared("ipc", SharesTaskIpc(input.task), input.place.ipc_namespace_path));
  ASSIGN_OR_RETURN(nlohmann::json network, NetworkNamespace(input));
  nlohmann::json namespaces = nlohmann::json::array({{{"type", "mount"}}, {{"type", "uts"}}});
  if (!network.is_null()) namespaces.push_back(std::move(network));
  if (input.task.pid_mode() != "host") namespaces.push_back(std::move(pid));
  if (!SharesHostIpc(input)) namespaces.push_back(std::move(ipc));
  if (input.host.cgroup_v2) namespaces.push_back({{"type", "cgroup"}});
  return namespaces;
}

absl::StatusOr<nlohmann::json> BuildSysctls(const SpecInput& input) {
  nlohmann::json sysctls = nlohmann::json::object();
  if (HasOwnNetwork(input)) {
    sysctls = {{"net.ipv4.ip_unprivileged_port_start", "0"},
               {"net.ipv4.ping_group_range", "0 2147483647"}};
  }
  for (int i = 0; i < input.container.system_controls_size(); ++i) {
    const v1::SystemControl& control = input.container.system_controls(i);
    const std::string member = absl::StrCat("systemControls[", i, "]");
    const std::string& name = control.namespace_();
    RETURN_IF_ERROR(CheckNoNul(control.value(), absl::StrCat(member, ".value")));
    RETURN_IF_ERROR(CheckSysctl(input, name, member));
    sysctls[name] = control.value();
  }
  return sysctls;
}

}  // namespace davit::spec
