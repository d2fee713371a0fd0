#include "controller/change/deadlines.h"

namespace davit::controller::change {

void Deadlines::Set(const Deadline& deadline, absl::Duration when) {
  const auto [entry, is_new] = times_.try_emplace(deadline, when);
  if (!is_new) {
    // Reuses the node: the name is not copied again.
    auto node = queue_.extract({entry->second, deadline});
    node.value().first = when;
    queue_.insert(std::move(node));
    entry->second = when;
    return;
  }
  queue_.emplace(when, deadline);
}

void Deadlines::Clear(const Deadline& deadline) {
  const auto entry = times_.find(deadline);
  if (entry == times_.end()) return;
  queue_.erase({entry->second, deadline});
  times_.erase(entry);
}

std::vector<Deadline> Deadlines::TakeDue(absl::Duration now, size_t limit) {
  std::vector<Deadline> due;
  while (!queue_.empty() && queue_.begin()->first <= now && due.size() < limit) {
    due.push_back(queue_.begin()->second);
    times_.erase(due.back());
    queue_.erase(queue_.begin());
  }
  return due;
}

}  // namespace davit::controller::change
