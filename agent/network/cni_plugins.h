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

// The container of a call.
struct CniAttachment {
  std::string container_id;
  std::string namespace_path;         // empty in a DEL if the namespace is gone
  std::string interface;              // "eth0"
  std::vector<PortBinding> bindings;  // runtimeConfig of plugins with the capability portMappings
};

// The agent's configuration lists: a bridge with NAT for outgoing and host ports for incoming
// traffic, and loopback.
CniNetworkList BridgeNetwork(const std::string& plugin_dir, const std::string& bridge,
                             const std::string& subnet, const std::string& ipam_dir);
CniNetworkList LoopbackNetwork(const std::string& plugin_dir);

// Calls ADD of each plugin in turn, with the result of the one before. Returns the last result
// (JSON). If a plugin fails, call DeleteFromNetwork() to remove what earlier ones created.
// FailedPrecondition: a plugin is not installed. ResourceExhausted: no address is free.
// Unavailable: a plugin failed.
absl::StatusOr<std::string> AddToNetwork(const CniNetworkList& network,
                                         const CniAttachment& attachment);

// Calls DEL of each plugin in reverse order. Continues after an error and returns the first one.
// `result`: AddToNetwork()'s; may be empty. OK if there is nothing to remove.
absl::Status DeleteFromNetwork(const CniNetworkList& network, const CniAttachment& attachment,
                               const std::string& result);

// The first address of a result, without prefix length. Internal: the result has none.
absl::StatusOr<std::string> AddressOfResult(const std::string& result);

// Removes the bridge plugin's masquerading rule and chain by their names. The plugin's DEL leaves
// them behind if the namespace has vanished (plugins/main/bridge cmdDel, seen in 1.1.1). OK if
// there are none.
absl::Status RemoveMasquerading(const std::string& network_name, const std::string& container_id,
                                const std::string& ip_address);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_CNI_PLUGINS_H_
