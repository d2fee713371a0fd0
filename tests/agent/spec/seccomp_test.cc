#include "agent/spec/seccomp.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "base/file.h"
#include "tests/agent/spec/spec_fixture.h"
#include "tests/support/skip.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

constexpr char kProfilePath[] = "/usr/share/containers/seccomp.json";

std::string InstalledProfile() {
  const absl::StatusOr<std::string> profile = ReadFile(kProfilePath);
  if (!profile.ok()) test::Skip("golang-github-containers-common is not installed");
  return *profile;
}

// The verdict for a call with any arguments: "ALLOW", "ERRNO 1", "both", or "" if no rule without
// arguments names it.
std::string Verdict(const Json& seccomp, const std::string& system_call) {
  std::string verdict;
  for (const Json& rule : seccomp.at("syscalls")) {
    const Json& names = rule.at("names");
    const bool is_named = std::find(names.begin(), names.end(), system_call) != names.end();
    if (!is_named || rule.contains("args")) continue;
    const std::string own = rule.at("action") == "SCMP_ACT_ALLOW"
                                ? "ALLOW"
                                : "ERRNO " + rule.value("errnoRet", Json(0)).dump();
    if (!verdict.empty() && verdict != own) return "both";
    verdict = own;
  }
  return verdict;
}

Json Profile(const std::string& rules) {
  return Json{{"defaultAction", "SCMP_ACT_ERRNO"},
              {"defaultErrnoRet", 38},
              {"archMap", Json::array({{{"architecture", "SCMP_ARCH_X86_64"},
                                        {"subArchitectures", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}}},
                                       {{"architecture", "SCMP_ARCH_AARCH64"}}})},
              {"syscalls", Json::parse(rules)}};
}

