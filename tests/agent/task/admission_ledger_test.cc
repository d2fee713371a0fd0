#include "agent/task/admission_ledger.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace davit::task {
namespace {

using Verdict = AdmissionLedger::Verdict;

ResourceNeeds Memory(int mib) {
  return {.cpu = 0, .memory = mib, .tcp_ports = {}, .udp_ports = {}};
}

TEST_CASE("a task that fits is admitted, others wait and say for what", "[ledger]") {
  AdmissionLedger ledger({.cpu = 2048, .memory = 1000, .tcp_ports = {22}, .udp_ports = {}});
  CHECK(ledger.Request("a", Memory(900)).verdict == Verdict::kAdmitted);
  const auto answer = ledger.Request("b", Memory(200));
  CHECK(answer.verdict == Verdict::kWaits);
  CHECK(answer.reason == "RESOURCE:MEMORY: needs 200 MiB, 100 of 1000 MiB are free");
  CHECK(ledger.Release("a") == std::vector<std::string>{"b"});
  CHECK(ledger.Used().memory == 200);
}

TEST_CASE("a task that can never fit is refused at once", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 1000, .tcp_ports = {22}, .udp_ports = {}});
  CHECK(ledger.Request("big", Memory(1001)).verdict == Verdict::kNever);
  const auto answer =
      ledger.Request("ssh", {.cpu = 0, .memory = 1, .tcp_ports = {22}, .udp_ports = {}});
  CHECK(answer.verdict == Verdict::kNever);
  CHECK(answer.reason == "RESOURCE:PORTS: host port 22/tcp is used by another task");
}

TEST_CASE("a repeated request counts once", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 1000, .tcp_ports = {}, .udp_ports = {}});
  ledger.Request("a", Memory(600));
  CHECK(ledger.Request("a", Memory(600)).verdict == Verdict::kAdmitted);
  ledger.Request("b", Memory(600));
  CHECK(ledger.Request("b", Memory(600)).verdict == Verdict::kWaits);
  CHECK(ledger.waiting() == 1);
  CHECK(ledger.Used().memory == 600);
}

TEST_CASE("a waiting task is overtaken by tasks that fit, but not for ever", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 1000, .tcp_ports = {}, .udp_ports = {}});
  ledger.Request("holder", Memory(500));
  REQUIRE(ledger.Request("big", Memory(900)).verdict == Verdict::kWaits);
  for (int i = 0; i < AdmissionLedger::kMaxOvertakes; ++i) {
    REQUIRE(ledger.Request(absl::StrCat("small", i), Memory(1)).verdict == Verdict::kAdmitted);
  }
  const auto late = ledger.Request("late", Memory(1));
  CHECK(late.verdict == Verdict::kWaits);
  CHECK(late.reason == "waits behind task big, which waited longest");
  CHECK(ledger.Release("holder") == std::vector<std::string>{"big", "late"});
}

TEST_CASE("a port conflict ends when the owner of the port ends", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 1000, .tcp_ports = {}, .udp_ports = {}});
  const ResourceNeeds tcp{.cpu = 0, .memory = 1, .tcp_ports = {8080}, .udp_ports = {}};
  const ResourceNeeds udp{.cpu = 0, .memory = 1, .tcp_ports = {}, .udp_ports = {8080}};
  CHECK(ledger.Request("a", tcp).verdict == Verdict::kAdmitted);
  CHECK(ledger.Request("b", tcp).verdict == Verdict::kWaits);
  CHECK(ledger.Request("c", udp).verdict == Verdict::kAdmitted);
  CHECK(ledger.Release("a") == std::vector<std::string>{"b"});
}

TEST_CASE("a GPU belongs to one task, and the next one waits for it", "[ledger]") {
  AdmissionLedger ledger(
      {.cpu = 0, .memory = 0, .tcp_ports = {}, .udp_ports = {}, .gpus = {"A", "B"}});
  const auto gpus = [](std::set<std::string> ids) {
    return ResourceNeeds{
        .cpu = 0, .memory = 0, .tcp_ports = {}, .udp_ports = {}, .gpus = std::move(ids)};
  };
  CHECK(ledger.Request("a", gpus({"A"})).verdict == Verdict::kAdmitted);
  CHECK(ledger.Request("b", gpus({"B"})).verdict == Verdict::kAdmitted);
  const auto answer = ledger.Request("both", gpus({"A", "B"}));
  CHECK(answer.verdict == Verdict::kWaits);
  CHECK(answer.reason == "RESOURCE:GPU: GPU A is used by another task");
  CHECK(ledger.Release("a").empty());
  CHECK(ledger.Release("b") == std::vector<std::string>{"both"});
}

TEST_CASE("a GPU that the host lacks is refused at once by member", "[ledger]") {
  AdmissionLedger ledger({.cpu = 0, .memory = 0, .tcp_ports = {}, .udp_ports = {}});
  const auto answer =
      ledger.Request("a", {.cpu = 0, .memory = 0, .tcp_ports = {}, .udp_ports = {}, .gpus = {"A"}});
  CHECK(answer.verdict == Verdict::kNever);
  CHECK(
      answer.reason ==
      "RESOURCE:GPU: resourceRequirements: this host has no GPU A (see gpu.devices in agent.toml)");
}

TEST_CASE("tasks found on the host are counted even if they exceed it", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 100, .tcp_ports = {}, .udp_ports = {}});
  ledger.Adopt("old", Memory(200));
  CHECK(ledger.Request("old", Memory(200)).verdict == Verdict::kAdmitted);
  CHECK(ledger.Request("new", Memory(1)).verdict == Verdict::kWaits);
}

TEST_CASE("leaving the queue changes no reservation", "[ledger]") {
  AdmissionLedger ledger({.cpu = 1024, .memory = 100, .tcp_ports = {}, .udp_ports = {}});
  ledger.Request("a", Memory(100));
  ledger.Request("b", Memory(50));
  CHECK(ledger.Release("b").empty());
  CHECK(ledger.Release("a").empty());
  CHECK(ledger.Used() == ResourceNeeds{});
}

}  // namespace
}  // namespace davit::task
