#include "agent/spec/seccomp.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/spec/capabilities.h"
#include "base/status.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

constexpr char kAllow[] = "SCMP_ACT_ALLOW";
constexpr char kErrno[] = "SCMP_ACT_ERRNO";
constexpr int kEperm = 1;
constexpr int kEnosys = 38;  // the same on amd64 and arm64

// A system call that Docker's profile denies to containers without `capability` (empty: to all).
struct Guard {
  const char* system_call;
  const char* capability;
  int error = kEperm;
};

constexpr Guard kGuards[] = {
    {"add_key", ""},
    {"keyctl", ""},
    {"pivot_root", ""},
    {"request_key", ""},
    // A filter cannot see its flags, which are in memory. With ENOSYS the C library falls back to
    // clone.
    {"clone3", "CAP_SYS_ADMIN", kEnosys},
    {"fsconfig", "CAP_SYS_ADMIN"},
    {"fsmount", "CAP_SYS_ADMIN"},
    {"fsopen", "CAP_SYS_ADMIN"},
    {"fspick", "CAP_SYS_ADMIN"},
    {"mount", "CAP_SYS_ADMIN"},
    {"mount_setattr", "CAP_SYS_ADMIN"},
    {"move_mount", "CAP_SYS_ADMIN"},
    {"open_tree", "CAP_SYS_ADMIN"},
    {"setns", "CAP_SYS_ADMIN"},
    {"umount", "CAP_SYS_ADMIN"},
    {"umount2", "CAP_SYS_ADMIN"},
    {"unshare", "CAP_SYS_ADMIN"},
    {"get_mempolicy", "CAP_SYS_NICE"},
    {"mbind", "CAP_SYS_NICE"},
    {"set_mempolicy", "CAP_SYS_NICE"},
    {"pidfd_getfd", "CAP_SYS_PTRACE"},
    {"reboot", "CAP_SYS_BOOT"},
    {"syslog", "CAP_SYSLOG"},
};

// clone(2) flags that create a namespace: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID,
// NEWNET.
constexpr uint64_t kNamespaceFlags[] = {0x00020000, 0x02000000, 0x04000000, 0x08000000,
                                        0x10000000, 0x20000000, 0x40000000};
constexpr uint64_t kAllNamespaceFlags = 0x7E020000;

absl::StatusOr<Json> Architectures(const Json& profile, const std::string& architecture) {
  static constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {
      {"amd64", "SCMP_ARCH_X86_64"}, {"arm64", "SCMP_ARCH_AARCH64"}};
  const auto name = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const auto& pair) { return pair.first == architecture; });
  if (name != std::end(kNames)) {
    for (const Json& entry : profile.at("archMap")) {
      if (entry.at("architecture").get<std::string>() != name->second) continue;
      Json architectures = Json::array({entry.at("architecture")});
      for (const Json& sub : entry.value("subArchitectures", Json::array())) {
        architectures.push_back(sub);
      }
      return architectures;
    }
  }
  return absl::FailedPreconditionError(
      absl::StrCat("seccomp profile: no rules for architecture '", architecture, "'"));
}

// The leading "major.minor" as one comparable number; 0 if there is none.
int KernelNumber(absl::string_view release) {
  const std::vector<absl::string_view> parts = absl::StrSplit(release, absl::ByAnyChar(".-+"));
  int major = 0;
  int minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major)) return 0;
  if (!absl::SimpleAtoi(parts[1], &minor)) minor = 0;
  return major * 1000 + minor;
}

bool IsAtLeast(const SeccompTarget& target, const std::string& min_kernel) {
  return target.kernel_release.empty() ||
         KernelNumber(target.kernel_release) >= KernelNumber(min_kernel);
}

