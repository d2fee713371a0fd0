#include "base/http_connection_ledger.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

using State = HttpConnectionLedger::State;

TEST_CASE("the peer with the most connections gives up its oldest idle one", "[http_server]") {
  HttpConnectionLedger ledger;
  ledger.Add(1, "small");
  ledger.Add(2, "large");
  ledger.Add(3, "large");
  CHECK(ledger.FindRoomFor("new") == 2);
  ledger.Set(2, State::kReading);
  CHECK(ledger.FindRoomFor("new") == 3);
  ledger.Set(2, State::kIdle);  // it is the newest idle one now
  CHECK(ledger.FindRoomFor("new") == 3);
  ledger.Remove(3);
  CHECK(ledger.connections() == 2);
}

TEST_CASE("half-sent requests go after idle connections, and half-read answers last",
          "[http_server]") {
  HttpConnectionLedger ledger;
  for (const HttpConnectionLedger::Id id : {1, 2, 3, 4}) ledger.Add(id, "peer");
  ledger.Set(1, State::kAnswering);
  ledger.Set(2, State::kWriting);
  ledger.Set(3, State::kReading);
  CHECK(ledger.FindRoomFor("new") == 4);
  ledger.Remove(4);
  CHECK(ledger.FindRoomFor("new") == 3);
  ledger.Remove(3);
  CHECK(ledger.FindRoomFor("new") == 2);
  ledger.Remove(2);
  CHECK(ledger.FindRoomFor("new") == std::nullopt);  // a handler has it
}

TEST_CASE("a peer that holds the most takes from nobody else", "[http_server]") {
  HttpConnectionLedger ledger;
  for (const HttpConnectionLedger::Id id : {1, 2, 3}) ledger.Add(id, "large");
  ledger.Add(4, "small");
  CHECK(ledger.FindRoomFor("large") == 1);
  for (const HttpConnectionLedger::Id id : {1, 2, 3}) ledger.Set(id, State::kAnswering);
  CHECK(ledger.FindRoomFor("large") == std::nullopt);
  CHECK(ledger.FindRoomFor("new") == 4);  // both would have one
}

TEST_CASE("two peers with equal shares do not close each other's connections", "[http_server]") {
  HttpConnectionLedger ledger;
  ledger.Add(1, "a");
  ledger.Add(2, "b");
  CHECK(ledger.FindRoomFor("a") == 1);
  CHECK(ledger.FindRoomFor("b") == 2);
}

TEST_CASE("memory is freed where most of it is held", "[http_server]") {
  HttpConnectionLedger ledger;
  for (const HttpConnectionLedger::Id id : {1, 2, 3}) ledger.Add(id, "many small");
  ledger.Add(4, "one large");
  for (const HttpConnectionLedger::Id id : {1, 2, 3, 4}) ledger.Set(id, State::kReading);
  ledger.SetBytes(1, 10);
  ledger.SetBytes(4, 1000);
  CHECK(ledger.bytes() == 1010);
  CHECK(ledger.FindMemory() == 4);
  ledger.Set(4, State::kAnswering);  // its handler needs it
  CHECK(ledger.FindMemory() == 1);
  ledger.Remove(4);
  ledger.Remove(1);
  CHECK(ledger.bytes() == 0);
  CHECK(ledger.FindMemory() == std::nullopt);
}

TEST_CASE("an IPv6 host is one peer with all addresses of its network", "[http_server]") {
  CHECK(HttpConnectionLedger::PeerOf("10.0.0.1") == "10.0.0.1");
  CHECK(HttpConnectionLedger::PeerOf("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(HttpConnectionLedger::PeerOf("fe80::1%eth0") == "fe80::");
}

}  // namespace
}  // namespace davit
