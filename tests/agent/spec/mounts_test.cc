#include "agent/spec/mounts.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

// The mount at `destination`; null if there is none.
Json MountAt(const Json& spec, const std::string& destination) {
  for (const Json& mount : spec.at("mounts")) {
    if (mount.at("destination") == destination) return mount;
  }
  return nullptr;
}

std::vector<std::string> Destinations(const Json& spec) {
  std::vector<std::string> destinations;
  for (const Json& mount : spec.at("mounts")) destinations.push_back(mount.at("destination"));
  return destinations;
}

Fixture WithVolumes(const std::string& container_json) {
  Fixture fixture(container_json);
  for (const char* name : {"data", "logs"}) {
    fixture.task.add_volumes()->set_name(name);
    fixture.place.volumes[name] = std::string("/srv/") + name;
  }
  return fixture;
}

// A task of two containers: web, which has volumesFrom a, and a, whose members are `a_json`.
Fixture WithSource(const std::string& web_json, const std::string& a_json) {
  Fixture fixture = WithVolumes(web_json);
  Fixture source(a_json);
  source.web().set_name("a");
  *fixture.task.add_container_definitions() = source.web();
  return fixture;
}

TEST_CASE("paths are normalized before they are compared", "[spec]") {
  CHECK(*CleanAbsolutePath("/", "m") == "/");
  CHECK(*CleanAbsolutePath("//a/./b/../c/", "m") == "/a/c");
  CHECK(*CleanAbsolutePath("/../../etc", "m") == "/etc");
  CHECK(CleanAbsolutePath("", "m").status() ==
        absl::InvalidArgumentError("m: '' is not an absolute path"));
  CHECK(CleanAbsolutePath("a/b", "m").status() ==
        absl::InvalidArgumentError("m: 'a/b' is not an absolute path"));
}

TEST_CASE("mount points bind the volumes' host folders, outer paths first", "[spec]") {
  const Fixture fixture = WithVolumes(R"({"mountPoints": [
      {"sourceVolume": "logs", "containerPath": "/data/logs/", "readOnly": true},
      {"sourceVolume": "data", "containerPath": "/data"}]})");
  const Json spec = fixture.Build();
  CHECK(MountAt(spec, "/data") ==
        Json::parse(R"({"destination": "/data", "type": "bind", "source": "/srv/data",
                        "options": ["rbind", "rprivate", "rw"]})"));
  CHECK(MountAt(spec, "/data/logs")["options"].back() == "ro");
  const std::vector<std::string> all = Destinations(spec);
  CHECK(std::vector<std::string>(all.end() - 2, all.end()) ==
        std::vector<std::string>{"/data", "/data/logs"});
}

TEST_CASE("volumesFrom mounts the other container's volumes, read-only if requested", "[spec]") {
  const Fixture fixture = WithSource(
      R"({"volumesFrom": [{"sourceContainer": "a", "readOnly": true}],
          "mountPoints": [{"sourceVolume": "logs", "containerPath": "/mine"}]})",
      R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/mine"},
                          {"sourceVolume": "data", "containerPath": "/theirs"}]})");
  const Json spec = fixture.Build();
  CHECK(MountAt(spec, "/mine")["source"] == "/srv/logs");  // an own mount point wins
  CHECK(MountAt(spec, "/mine")["options"].back() == "rw");
  CHECK(MountAt(spec, "/theirs")["options"].back() == "ro");
}

TEST_CASE("a cycle of volumesFrom is refused", "[spec]") {
  CHECK(WithSource(R"({"volumesFrom": [{"sourceContainer": "a"}]})",
                   R"({"volumesFrom": [{"sourceContainer": "web"}]})")
            .Error() ==
        "INVALID_ARGUMENT: container 'web': volumesFrom[0].volumesFrom[0].sourceContainer: 'web' "
        "is the container itself or takes volumes from it");
}

