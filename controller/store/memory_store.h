#ifndef DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_
#define DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "controller/store/store.h"

namespace davit::controller::store {

// Rows in memory, for tests and simulations. Not thread-safe. It survives what uses it: give it to
// a second loop, and that one has restarted.
class MemoryStore final : public Store {
 public:
  absl::StatusOr<rows::Rows> LoadAll() override;
  void Commit(std::vector<CommandRows> commands, Fence fence, Done done) override;
  Limits limits() const override { return limits_; }
  void Watch(Watcher watcher) override { watcher_ = std::move(watcher); }

  // What LoadAll() and Commit() return, until it is OK again.
  void FailWith(absl::Status status) { failure_ = std::move(status); }
  // Commits wait until ReleaseOne(): a slow disk.
  void Hold() { is_holding_ = true; }
  // New commits do not wait any more; those that wait still do.
  void LetGo() { is_holding_ = false; }
  // False: none waits.
  bool ReleaseOne();
  void set_limits(Limits limits) { limits_ = limits; }
  int commits() const { return commits_; }
  const std::map<std::string, std::string>& rows() const { return rows_; }
  // Changes a row as another controller would, without a fence.
  void Put(const std::string& key, const std::string& value) { rows_[key] = value; }

 private:
  struct Waiting {
    std::vector<CommandRows> commands;
    Fence fence;
    Done done;
  };
  absl::Status Write(const std::vector<CommandRows>& commands, const Fence& fence);

  std::map<std::string, std::string> rows_;
  absl::Status failure_;
  bool has_failed_ = false;  // and LoadAll() was not called since
  bool is_holding_ = false;
  std::deque<Waiting> waiting_;
  Limits limits_;
  Watcher watcher_;
  int commits_ = 0;
};

}  // namespace davit::controller::store

#endif  // DAVIT_CONTROLLER_STORE_MEMORY_STORE_H_
