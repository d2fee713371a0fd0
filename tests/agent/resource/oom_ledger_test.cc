#include "agent/resource/oom_ledger.h"

#include <catch2/catch.hpp>

namespace davit::resource {
namespace {

TEST_CASE("a task keeps the OOM kills of a container whose cgroup is gone", "[resource]") {
  OomLedger ledger;
  ledger.Observe("/d/t1", {{"/d/t1", 0}, {"/d/t1/web", 3}});
  CHECK(ledger.Total("/d/t1") == 3);
  ledger.Observe("/d/t1", {{"/d/t1", 0}});
  CHECK(ledger.Total("/d/t1") == 3);
}

TEST_CASE("an OOM kill of an earlier life counts for the task, not for the restarted container",
          "[resource]") {
  OomLedger ledger;
  ledger.Observe("/d/t1/web", {{"/d/t1/web", 2}});
  ledger.Observe("/d/t1/web", {{"/d/t1/web", 0}});
  CHECK(ledger.Total("/d/t1/web") == 0);
  CHECK(ledger.Total("/d/t1") == 2);
  ledger.Observe("/d/t1/web", {{"/d/t1/web", 1}});
  CHECK(ledger.Total("/d/t1/web") == 1);
  CHECK(ledger.Total("/d/t1") == 3);
}

TEST_CASE("tasks do not share OOM kills, even if one name is a prefix of the other", "[resource]") {
  OomLedger ledger;
  ledger.Observe("/d/t1", {{"/d/t1/web", 1}});
  ledger.Observe("/d/t11", {{"/d/t11/web", 5}});
  CHECK(ledger.Total("/d/t1") == 1);
  ledger.Forget("/d/t1");
  CHECK(ledger.Total("/d/t1") == 0);
  CHECK(ledger.Total("/d/t11") == 5);
}

}  // namespace
}  // namespace davit::resource
