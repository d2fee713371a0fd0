// capabilities.h, security_options.h, devices.h, namespaces.h: what a container may do and see.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "agent/spec/capabilities.h"
#include "agent/spec/security_options.h"
#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

const Strings kDockerDefault = {
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",      "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID",     "CAP_SETUID",       "CAP_SETPCAP",     "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SYS_CHROOT", "CAP_MKNOD",        "CAP_AUDIT_WRITE", "CAP_SETFCAP"};

Strings CapabilitiesOf(const std::string& container_json) {
  return *ResolveCapabilities(Fixture(container_json).Input());
}

TEST_CASE("a container has Docker's default capabilities in three sets only", "[spec]") {
  const Json capabilities = Fixture().Build()["process"]["capabilities"];
  CHECK(capabilities == Json{{"bounding", kDockerDefault},
                             {"effective", kDockerDefault},
                             {"permitted", kDockerDefault}});
}

TEST_CASE("capabilities are added and dropped by name; ALL means every one", "[spec]") {
  CHECK(CapabilitiesOf(R"({"linuxParameters": {"capabilities":
            {"drop": ["all"], "add": ["NET_ADMIN", "cap_chown"]}}})") ==
        Strings{"CAP_CHOWN", "CAP_NET_ADMIN"});
  CHECK(CapabilitiesOf(R"({"linuxParameters": {"capabilities": {"drop": ["ALL"]}}})").empty());
  const Strings all_but_one = CapabilitiesOf(
      R"({"linuxParameters": {"capabilities": {"add": ["ALL"], "drop": ["SYS_ADMIN"]}}})");
  CHECK(all_but_one.size() == 40);
  CHECK_FALSE(HasCapability(all_but_one, "CAP_SYS_ADMIN"));
  const Strings changed = CapabilitiesOf(
      R"({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["MKNOD"]}}})");
  CHECK(changed.size() == kDockerDefault.size());
  CHECK(HasCapability(changed, "CAP_SYS_PTRACE"));
  CHECK_FALSE(HasCapability(changed, "CAP_MKNOD"));
  CHECK(CapabilitiesOf(R"({"privileged": true})").size() == 41);
}

TEST_CASE("a capability that the host cannot give is refused", "[spec]") {
  Fixture fixture(R"({"linuxParameters": {"capabilities": {"add": ["SYS_RESOURCE"]}}})");
  fixture.host.can_raise_rlimits = false;
  const std::string refusal =
      "INVALID_ARGUMENT: container 'web': linuxParameters.capabilities.add: the host cannot give "
      "CAP_SYS_RESOURCE";
  CHECK(fixture.Error() == refusal);
  fixture.host.can_raise_rlimits = true;
  CHECK(fixture.Error() == "OK");
  fixture.host.capabilities = {"CAP_CHOWN"};
  CHECK(fixture.Error() == refusal);
  fixture.web().clear_linux_parameters();
  fixture.web().set_privileged(true);
  CHECK(*ResolveCapabilities(fixture.Input()) == Strings{"CAP_CHOWN"});
}

TEST_CASE("security options are Docker's", "[spec]") {
  using Case = std::pair<std::string, SecurityOptions>;
  const auto [option, expected] = GENERATE(values<Case>({
      {"no-new-privileges", {true, false}},
      {"no-new-privileges:true", {true, false}},
      {"no-new-privileges=false", {false, false}},
      {"seccomp=unconfined", {false, true}},
      {"seccomp:unconfined", {false, true}},
      {"seccomp=builtin", {false, false}},
      {"apparmor=unconfined", {false, false}},
      {"label:disable", {false, false}},
  }));
  Fixture fixture;
  fixture.web().add_docker_security_options(option);
  const absl::StatusOr<SecurityOptions> options = ResolveSecurityOptions(fixture.Input());
  REQUIRE(options.ok());
  CHECK(*options == expected);
  CHECK(fixture.Build()["process"]["noNewPrivileges"] == expected.no_new_privileges);
}

TEST_CASE("a security option that the agent does not apply is refused by name", "[spec]") {
  const std::string option = GENERATE("apparmor=docker-default", "label:type:svirt", "label:user:x",
                                      "seccomp=/etc/profile.json", "credentialspec:file://x",
                                      "no-new-privileges:maybe", "systempaths=unconfined", "");
  Fixture fixture;
  fixture.web().add_docker_security_options(option);
  CHECK(fixture.Error() == "INVALID_ARGUMENT: container 'web': dockerSecurityOptions[0]: '" +
                               option + "' is not supported");
  CHECK(UnsupportedMembers(fixture.task) ==
        Strings{"containerDefinitions[0].dockerSecurityOptions[0]"});
}

