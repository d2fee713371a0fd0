#ifndef DAVIT_CONTROLLER_STORE_STORE_H_
#define DAVIT_CONTROLLER_STORE_STORE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/rows/record.h"

namespace davit::controller::store {

// The rows that one command changes: written all together or not at all.
using CommandRows = std::vector<rows::Mutation>;

// What a commit demands of the store: a row with this value (nullopt: no such row). It is refused
// if another controller has changed that row.
struct Fence {
  std::string key;
  std::optional<std::string> value;
};

// What an engine can take. 0: any number.
struct Limits {
  size_t max_rows_per_command = 0;
  int max_commits_in_flight = 1;  // how many Commit() calls are worth having under way at once
};

// Durable rows of bytes. LoadAll() blocks on the disk; the other calls do not block. Thread-safe.
class Store {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Watcher = std::function<void(const std::vector<CommandRows>&)>;
  virtual ~Store() = default;

  // All rows. Afterwards Commit() works again, if it had failed. Not while a commit is under way.
  virtual absl::StatusOr<rows::Rows> LoadAll() = 0;

  // Writes the commands in order; commits take effect in the order of the calls. Deleting what is
  // not there is success. Of several mutations of one key only the last is written. An engine may
  // split a commit between commands, never inside one.
  //
  // `done` is called once, inside the call or on a thread of the store's: OK when everything is
  // durable. Unavailable, ResourceExhausted: the disk failed. FailedPrecondition: the fence does
  // not hold. After a failure, a first part of the commands may have been written, and every later
  // commit fails as well, until LoadAll() was called.
  virtual void Commit(std::vector<CommandRows> commands, Fence fence, Done done) = 0;

  virtual Limits limits() const = 0;

  // From now on, calls `watcher` with the commands of each commit once it is durable, in order, on
  // the thread that calls `done`, before that. Once, before the first commit.
  virtual void Watch(Watcher watcher) = 0;
};

// The last mutation of each key, in the order of the keys' first appearance. The result points into
// `commands`.
std::vector<const rows::Mutation*> LastOfEachKey(const std::vector<CommandRows>& commands);

}  // namespace davit::controller::store

#endif  // DAVIT_CONTROLLER_STORE_STORE_H_