TEST_CASE("the agent's files follow the root file system and yield to the definition", "[spec]") {
  Fixture fixture =
      WithVolumes(R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/etc/hosts"}]})");
  fixture.place.hosts_path = "/run/h";
  fixture.place.resolv_conf_path = "/run/r";
  fixture.place.hostname_path = "/run/n";
  Json spec = fixture.Build();
  CHECK(MountAt(spec, "/etc/hosts")["source"] == "/srv/data");
  CHECK(MountAt(spec, "/etc/resolv.conf")["source"] == "/run/r");
  CHECK(MountAt(spec, "/etc/hostname")["options"].back() == "rw");
  fixture.web().set_readonly_root_filesystem(true);
  spec = fixture.Build();
  CHECK(MountAt(spec, "/etc/hostname")["options"].back() == "ro");
  CHECK(spec["root"]["readonly"] == true);
}

TEST_CASE("a container in the host's network cannot write the host's own files", "[spec]") {
  Fixture fixture;
  fixture.task.set_network_mode("host");
  fixture.place.network_namespace_path.clear();
  fixture.place.resolv_conf_path = "/etc/resolv.conf";
  CHECK(MountAt(fixture.Build(), "/etc/resolv.conf")["options"].back() == "ro");
}

TEST_CASE("a mount of the definition replaces the default one at its path", "[spec]") {
  const Json shm = WithVolumes(R"({"mountPoints": [{"sourceVolume": "data",
                                                    "containerPath": "/dev/shm"}]})")
                       .Build();
  CHECK(MountAt(shm, "/dev/shm")["type"] == "bind");
  const Json dev =
      WithVolumes(R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/dev"}]})")
          .Build();
  CHECK(MountAt(dev, "/dev")["type"] == "bind");
  CHECK(MountAt(dev, "/dev/pts").is_null());
}

TEST_CASE("shared memory has 64 MiB or the definition's size", "[spec]") {
  CHECK(MountAt(Fixture().Build(), "/dev/shm")["options"].back() == "size=65536k");
  CHECK(MountAt(Fixture(R"({"linuxParameters": {"sharedMemorySize": 1}})").Build(),
                "/dev/shm")["options"]
            .back() == "size=1024k");
}

TEST_CASE("ipcMode decides about shared memory and message queues", "[spec]") {
  Fixture fixture;
  fixture.task.set_ipc_mode("host");
  CHECK(MountAt(fixture.Build(), "/dev/shm")["source"] == "/dev/shm");
  CHECK(MountAt(fixture.Build(), "/dev/mqueue")["type"] == "bind");
  fixture.task.set_ipc_mode("none");
  CHECK(MountAt(fixture.Build(), "/dev/shm").is_null());
}

TEST_CASE("a tmpfs has Docker's options, then the definition's", "[spec]") {
  const Fixture fixture(R"({"linuxParameters": {"tmpfs": [
      {"containerPath": "/tmp/", "size": 5, "mountOptions": ["exec", "mode=700", "defaults"]}]}})");
  CHECK(MountAt(fixture.Build(), "/tmp") ==
        Json::parse(R"({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options":
            ["noexec", "nosuid", "nodev", "rprivate", "size=5120k", "exec", "mode=700"]})"));
}

TEST_CASE("an image's volume is mounted if ContainerPlace has a folder for it", "[spec]") {
  Fixture fixture = WithVolumes(R"({"mountPoints": [{"sourceVolume": "data",
                                                     "containerPath": "/b"}]})");
  fixture.image.volumes = {"/a", "/b", "/c/"};
  fixture.place.image_volumes = {{"/b", "/host/b"}, {"/c/", "/host/c"}};
  const Json spec = fixture.Build();
  CHECK(MountAt(spec, "/a").is_null());
  CHECK(MountAt(spec, "/b")["source"] == "/srv/data");
  CHECK(MountAt(spec, "/c")["source"] == "/host/c");
}

