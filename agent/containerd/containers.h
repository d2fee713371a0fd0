#ifndef DAVIT_AGENT_CONTAINERD_CONTAINERS_H_
#define DAVIT_AGENT_CONTAINERD_CONTAINERS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

// A container record: metadata only. The processes are a task (Tasks).
struct Container {
  std::string id;
  Labels labels;
  std::string image;          // for listings
  std::string runtime;        // "io.containerd.runc.v2"
  std::string oci_spec_json;  // OCI runtime-spec config.json
  std::string snapshotter;
  std::string snapshot_key;  // the record protects this snapshot from garbage collection
};

// Thread-safe; see Client for blocking and codes.
class Containers {
 public:
  explicit Containers(Client* client);
  ~Containers();

  // AlreadyExists. InvalidArgument: id or a label (at most 4096 bytes of key and value together).
  absl::Status Create(const Container& container, const CallOptions& options = {});
  // Replaces labels, image and spec of the record `container.id`. NotFound. A task that was created
  // from the old spec keeps it.
  absl::Status Update(const Container& container, const CallOptions& options = {});
  // NotFound.
  absl::StatusOr<Container> Get(const std::string& id, const CallOptions& options = {});
  absl::StatusOr<std::vector<Container>> List(const std::vector<std::string>& filters = {},
                                              const CallOptions& options = {});
  // NotFound: it does not exist. Does not touch the container's task: delete that first.
  absl::Status Delete(const std::string& id, const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_CONTAINERS_H_
