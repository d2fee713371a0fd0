#ifndef DAVIT_CONTROLLER_CAPACITY_HOST_INDEX_H_
#define DAVIT_CONTROLLER_CAPACITY_HOST_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "controller/capacity/host.h"

namespace davit::controller::capacity {

// Hosts in the order in which tasks are placed on them, so that the best one is found without
// looking at all: hosts of equal traits are kept in buckets by their free memory and cpu, whose
// bounds grow by a quarter of a power of two. Borrows the hosts. Not thread-safe.
//
// A host must not change while it is inside: Erase(), change, Insert().
class HostIndex {
 public:
  // Only hosts that are active and connected take tasks; others are ignored.
  void Insert(const Host* host);
  // Nothing happens if it is not inside.
  void Erase(const Host* host);
  size_t size() const { return size_; }

  using Accepts = absl::FunctionRef<bool(const Traits&)>;
  // False: no more hosts are wanted.
  using Visitor = absl::FunctionRef<bool(const Host&)>;
  // Visits the hosts of accepted traits, the best first: most free memory, then fewest tasks, then
  // ARN. Leaves out most of those that have less free than the two minima; the visitor must check.
  // O(traits + log(hosts)) until the first visit, O(log(hosts)) for each further one.
  void Visit(int64_t min_cpu_units, int64_t min_memory_mib, Accepts accepts, Visitor visitor) const;

 private:
  struct IsBetter {
    bool operator()(const Host* a, const Host* b) const;
  };
  using Bucket = absl::btree_set<const Host*, IsBetter>;
  struct Level {
    int memory;
    int cpu;
    // The most memory first.
    bool operator<(const Level& other) const {
      return std::pair(other.memory, cpu) < std::pair(memory, other.cpu);
    }
  };
  using Buckets = absl::btree_map<Level, Bucket>;

  absl::flat_hash_map<const Traits*, Buckets> by_traits_;
  size_t size_ = 0;
};

}  // namespace davit::controller::capacity

#endif  // DAVIT_CONTROLLER_CAPACITY_HOST_INDEX_H_
