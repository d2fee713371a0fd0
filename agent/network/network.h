#ifndef DAVIT_AGENT_NETWORK_NETWORK_H_
#define DAVIT_AGENT_NETWORK_NETWORK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace davit::network {

struct PortRequest {
  int container_port = 0;
  int host_port = 0;  // 0: any free port
  std::string protocol = "tcp";
  friend bool operator==(const PortRequest&, const PortRequest&) = default;
};

struct PortBinding {
  std::string host_ip;  // "0.0.0.0"
  int container_port = 0;
  int host_port = 0;
  std::string protocol;
  friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

enum class NetworkMode {
  kBridge,  // own namespace on the agent's bridge, ports mapped by CNI's portmap
  kNone,    // own namespace with loopback only
};

struct Attachment {
  std::string namespace_path;  // for the OCI spec
  std::string ip_address;      // empty for kNone
  std::vector<PortBinding> bindings;
};

// Network namespaces of containers. Thread-safe. Calls run CNI plugins and block for some 100 ms:
// call them from the `network` pool. Attachments survive agent restarts; their records are in the
// agent's run folder.
class Network {
 public:
  virtual ~Network() = default;
  // Creates namespace, addresses and port mappings of `container_id`, or returns existing ones
  // unchanged. FailedPrecondition: a host port is taken; the message names the port and, if known,
  // its owner. Retry when the owner has gone. Messages begin with "CannotStartContainerError: " or
  // "ContainerNetworkingError: ".
  virtual absl::StatusOr<Attachment> Attach(const std::string& container_id, NetworkMode mode,
                                            const std::vector<PortRequest>& ports) = 0;
  // Undoes Attach(), also an incomplete one or one before a reboot. OK if there is nothing.
  virtual absl::Status Detach(const std::string& container_id) = 0;
  // The containers with an attachment or a part of one.
  virtual absl::StatusOr<std::vector<std::string>> List() const = 0;
};

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_NETWORK_H_
