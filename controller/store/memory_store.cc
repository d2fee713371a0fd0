#include "controller/store/memory_store.h"

namespace davit::cluster_store {

absl::StatusOr<Rows> MemoryStore::LoadAll() { return Rows(rows_.begin(), rows_.end()); }

absl::Status MemoryStore::Commit(absl::Span<const cluster::Mutation> mutations) {
  if (!failure_.ok()) return failure_;
  ++commits_;
  for (const cluster::Mutation& mutation : mutations) {
    if (mutation.value) {
      rows_[mutation.key] = *mutation.value;
    } else {
      rows_.erase(mutation.key);
    }
  }
  return absl::OkStatus();
}

}  // namespace davit::cluster_store
