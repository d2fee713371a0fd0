#include "agent/network/port_ledger.h"

#include <catch2/catch.hpp>

namespace davit::network {
namespace {

// A free port from the kernel's ephemeral range.
int AnyFreePort() {
  PortLedger ledger({32768, 60999}, {});
  return ledger.Reserve("probe", {{1, 0, "tcp"}})->front().host_port;
}

TEST_CASE("a range of ports is two numbers", "[network]") {
  CHECK(ParsePortRange("32768-60999")->last == 60999);
  for (const char* text : {"", "1", "5-4", "0-9", "1-65536", "1-2-3", "a-b", "-"}) {
    CHECK(ParsePortRange(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("dynamic ports differ, stay in their range and avoid reserved ones", "[network]") {
  const int first = AnyFreePort();
  PortLedger ledger({first, std::min(first + 200, 65535)}, {first});
  std::set<int> ports;
  for (int i = 0; i < 20; ++i) {
    const auto bindings = ledger.Reserve(absl::StrCat("c", i), {{80, 0, "tcp"}});
    REQUIRE(bindings.ok());
    ports.insert(bindings->front().host_port);
  }
  CHECK(ports.size() == 20);
  CHECK(*ports.begin() > first);
}

TEST_CASE("two ledgers on one host never reserve the same port", "[network]") {
  const int port = AnyFreePort();
  PortLedger ours({32768, 60999}, {});
  PortLedger theirs({32768, 60999}, {});
  REQUIRE(ours.Reserve("c1", {{80, port, "tcp"}}).ok());
  const absl::Status refused = theirs.Reserve("c2", {{80, port, "tcp"}}).status();
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(refused.message().find("program on the host") != std::string::npos);
  ours.Release("c1");
  CHECK(theirs.Reserve("c2", {{80, port, "tcp"}}).ok());
}

TEST_CASE("a range without a free port is exhausted", "[network]") {
  const int port = AnyFreePort();
  PortLedger ledger({port, port}, {});
  REQUIRE(ledger.Reserve("c1", {{80, 0, "tcp"}}).ok());
  CHECK(ledger.Reserve("c2", {{80, 0, "tcp"}}).status().code() ==
        absl::StatusCode::kResourceExhausted);
  ledger.Release("c1");
  CHECK(ledger.Reserve("c2", {{80, 0, "tcp"}}).ok());
}

TEST_CASE("if one port is taken, none is reserved", "[network]") {
  const int port = AnyFreePort();
  PortLedger ledger({port, port}, {});
  CHECK_FALSE(ledger.Reserve("c1", {{80, port, "tcp"}, {81, 0, "tcp"}}).ok());
  CHECK(ledger.Reserve("c2", {{80, port, "tcp"}}).ok());
}

TEST_CASE("ports from before a restart are reserved again", "[network]") {
  const int port = AnyFreePort();
  PortLedger ledger({32768, 60999}, {});
  REQUIRE(ledger.Restore("c1", {{"0.0.0.0", 80, port, "tcp"}}) == absl::OkStatus());
  const absl::Status refused = ledger.Reserve("c2", {{80, port, "tcp"}}).status();
  CHECK(refused.message().find("container c1") != std::string::npos);
}

TEST_CASE("a port that a program took during a restart still belongs to the container",
          "[network]") {
  const int port = AnyFreePort();
  PortLedger program({32768, 60999}, {});
  REQUIRE(program.Reserve("program", {{80, port, "tcp"}}).ok());
  PortLedger ledger({32768, 60999}, {});
  CHECK(ledger.Restore("c1", {{"0.0.0.0", 80, port, "tcp"}}).code() ==
        absl::StatusCode::kFailedPrecondition);
  const absl::Status refused = ledger.Reserve("c2", {{80, port, "tcp"}}).status();
  CHECK(refused.message().find("container c1") != std::string::npos);
}

}  // namespace
}  // namespace davit::network