TEST_CASE("a privileged container may change the kernel's settings", "[spec]") {
  const Json spec = Fixture(R"({"privileged": true})").Build();
  CHECK(MountAt(spec, "/sys")["options"].back() == "rw");
  CHECK(MountAt(spec, "/sys/fs/cgroup")["options"].front() == "rw");
  CHECK(spec["linux"]["maskedPaths"].empty());
  CHECK(spec["linux"]["readonlyPaths"].empty());
}

TEST_CASE("an invalid mount is refused by member", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [members, message] = GENERATE(values<Case>({
      {R"({"mountPoints": [{"sourceVolume": "x", "containerPath": "/x"}]})",
       "mountPoints[0].sourceVolume: the task has no volume 'x'"},
      {R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "x"}]})",
       "mountPoints[0].containerPath: 'x' is not an absolute path"},
      {R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/x/.."}]})",
       "mountPoints[0].containerPath: cannot mount over the container's root"},
      {R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/x"},
                           {"sourceVolume": "logs", "containerPath": "/x/"}]})",
       "mountPoints[1]: /x is already a mount point"},
      {R"({"volumesFrom": [{"sourceContainer": "ghost"}]})",
       "volumesFrom[0].sourceContainer: 'ghost' is no container of the task"},
      {R"({"linuxParameters": {"sharedMemorySize": 0}})",
       "linuxParameters.sharedMemorySize: 0 MiB is below 1"},
      {R"({"linuxParameters": {"tmpfs": [{"containerPath": "/x"}]}})",
       "linuxParameters.tmpfs[0].size: 0 MiB is below 1"},
      {R"({"linuxParameters": {"tmpfs": [{"containerPath": "x", "size": 1}]}})",
       "linuxParameters.tmpfs[0].containerPath: 'x' is not an absolute path"},
      {R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/x"}],
           "linuxParameters": {"tmpfs": [{"containerPath": "/x", "size": 1}]}})",
       "linuxParameters.tmpfs[0]: /x is already a mount point"},
  }));
  CHECK(WithVolumes(members).Error() == "INVALID_ARGUMENT: container 'web': " + message);
}

TEST_CASE("a tmpfs option that changes the kind of mount is refused", "[spec]") {
  const std::string option =
      GENERATE("bind", "rbind", "remount", "shared", "rslave", "size=1g", "ro,bind", "");
  Fixture fixture(R"({"linuxParameters": {"tmpfs": [{"containerPath": "/x", "size": 1}]}})");
  fixture.web().mutable_linux_parameters()->mutable_tmpfs(0)->add_mount_options(option);
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': linuxParameters.tmpfs[0].mountOptions[0]: '" + option +
            "' is not a tmpfs option");
}

TEST_CASE("a volume without its host folder is our bug, not an empty folder", "[spec]") {
  Fixture fixture =
      WithVolumes(R"({"mountPoints": [{"sourceVolume": "data", "containerPath": "/x"}]})");
  fixture.place.volumes.clear();
  CHECK(fixture.Error() ==
        "INTERNAL: container 'web': mountPoints[0].sourceVolume: the agent created no folder for "
        "volume 'data'");
}

TEST_CASE("secret files are mounted read-only and hide no other mount", "[spec]") {
  Fixture fixture(R"({"mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}]})");
  fixture.task.add_volumes()->set_name("v");
  fixture.place.volumes = {{"v", "/host/v"}};
  fixture.place.secret_files = {{"/run/secrets/db", "/host/secret"}};
  const nlohmann::json mounts = fixture.Build()["mounts"];
  CHECK(std::any_of(mounts.begin(), mounts.end(), [](const nlohmann::json& mount) {
    return mount["destination"] == "/run/secrets/db" && mount["source"] == "/host/secret" &&
           mount["options"].back() == "ro";
  }));
  fixture.place.secret_files = {{"/data", "/host/secret"}};
  CHECK_THAT(fixture.Error(), Catch::Contains("secret file /data"));
  fixture.place.secret_files = {{"relative", "/host/secret"}};
  CHECK_THAT(fixture.Error(), Catch::Contains("not an absolute path"));
}

}  // namespace
}  // namespace davit::spec
