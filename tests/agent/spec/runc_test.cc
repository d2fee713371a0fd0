// Generated specs, run by runc on this host: what a container finds when it looks around.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/spec/resources.h"
#include "tests/agent/spec/runc_bundle.h"

namespace davit::spec {
namespace {

std::string StatusField(const RuncBundle& bundle, const Fixture& fixture, const std::string& name) {
  return bundle.Output(fixture, "awk '/^" + name + ":/ {print $2}' /proc/self/status");
}

TEST_CASE("a default container has exactly Docker's capabilities", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture();
  // The mask that `grep Cap /proc/self/status` shows in a container of Docker's.
  CHECK(StatusField(bundle, fixture, "CapEff") == "00000000a80425fb");
  CHECK(StatusField(bundle, fixture, "CapPrm") == "00000000a80425fb");
  CHECK(StatusField(bundle, fixture, "CapBnd") == "00000000a80425fb");
  CHECK(StatusField(bundle, fixture, "CapInh") == "0000000000000000");
  CHECK(StatusField(bundle, fixture, "CapAmb") == "0000000000000000");
  CHECK(StatusField(bundle, fixture, "NoNewPrivs") == "0");
  CHECK(StatusField(bundle, fixture, "Seccomp") == "2");
}

TEST_CASE("a container without privileges to gain has none to gain", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"dockerSecurityOptions": ["no-new-privileges"],
      "linuxParameters": {"capabilities": {"drop": ["ALL"]}}, "user": "app"})");
  CHECK(StatusField(bundle, fixture, "NoNewPrivs") == "1");
  CHECK(StatusField(bundle, fixture, "CapBnd") == "0000000000000000");
}

TEST_CASE("identity, folder, environment and host name are the definition's", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"user": "app", "workingDirectory": "/srv/new",
      "hostname": "db-1", "environment": [{"name": "A", "value": "b c"}]})");
  CHECK(bundle.Output(fixture, "id -u; id -g; id -G") == "1000\n1000\n1000 50");
  CHECK(bundle.Output(fixture, "pwd; hostname; echo $A") == "/srv/new\ndb-1\nb c");
  // HOME is the runtime's work, from the image's /etc/passwd.
  CHECK(bundle.Output(fixture, "env | sort") ==
        "A=b c\nHOME=/home/app\nHOSTNAME=db-1\nPATH=/bin\nPWD=/srv/new\nSHLVL=1");
}

TEST_CASE("rlimits are the definition's", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(
      R"({"ulimits": [{"name": "nofile", "softLimit": 100, "hardLimit": 200},
                      {"name": "core", "softLimit": 0, "hardLimit": 0}]})");
  CHECK(bundle.Output(fixture, "ulimit -Sn; ulimit -Hn; ulimit -Hc") == "100\n200\n0");
}

TEST_CASE("a container sees its own processes, network and message queues only", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture();
  CHECK(bundle.Output(fixture, "echo $$") == "1");
  CHECK(bundle.Output(fixture, "ls /sys/class/net") == "lo");
  for (const char* name : {"pid", "net", "ipc", "uts", "mnt"}) {
    const std::string link = absl::StrCat("readlink /proc/self/ns/", name);
    char own[64] = {};
    const ssize_t length =
        readlink(absl::StrCat("/proc/self/ns/", name).c_str(), own, sizeof(own) - 1);
    REQUIRE(length > 0);
    CHECK(bundle.Output(fixture, link) != own);
  }
}

TEST_CASE("a container that asks for them sees the host's processes", "[spec]") {
  const RuncBundle bundle;
  Fixture fixture = bundle.MakeFixture();
  fixture.task.set_pid_mode("host");
  CHECK(bundle.Output(fixture, "echo $$") != "1");
}

TEST_CASE("devices are those that every container has", "[spec]") {
  const RuncBundle bundle;
  CHECK(bundle.Output(bundle.MakeFixture(), "echo $(ls /dev | grep -v core)") ==
        "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero");
  CHECK(bundle.Output(bundle.MakeFixture(), "echo x > /dev/null; head -c 2 /dev/zero | wc -c") ==
        "2");
}

TEST_CASE("a device of the definition is there and can be opened", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"linuxParameters": {"devices": [
      {"hostPath": "/dev/loop0", "containerPath": "/dev/disk", "permissions": ["read"]}]}})");
  if (fixture.host.devices.empty()) return;  // the host has no loop device to show
  CHECK(bundle.Output(fixture, "stat -c %t:%T /dev/disk; exec 3< /dev/disk && echo open") ==
        "7:0\nopen");
  CHECK(bundle.Run(fixture, "exec 3> /dev/disk").exit_code != 0);
}

