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

// containerd's image names. An image record is a root for garbage collection: its target, and what
// that refers to by gc labels, stays. Thread-safe; see Client for blocking and codes.
class Images {
 public:
  explicit Images(Client* client);
  ~Images();

  // NotFound.
  absl::StatusOr<Image> Get(const std::string& name, const CallOptions& options = {});
  // Makes the name, or points it elsewhere: target and all labels are replaced.
  absl::Status Put(const Image& image, const CallOptions& options = {});
  absl::StatusOr<std::vector<Image>> List(const std::vector<std::string>& filters = {},
                                          const CallOptions& options = {});
  // NotFound: gone. `is_synchronous`: returns after what nothing else holds was removed from disk.
  absl::Status Delete(const std::string& name, bool is_synchronous = false,
                      const CallOptions& options = {});

 private:
  struct Stub;
  Client* const client_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_IMAGES_H_
