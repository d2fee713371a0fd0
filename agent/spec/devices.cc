#include "agent/spec/devices.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/spec/gpus.h"
#include "base/status.h"

namespace davit::spec {
namespace {

constexpr absl::string_view kAllAccess = "rwm";

nlohmann::json Rule(char type, int64_t major, int64_t minor, absl::string_view access) {
  return {{"allow", true},
          {"type", std::string(1, type)},
          {"major", major},
          {"minor", minor},
          {"access", std::string(access)}};
}

// The runtime itself adds mknod of any node and the pseudo-terminals.
void AddDefaultRules(nlohmann::json* rules) {
  rules->push_back({{"allow", false}, {"access", "rwm"}});
  rules->push_back(Rule('c', 1, 3, kAllAccess));  // null
  rules->push_back(Rule('c', 1, 5, kAllAccess));  // zero
  rules->push_back(Rule('c', 1, 8, kAllAccess));  // random
  rules->push_back(Rule('c', 1, 9, kAllAccess));  // urandom
  rules->push_back(Rule('c', 5, 0, kAllAccess));  // tty
  rules->push_back(Rule('c', 5, 1, kAllAccess));  // console
}

nlohmann::json Node(absl::string_view path, const DeviceNode& node) {
  return {{"path", std::string(path)},
          {"type", std::string(1, node.type)},
          {"major", node.major},
          {"minor", node.minor},
          {"fileMode", node.mode},
          {"uid", node.uid},
          {"gid", node.gid}};
}

// The runtime itself creates these, as links or with its own numbers.
bool IsMadeByRuntime(absl::string_view path) {
  return path == "/dev/console" || path == "/dev/ptmx" || absl::StartsWith(path, "/dev/pts/");
}

void AddAllDevices(const HostFacts& host, const DeviceSpec& spec) {
  spec.rules->push_back({{"allow", true}, {"access", std::string(kAllAccess)}});
  for (const auto& [path, node] : host.devices) {
    if (!IsMadeByRuntime(path)) spec.nodes->push_back(Node(path, node));
  }
}

absl::StatusOr<std::string> ParseAccess(const v1::Device& device, absl::string_view member) {
  if (device.permissions().empty()) return std::string(kAllAccess);
  bool read = false, write = false, mknod = false;
  for (int i = 0; i < device.permissions_size(); ++i) {
    const std::string& permission = device.permissions(i);
    read = read || permission == "read";
    write = write || permission == "write";
    mknod = mknod || permission == "mknod";
    if (permission != "read" && permission != "write" && permission != "mknod") {
      return absl::InvalidArgumentError(absl::StrCat(member, ".permissions[", i, "]: '", permission,
                                                     "' is not read, write or mknod"));
    }
  }
  return absl::StrCat(read ? "r" : "", write ? "w" : "", mknod ? "m" : "");
}

absl::Status AddDevice(const SpecInput& input, const v1::Device& device, absl::string_view member,
                       const DeviceSpec& spec) {
  ASSIGN_OR_RETURN(const std::string host_path,
                   CleanAbsolutePath(device.host_path(), absl::StrCat(member, ".hostPath")));
  ASSIGN_OR_RETURN(
      const std::string container_path,
      CleanAbsolutePath(device.container_path().empty() ? host_path : device.container_path(),
                        absl::StrCat(member, ".containerPath")));
  ASSIGN_OR_RETURN(const std::string access, ParseAccess(device, member));
  bool found = false;
  for (const auto& [path, node] : input.host.devices) {
    if (path != host_path && !absl::StartsWith(path, absl::StrCat(host_path, "/"))) continue;
    found = true;
    const std::string inside = absl::StrCat(container_path, path.substr(host_path.size()));
    spec.nodes->push_back(Node(inside, node));
    spec.rules->push_back(Rule(node.type, node.major, node.minor, access));
  }
  if (found) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(member, ".hostPath: ", host_path, " is not a device of the host"));
}

}  // namespace

absl::Status AddDevices(const SpecInput& input, const DeviceSpec& spec) {
  if (input.container.privileged()) {
    AddAllDevices(input.host, spec);
    return absl::OkStatus();
  }
  AddDefaultRules(spec.rules);
  for (int i = 0; i < input.container.linux_parameters().devices_size(); ++i) {
    RETURN_IF_ERROR(AddDevice(input, input.container.linux_parameters().devices(i),
                              absl::StrCat("linuxParameters.devices[", i, "]"), spec));
  }
  for (const std::string& path : GpuDeviceNodes(input)) {
    const auto found = input.host.devices.find(path);
    if (found == input.host.devices.end()) {
      return absl::InternalError(absl::StrCat("GPU device ", path, " is not a device of the host"));
    }
    const DeviceNode& node = found->second;
    spec.nodes->push_back(Node(path, node));
    spec.rules->push_back(Rule(node.type, node.major, node.minor, "rw"));
  }
  return absl::OkStatus();
}

}  // namespace davit::spec
