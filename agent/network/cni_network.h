#ifndef DAVIT_AGENT_NETWORK_CNI_NETWORK_H_
#define DAVIT_AGENT_NETWORK_CNI_NETWORK_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/network/attachment_record.h"
#include "agent/network/cni_plugins.h"
#include "agent/network/network.h"
#include "agent/network/port_ledger.h"
#include "base/mutex.h"

namespace davit::network {

// [network] of agent.toml, and the folders of [agent]. Agents that share a host need different
// bridges, subnets and folders.
struct CniNetworkConfig {
  std::string bridge = "davit0";  // at most 15 characters; also the CNI network's name
  std::string subnet = "10.213.0.0/16";
  std::string plugin_dir = "/usr/lib/cni";
  std::string run_dir = "/run/davit";        // namespaces in netns/, records in cni/
  std::string state_dir = "/var/lib/davit";  // address leases in ipam/
  PortRange host_ports;
  std::set<int> reserved_ports;  // never used as dynamic ports
  std::string boot_id;           // empty: the kernel's
};

// Network on CNI plugins (bridge, host-local, portmap, loopback). Writes a container's record
// before it creates anything, and removes it last. Thread-safe: calls for one container wait for
// each other, calls for different containers run in parallel.
class CniNetwork : public Network {
 public:
  // Creates the folders, reserves the host ports of recorded containers again, drops address leases
  // of an earlier boot, and enables net.ipv4.ip_forward (logged if it was off). InvalidArgument:
  // the configuration. FailedPrecondition: a plugin is not installed.
  static absl::StatusOr<std::unique_ptr<CniNetwork>> Open(const CniNetworkConfig& config);

  absl::StatusOr<Attachment> Attach(const std::string& container_id, NetworkMode mode,
                                    const std::vector<PortRequest>& ports) override;
  absl::Status Detach(const std::string& container_id) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  // Removes the bridge and the leases' folder. FailedPrecondition: a container is attached. Not for
  // the agent's shutdown, because containers outlive the agent.
  absl::Status RemoveBridge();

 private:
  // Locks one container as long as it lives.
  class Turn;

  explicit CniNetwork(const CniNetworkConfig& config);
  absl::Status Prepare();
  std::string NamespacePath(const std::string& container_id) const;
  std::string RecordPath(const std::string& container_id) const;
  absl::StatusOr<std::optional<AttachmentRecord>> LoadRecord(const std::string& container_id) const;
  absl::Status SaveRecord(const AttachmentRecord& record) const;
  bool IsIntact(const AttachmentRecord& record) const;
  Attachment ToAttachment(const AttachmentRecord& record) const;
  absl::Status Make(AttachmentRecord* record);
  absl::Status Undo(const std::string& container_id);

  const CniNetworkConfig config_;
  const CniNetworkList bridge_;
  const CniNetworkList loopback_;
  PortLedger ports_;

  Mutex mu_;
  CondVar turn_ended_;
  std::set<std::string> busy_ ABSL_GUARDED_BY(mu_);  // container ids
  // The plugins that create the bridge and the common iptables chains cannot run in parallel the
  // first time, so one call runs alone.
  bool is_bridge_made_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_CNI_NETWORK_H_
