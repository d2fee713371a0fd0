#include "agent/network/fake_network.h"

#include <catch2/catch.hpp>

#include "tests/agent/network/network_contract.h"

namespace davit::network {
namespace {

TEST_CASE("the fake network passes the contract suite", "[network]") {
  FakeNetwork network;
  CheckNetworkContract(&network);
}

TEST_CASE("the fake knows the ports of the host's programs", "[network]") {
  FakeNetwork network;
  network.SimulateHostPort("tcp", 32768);
  CHECK(network.Attach("c1", NetworkMode::kBridge, {{80, 0, "tcp"}})->bindings[0].host_port ==
        32769);
  CHECK(network.Attach("c2", NetworkMode::kBridge, {{80, 32768, "tcp"}}).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("the fake fails as requested and creates nothing", "[network]") {
  FakeNetwork network;
  network.FailAttach(absl::UnavailableError("ContainerNetworkingError: no"));
  CHECK(network.Attach("c1", NetworkMode::kBridge, {}).status().code() ==
        absl::StatusCode::kUnavailable);
  CHECK(network.List()->empty());
  network.FailAttach(absl::OkStatus());
  REQUIRE(network.Attach("c1", NetworkMode::kBridge, {}).ok());
  network.FailDetach(absl::UnavailableError("ContainerNetworkingError: no"));
  CHECK(network.Detach("c1").code() == absl::StatusCode::kUnavailable);
  CHECK(network.List()->size() == 1);
}

}  // namespace
}  // namespace davit::network
