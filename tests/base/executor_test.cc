#include "base/executor.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"

namespace davit {
namespace {

TEST_CASE("a pool runs all posted work before it is destroyed", "[executor]") {
  std::atomic<int> ran{0};
  {
    ThreadPool pool("test", 3);
    for (int i = 0; i < 1000; ++i) pool.Post([&] { ++ran; });
  }
  CHECK(ran == 1000);
}

TEST_CASE("a pool of n threads runs n work items at a time", "[executor]") {
  ThreadPool pool("test", 2);
  absl::Notification met;
  std::atomic<int> inside{0};
  for (int i = 0; i < 2; ++i) {
    pool.Post([&] {
      if (++inside == 2) met.Notify();
      met.WaitForNotification();  // returns only if the other one runs too
    });
  }
  pool.Stop();
  CHECK(inside == 2);
}

TEST_CASE("a pool has no threads before there is work", "[executor]") {
  const auto threads = [] {
    const std::filesystem::directory_iterator entries("/proc/self/task");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = threads();
  ThreadPool pool("test", 8);
  CHECK(threads() == before);
}

TEST_CASE("work posted after Stop is destroyed without running", "[executor]") {
  ThreadPool pool("test", 1);
  pool.Stop();
  pool.Stop();
  auto token = std::make_shared<int>(0);
  pool.Post([token] { ++*token; });
  CHECK(token.use_count() == 1);
  CHECK(*token == 0);
}

TEST_CASE("work posted by running work runs even while the pool stops", "[executor]") {
  std::vector<int> order;
  ThreadPool pool("test", 1);
  absl::Notification go;
  Serial serial(&pool);
  for (int i = 0; i < 100; ++i) {
    serial.Post([&, i] {
      if (i == 0) go.WaitForNotification();
      order.push_back(i);
    });
  }
  go.Notify();
  pool.Stop();
  REQUIRE(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("the depth counts waiting work, not running work", "[executor]") {
  ThreadPool pool("test", 1);
  absl::Notification started;
  absl::Notification go;
  pool.Post([&] {
    started.Notify();
    go.WaitForNotification();
  });
  started.WaitForNotification();
  CHECK(pool.Depth() == 0);
  pool.Post([] {});
  pool.Post([] {});
  CHECK(pool.Depth() == 2);
  go.Notify();
}

TEST_CASE("a serial runs one work item at a time, in the order of posting", "[executor]") {
  std::vector<int> order;  // no lock: that is the point
  std::atomic<int> inside{0};
  bool overlapped = false;
  {
    ThreadPool pool("test", 4);
    Serial serial(&pool);
    for (int i = 0; i < 2000; ++i) {
      serial.Post([&, i] {
        if (++inside != 1) overlapped = true;
        order.push_back(i);
        --inside;
      });
    }
  }
  CHECK_FALSE(overlapped);
  REQUIRE(order.size() == 2000);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("two serials do not wait for each other", "[executor]") {
  ThreadPool pool("test", 2);
  Serial first(&pool);
  Serial second(&pool);
  absl::Notification go;
  absl::Notification done;
  first.Post([&] { go.WaitForNotification(); });
  second.Post([&] { done.Notify(); });
  done.WaitForNotification();
  go.Notify();
}

TEST_CASE("a busy serial yields its thread to others between two work items", "[executor]") {
  std::vector<char> order;
  ThreadPool pool("test", 1);
  Serial busy(&pool);
  Serial other(&pool);
  absl::Notification go;
  busy.Post([&] { go.WaitForNotification(); });
  for (int i = 0; i < 3; ++i) busy.Post([&] { order.push_back('b'); });
  other.Post([&] { order.push_back('o'); });
  go.Notify();
  pool.Stop();
  CHECK(order == std::vector<char>{'o', 'b', 'b', 'b'});
}

TEST_CASE("a destroyed serial still runs its queued work", "[executor]") {
  std::vector<int> order;
  ThreadPool pool("test", 2);
  absl::Notification go;
  auto serial = std::make_unique<Serial>(&pool);
  serial->Post([&] { go.WaitForNotification(); });
  for (int i = 0; i < 10; ++i) serial->Post([&, i] { order.push_back(i); });
  serial = nullptr;
  go.Notify();
  pool.Stop();
  CHECK(order.size() == 10);
}

TEST_CASE("a work item is destroyed before the next one starts", "[executor]") {
  ThreadPool pool("test", 2);
  Serial serial(&pool);
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = token;
  bool released = false;
  serial.Post([token = std::move(token)] { ++*token; });
  serial.Post([&] { released = watched.expired(); });
  pool.Stop();
  CHECK(released);
}

TEST_CASE("work may post to its own serial", "[executor]") {
  int rounds = 0;
  ThreadPool pool("test", 2);
  Serial serial(&pool);
  absl::Notification done;
  std::function<void()> again = [&] {
    if (++rounds == 100) return done.Notify();
    serial.Post(again);
  };
  serial.Post(again);
  done.WaitForNotification();
  CHECK(rounds == 100);
}

}  // namespace
}  // namespace davit
