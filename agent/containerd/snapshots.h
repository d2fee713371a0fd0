#ifndef DAVIT_AGENT_CONTAINERD_SNAPSHOTS_H_
#define DAVIT_AGENT_CONTAINERD_SNAPSHOTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

enum class SnapshotKind {
  kView,       // read-only, cannot be a parent
  kActive,     // writable
  kCommitted,  // immutable, can be a parent
};

struct SnapshotInfo {
  std::string name;
  std::string parent;  // empty: none
  SnapshotKind kind = SnapshotKind::kActive;
  Labels labels;
};

struct SnapshotUsage {
  int64_t size = 0;  // bytes on disk, without the parents'
  int64_t inodes = 0;
};

// File system layers of one snapshotter. All kinds share one set of keys: the key of a committed
// snapshot is usually its chain id, that of an active one its container. Garbage collection removes
// a snapshot that is neither in a lease nor used by an image or container, so pass a lease.
// Thread-safe; see Client for blocking and codes.
class Snapshots {
 public:
  Snapshots(Client* client, std::string snapshotter);  // "overlayfs"
  ~Snapshots();

  // NotFound.
  absl::StatusOr<SnapshotInfo> Stat(const std::string& key, const CallOptions& options = {});
  // Creates a writable snapshot on top of the committed `parent` (empty: none). AlreadyExists: call
  // Mounts(); options.lease does not protect it then. NotFound: the parent does not exist.
  absl::StatusOr<std::vector<Mount>> Prepare(const std::string& key, const std::string& parent,
                                             const Labels& labels = {},
                                             const CallOptions& options = {});
  // Like Prepare(), but read-only.
  absl::StatusOr<std::vector<Mount>> View(const std::string& key, const std::string& parent,
                                          const Labels& labels = {},
                                          const CallOptions& options = {});
  // The mounts of an active snapshot or a view. NotFound.
  absl::StatusOr<std::vector<Mount>> Mounts(const std::string& key,
                                            const CallOptions& options = {});
  // Commits the active snapshot `key` as `name`. AlreadyExists: `name` exists; `key` still exists
  // too, so remove it. NotFound: no such key.
  absl::Status Commit(const std::string& name, const std::string& key, const Labels& labels = {},
                      const CallOptions& options = {});
  // NotFound: it does not exist. FailedPrecondition: it is the parent of others.
  absl::Status Remove(const std::string& key, const CallOptions& options = {});
  // Sets these labels and keeps others. NotFound.
  absl::Status UpdateLabels(const std::string& key, const Labels& labels,
                            const CallOptions& options = {});
  absl::StatusOr<std::vector<SnapshotInfo>> List(const std::vector<std::string>& filters = {},
                                                 const CallOptions& options = {});
  absl::StatusOr<SnapshotUsage> Usage(const std::string& key, const CallOptions& options = {});
  const std::string& snapshotter() const { return snapshotter_; }

 private:
  struct Stub;
  Client* const client_;
  const std::string snapshotter_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_SNAPSHOTS_H_
