#include "agent/spec/capabilities.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::spec {
namespace {

// By number, as in linux/capability.h.
constexpr absl::string_view kAll[] = {"CAP_CHOWN",
                                      "CAP_DAC_OVERRIDE",
                                      "CAP_DAC_READ_SEARCH",
                                      "CAP_FOWNER",
                                      "CAP_FSETID",
                                      "CAP_KILL",
                                      "CAP_SETGID",
                                      "CAP_SETUID",
                                      "CAP_SETPCAP",
                                      "CAP_LINUX_IMMUTABLE",
                                      "CAP_NET_BIND_SERVICE",
                                      "CAP_NET_BROADCAST",
                                      "CAP_NET_ADMIN",
                                      "CAP_NET_RAW",
                                      "CAP_IPC_LOCK",
                                      "CAP_IPC_OWNER",
                                      "CAP_SYS_MODULE",
                                      "CAP_SYS_RAWIO",
                                      "CAP_SYS_CHROOT",
                                      "CAP_SYS_PTRACE",
                                      "CAP_SYS_PACCT",
                                      "CAP_SYS_ADMIN",
                                      "CAP_SYS_BOOT",
                                      "CAP_SYS_NICE",
                                      "CAP_SYS_RESOURCE",
                                      "CAP_SYS_TIME",
                                      "CAP_SYS_TTY_CONFIG",
                                      "CAP_MKNOD",
                                      "CAP_LEASE",
                                      "CAP_AUDIT_WRITE",
                                      "CAP_AUDIT_CONTROL",
                                      "CAP_SETFCAP",
                                      "CAP_MAC_OVERRIDE",
                                      "CAP_MAC_ADMIN",
                                      "CAP_SYSLOG",
                                      "CAP_WAKE_ALARM",
                                      "CAP_BLOCK_SUSPEND",
                                      "CAP_AUDIT_READ",
                                      "CAP_PERFMON",
                                      "CAP_BPF",
                                      "CAP_CHECKPOINT_RESTORE"};

constexpr absl::string_view kDefault[] = {
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",      "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID",     "CAP_SETUID",       "CAP_SETPCAP",     "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SYS_CHROOT", "CAP_MKNOD",        "CAP_AUDIT_WRITE", "CAP_SETFCAP"};

constexpr absl::string_view kEvery = "ALL";

template <typename Names>
bool Contains(const Names& names, absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

absl::StatusOr<std::set<std::string>> Normalize(
    const google::protobuf::RepeatedPtrField<std::string>& names, absl::string_view member) {
  std::set<std::string> normalized;
  for (int i = 0; i < names.size(); ++i) {
    std::string name = absl::AsciiStrToUpper(names.Get(i));
    if (name != kEvery && !absl::StartsWith(name, "CAP_")) name = absl::StrCat("CAP_", name);
    if (name != kEvery && !Contains(kAll, name)) {
      return absl::InvalidArgumentError(absl::StrCat("linuxParameters.capabilities.", member, "[",
                                                     i, "]: '", names.Get(i),
                                                     "' is not a capability"));
    }
    normalized.insert(std::move(name));
  }
  return normalized;
}

bool HostCanGive(const HostFacts& host, absl::string_view name) {
  if (!host.capabilities.empty()) return Contains(host.capabilities, name);
  return host.can_raise_rlimits || name != "CAP_SYS_RESOURCE";
}

}  // namespace

std::vector<std::string> CapabilitiesInMask(uint64_t mask) {
  std::vector<std::string> names;
  for (size_t number = 0; number < std::size(kAll); ++number) {
    if ((mask >> number & 1) != 0) names.emplace_back(kAll[number]);
  }
  return names;
}

bool HasCapability(const std::vector<std::string>& capabilities, absl::string_view name) {
  return Contains(capabilities, name);
}

absl::StatusOr<std::vector<std::string>> ResolveCapabilities(const SpecInput& input) {
  const v1::KernelCapabilities& wanted = input.container.linux_parameters().capabilities();
  ASSIGN_OR_RETURN(const std::set<std::string> add, Normalize(wanted.add(), "add"));
  ASSIGN_OR_RETURN(const std::set<std::string> drop, Normalize(wanted.drop(), "drop"));
  const bool adds_all = Contains(add, kEvery);
  const bool drops_all = Contains(drop, kEvery) && !adds_all;
  std::vector<std::string> capabilities;
  for (absl::string_view name : kAll) {
    const bool dropped = drops_all || Contains(drop, name);
    const bool by_name = Contains(add, name) && !(adds_all && dropped);
    const bool by_default = (adds_all || Contains(kDefault, name)) && !dropped;
    if (!input.container.privileged() && !by_name && !by_default) continue;
    if (HostCanGive(input.host, name)) {
      capabilities.emplace_back(name);
    } else if (by_name && !input.container.privileged()) {
      return absl::InvalidArgumentError(
          absl::StrCat("linuxParameters.capabilities.add: the host cannot give ", name));
    }
  }
  return capabilities;
}

}  // namespace davit::spec
