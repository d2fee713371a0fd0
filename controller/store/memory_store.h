#ifndef DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_
#define DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_

#include <map>
#include <string>

#include "controller/store/store.h"

namespace davit::cluster_store {

// Rows in memory, for tests and simulations. Not thread-safe. It survives what uses it: give it to
// a second loop, and that one has restarted.
class MemoryStore final : public Store {
 public:
  absl::StatusOr<Rows> LoadAll() override;
  absl::Status Commit(absl::Span<const cluster::Mutation> mutations) override;

  // What the next Commit() calls return, until it is OK again.
  void FailCommitsWith(absl::Status status) { failure_ = std::move(status); }
  int commits() const { return commits_; }

 private:
  std::map<std::string, std::string> rows_;
  absl::Status failure_;
  int commits_ = 0;
};

}  // namespace davit::cluster_store

#endif  // DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_
