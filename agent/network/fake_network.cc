#include "agent/network/fake_network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace davit::network {

absl::Status FakeNetwork::Bind(const std::string& container_id, PortBinding* binding) {
  if (binding->protocol != "tcp" && binding->protocol != "udp") {
    return absl::InvalidArgumentError(absl::StrCat("CannotStartContainerError: protocol '",
                                                   binding->protocol, "' is not tcp or udp"));
  }
  if (binding->host_port == 0) {
    while (owners_.count({binding->protocol, next_port_}) > 0) ++next_port_;
    binding->host_port = next_port_++;
  }
  const auto [holder, is_free] =
      owners_.emplace(std::pair(binding->protocol, binding->host_port), container_id);
  if (is_free) return absl::OkStatus();
  const std::string name = absl::StrCat("CannotStartContainerError: host port ", binding->host_port,
                                        "/", binding->protocol);
  if (holder->second == container_id) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is requested twice by the same container"));
  }
  return absl::FailedPreconditionError(
      holder->second.empty() ? absl::StrCat(name, " is in use by a program on the host")
                             : absl::StrCat(name, " is in use by container ", holder->second));
}

void FakeNetwork::Release(const std::string& container_id) {
  for (auto it = owners_.begin(); it != owners_.end();) {
    it = it->second == container_id ? owners_.erase(it) : std::next(it);
  }
}

absl::StatusOr<Attachment> FakeNetwork::Attach(const std::string& container_id, NetworkMode mode,
                                               const std::vector<PortRequest>& ports) {
  const MutexLock lock(&mu_);
  if (!attach_status_.ok()) return attach_status_;
  if (container_id.empty()) {
    return absl::InvalidArgumentError("ContainerNetworkingError: '' is not a container id");
  }
  const auto known = attachments_.find(container_id);
  if (known != attachments_.end()) return known->second;
  if (mode == NetworkMode::kNone && !ports.empty()) {
    return absl::InvalidArgumentError(
        "ContainerNetworkingError: a container without a network cannot have ports");
  }
  Attachment attachment;
  attachment.namespace_path = absl::StrCat("/run/davit-fake/netns/", container_id);
  for (const PortRequest& port : ports) {
    attachment.bindings.push_back({"0.0.0.0", port.container_port, port.host_port, port.protocol});
  }
  // Fixed ports first, so that a dynamic port cannot take one that is requested by number.
  std::vector<PortBinding*> in_order;
  for (PortBinding& binding : attachment.bindings) in_order.push_back(&binding);
  std::stable_partition(in_order.begin(), in_order.end(),
                        [](PortBinding* it) { return it->host_port != 0; });
  for (PortBinding* const binding : in_order) {
    if (const absl::Status bound = Bind(container_id, binding); !bound.ok()) {
      Release(container_id);
      return bound;
    }
  }
  if (mode == NetworkMode::kBridge) {
    attachment.ip_address = absl::StrCat("10.213.", next_address_ / 256, ".", next_address_ % 256);
    ++next_address_;
  }
  attachments_[container_id] = attachment;
  return attachment;
}

absl::Status FakeNetwork::Detach(const std::string& container_id) {
  const MutexLock lock(&mu_);
  if (!detach_status_.ok()) return detach_status_;
  attachments_.erase(container_id);
  Release(container_id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FakeNetwork::List() const {
  const MutexLock lock(&mu_);
  std::vector<std::string> ids;
  for (const auto& [id, attachment] : attachments_) ids.push_back(id);
  return ids;
}

void FakeNetwork::SimulateHostPort(const std::string& protocol, int port) {
  const MutexLock lock(&mu_);
  owners_[{protocol, port}] = "";
}

void FakeNetwork::FailAttach(const absl::Status& status) {
  const MutexLock lock(&mu_);
  attach_status_ = status;
}

void FakeNetwork::FailDetach(const absl::Status& status) {
  const MutexLock lock(&mu_);
  detach_status_ = status;
}

}  // namespace davit::network
