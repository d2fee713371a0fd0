#ifndef DAVIT_AGENT_CONTAINERD_LEASES_H_
#define DAVIT_AGENT_CONTAINERD_LEASES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

struct Lease {
  std::string id;
  Labels labels;
};

// An object that a lease protects. Types: "content" (id: digest), "snapshots/overlayfs" (id: key),
// "ingests".
struct LeaseResource {
  std::string type;
  std::string id;
  friend bool operator==(const LeaseResource&, const LeaseResource&) = default;
};

// Leases protect blobs and snapshots from containerd's garbage collector, which may run between any
// two calls. Thread-safe; see Client for blocking and codes.
class Leases {
 public:
  explicit Leases(Client* client);
  ~Leases();

  // AlreadyExists.
  absl::Status Create(const std::string& lease, const Labels& labels = {},
                      const CallOptions& options = {});
  // NotFound: it does not exist. `is_synchronous`: returns only after the garbage collector ran.
  absl::Status Delete(const std::string& lease, bool is_synchronous = false,
                      const CallOptions& options = {});
  absl::StatusOr<std::vector<Lease>> List(const std::vector<std::string>& filters = {},
                                          const CallOptions& options = {});
  // Adds an existing object to the lease. NotFound: the lease does not exist.
  absl::Status AddResource(const std::string& lease, const LeaseResource& resource,
                           const CallOptions& options = {});
  absl::Status DeleteResource(const std::string& lease, const LeaseResource& resource,
                              const CallOptions& options = {});
  absl::StatusOr<std::vector<LeaseResource>> ListResources(const std::string& lease,
                                                           const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_LEASES_H_
