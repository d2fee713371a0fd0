#include "controller/placement/placement.h"

#include <catch2/catch.hpp>

namespace davit::controller::placement {
namespace {

using capacity::Host;
using capacity::Traits;

Host MakeHost(const std::string& arn, int64_t memory_mib) {
  Host host;
  host.arn = arn;
  host.is_connected = true;
  host.cpu_units = host.free_cpu_units = 1024;
  host.memory_mib = host.free_memory_mib = memory_mib;
  return host;
}

Reservation Memory(int64_t mib) {
  Reservation needs;
  needs.memory_mib = mib;
  return needs;
}

// The ARN of the chosen host; empty: none.
std::string ChooseFrom(const std::vector<Host>& hosts, const Request& request) {
  capacity::HostIndex index;
  for (const Host& host : hosts) index.Insert(&host);
  const Host* chosen = Choose(index, request);
  return chosen == nullptr ? "" : chosen->arn;
}

TEST_CASE("a task goes to the host with the most free memory", "[placement]") {
  const Reservation needs = Memory(50);
  CHECK(ChooseFrom({MakeHost("a", 100), MakeHost("b", 300), MakeHost("c", 200)}, {&needs}) == "b");
}

TEST_CASE("equal hosts are told apart by fewest tasks, then by ARN", "[placement]") {
  const Reservation needs = Memory(50);
  Host busy = MakeHost("a", 100);
  busy.task_count = 1;
  CHECK(ChooseFrom({busy, MakeHost("c", 100), MakeHost("b", 100)}, {&needs}) == "b");
}

TEST_CASE("the best host that does not fit is passed over", "[placement]") {
  Reservation needs = Memory(50);
  needs.tcp_ports = {80};
  needs.gpus = 1;
  Host taken = MakeHost("a", 900);
  taken.gpus = {"A"};
  taken.taken_tcp_ports = {80};
  Host right = MakeHost("c", 100);
  right.gpus = {"A"};
  CHECK(ChooseFrom({taken, MakeHost("b", 500), right}, {&needs}) == "c");
}

TEST_CASE("every kind of refusal has ECS's reason and words of its own", "[placement]") {
  Host host = MakeHost("a", 100);
  Reservation needs = Memory(50);
  Request request{&needs};
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
    needs.cpu_units = 2000;
    reason = "RESOURCE:CPU";
    detail = "needs 2000 CPU units, has 1024 of 1024 left";
  }
  SECTION("tcp ports") {
    host.taken_tcp_ports = {22, 80, 443};
    needs.tcp_ports = {80, 443, 8080};
    reason = "RESOURCE:PORTS";
    detail = "already in use: TCP port 80, 443";
  }
  SECTION("udp ports") {
    host.taken_udp_ports = {53};
    needs.udp_ports = {53};
    reason = "RESOURCE:PORTS_UDP";
    detail = "already in use: UDP port 53";
  }
  SECTION("gpus") {
    host.gpus = {"A", "B", "C"};
    host.taken_gpus = {"A", "C"};
    needs.gpus = 2;
    reason = "RESOURCE:GPU";
    detail = "needs 2 GPUs, has 1 of 3 left";
  }
  SECTION("a host without GPUs") {
    needs.gpus = 1;
    reason = "RESOURCE:GPU";
    detail = "needs 1 GPU, has 0 of 0 left";
  }
  SECTION("attributes") {
    Traits traits;
    traits.attributes["gpu"] = "no";
    host.traits = std::make_shared<const Traits>(traits);
    request.required_attributes = {"gpu", "ssd"};
    reason = "ATTRIBUTE";
    detail = "lacks ssd";
  }
  CHECK(ChooseFrom({host}, request).empty());
  const auto failure = WhyNot(host, request);
  REQUIRE(failure.has_value());
  CHECK(failure->arn() == "a");
  CHECK(failure->reason() == reason);
  CHECK(failure->detail() == detail);
}

TEST_CASE("capabilities are asked only of agents that state any", "[placement]") {
  Reservation needs = Memory(50);
  Request request{&needs};
  request.required_attributes = {"ecs.capability.container-ordering"};
  Host silent = MakeHost("a", 100);
  CHECK(WhyNot(silent, request) == std::nullopt);
  Traits traits;
  traits.states_capabilities = true;
  silent.traits = std::make_shared<const Traits>(traits);
  REQUIRE(WhyNot(silent, request).has_value());
  CHECK(WhyNot(silent, request)->reason() == "ATTRIBUTE");
}

TEST_CASE("without hosts there is no choice", "[placement]") {
  const Reservation needs = Memory(10);
  CHECK(ChooseFrom({}, {&needs}).empty());
}

}  // namespace
}  // namespace davit::controller::placement