TEST_CASE("a device is created in the container with the given permissions", "[spec]") {
  Fixture fixture(R"({"linuxParameters": {"devices": [
      {"hostPath": "/dev/fuse", "containerPath": "/dev/f", "permissions": ["read", "mknod"]},
      {"hostPath": "/dev/snd"}]}})");
  fixture.host.devices = {{"/dev/fuse", {'c', 10, 229, 0666, 1, 2}},
                          {"/dev/sda", {'b', 8, 0, 0600, 0, 0}},
                          {"/dev/snd/seq", {'c', 116, 1, 0660, 0, 29}},
                          {"/dev/sndx", {'c', 1, 1, 0600, 0, 0}}};
  const Json linux_part = fixture.Build()["linux"];
  CHECK(linux_part["devices"] == Json::parse(R"([
      {"path": "/dev/f", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 1,
       "gid": 2},
      {"path": "/dev/snd/seq", "type": "c", "major": 116, "minor": 1, "fileMode": 432, "uid": 0,
       "gid": 29}])"));
  const Json& rules = linux_part["resources"]["devices"];
  REQUIRE(rules.size() == 9);
  CHECK(rules[0] == Json::parse(R"({"allow": false, "access": "rwm"})"));
  CHECK(rules[7] ==
        Json::parse(R"({"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rm"})"));
  CHECK(rules[8]["access"] == "rwm");
}

TEST_CASE("a privileged container has every device of the host", "[spec]") {
  Fixture fixture(R"({"privileged": true})");
  fixture.host.devices = {{"/dev/sda", {'b', 8, 0}},
                          {"/dev/pts/3", {'c', 136, 3}},
                          {"/dev/ptmx", {'c', 5, 2}},
                          {"/dev/console", {'c', 5, 1}}};
  const Json linux_part = fixture.Build()["linux"];
  CHECK(linux_part["resources"]["devices"] == Json::parse(R"([{"allow": true, "access": "rwm"}])"));
  REQUIRE(linux_part["devices"].size() == 1);  // the runtime itself creates the others
  CHECK(linux_part["devices"][0]["path"] == "/dev/sda");
}

Strings NamespaceTypes(const Fixture& fixture) {
  Strings types;
  const Json spec = fixture.Build();
  for (const Json& entry : spec["linux"]["namespaces"]) types.push_back(entry["type"]);
  return types;
}

TEST_CASE("the modes decide which namespaces the container shares", "[spec]") {
  Fixture fixture;
  CHECK(NamespaceTypes(fixture) == Strings{"mount", "uts", "network", "pid", "ipc"});
  CHECK(fixture.Build()["linux"]["namespaces"][2]["path"] == "/run/davit/netns/web");
  fixture.host.cgroup_v2 = true;
  CHECK(NamespaceTypes(fixture) == Strings{"mount", "uts", "network", "pid", "ipc", "cgroup"});
  fixture.host.cgroup_v2 = false;
  fixture.task.set_pid_mode("task");  // with one container: its own
  fixture.task.set_ipc_mode("none");
  CHECK(NamespaceTypes(fixture) == Strings{"mount", "uts", "network", "pid", "ipc"});
  fixture.task.set_pid_mode("host");
  fixture.task.set_ipc_mode("host");
  fixture.task.set_network_mode("host");
  fixture.place.network_namespace_path.clear();
  CHECK(NamespaceTypes(fixture) == Strings{"mount", "uts"});
}

TEST_CASE("a container never gets the host's network by omission", "[spec]") {
  Fixture fixture;
  fixture.place.network_namespace_path.clear();
  CHECK(fixture.Error() == "INTERNAL: container 'web': networkMode '' with no network namespace");
  fixture.task.set_network_mode("none");
  CHECK(fixture.Error() ==
        "INTERNAL: container 'web': networkMode 'none' with no network namespace");
  fixture.task.set_network_mode("host");
  CHECK(fixture.Error() == "OK");
  fixture.web().set_disable_networking(true);
  CHECK(fixture.BuildText().status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("an invalid namespace mode is refused", "[spec]") {
  Fixture fixture;
  fixture.task.set_pid_mode("none");
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': pidMode: 'none' is not host or task");
  fixture.task.set_pid_mode("");
  fixture.task.set_ipc_mode("private");
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': ipcMode: 'private' is not host, task or none");
}

TEST_CASE("a relative cgroup path is an internal error", "[spec]") {
  Fixture fixture;
  fixture.place.cgroup_path = "davit/x";
  CHECK(fixture.Error() == "INTERNAL: container 'web': cgroup path 'davit/x' is not absolute");
}

TEST_CASE("settings of the container's own namespaces are set", "[spec]") {
  const Fixture fixture(R"({"systemControls": [
      {"namespace": "net.core.somaxconn", "value": "1024"},
      {"namespace": "kernel.shmmax", "value": "1"},
      {"namespace": "fs.mqueue.msg_max", "value": "2"}]})");
  CHECK(fixture.Build()["linux"]["sysctl"] == Json{{"net.core.somaxconn", "1024"},
                                                   {"net.ipv4.ip_unprivileged_port_start", "0"},
                                                   {"net.ipv4.ping_group_range", "0 2147483647"},
                                                   {"kernel.shmmax", "1"},
                                                   {"fs.mqueue.msg_max", "2"}});
}

