// resources.h and rlimits.h: the resources that a container may use.
#include <catch2/catch.hpp>
#include <string>

#include "agent/spec/resources.h"
#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

TEST_CASE("CPU units become shares with ECS's arithmetic", "[spec]") {
  CHECK(CpuShares(0) == 2);
  CHECK(CpuShares(1) == 2);
  CHECK(CpuShares(2) == 2);
  CHECK(CpuShares(3) == 3);
  CHECK(CpuShares(1024) == 1024);
  CHECK(CpuShares(262144) == 262144);
  CHECK(CpuShares(262145) == 262144);
  CHECK(CpuShares(2147483647) == 262144);
}

TEST_CASE("an override's cpu and memory replace the definition's", "[spec]") {
  Fixture fixture(R"({"cpu": 256, "memory": 100, "memoryReservation": 50})");
  v1::ContainerOverride& own = fixture.AddOverride();
  own.set_cpu(512);
  own.set_memory(200);
  own.set_memory_reservation(150);
  const Json resources = fixture.Build()["linux"]["resources"];
  CHECK(resources["cpu"] == Json::parse(R"({"shares": 512})"));
  CHECK(resources["memory"] ==
        Json::parse(R"({"limit": 209715200, "swap": 209715200, "reservation": 157286400})"));
}

TEST_CASE("the label davit.cpu-limit is a hard quota beside the weight", "[spec]") {
  Fixture fixture(R"({"cpu": 256, "dockerLabels": {"davit.cpu-limit": "512"}})");
  CHECK(fixture.Build()["linux"]["resources"]["cpu"] ==
        Json::parse(R"({"shares": 256, "period": 100000, "quota": 50000})"));
  CHECK(Fixture(R"({"dockerLabels": {"davit.cpu-limit": "11"}})")
            .Build()["linux"]["resources"]["cpu"]["quota"] == 1074);
  fixture.place.task_cpu_units = 512;
  CHECK(fixture.Error() == "OK");
}

TEST_CASE("an invalid CPU limit is refused with its label and the correct range", "[spec]") {
  const std::string value =
      GENERATE("", "0", "-512", "10", "0.5", "512m", "1025", "99999999999999999999");
  Fixture fixture;
  (*fixture.web().mutable_docker_labels())["davit.cpu-limit"] = value;
  CHECK(fixture.Error() ==
        absl::StrCat("INVALID_ARGUMENT: container 'web': dockerLabels 'davit.cpu-limit': '", value,
                     "' is not a number of CPU units from 11 (the kernel's minimum) to 1024 "
                     "(the host's cores)"));
}

TEST_CASE("a container's CPU limit is at most its task's", "[spec]") {
  Fixture fixture(R"({"dockerLabels": {"davit.cpu-limit": "513"}})");
  fixture.place.task_cpu_units = 512;
  CHECK_THAT(fixture.Error(), Catch::Contains("to 512 (the task's cpu)"));
}

TEST_CASE("an override of another container changes nothing", "[spec]") {
  Fixture fixture(R"({"cpu": 256})");
  v1::ContainerOverride& other = fixture.AddOverride();
  other.set_name("other");
  other.set_cpu(512);
  CHECK(fixture.Build()["linux"]["resources"]["cpu"]["shares"] == 256);
}

TEST_CASE("memory, reservation and swap become limits in bytes", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [members, expected] = GENERATE(values<Case>({
      {"{}", "null"},
      {R"({"memory": 6})", R"({"limit": 6291456, "swap": 6291456})"},
      {R"({"memoryReservation": 64})", R"({"reservation": 67108864})"},
      {R"({"memory": 2147483647})", R"({"limit": 2251799812636672, "swap": 2251799812636672})"},
      {R"({"memory": 64, "linuxParameters": {"maxSwap": 0}})",
       R"({"limit": 67108864, "swap": 67108864})"},
      {R"({"memory": 64, "linuxParameters": {"maxSwap": 32, "swappiness": 10}})",
       R"({"limit": 67108864, "swap": 100663296, "swappiness": 10})"},
      // As in ECS, swappiness counts only together with maxSwap.
      {R"({"memory": 64, "linuxParameters": {"swappiness": 10}})",
       R"({"limit": 67108864, "swap": 67108864})"},
  }));
  CAPTURE(members);
  CHECK(Fixture(members).Build()["linux"]["resources"]["memory"] == Json::parse(expected));
}

