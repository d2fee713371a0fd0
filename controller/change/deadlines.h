#ifndef DAVIT_CONTROLLER_CHANGE_DEADLINES_H_
#define DAVIT_CONTROLLER_CHANGE_DEADLINES_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace davit::controller::change {

// Something that is due at some time, unless it is put off or called off before.
struct Deadline {
  enum class Kind {
    kHello,    // of a stream that has no session yet (`name`: session id)
    kSilence,  // of the agent of a session (`name`: session id)
    kAbsence,  // of the agent of a container instance (`name`: CLUSTER/ID)
  };
  Kind kind;
  std::string name;

  bool operator==(const Deadline& other) const = default;
  auto operator<=>(const Deadline& other) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Deadline& deadline) {
    return H::combine(std::move(h), deadline.kind, deadline.name);
  }
};

// When what is due; O(log n) per call, nothing is ever scanned. Not thread-safe.
class Deadlines {
 public:
  // Each deadline is set once: a later call moves it. `when` is monotonic.
  void Set(const Deadline& deadline, absl::Duration when);
  void Clear(const Deadline& deadline);
  // Removes and returns up to `limit` that are due at `now`, the earliest first.
  std::vector<Deadline> TakeDue(absl::Duration now, size_t limit);
  size_t size() const { return times_.size(); }

 private:
  std::set<std::pair<absl::Duration, Deadline>> queue_;
  absl::flat_hash_map<Deadline, absl::Duration> times_;
};

}  // namespace davit::controller::change

#endif  // DAVIT_CONTROLLER_CHANGE_DEADLINES_H_
