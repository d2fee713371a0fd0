#ifndef DAVIT_AGENT_CONTAINERD_IMAGES_H_
#define DAVIT_AGENT_CONTAINERD_IMAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/containerd/client.h"
#include "agent/containerd/types.h"

namespace davit::containerd {

struct Image {
  std::string name;  // full reference
  Descriptor target;
  Labels labels;
  absl::Time created_at = absl::UnixEpoch();  // set by containerd
  absl::Time updated_at = absl::UnixEpoch();  // set by containerd
};

// containerd's image records. A record is a root for garbage collection: it protects its target and
// everything that the target's gc labels refer to. Thread-safe; see Client for blocking and codes.
class Images {
 public:
  explicit Images(Client* client);
  ~Images();

  // NotFound.
  absl::StatusOr<Image> Get(const std::string& name, const CallOptions& options = {});
  // Creates the record, or replaces its target and all labels.
  absl::Status Put(const Image& image, const CallOptions& options = {});
  absl::StatusOr<std::vector<Image>> List(const std::vector<std::string>& filters = {},
                                          const CallOptions& options = {});
  // NotFound: it does not exist. `is_synchronous`: returns only after garbage collection has
  // removed the unprotected content from disk.
  absl::Status Delete(const std::string& name, bool is_synchronous = false,
                      const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_IMAGES_H_
