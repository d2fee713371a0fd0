#ifndef DAVIT_AGENT_CONTAINERD_DIFFS_H_
#define DAVIT_AGENT_CONTAINERD_DIFFS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

// Unpacks layers. Thread-safe; see Client for blocking and codes.
class Diffs {
 public:
  explicit Diffs(Client* client);
  ~Diffs();

  // Unpacks the blob `layer` (tar, gzip or zstd by its media type) over the `mounts` of a prepared
  // snapshot. Returns the applied layer: its digest is the diff id (of the uncompressed tar), its
  // size the length of the tar. Blocks as long as the disk needs: pass a timeout of minutes.
  absl::StatusOr<Descriptor> Apply(const Descriptor& layer, const std::vector<Mount>& mounts,
                                   const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_DIFFS_H_