bool Lists(const Json& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Json Member(const Json& object, const char* name, Json otherwise) {
  const auto member = object.find(name);
  return member == object.end() || member->is_null() ? otherwise : *member;
}

// Whether all of `includes` and none of `excludes` hold for the target.
bool Applies(const Json& rule, const SeccompTarget& target) {
  const Json includes = Member(rule, "includes", Json::object());
  const Json excludes = Member(rule, "excludes", Json::object());
  const auto has = [&target](const Json& capability) {
    return HasCapability(target.capabilities, capability.get<std::string>());
  };
  const Json wanted = Member(includes, "caps", Json::array());
  const Json unwanted = Member(excludes, "caps", Json::array());
  if (!std::all_of(wanted.begin(), wanted.end(), has)) return false;
  if (std::any_of(unwanted.begin(), unwanted.end(), has)) return false;
  const Json arches = Member(includes, "arches", Json::array());
  if (!arches.empty() && !Lists(arches, target.architecture)) return false;
  if (Lists(Member(excludes, "arches", Json::array()), target.architecture)) return false;
  const std::string from = Member(includes, "minKernel", "").get<std::string>();
  const std::string until = Member(excludes, "minKernel", "").get<std::string>();
  return (from.empty() || IsAtLeast(target, from)) && (until.empty() || !IsAtLeast(target, until));
}

// The rule in OCI's form, without conditions and comments.
Json ToOci(const Json& rule) {
  Json names = Member(rule, "names", Json::array());
  if (names.empty()) names.push_back(rule.at("name"));
  Json oci{{"names", std::move(names)}, {"action", rule.at("action")}};
  const Json error = Member(rule, "errnoRet", nullptr);
  if (!error.is_null()) oci["errnoRet"] = error;
  Json arguments = Member(rule, "args", Json::array());
  if (!arguments.empty()) oci["args"] = std::move(arguments);
  return oci;
}

Json CloneRule(uint64_t mask, uint64_t value) {
  Json rule{
      {"names", {"clone"}},
      {"action", value == 0 ? kAllow : kErrno},
      {"args",
       Json::array(
           {{{"index", 0}, {"value", mask}, {"valueTwo", value}, {"op", "SCMP_CMP_MASKED_EQ"}}})}};
  if (value != 0) rule["errnoRet"] = kEperm;
  return rule;
}

// Calls that an unconditional rule denies. Such a rule wins over a rule that allows the same call.
std::set<std::string> DeniedNames(const std::vector<Json>& rules) {
  std::set<std::string> denied;
  for (const Json& rule : rules) {
    if (rule.at("action") == kAllow || rule.contains("args")) continue;
    for (const Json& name : rule.at("names")) denied.insert(name.get<std::string>());
  }
  return denied;
}

// Removes `names` from the rules that allow them.
void RemoveAllowed(const std::set<std::string>& names, std::vector<Json>* rules) {
  for (Json& rule : *rules) {
    if (rule.at("action") != kAllow) continue;
    Json kept = Json::array();
    for (const Json& name : rule.at("names")) {
      if (names.count(name.get<std::string>()) == 0) kept.push_back(name);
    }
    rule["names"] = std::move(kept);
  }
  rules->erase(std::remove_if(rules->begin(), rules->end(),
                              [](const Json& rule) { return rule.at("names").empty(); }),
               rules->end());
}

void ApplyGuards(const SeccompTarget& target, std::vector<Json>* rules) {
  const std::set<std::string> denied_by_profile = DeniedNames(*rules);
  std::set<std::string> not_allowed = denied_by_profile;
  Json refused = Json::array();      // EPERM
  Json unavailable = Json::array();  // ENOSYS
  for (const Guard& guard : kGuards) {
    if (HasCapability(target.capabilities, guard.capability)) continue;
    not_allowed.insert(guard.system_call);
    if (denied_by_profile.count(guard.system_call) > 0) continue;
    (guard.error == kEperm ? refused : unavailable).push_back(guard.system_call);
  }
  const bool may_clone_namespaces = HasCapability(target.capabilities, "CAP_SYS_ADMIN");
  if (!may_clone_namespaces) not_allowed.insert("clone");
  RemoveAllowed(not_allowed, rules);
  rules->push_back({{"names", refused}, {"action", kErrno}, {"errnoRet", kEperm}});
  if (may_clone_namespaces) return;
  rules->push_back({{"names", unavailable}, {"action", kErrno}, {"errnoRet", kEnosys}});
  rules->push_back(CloneRule(kAllNamespaceFlags, 0));
  for (const uint64_t flag : kNamespaceFlags) rules->push_back(CloneRule(flag, flag));
}

absl::StatusOr<Json> Translate(const Json& profile, const SeccompTarget& target) {
  ASSIGN_OR_RETURN(Json architectures, Architectures(profile, target.architecture));
  std::vector<Json> rules;
  for (const Json& rule : profile.at("syscalls")) {
    if (!Applies(rule, target)) continue;
    Json oci = ToOci(rule);
    if (std::find(rules.begin(), rules.end(), oci) == rules.end()) rules.push_back(std::move(oci));
  }
  ApplyGuards(target, &rules);
  Json seccomp{{"defaultAction", profile.at("defaultAction")},
               {"architectures", std::move(architectures)},
               {"syscalls", std::move(rules)}};
  const Json default_error = Member(profile, "defaultErrnoRet", nullptr);
  if (!default_error.is_null()) seccomp["defaultErrnoRet"] = default_error;
  return seccomp;
}

}  // namespace

absl::StatusOr<Json> BuildSeccomp(absl::string_view profile_json, const SeccompTarget& target) {
  try {
    return Translate(Json::parse(profile_json.begin(), profile_json.end()), target);
  } catch (const Json::exception& error) {
    return absl::FailedPreconditionError(absl::StrCat("seccomp profile: ", error.what()));
  }
}

}  // namespace davit::spec
