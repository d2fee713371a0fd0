#include "controller/store/memory_store.h"

namespace davit::controller::store {

absl::StatusOr<rows::Rows> MemoryStore::LoadAll() {
  if (!failure_.ok()) return failure_;
  has_failed_ = false;
  return rows::Rows(rows_.begin(), rows_.end());
}

void MemoryStore::Commit(std::vector<CommandRows> commands, Fence fence, Done done) {
  if (is_holding_) {
    waiting_.push_back({std::move(commands), std::move(fence), std::move(done)});
    return;
  }
  absl::Status status = Write(commands, fence);
  has_failed_ = has_failed_ || !status.ok();
  if (status.ok() && watcher_) watcher_(commands);
  done(std::move(status));
}

bool MemoryStore::ReleaseOne() {
  if (waiting_.empty()) return false;
  Waiting one = std::move(waiting_.front());
  waiting_.pop_front();
  const bool was_holding = std::exchange(is_holding_, false);
  Commit(std::move(one.commands), std::move(one.fence), std::move(one.done));
  is_holding_ = was_holding;
  return true;
}

absl::Status MemoryStore::Write(const std::vector<CommandRows>& commands, const Fence& fence) {
  if (!failure_.ok()) return failure_;
  if (has_failed_) return absl::UnavailableError("an earlier commit failed");
  const auto row = rows_.find(fence.key);
  const bool holds = row == rows_.end() ? !fence.value : fence.value == row->second;
  if (!holds) return absl::FailedPreconditionError("another controller writes to this store");
  ++commits_;
  for (const rows::Mutation* mutation : LastOfEachKey(commands)) {
    if (std::optional<std::string> value = rows::Encode(*mutation)) {
      rows_[mutation->key] = *std::move(value);
    } else {
      rows_.erase(mutation->key);
    }
  }
  return absl::OkStatus();
}

}  // namespace davit::controller::store
