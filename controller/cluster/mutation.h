#ifndef DAVIT_CONTROLLER_CLUSTER_MUTATION_H_
#define DAVIT_CONTROLLER_CLUSTER_MUTATION_H_

#include <optional>
#include <string>

namespace davit::cluster {

// One row of the store as it shall be (proto/davit/v1/cluster_record.proto lists keys and
// messages).
struct Mutation {
  std::string key;
  std::optional<std::string> value;  // a serialized message; nullopt: the row goes

  bool operator==(const Mutation& other) const = default;
};

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_MUTATION_H_
