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

// The two slow pieces of a pull, each for one layer. Both block for as long as network or disk
// need, are idempotent, and may run at the same time for different layers.
namespace davit::image {

// What the pieces work with. Borrowed; all of it is thread-safe.
struct LayerDeps {
  RegistryClient* registry;
  containerd::ContentStore* content;
  containerd::Diffs* diffs;
  containerd::Snapshots* snapshots;
  RetryPolicy retry;  // of a blob that another writer has locked
};

// Streams a blob from the registry into the content store under `lease`; nothing to do if it is
// there. What an earlier attempt left is used. DataLoss: it is not what its digest says (nothing of
// it is kept).
absl::Status DownloadBlob(const LayerDeps& deps, const PullLease& lease,
                          const ImageReference& repository, const Descriptor& blob,
                          const CancelCheck& is_cancelled);

// Puts a small blob that is in memory into the content store under `lease`, and sets its labels.
absl::Status StoreBlob(const LayerDeps& deps, const PullLease& lease, const std::string& digest,
                       const std::string& body, const containerd::Labels& labels);

// A layer and where its snapshot belongs.
struct LayerPlace {
  Descriptor layer;
  std::string diff_id;   // what the uncompressed layer must hash to
  std::string chain_id;  // name of the snapshot to make
  std::string parent;    // chain id of the layer below; empty: none
};

// Unpacks a layer of the content store into the snapshot `chain_id` under `lease`; nothing to do if
// it is there. DataLoss: the layer is not the one that the image's configuration describes. Source:
// OCI image-spec config.md (DiffID, ChainID); names as containerd's own unpacker gives them.
absl::Status UnpackLayer(const LayerDeps& deps, PullLease* lease, const LayerPlace& place);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_LAYER_JOBS_H_
