#ifndef DAVIT_TESTS_AGENT_NETWORK_NETWORK_CONTRACT_H_
#define DAVIT_TESTS_AGENT_NETWORK_NETWORK_CONTRACT_H_

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "agent/network/network.h"

namespace davit::network {

// The contract of every Network, for use in a TEST_CASE. `network` has no attachments before and
// after.
inline void CheckNetworkContract(Network* network) {
  SECTION("attaching again returns the same") {
    const absl::StatusOr<Attachment> first = network->Attach(
        "c1", NetworkMode::kBridge, {{80, 0, "tcp"}, {80, 0, "udp"}, {53, 5353, "udp"}});
    REQUIRE(first.ok());
    CHECK_FALSE(first->namespace_path.empty());
    CHECK_FALSE(first->ip_address.empty());
    REQUIRE(first->bindings.size() == 3);
    CHECK(first->bindings[0].host_ip == "0.0.0.0");
    CHECK(first->bindings[0].container_port == 80);
    CHECK(first->bindings[0].host_port != 0);
    CHECK(first->bindings[2] == PortBinding{"0.0.0.0", 53, 5353, "udp"});
    const absl::StatusOr<Attachment> second = network->Attach("c1", NetworkMode::kBridge, {});
    REQUIRE(second.ok());
    CHECK(second->bindings == first->bindings);
    CHECK(second->ip_address == first->ip_address);
    CHECK(second->namespace_path == first->namespace_path);
  }
  SECTION("two containers with the same port get different host ports and addresses") {
    const absl::StatusOr<Attachment> first =
        network->Attach("c1", NetworkMode::kBridge, {{80, 0, "tcp"}});
    const absl::StatusOr<Attachment> second =
        network->Attach("c2", NetworkMode::kBridge, {{80, 0, "tcp"}});
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(first->bindings[0].host_port != second->bindings[0].host_port);
    CHECK(first->ip_address != second->ip_address);
    CHECK(first->namespace_path != second->namespace_path);
  }
  SECTION("a taken host port is refused by name of port and holder, and leaves nothing") {
    REQUIRE(network->Attach("c1", NetworkMode::kBridge, {{80, 34567, "tcp"}}).ok());
    const absl::Status refused =
        network->Attach("c2", NetworkMode::kBridge, {{80, 0, "tcp"}, {80, 34567, "tcp"}}).status();
    CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StartsWith(refused.message(), "CannotStartContainerError: "));
    CHECK(absl::StrContains(refused.message(), "34567/tcp"));
    CHECK(absl::StrContains(refused.message(), "c1"));
    CHECK(*network->List() == std::vector<std::string>{"c1"});
    REQUIRE(network->Detach("c1") == absl::OkStatus());
    CHECK(network->Attach("c2", NetworkMode::kBridge, {{80, 34567, "tcp"}}).ok());
  }
  SECTION("tcp and udp have ports of their own") {
    REQUIRE(network->Attach("c1", NetworkMode::kBridge, {{80, 34567, "tcp"}}).ok());
    CHECK(network->Attach("c2", NetworkMode::kBridge, {{80, 34567, "udp"}}).ok());
  }
  SECTION("what cannot be is an invalid argument") {
    const auto code = [network](NetworkMode mode, const std::vector<PortRequest>& ports) {
      return network->Attach("c1", mode, ports).status().code();
    };
    CHECK(code(NetworkMode::kBridge, {{80, 34567, "tcp"}, {81, 34567, "tcp"}}) ==
          absl::StatusCode::kInvalidArgument);
    CHECK(code(NetworkMode::kBridge, {{80, 0, "sctp"}}) == absl::StatusCode::kInvalidArgument);
    CHECK(code(NetworkMode::kNone, {{80, 0, "tcp"}}) == absl::StatusCode::kInvalidArgument);
    CHECK(network->Attach("", NetworkMode::kNone, {}).status().code() ==
          absl::StatusCode::kInvalidArgument);
    CHECK(network->List()->empty());
  }
  SECTION("a container without network has a namespace and no address") {
    const absl::StatusOr<Attachment> attachment = network->Attach("c1", NetworkMode::kNone, {});
    REQUIRE(attachment.ok());
    CHECK_FALSE(attachment->namespace_path.empty());
    CHECK(attachment->ip_address.empty());
    CHECK(attachment->bindings.empty());
  }
  SECTION("detaching twice succeeds, and so does detaching what never was") {
    REQUIRE(network->Attach("c1", NetworkMode::kBridge, {{80, 0, "tcp"}}).ok());
    CHECK(network->Detach("c1") == absl::OkStatus());
    CHECK(network->Detach("c1") == absl::OkStatus());
    CHECK(network->Detach("never") == absl::OkStatus());
    CHECK(network->List()->empty());
  }
  const std::vector<std::string> left = *network->List();
  for (const std::string& id : left) CHECK(network->Detach(id) == absl::OkStatus());
}

}  // namespace davit::network

#endif  // DAVIT_TESTS_AGENT_NETWORK_NETWORK_CONTRACT_H_
