#include "controller/placement/placement.h"

#include <catch2/catch.hpp>

namespace davit::placement {
namespace {

using capacity::Host;
using capacity::PlacementAnswer;
using capacity::PlacementRequest;

Host MakeHost(const std::string& arn, int64_t memory_mib) {
  Host host;
  host.arn = arn;
  host.is_connected = true;
  host.cpu_units = host.free_cpu_units = 1024;
  host.memory_mib = host.free_memory_mib = memory_mib;
  return host;
}

PlacementAnswer PlaceOn(const std::vector<Host>& hosts, const PlacementRequest& request) {
  std::vector<const Host*> pointers;
  for (const Host& host : hosts) pointers.push_back(&host);
  return Place(pointers, request);
}

PlacementRequest Needs(int64_t memory_mib, int count = 1) {
  PlacementRequest request;
  request.needs.memory_mib = memory_mib;
  request.count = count;
  return request;
}

TEST_CASE("a task goes to the host with the most free memory", "[placement]") {
  CHECK(PlaceOn({MakeHost("a", 100), MakeHost("b", 300), MakeHost("c", 200)}, Needs(50)).chosen ==
        std::vector<size_t>{1});
}

TEST_CASE("equal hosts are told apart by fewest tasks, then by ARN", "[placement]") {
  Host busy = MakeHost("a", 100);
  busy.task_count = 1;
  CHECK(PlaceOn({busy, MakeHost("c", 100), MakeHost("b", 100)}, Needs(50)).chosen ==
        std::vector<size_t>{2});
}

TEST_CASE("tasks of one request see what the ones before them took", "[placement]") {
  const PlacementAnswer answer = PlaceOn({MakeHost("a", 300), MakeHost("b", 200)}, Needs(100, 4));
  // Free memory 300/200, 200/200 (b has fewer tasks), 200/100, 100/100 (b again).
  CHECK(answer.chosen == std::vector<size_t>{0, 1, 0, 1});
  CHECK(answer.failures.empty());
}

TEST_CASE("what does not fit is explained for every host, after the tasks of the same request",
          "[placement]") {
  const PlacementAnswer answer = PlaceOn({MakeHost("a", 250), MakeHost("b", 50)}, Needs(100, 3));
  CHECK(answer.chosen == std::vector<size_t>{0, 0});
  REQUIRE(answer.failures.size() == 2);
  CHECK(answer.failures[0].arn() == "a");
  CHECK(answer.failures[0].reason() == "RESOURCE:MEMORY");
  CHECK(answer.failures[0].detail() == "needs 100 MiB of memory, has 50 of 250 left");
  CHECK(answer.failures[1].detail() == "needs 100 MiB of memory, has 50 of 50 left");
}

TEST_CASE("every kind of refusal has ECS's reason and words of its own", "[placement]") {
  Host host = MakeHost("a", 100);
  PlacementRequest request = Needs(50);
  std::string reason;
  std::string detail;
  SECTION("agent") {
    host.is_connected = false;
    reason = "AGENT";
    detail = "the agent is not connected, or its container runtime is not available";
  }
  SECTION("draining") {
    host.is_active = false;
    reason = "AGENT";
    detail = "the container instance is not ACTIVE";
  }
  SECTION("cpu") {
    request.needs.cpu_units = 2000;
    reason = "RESOURCE:CPU";
    detail = "needs 2000 CPU units, has 1024 of 1024 left";
  }
  SECTION("tcp ports") {
    host.tcp_ports = {22, 80, 443};
    request.needs.tcp_ports = {80, 443, 8080};
    reason = "RESOURCE:PORTS";
    detail = "already in use: TCP port 80, 443";
  }
  SECTION("udp ports") {
    host.udp_ports = {53};
    request.needs.udp_ports = {53};
    reason = "RESOURCE:PORTS_UDP";
    detail = "already in use: UDP port 53";
  }
  SECTION("gpus") {
    host.gpus = {"A", "B", "C"};
    host.taken_gpus = {"A", "C"};
    request.needs.gpus = 2;
    reason = "RESOURCE:GPU";
    detail = "needs 2 GPUs, has 1 of 3 left";
  }
  SECTION("a host without GPUs") {
    request.needs.gpus = 1;
    reason = "RESOURCE:GPU";
    detail = "needs 1 GPU, has 0 of 0 left";
  }
  SECTION("attributes") {
    host.attributes["gpu"] = "no";
    request.required_attributes = {"gpu", "ssd"};
    reason = "ATTRIBUTE";
    detail = "lacks ssd";
  }
  const PlacementAnswer answer = PlaceOn({host}, request);
  CHECK(answer.chosen.empty());
  REQUIRE(answer.failures.size() == 1);
  CHECK(answer.failures[0].reason() == reason);
  CHECK(answer.failures[0].detail() == detail);
}

TEST_CASE("capabilities are asked only of agents that state any", "[placement]") {
  PlacementRequest request = Needs(50);
  request.required_attributes = {"ecs.capability.container-ordering"};
  Host silent = MakeHost("a", 100);
  CHECK(WhyNot(silent, request) == std::nullopt);
  silent.states_capabilities = true;
  REQUIRE(WhyNot(silent, request).has_value());
  CHECK(WhyNot(silent, request)->reason() == "ATTRIBUTE");
}

TEST_CASE("a static port allows one task per host", "[placement]") {
  PlacementRequest request = Needs(10, 3);
  request.needs.tcp_ports = {80};
  const PlacementAnswer answer = PlaceOn({MakeHost("a", 1000), MakeHost("b", 500)}, request);
  CHECK(answer.chosen == std::vector<size_t>{0, 1});
  REQUIRE(answer.failures.size() == 2);
  CHECK(answer.failures[0].reason() == "RESOURCE:PORTS");
}

TEST_CASE("tasks of one request do not share GPUs", "[placement]") {
  PlacementRequest request = Needs(10, 5);
  request.needs.gpus = 2;
  Host four = MakeHost("a", 1000);
  four.gpus = {"A", "B", "C", "D"};
  Host two = MakeHost("b", 500);
  two.gpus = {"A", "B", "C"};
  two.taken_gpus = {"B"};
  const PlacementAnswer answer = PlaceOn({four, two}, request);
  CHECK(answer.chosen == std::vector<size_t>{0, 0, 1});
  REQUIRE(answer.failures.size() == 2);
  CHECK(answer.failures[0].detail() == "needs 2 GPUs, has 0 of 4 left");
}

TEST_CASE("without hosts there is neither a choice nor a failure", "[placement]") {
  const PlacementAnswer answer = PlaceOn({}, Needs(10));
  CHECK(answer.chosen.empty());
  CHECK(answer.failures.empty());
}

}  // namespace
}  // namespace davit::placement
