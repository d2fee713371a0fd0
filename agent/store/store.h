#ifndef DAVIT_AGENT_STORE_STORE_H_
#define DAVIT_AGENT_STORE_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/executor.h"
#include "davit/v1/record.pb.h"

namespace davit::store {

struct StoredState {
  std::vector<v1::TaskRecord> tasks;
  v1::RegistrationRecord registration;   // empty if the host was never registered
  std::vector<std::string> undecodable;  // keys of records that are kept, and cannot be understood
};

// The agent's durable memory. Thread-safe. Saves are asynchronous and happen in the order of the
// calls; many become one disk write. A save that fails is tried again until it succeeds: its `done`
// does not run before it is durable.
class Store {
 public:
  virtual ~Store() = default;
  // Once, before anything is saved. Blocks.
  virtual absl::StatusOr<StoredState> Load() = 0;
  // `done` runs on the store's thread once the record is durable: it must only post.
  virtual void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) = 0;
  virtual void RemoveTask(const std::string& task_id) = 0;
  virtual void SaveRegistration(v1::RegistrationRecord record) = 0;
  // OK, or why nothing can be made durable now: a full disk, or one that hangs.
  virtual absl::Status Health() const = 0;
};

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_STORE_H_