TEST_CASE("in a network of its own every user may bind every port and send pings, as in Docker",
          "[spec]") {
  const Json defaults{{"net.ipv4.ip_unprivileged_port_start", "0"},
                      {"net.ipv4.ping_group_range", "0 2147483647"}};
  CHECK(Fixture().Build()["linux"]["sysctl"] == defaults);
  Fixture fixture;
  fixture.task.set_network_mode("none");
  CHECK(fixture.Build()["linux"]["sysctl"] == defaults);
  fixture.task.set_network_mode("host");
  fixture.web().set_disable_networking(true);
  CHECK(fixture.Build()["linux"]["sysctl"] == defaults);
}

TEST_CASE("the host's network settings are never changed", "[spec]") {
  Fixture fixture;
  fixture.task.set_network_mode("host");
  fixture.place.network_namespace_path.clear();
  CHECK_FALSE(fixture.Build()["linux"].contains("sysctl"));
}

TEST_CASE("systemControls win over Docker's defaults", "[spec]") {
  const Fixture fixture(R"({"systemControls": [
      {"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "1024"}]})");
  CHECK(fixture.Build()["linux"]["sysctl"] == Json{{"net.ipv4.ip_unprivileged_port_start", "1024"},
                                                   {"net.ipv4.ping_group_range", "0 2147483647"}});
}

TEST_CASE("no dockerLabel reaches the runtime under its own name", "[spec]") {
  // Read by containerd's shim, CRI, nerdctl, crun and runc's systemd driver; the last two are ours.
  const std::string label = GENERATE(
      "io.kubernetes.cri.sandbox-id", "io.containerd.runc.v2.group",
      "io.kubernetes.cri.container-type", "nerdctl/networks", "run.oci.keep_original_groups",
      "org.systemd.property.CollectMode", "davit.task-arn", "davit.container-name");
  Fixture fixture;
  (*fixture.web().mutable_docker_labels())[label] = "chosen by the user";
  const Json annotations = fixture.Build()["annotations"];
  CHECK(annotations == Json{{"davit.task-arn", fixture.place.task_arn},
                            {"davit.container-name", "web"},
                            {"davit.docker-label." + label, "chosen by the user"}});
}

TEST_CASE("settings of the host are refused by name", "[spec]") {
  const std::string name =
      GENERATE("kernel.core_pattern", "vm.swappiness", "fs.file-max", "net", "kernel.shmmaxx",
               "net./../kernel/core_pattern", "net...kernel.core_pattern", "net.a/b", "net.", "");
  Fixture fixture;
  fixture.web().add_system_controls()->set_namespace_(name);
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': systemControls[0].namespace: '" + name +
            "' is not a setting that a container has of its own (net.*, fs.mqueue.* and the IPC "
            "settings of kernel.*)");
}

TEST_CASE("settings of a namespace shared with the host are refused", "[spec]") {
  Fixture fixture(R"({"systemControls": [{"namespace": "net.core.somaxconn", "value": "1"}]})");
  fixture.task.set_network_mode("host");
  fixture.place.network_namespace_path.clear();
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': systemControls[0].namespace: 'net.core.somaxconn' "
        "would change the host: networkMode is host");
  fixture.web().mutable_system_controls(0)->set_namespace_("kernel.sem");
  fixture.task.set_ipc_mode("host");
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': systemControls[0].namespace: 'kernel.sem' would change "
        "the host: ipcMode is host");
}

TEST_CASE("invalid devices and capabilities are refused by member", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [members, message] = GENERATE(values<Case>({
      {R"({"capabilities": {"add": ["NET_ADMIN", "FLY"]}})",
       "linuxParameters.capabilities.add[1]: 'FLY' is not a capability"},
      {R"({"capabilities": {"drop": [""]}})",
       "linuxParameters.capabilities.drop[0]: '' is not a capability"},
      {R"({"devices": [{"hostPath": "dev/x"}]})",
       "linuxParameters.devices[0].hostPath: 'dev/x' is not an absolute path"},
      {R"({"devices": [{"hostPath": "/dev/x"}]})",
       "linuxParameters.devices[0].hostPath: /dev/x is not a device of the host"},
      {R"({"devices": [{"hostPath": "/dev/x", "permissions": ["read", "rw"]}]})",
       "linuxParameters.devices[0].permissions[1]: 'rw' is not read, write or mknod"},
  }));
  CHECK(Fixture("{\"linuxParameters\": " + members + "}").Error() ==
        "INVALID_ARGUMENT: container 'web': " + message);
}

}  // namespace
}  // namespace davit::spec
