#include "controller/capacity/host_index.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <random>

namespace davit::controller::capacity {
namespace {

bool Any(const Traits& /*traits*/) { return true; }

std::vector<std::string> Visited(const HostIndex& index, int64_t cpu, int64_t memory,
                                 HostIndex::Accepts accepts = Any) {
  std::vector<std::string> arns;
  index.Visit(cpu, memory, accepts, [&](const Host& host) {
    if (host.free_cpu_units >= cpu && host.free_memory_mib >= memory) arns.push_back(host.arn);
    return true;
  });
  return arns;
}

Host MakeHost(const std::string& arn, int64_t cpu, int64_t memory) {
  Host host;
  host.arn = arn;
  host.is_connected = true;
  host.free_cpu_units = cpu;
  host.free_memory_mib = memory;
  return host;
}

TEST_CASE("hosts come in the order of placement, whatever changed before", "[index]") {
  std::mt19937 random(GENERATE(1U, 2U, 3U));
  const std::vector<std::shared_ptr<const Traits>> traits = {std::make_shared<Traits>(),
                                                             std::make_shared<Traits>()};
  std::deque<Host> hosts;
  HostIndex index;
  for (int i = 0; i < 200; ++i) {
    hosts.push_back(MakeHost(std::to_string(i), random() % 4000, random() % 9000));
    hosts.back().traits = traits[random() % 2];
    index.Insert(&hosts.back());
  }
  for (int step = 0; step < 300; ++step) {
    Host& host = hosts[random() % hosts.size()];
    index.Erase(&host);
    host.free_cpu_units = static_cast<int64_t>(random() % 4000);
    host.free_memory_mib = static_cast<int64_t>(random() % 9000) - 10;
    host.task_count = static_cast<int>(random() % 3);
    host.is_connected = random() % 8 != 0;
    index.Insert(&host);
    if (step % 10 != 0) continue;
    const auto cpu = static_cast<int64_t>(random() % 4000);
    const auto memory = static_cast<int64_t>(random() % 9000);
    std::vector<const Host*> fitting;
    for (const Host& one : hosts) {
      if (one.is_connected && one.free_cpu_units >= cpu && one.free_memory_mib >= memory)
        fitting.push_back(&one);
    }
    std::sort(fitting.begin(), fitting.end(), [](const Host* a, const Host* b) {
      return std::tie(b->free_memory_mib, a->task_count, a->arn) <
             std::tie(a->free_memory_mib, b->task_count, b->arn);
    });
    std::vector<std::string> expected;
    for (const Host* one : fitting) expected.push_back(one->arn);
    REQUIRE(Visited(index, cpu, memory) == expected);
  }
}

TEST_CASE("few hosts are visited, however many are too small", "[index]") {
  std::deque<Host> hosts;
  HostIndex index;
  for (int i = 0; i < 5000; ++i) {
    hosts.push_back(MakeHost(std::to_string(i), i % 2 == 0 ? 10 : 5000, i % 2 == 0 ? 5000 : 10));
    index.Insert(&hosts.back());
  }
  int visits = 0;
  index.Visit(1000, 1000, Any, [&](const Host&) {
    ++visits;
    return true;
  });
  CHECK(visits == 0);
}

TEST_CASE("only hosts of accepted traits are visited", "[index]") {
  TraitsPool pool;
  v1::ContainerInstance ssd;
  ssd.add_attributes()->set_name("ssd");
  Host a = MakeHost("a", 1, 1);
  Host b = MakeHost("b", 1, 1);
  b.traits = pool.Intern(ssd.attributes());
  CHECK(pool.Intern(ssd.attributes()) == b.traits);
  HostIndex index;
  index.Insert(&a);
  index.Insert(&b);
  const auto has_ssd = [](const Traits& traits) { return traits.attributes.count("ssd") > 0; };
  CHECK(Visited(index, 0, 0, has_ssd) == std::vector<std::string>{"b"});
  index.Erase(&b);
  CHECK(Visited(index, 0, 0, has_ssd).empty());
  CHECK(index.size() == 1);
}

}  // namespace
}  // namespace davit::controller::capacity