TEST_CASE("a rule holds only for the capabilities, machine and kernel it names", "[spec]") {
  const Json profile = Profile(R"([
      {"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
      {"names": ["b"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_BPF"]}},
      {"names": ["c"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
      {"names": ["d"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
      {"names": ["e"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
      {"names": ["f"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}},
      {"name": "g", "action": "SCMP_ACT_ALLOW", "args": null, "includes": null, "comment": ""}])");
  struct Row {
    SeccompTarget target;
    std::string allowed;
  };
  const Row row = GENERATE(values<Row>({
      {{"amd64", "6.1.0-18-amd64", {}}, "bceg"},
      {{"amd64", "", {"CAP_BPF"}}, "aceg"},
      {{"arm64", "4.7", {"CAP_BPF"}}, "adfg"},
      {{"arm64", "4.10+", {}}, "bdeg"},
      {{"amd64", "5-odd", {}}, "bceg"},
  }));
  const absl::StatusOr<Json> seccomp = BuildSeccomp(profile.dump(), row.target);
  REQUIRE(seccomp.ok());
  std::string allowed;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
    if (Verdict(*seccomp, name) == "ALLOW") allowed += name;
  }
  CHECK(allowed == row.allowed);
  CHECK((*seccomp)["defaultErrnoRet"] == 38);
  CHECK((*seccomp)["architectures"] ==
        (row.target.architecture == "amd64"
             ? Json{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}
             : Json::array({"SCMP_ARCH_AARCH64"})));
}

TEST_CASE("a call that one rule denies and another allows is denied", "[spec]") {
  const Json profile = Profile(R"([
      {"names": ["a", "b"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
      {"names": ["b"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22,
       "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}])");
  const Json seccomp = *BuildSeccomp(profile.dump(), {"amd64", "", {}});
  CHECK(Verdict(seccomp, "a") == "ERRNO 1");
  CHECK(Verdict(seccomp, "b") == "ALLOW");  // the rule with arguments stands beside it
}

TEST_CASE("the installed profile is as strict as Docker's for a default container", "[spec]") {
  const std::string profile = InstalledProfile();
  Fixture fixture;
  fixture.host.seccomp_profile_json = profile;
  const Json seccomp = fixture.Build()["linux"]["seccomp"];
  REQUIRE(seccomp.is_object());
  using Case = std::pair<std::string, std::string>;
  const auto [name, verdict] = GENERATE(values<Case>({
      {"read", "ALLOW"},
      {"execve", "ALLOW"},
      {"ptrace", "ALLOW"},
      {"chroot", "ALLOW"},
      {"arch_prctl", "ALLOW"},
      {"mknod", "ALLOW"},
      {"mount", "ERRNO 1"},
      {"umount2", "ERRNO 1"},
      {"unshare", "ERRNO 1"},
      {"setns", "ERRNO 1"},
      {"keyctl", "ERRNO 1"},
      {"add_key", "ERRNO 1"},
      {"pivot_root", "ERRNO 1"},
      {"bpf", "ERRNO 1"},
      {"init_module", "ERRNO 1"},
      {"reboot", "ERRNO 1"},
      {"open_by_handle_at", "ERRNO 1"},
      {"kexec_load", "ERRNO 1"},
      {"userfaultfd", "ERRNO 1"},
      {"syslog", "ERRNO 1"},
      {"clone3", "ERRNO 38"},
      {"clone", ""},
      {"io_uring_setup", ""},
  }));
  CAPTURE(name);
  CHECK(Verdict(seccomp, name) == verdict);
}

TEST_CASE("CAP_SYS_ADMIN allows only the calls that it governs", "[spec]") {
  const Json seccomp = *BuildSeccomp(InstalledProfile(), {"amd64", "", {"CAP_SYS_ADMIN"}});
  for (const char* name : {"mount", "unshare", "setns", "clone", "clone3", "bpf"}) {
    CAPTURE(name);
    CHECK(Verdict(seccomp, name) == "ALLOW");
  }
  for (const char* name : {"keyctl", "reboot", "init_module", "chroot"}) {
    CAPTURE(name);
    CHECK(Verdict(seccomp, name) == "ERRNO 1");
  }
}

TEST_CASE("no rule of the translated profile contradicts another", "[spec]") {
  const std::vector<std::string> none;
  const std::vector<std::string> some = {"CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"};
  for (const std::vector<std::string>& capabilities : {none, some}) {
    const Json seccomp = *BuildSeccomp(InstalledProfile(), {"arm64", "6.1", capabilities});
    for (const Json& rule : seccomp["syscalls"]) {
      for (const Json& name : rule["names"]) CHECK(Verdict(seccomp, name) != "both");
    }
  }
}

TEST_CASE("only a container that requests it has no filter", "[spec]") {
  Fixture fixture;
  fixture.host.seccomp_profile_json = InstalledProfile();
  fixture.web().add_docker_security_options("seccomp=unconfined");
  CHECK_FALSE(fixture.Build()["linux"].contains("seccomp"));
  fixture.web().clear_docker_security_options();
  fixture.web().set_privileged(true);
  CHECK_FALSE(fixture.Build()["linux"].contains("seccomp"));
}

TEST_CASE("an unusable profile is FailedPrecondition, without an exception", "[spec]") {
  const SeccompTarget amd64{"amd64", "", {}};
  const std::string text = GENERATE(
      "", "{", "[]", "{}", R"({"archMap": 1})", R"({"archMap": [{"architecture": 7}]})",
      R"({"archMap": [{"architecture": "SCMP_ARCH_X86_64"}], "defaultAction": "SCMP_ACT_ERRNO",
          "syscalls": [{"names": [1], "action": "SCMP_ACT_ALLOW"}]})",
      R"({"archMap": [{"architecture": "SCMP_ARCH_X86_64"}], "defaultAction": "SCMP_ACT_ERRNO",
          "syscalls": [{"action": "SCMP_ACT_ALLOW"}]})");
  CAPTURE(text);
  CHECK(BuildSeccomp(text, amd64).status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(BuildSeccomp(Profile("[]").dump(), {"mips", "", {}}).status() ==
        absl::FailedPreconditionError("seccomp profile: no rules for architecture 'mips'"));
}

}  // namespace
}  // namespace davit::spec
