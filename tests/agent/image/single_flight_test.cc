#include "agent/image/single_flight.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace davit::image {
namespace {

// A job that waits until it is released or cancelled.
struct Gate {
  std::atomic<int> started{0};
  std::atomic<bool> is_open{false};
  absl::StatusOr<int> Pass(const CancelCheck& is_cancelled) {
    ++started;
    while (!is_open) {
      if (is_cancelled()) return absl::CancelledError("told to stop");
      std::this_thread::yield();
    }
    return 42;
  }
};

TEST_CASE("several callers share one job and its result", "[single_flight]") {
  ThreadPool pool("test", 2);
  SingleFlight<int> flights(&pool);
  Gate gate;
  const auto job = [&](const CancelCheck& c) { return gate.Pass(c); };
  auto first = flights.Join("a", job);
  auto second = flights.Join("a", job);
  gate.is_open = true;
  CHECK(*first.Wait(nullptr) == 42);
  CHECK(*second.Wait(nullptr) == 42);
  CHECK(gate.started == 1);
}

TEST_CASE("jobs with other names run in parallel", "[single_flight]") {
  ThreadPool pool("test", 2);
  SingleFlight<int> flights(&pool);
  Gate gate;
  auto waiting = flights.Join("a", [&](const CancelCheck& c) { return gate.Pass(c); });
  auto quick = flights.Join("b", [](const CancelCheck&) { return 7; });
  CHECK(*quick.Wait(nullptr) == 7);
  gate.is_open = true;
  CHECK(*waiting.Wait(nullptr) == 42);
}

TEST_CASE("a caller that leaves does not stop the job of the others", "[single_flight]") {
  ThreadPool pool("test", 1);
  SingleFlight<int> flights(&pool);
  Gate gate;
  const auto job = [&](const CancelCheck& c) { return gate.Pass(c); };
  auto stays = flights.Join("a", job);
  {
    auto leaves = flights.Join("a", job);
    CHECK(leaves.Wait([] { return true; }).status().code() == absl::StatusCode::kCancelled);
  }
  gate.is_open = true;
  CHECK(*stays.Wait(nullptr) == 42);
}

TEST_CASE("a job without callers is cancelled, and nobody joins it any more", "[single_flight]") {
  Gate abandoned;
  Gate fresh;
  ThreadPool pool("test", 1);
  SingleFlight<int> flights(&pool);
  {
    auto leaves = flights.Join("a", [&](const CancelCheck& c) { return abandoned.Pass(c); });
    while (abandoned.started == 0) std::this_thread::yield();
  }
  fresh.is_open = true;
  auto next = flights.Join("a", [&](const CancelCheck& c) { return fresh.Pass(c); });
  CHECK(*next.Wait(nullptr) == 42);
  CHECK(fresh.started == 1);
}

TEST_CASE("a failure goes to all callers and is not remembered", "[single_flight]") {
  ThreadPool pool("test", 1);
  SingleFlight<int> flights(&pool);
  CHECK(flights.Join("a", [](const CancelCheck&) { return absl::NotFoundError("no"); })
            .Wait(nullptr)
            .status() == absl::NotFoundError("no"));
  CHECK(*flights.Join("a", [](const CancelCheck&) { return 1; }).Wait(nullptr) == 1);
}

TEST_CASE("callers get an answer even if the executor is stopped", "[single_flight]") {
  ThreadPool pool("test", 1);
  SingleFlight<int> flights(&pool);
  pool.Stop();
  auto ticket = flights.Join("a", [](const CancelCheck&) { return 1; });
  CHECK(ticket.Wait(nullptr).status().code() == absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace davit::image
