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
  kView,       // read-only, nothing can stand on it
  kActive,     // writable
  kCommitted,  // fixed: a parent for others
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

// File system layers of one snapshotter. Keys are shared by all kinds: a committed snapshot is
// usually named by its chain id, an active one by its container. What is neither in a lease nor
// used by an image or container is garbage: give a lease. Thread-safe; see Client for blocking and
// codes.
class Snapshots {
 public:
  Snapshots(Client* client, std::string snapshotter);  // "overlayfs"
  ~Snapshots();

  // NotFound.
  absl::StatusOr<SnapshotInfo> Stat(const std::string& key, const CallOptions& options = {});
  // A writable snapshot on top of the committed `parent` (empty: none). AlreadyExists: ask
  // Mounts(); options.lease does not hold it then. NotFound: the parent.
  absl::StatusOr<std::vector<Mount>> Prepare(const std::string& key, const std::string& parent,
                                             const Labels& labels = {},
                                             const CallOptions& options = {});
  // As Prepare(), read-only.
  absl::StatusOr<std::vector<Mount>> View(const std::string& key, const std::string& parent,
                                          const Labels& labels = {},
                                          const CallOptions& options = {});
  // Of an active snapshot or a view. NotFound.
  absl::StatusOr<std::vector<Mount>> Mounts(const std::string& key,
                                            const CallOptions& options = {});
  // Turns the active snapshot `key` into the committed `name`. AlreadyExists: `name` is there, and
  // `key` still is too: remove it. NotFound: no such key.
  absl::Status Commit(const std::string& name, const std::string& key, const Labels& labels = {},
                      const CallOptions& options = {});
  // NotFound: gone. FailedPrecondition: others stand on it.
  absl::Status Remove(const std::string& key, const CallOptions& options = {});
  // Sets these labels and leaves others. NotFound.
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
