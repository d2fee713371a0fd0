#include "controller/capacity/host_index.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>
#include <vector>

namespace davit::controller::capacity {
namespace {

// Four levels for each power of two: a number of a higher level is always greater.
int LevelOf(int64_t amount) {
  if (amount <= 0) return 0;
  const auto bits = static_cast<uint64_t>(amount);
  const int power = static_cast<int>(std::bit_width(bits)) - 1;
  const auto quarter =
      static_cast<int>((power >= 2 ? bits >> (power - 2) : bits << (2 - power)) & 3);
  return 1 + 4 * power + quarter;
}

bool TakesTasks(const Host& host) { return host.is_active && host.is_connected; }

// A bucket that is being read, the best host not yet visited first.
template <typename Iterator>
struct Reading {
  Iterator next;
  Iterator end;
};

}  // namespace

bool HostIndex::IsBetter::operator()(const Host* a, const Host* b) const {
  return std::tie(b->free_memory_mib, a->task_count, a->arn) <
         std::tie(a->free_memory_mib, b->task_count, b->arn);
}

void HostIndex::Insert(const Host* host) {
  if (!TakesTasks(*host)) return;
  const Level level{LevelOf(host->free_memory_mib), LevelOf(host->free_cpu_units)};
  size_ += by_traits_[host->traits.get()][level].insert(host).second ? 1 : 0;
}

void HostIndex::Erase(const Host* host) {
  const auto buckets = by_traits_.find(host->traits.get());
  if (buckets == by_traits_.end()) return;
  const Level level{LevelOf(host->free_memory_mib), LevelOf(host->free_cpu_units)};
  const auto bucket = buckets->second.find(level);
  if (bucket == buckets->second.end() || bucket->second.erase(host) == 0) return;
  --size_;
  if (!bucket->second.empty()) return;
  buckets->second.erase(bucket);
  if (buckets->second.empty()) by_traits_.erase(buckets);
}

void HostIndex::Visit(int64_t min_cpu_units, int64_t min_memory_mib, Accepts accepts,
                      Visitor visitor) const {
  const int min_memory = LevelOf(min_memory_mib);
  const int min_cpu = LevelOf(min_cpu_units);
  std::vector<Reading<Buckets::const_iterator>> rows;
  for (const auto& [traits, buckets] : by_traits_) {
    if (accepts(*traits)) rows.push_back({buckets.begin(), buckets.end()});
  }
  // Level by level of memory; within one, the hosts of all its buckets are merged.
  while (true) {
    int memory = std::numeric_limits<int>::min();
    for (const auto& row : rows) {
      if (row.next != row.end) memory = std::max(memory, row.next->first.memory);
    }
    if (memory < min_memory) return;
    std::vector<Reading<Bucket::const_iterator>> heap;
    for (auto& row : rows) {
      for (; row.next != row.end && row.next->first.memory == memory; ++row.next) {
        if (row.next->first.cpu >= min_cpu)
          heap.push_back({row.next->second.begin(), row.next->second.end()});
      }
    }
    const auto is_worse = [](const auto& a, const auto& b) { return IsBetter()(*b.next, *a.next); };
    std::make_heap(heap.begin(), heap.end(), is_worse);
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), is_worse);
      auto& best = heap.back();
      if (!visitor(**best.next)) return;
      if (++best.next == best.end) {
        heap.pop_back();
      } else {
        std::push_heap(heap.begin(), heap.end(), is_worse);
      }
    }
  }
}

}  // namespace davit::controller::capacity