TEST_CASE("shared memory and tmpfs have the size and options that were asked for", "[spec]") {
  const RuncBundle bundle;
  CHECK(bundle.Output(bundle.MakeFixture(), "df -k /dev/shm | awk 'NR==2 {print $2}'") == "65536");
  const Fixture fixture = bundle.MakeFixture(R"({"linuxParameters": {"sharedMemorySize": 2,
      "tmpfs": [{"containerPath": "/scratch", "size": 3, "mountOptions": ["exec", "mode=1770"]}]}})");
  // In one run: runc leaves the mount point behind, and an existing folder's mode wins over mode=.
  CHECK(bundle.Output(fixture,
                      "stat -c %a /scratch; df -k /dev/shm /scratch | awk 'NR>1 {print $2}'") ==
        "1770\n2048\n3072");
  const std::string options =
      bundle.Output(fixture, "awk '$2 == \"/scratch\" {print $4}' /proc/mounts");
  CHECK(options.find("nosuid") != std::string::npos);
  CHECK(options.find("nodev") != std::string::npos);
  CHECK(options.find("noexec") == std::string::npos);
}

TEST_CASE("a volume is shared with the host, read-only when the definition says so", "[spec]") {
  const RuncBundle bundle;
  Fixture fixture = bundle.MakeFixture(R"({"mountPoints": [
      {"sourceVolume": "v", "containerPath": "/in", "readOnly": true},
      {"sourceVolume": "v", "containerPath": "/out"}]})");
  fixture.task.add_volumes()->set_name("v");
  fixture.place.volumes["v"] = bundle.folder() + "/rootfs/home";
  CHECK(bundle.Output(fixture, "echo x > /out/file && cat /in/file") == "x");
  CHECK(bundle.Run(fixture, "echo x > /in/file").exit_code != 0);
}

TEST_CASE("a read-only root file system takes no writes, its tmpfs does", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"readonlyRootFilesystem": true,
      "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 1}]}})");
  CHECK(bundle.Run(fixture, "touch /file").exit_code != 0);
  CHECK(bundle.Output(fixture, "touch /tmp/file && echo ok") == "ok");
}

TEST_CASE("the limits of cpu, memory and processes are the cgroup's", "[spec]") {
  const RuncBundle bundle;
  Fixture fixture = bundle.MakeFixture(R"({"cpu": 256, "memory": 64, "memoryReservation": 32})");
  fixture.place.pids_limit = 50;
  if (fixture.host.cgroup_v2) {
    CHECK(bundle.Output(fixture,
                        "cd /sys/fs/cgroup; cat memory.max memory.low pids.max "
                        "memory.swap.max") == "67108864\n33554432\n50\n0");
    return;
  }
  CHECK(bundle.Output(fixture,
                      "cd /sys/fs/cgroup; cat cpu/cpu.shares memory/memory.limit_in_bytes "
                      "memory/memory.soft_limit_in_bytes pids/pids.max") ==
        "256\n67108864\n33554432\n50");
  if (fixture.host.can_limit_swap) {
    CHECK(bundle.Output(fixture, "cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") ==
          "67108864");
  }
}

TEST_CASE("a setting of the container's own network is set", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(
      R"({"systemControls": [{"namespace": "net.ipv4.ip_default_ttl", "value": "42"}]})");
  CHECK(bundle.Output(fixture, "cat /proc/sys/net/ipv4/ip_default_ttl") == "42");
}

TEST_CASE("a user without rights binds port 80 of the container's own network", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"user": "1000"})");
  // It goes into the background once it listens.
  CHECK(bundle.Output(fixture, "id -u && httpd -p 80 -h / && echo listening") == "1000\nlistening");
}

TEST_CASE("a privileged container has all that the agent has, and no filter", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture(R"({"privileged": true})");
  CHECK(StatusField(bundle, fixture, "Seccomp") == "0");
  CHECK(bundle.Output(fixture, "mount -t tmpfs none /mnt && echo mounted") == "mounted");
}

TEST_CASE("added capabilities come with the system calls that they govern", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture =
      bundle.MakeFixture(R"({"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}})");
  CHECK(StatusField(bundle, fixture, "Seccomp") == "2");
  CHECK(bundle.Output(fixture, "mount -t tmpfs none /mnt && echo mounted") == "mounted");
}

}  // namespace
}  // namespace davit::spec