TEST_CASE("swap limits are not set on a kernel that does not account for swap", "[spec]") {
  Fixture fixture(R"({"memory": 64})");
  fixture.host.can_limit_swap = false;
  CHECK(fixture.Build()["linux"]["resources"]["memory"] == Json::parse(R"({"limit": 67108864})"));
  fixture.web().mutable_linux_parameters()->set_max_swap(1);
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': linuxParameters.maxSwap: the host's kernel does not "
        "account for swap (boot it with swapaccount=1)");
}

TEST_CASE("cgroup v2 gets no swappiness, because it has none", "[spec]") {
  Fixture fixture(R"({"memory": 64, "linuxParameters": {"maxSwap": 32, "swappiness": 10}})");
  fixture.host.cgroup_v2 = true;
  CHECK_FALSE(fixture.Build()["linux"]["resources"]["memory"].contains("swappiness"));
}

TEST_CASE("the number of processes is limited if ContainerPlace has a limit", "[spec]") {
  Fixture fixture;
  CHECK_FALSE(fixture.Build()["linux"]["resources"].contains("pids"));
  fixture.place.pids_limit = 100;
  CHECK(fixture.Build()["linux"]["resources"]["pids"]["limit"] == 100);
}

TEST_CASE("an invalid limit is refused by member", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [members, message] = GENERATE(values<Case>({
      {R"({"cpu": -1})", "cpu: -1 units are below 0"},
      {R"({"memory": 5})", "memory: 5 MiB is below the minimum of 6 MiB"},
      {R"({"memoryReservation": 0})", "memoryReservation: 0 MiB is below the minimum of 6 MiB"},
      {R"({"memory": 10, "memoryReservation": 11})",
       "memoryReservation: 11 MiB is above memory, 10 MiB"},
      {R"({"linuxParameters": {"maxSwap": 1}})",
       "linuxParameters.maxSwap: requires `memory`, because it is added to that limit"},
      {R"({"memory": 10, "linuxParameters": {"maxSwap": -1}})",
       "linuxParameters.maxSwap: -1 MiB is below 0"},
      {R"({"linuxParameters": {"swappiness": 101}})",
       "linuxParameters.swappiness: 101 is not in 0..100"},
      {R"({"ulimits": [{"name": "files", "softLimit": 1, "hardLimit": 1}]})",
       "ulimits[0].name: 'files' is not one of core, cpu, data, fsize, locks, memlock, msgqueue, "
       "nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack"},
      {R"({"ulimits": [{"name": "core", "softLimit": 1}]})",
       "ulimits[0] (core): softLimit and hardLimit are required"},
      {R"({"ulimits": [{"name": "core", "softLimit": 2, "hardLimit": 1}]})",
       "ulimits[0] (core): softLimit 2 is above hardLimit 1"},
      {R"({"ulimits": [{"name": "core", "softLimit": -1, "hardLimit": 1}]})",
       "ulimits[0] (core): softLimit unlimited is above hardLimit 1"},
      {R"({"ulimits": [{"name": "core", "softLimit": -2, "hardLimit": 1}]})",
       "ulimits[0] (core).softLimit: -2 is not a limit or -1 (unlimited)"},
      {R"({"ulimits": [{"name": "core", "softLimit": 0, "hardLimit": 0},
                       {"name": "core", "softLimit": 0, "hardLimit": 0}]})",
       "ulimits[1]: core is limited twice"},
  }));
  CHECK(Fixture(members).Error() == "INVALID_ARGUMENT: container 'web': " + message);
}

TEST_CASE("ulimits become rlimits, -1 is unlimited", "[spec]") {
  const Fixture fixture(R"({"ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096},
                                        {"name": "memlock", "softLimit": 5, "hardLimit": -1}]})");
  CHECK(fixture.Build()["process"]["rlimits"] ==
        Json::parse(R"([{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096},
                        {"type": "RLIMIT_MEMLOCK", "soft": 5, "hard": 18446744073709551615}])"));
}

TEST_CASE("without CAP_SYS_RESOURCE a ulimit above the host's is refused by name", "[spec]") {
  Fixture fixture(R"({"ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20001}]})");
  fixture.host.rlimit_hard = {{"RLIMIT_NOFILE", 20000}};
  CHECK(fixture.Error() == "OK");
  fixture.host.can_raise_rlimits = false;
  CHECK(fixture.Error() ==
        "INVALID_ARGUMENT: container 'web': ulimits[0] (nofile): hardLimit 20001 is above the "
        "host's hard limit of 20000, which the agent cannot raise without CAP_SYS_RESOURCE");
  fixture.web().mutable_ulimits(0)->set_hard_limit(20000);
  CHECK(fixture.Error() == "OK");
  fixture.web().mutable_ulimits(0)->set_hard_limit(-1);
  CHECK(fixture.BuildText().status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::spec
