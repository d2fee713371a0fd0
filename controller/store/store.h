#ifndef DAVIT_CONTROLLER_STORE_STORE_H_
#define DAVIT_CONTROLLER_STORE_STORE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "controller/cluster/mutation.h"

// Not davit::store: that is the agent's, and the simulation (tests/sim) links both.
namespace davit::cluster_store {

using Rows = std::vector<std::pair<std::string, std::string>>;  // key, value; sorted by key

// Durable rows of bytes. Calls block on the disk and come from one thread at a time.
class Store {
 public:
  virtual ~Store() = default;
  virtual absl::StatusOr<Rows> LoadAll() = 0;
  // All of it or nothing, in the order given; durable when it returns OK. Deleting what is not
  // there is success. Unavailable or ResourceExhausted: nothing was written, the same may be tried
  // again.
  virtual absl::Status Commit(absl::Span<const cluster::Mutation> mutations) = 0;
};

}  // namespace davit::cluster_store

#endif  // DAVIT_CONTROLLER_STORE_STORE_H_
