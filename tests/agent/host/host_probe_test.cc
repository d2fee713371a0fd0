#include "agent/host_probe.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("the host's devices include null and exclude terminals and links", "[host]") {
  const std::map<std::string, spec::DeviceNode> devices = ScanDevices("/dev");
  REQUIRE(devices.count("/dev/null") == 1);
  const spec::DeviceNode& null = devices.at("/dev/null");
  CHECK(null.type == 'c');
  CHECK(null.major == 1);
  CHECK(null.minor == 3);
  CHECK((null.mode & 0666) == 0666);
  for (const auto& [path, node] : devices) {
    CHECK_FALSE(path.starts_with("/dev/pts/"));
    CHECK(path != "/dev/stdin");
  }
}

TEST_CASE("devices in sub-folders are found", "[host]") {
  const test::ScratchFolder scratch;
  REQUIRE(MakeDirectories(scratch.File("snd/deep")).ok());
  REQUIRE(MakeDirectories(scratch.File("pts")).ok());
  if (mknod(scratch.File("snd/deep/x").c_str(), S_IFCHR | 0640, makedev(1, 3)) != 0) {
    WARN("cannot make device nodes here");
    return;
  }
  REQUIRE(mknod(scratch.File("pts/0").c_str(), S_IFCHR | 0640, makedev(1, 3)) == 0);
  REQUIRE(symlink("snd/deep/x", scratch.File("link").c_str()) == 0);
  const std::map<std::string, spec::DeviceNode> devices = ScanDevices(scratch.path());
  REQUIRE(devices.size() == 1);
  CHECK(devices.begin()->first == scratch.File("snd/deep/x"));
  CHECK(devices.begin()->second.mode == 0640);
}

TEST_CASE("a bounding set is parsed into names", "[host]") {
  CHECK(BoundingCapabilities("Name:\tx\nCapEff:\tffff\nCapBnd:\t0000000000000401\n") ==
        Names{"CAP_CHOWN", "CAP_NET_BIND_SERVICE"});
  CHECK(BoundingCapabilities("CapBnd:\t000001ffffffffff\n").size() == 41);
  CHECK(BoundingCapabilities("CapBnd:\tzz\n").empty());
  CHECK(BoundingCapabilities("").empty());
}

TEST_CASE("without containerd the agent's own bounding set counts", "[host]") {
  const Names own = BoundingCapabilities(ReadFile("/proc/self/status").value());
  CHECK(ContainerCapabilities("/no/such/socket") == own);
  CHECK(ContainerCapabilities(std::string(500, 'x')) == own);
}

TEST_CASE("swap is limited if the kernel has a file for it", "[host]") {
  const test::ScratchFolder scratch;
  resource::CgroupMounts mounts;
  mounts.v1["memory"] = scratch.path();
  mounts.v1["cpu"] = scratch.path();
  CHECK_FALSE(CanLimitSwap(mounts));
  REQUIRE(WriteFileAtomically(scratch.File("memory.memsw.limit_in_bytes"), "1").ok());
  CHECK(CanLimitSwap(mounts));
}

}  // namespace
}  // namespace davit
