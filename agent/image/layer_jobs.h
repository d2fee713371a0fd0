#ifndef DAVIT_AGENT_IMAGE_LAYER_JOBS_H_
#define DAVIT_AGENT_IMAGE_LAYER_JOBS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "agent/containerd/content_store.h"
#include "agent/containerd/diffs.h"
#include "agent/containerd/snapshots.h"
#include "agent/image/pull_lease.h"
#include "agent/image/registry_client.h"

// The two slow parts of a pull, each for one layer. Both block as long as network or disk need, are
// idempotent, and may run in parallel for different layers.
namespace davit::image {

// The services that these parts use. Borrowed; all thread-safe.
struct LayerDeps {
  RegistryClient* registry;
  containerd::ContentStore* content;
  containerd::Diffs* diffs;
  containerd::Snapshots* snapshots;
  RetryPolicy retry;  // while another writer has locked the blob
};

// Streams a blob from the registry into the content store under `lease`, unless it exists. Resumes
// after the bytes of an earlier attempt. DataLoss: the content does not match its digest, and was
// dropped.
absl::Status DownloadBlob(const LayerDeps& deps, const PullLease& lease,
                          const ImageReference& repository, const Descriptor& blob,
                          const CancelCheck& is_cancelled);

// Stores a small blob from memory in the content store under `lease`, and sets its labels.
absl::Status StoreBlob(const LayerDeps& deps, const PullLease& lease, const std::string& digest,
                       const std::string& body, const containerd::Labels& labels);

// A layer and the place of its snapshot.
struct LayerPlace {
  Descriptor layer;
  std::string diff_id;   // expected digest of the uncompressed layer
  std::string chain_id;  // name of the snapshot to create
  std::string parent;    // chain id of the layer below; empty: none
};

// Unpacks a layer of the content store into the snapshot `chain_id` under `lease`, unless it
// exists. DataLoss: the layer does not match the image's configuration. Source: OCI image-spec
// config.md (DiffID, ChainID). The names are those of containerd's own unpacker.
absl::Status UnpackLayer(const LayerDeps& deps, PullLease* lease, const LayerPlace& place);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_LAYER_JOBS_H_
