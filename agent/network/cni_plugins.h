#ifndef DAVIT_AGENT_NETWORK_CNI_PLUGINS_H_
#define DAVIT_AGENT_NETWORK_CNI_PLUGINS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/network/network.h"

// The runtime's side of CNI 1.0.0 (github.com/containernetworking/cni SPEC.md, sections 2 to 5).
// Functions are thread-safe and block while plugins run (10 to 50 ms each).

namespace davit::network {

// One network configuration list, run from `plugin_dir`.
struct CniNetworkList {
  std::string plugin_dir;
  std::string name;
  std::vector<std::string> plugins;  // JSON objects in order of ADD; "type" is the program's name
};

// One container's part in a call.
struct CniAttachment {
  std::string container_id;
  std::string namespace_path;         // empty in a DEL when the namespace is gone
  std::string interface;              // "eth0"
  std::vector<PortBinding> bindings;  // runtimeConfig of plugins with the capability portMappings
};

// The agent's own lists: a bridge with NAT for what goes out and host ports for what comes in, and
// loopback.
CniNetworkList BridgeNetwork(const std::string& plugin_dir, const std::string& bridge,
                             const std::string& subnet, const std::string& ipam_dir);
CniNetworkList LoopbackNetwork(const std::string& plugin_dir);

// ADD by each plugin in turn, each given the result before it; returns the last result (JSON). What
// the first ones made stays when a later one fails: call DeleteFromNetwork(). FailedPrecondition: a
// plugin is not installed. ResourceExhausted: no address is free. Unavailable: a plugin failed.
absl::StatusOr<std::string> AddToNetwork(const CniNetworkList& network,
                                         const CniAttachment& attachment);

// DEL by each plugin in reverse order, also after one failed; the first error is returned.
// `result`: AddToNetwork()'s; may be empty. OK if there is nothing.
absl::Status DeleteFromNetwork(const CniNetworkList& network, const CniAttachment& attachment,
                               const std::string& result);

// The first address of a result, without prefix length. Internal: it has none.
absl::StatusOr<std::string> AddressOfResult(const std::string& result);

// The bridge plugin's DEL forgets its masquerading rule when the namespace has vanished
// (plugins/main/bridge cmdDel, seen in 1.1.1). This removes rule and chain by the names it gives
// them. OK if there are none.
absl::Status RemoveMasquerading(const std::string& network_name, const std::string& container_id,
                                const std::string& ip_address);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_CNI_PLUGINS_H_
