#include "agent/network/cni_network.h"

#include <net/if.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "agent/network/network_namespace.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/subprocess.h"

namespace davit::network {
namespace {

constexpr char kInterface[] = "eth0";
constexpr size_t kMaxInterfaceName = 15;  // IFNAMSIZ without the final zero
constexpr char kForwarding[] = "/proc/sys/net/ipv4/ip_forward";

// CNI's rule for container ids (SPEC.md, CNI_CONTAINERID); it also makes a safe file name.
bool IsContainerId(const std::string& id) {
  if (id.empty() || id.size() > 200 || !absl::ascii_isalnum(static_cast<unsigned char>(id[0])))
    return false;
  for (const char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.' && c != '-')
      return false;
  }
  return true;
}

absl::Status Networking(const absl::Status& status, absl::string_view what) {
  return Annotate(status, absl::StrCat("ContainerNetworkingError: ", what));
}

// Names in `folder` that end in `suffix`, without it.
std::set<std::string> NamesIn(const std::string& folder, absl::string_view suffix) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, suffix)) names.emplace(absl::StripSuffix(name, suffix));
  }
  return names;
}

absl::Status TurnForwardingOn() {
  ASSIGN_OR_RETURN(const std::string value, ReadFile(kForwarding));
  if (absl::StripAsciiWhitespace(value) != "0") return absl::OkStatus();
  std::ofstream file(kForwarding);
  file << "1" << std::flush;
  if (!file.good())
    return absl::FailedPreconditionError(absl::StrCat("cannot write ", kForwarding));
  LogInfo("enabled IPv4 forwarding for containers", {{"sysctl", "net.ipv4.ip_forward"}});
  return absl::OkStatus();
}

absl::Status Validate(const CniNetworkConfig& config) {
  if (config.bridge.empty() || config.bridge.size() > kMaxInterfaceName ||
      !IsContainerId(config.bridge)) {
    return absl::InvalidArgumentError(absl::StrCat("'", config.bridge, "' cannot name a bridge"));
  }
  for (const char* plugin : {"bridge", "host-local", "portmap", "loopback"}) {
    const std::string path = absl::StrCat(config.plugin_dir, "/", plugin);
    if (!FileExists(path))
      return absl::FailedPreconditionError(absl::StrCat(path, " is not installed"));
  }
  return absl::OkStatus();
}

}  // namespace

class CniNetwork::Turn {
 public:
  Turn(CniNetwork* network, const std::string& container_id)
      : network_(network), id_(container_id) {
    const MutexLock lock(&network_->mu_);
    while (network_->busy_.count(id_) > 0 ||
           (!network_->is_bridge_made_ && !network_->busy_.empty())) {
      network_->turn_ended_.Wait(&network_->mu_);
    }
    network_->busy_.insert(id_);
  }
  ~Turn() {
    const MutexLock lock(&network_->mu_);
    network_->busy_.erase(id_);
    network_->turn_ended_.NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  CniNetwork* const network_;
  const std::string id_;
};

CniNetwork::CniNetwork(const CniNetworkConfig& config)
    : config_(config),
      bridge_(BridgeNetwork(config.plugin_dir, config.bridge, config.subnet,
                            config.state_dir + "/ipam")),
      loopback_(LoopbackNetwork(config.plugin_dir)),
      ports_(config.host_ports, config.reserved_ports) {}

absl::StatusOr<std::unique_ptr<CniNetwork>> CniNetwork::Open(const CniNetworkConfig& config) {
  RETURN_IF_ERROR(Validate(config), "[network]");
  CniNetworkConfig complete = config;
  if (complete.boot_id.empty()) {
    ASSIGN_OR_RETURN(const std::string boot_id, ReadFile("/proc/sys/kernel/random/boot_id"));
    complete.boot_id = std::string(absl::StripAsciiWhitespace(boot_id));
  }
  auto network = std::unique_ptr<CniNetwork>(new CniNetwork(complete));
  RETURN_IF_ERROR(network->Prepare(), "opening the container network");
  return network;
}

absl::Status CniNetwork::Prepare() {
  RETURN_IF_ERROR(MakeDirectories(config_.run_dir + "/netns"));
  RETURN_IF_ERROR(MakeDirectories(config_.run_dir + "/cni"));
  RETURN_IF_ERROR(MakeDirectories(config_.state_dir + "/ipam"));
  // The lease files survive a reboot, but containers do not. Without this, each boot would lose
  // some addresses for ever.
  const std::string leased_at = config_.state_dir + "/ipam/boot_id";
  if (ReadFile(leased_at).value_or("") != config_.boot_id) {
    RETURN_IF_ERROR(RemoveAll(absl::StrCat(config_.state_dir, "/ipam/", config_.bridge)));
    RETURN_IF_ERROR(WriteFileAtomically(leased_at, config_.boot_id));
  }
  // Incomplete files of an agent that was killed while it wrote a record. Their attachments were
  // never started.
  for (const std::string& id : NamesIn(config_.run_dir + "/cni", ".json.new")) {
    RETURN_IF_ERROR(RemoveAll(RecordPath(id) + ".new"));
  }
  for (const std::string& id : NamesIn(config_.run_dir + "/cni", ".json")) {
    const absl::StatusOr<std::optional<AttachmentRecord>> record = LoadRecord(id);
    if (!record.ok() || !record->has_value() || (*record)->boot_id != config_.boot_id) continue;
    const absl::Status restored = ports_.Restore(id, (*record)->bindings);
    if (!restored.ok())
      LogWarning("a program took the host port of a container",
                 {{"container_id", id}, {"error", restored}});
  }
  return TurnForwardingOn();
}

std::string CniNetwork::NamespacePath(const std::string& container_id) const {
  return absl::StrCat(config_.run_dir, "/netns/", container_id);
}

std::string CniNetwork::RecordPath(const std::string& container_id) const {
  return absl::StrCat(config_.run_dir, "/cni/", container_id, ".json");
}

absl::StatusOr<std::optional<AttachmentRecord>> CniNetwork::LoadRecord(
    const std::string& container_id) const {
  const absl::StatusOr<std::string> text = ReadFile(RecordPath(container_id));
  if (absl::IsNotFound(text.status())) return std::nullopt;
  RETURN_IF_ERROR(text.status());
  absl::StatusOr<AttachmentRecord> record = ParseAttachmentRecord(*text);
  if (record.ok()) return *std::move(record);
  LogWarning("cannot read attachment record",
             {{"container_id", container_id}, {"error", record.status()}});
  // Undo it like an incomplete attachment. Any port makes portmap search for its chain, which it
  // finds by the container's id.
  AttachmentRecord unknown;
  unknown.container_id = container_id;
  unknown.bindings.push_back({"0.0.0.0", 1, 1, "tcp"});
  return unknown;
}

absl::Status CniNetwork::SaveRecord(const AttachmentRecord& record) const {
  return WriteFileUntilReboot(RecordPath(record.container_id), ToJson(record), 0600);
}

bool CniNetwork::IsIntact(const AttachmentRecord& record) const {
  return record.is_complete && record.boot_id == config_.boot_id &&
         IsNetworkNamespace(NamespacePath(record.container_id));
}

Attachment CniNetwork::ToAttachment(const AttachmentRecord& record) const {
  return {NamespacePath(record.container_id), record.ip_address, record.bindings};
}

// Creates what the record announces, and completes the record.
absl::Status CniNetwork::Make(AttachmentRecord* record) {
  const std::string namespace_path = NamespacePath(record->container_id);
  RETURN_IF_ERROR(SaveRecord(*record));
  RETURN_IF_ERROR(CreateNetworkNamespace(namespace_path));
  RETURN_IF_ERROR(
      AddToNetwork(loopback_, {record->container_id, namespace_path, "lo", {}}).status());
  if (record->mode == NetworkMode::kBridge) {
    ASSIGN_OR_RETURN(record->cni_result,
                     AddToNetwork(bridge_, {record->container_id, namespace_path, kInterface,
                                            record->bindings}));
    ASSIGN_OR_RETURN(record->ip_address, AddressOfResult(record->cni_result));
    const MutexLock lock(&mu_);
    is_bridge_made_ = true;
  }
  record->is_complete = true;
  return SaveRecord(*record);
}

absl::StatusOr<Attachment> CniNetwork::Attach(const std::string& container_id, NetworkMode mode,
                                              const std::vector<PortRequest>& ports) {
  if (!IsContainerId(container_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("ContainerNetworkingError: '", container_id, "' is not a container id"));
  }
  if (mode == NetworkMode::kNone && !ports.empty()) {
    return absl::InvalidArgumentError(
        "ContainerNetworkingError: a container without a network cannot have ports");
  }
  const std::string what = absl::StrCat("attaching container ", container_id);
  const Turn turn(this, container_id);
  const absl::StatusOr<std::optional<AttachmentRecord>> known = LoadRecord(container_id);
  if (!known.ok()) return Networking(known.status(), what);
  if (known->has_value() && IsIntact(**known)) return ToAttachment(**known);
  // Incomplete, or from an earlier boot.
  if (const absl::Status undone = Undo(container_id); !undone.ok()) return Networking(undone, what);

  AttachmentRecord record;
  record.container_id = container_id;
  record.mode = mode;
  record.boot_id = config_.boot_id;
  absl::StatusOr<std::vector<PortBinding>> bindings = ports_.Reserve(container_id, ports);
  if (!bindings.ok()) return Annotate(bindings.status(), "CannotStartContainerError");
  record.bindings = *std::move(bindings);
  const absl::Status made = Make(&record);
  if (made.ok()) return ToAttachment(record);
  const absl::Status undone = Undo(container_id);
  if (!undone.ok()) {
    LogWarning("cannot undo incomplete attachment",
               {{"container_id", container_id}, {"error", undone}});
  }
  return Networking(made, what);
}

// Continues after an error. Removes the record last, and only when everything else is gone.
absl::Status CniNetwork::Undo(const std::string& container_id) {
  ASSIGN_OR_RETURN(const std::optional<AttachmentRecord> record, LoadRecord(container_id));
  const std::string path = NamespacePath(container_id);
  absl::Status status;
  if (record.has_value() && record->mode == NetworkMode::kBridge) {
    const bool has_namespace = IsNetworkNamespace(path);
    status.Update(DeleteFromNetwork(
        bridge_, {container_id, has_namespace ? path : "", kInterface, record->bindings},
        record->cni_result));
    if (!has_namespace && !record->ip_address.empty()) {
      status.Update(RemoveMasquerading(bridge_.name, container_id, record->ip_address));
    }
  }
  status.Update(RemoveNetworkNamespace(path));
  if (!status.ok()) return status;
  RETURN_IF_ERROR(RemoveAll(RecordPath(container_id)));
  ports_.Release(container_id);
  return absl::OkStatus();
}

absl::Status CniNetwork::Detach(const std::string& container_id) {
  if (!IsContainerId(container_id)) return absl::OkStatus();
  const Turn turn(this, container_id);
  return Networking(Undo(container_id), absl::StrCat("detaching container ", container_id));
}

absl::StatusOr<std::vector<std::string>> CniNetwork::List() const {
  std::set<std::string> ids = NamesIn(config_.run_dir + "/cni", ".json");
  ids.merge(NamesIn(config_.run_dir + "/netns", ""));
  return std::vector<std::string>(ids.begin(), ids.end());
}

absl::Status CniNetwork::RemoveBridge() {
  ASSIGN_OR_RETURN(const std::vector<std::string> attached, List());
  if (!attached.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("bridge ", config_.bridge, " is in use by container ", attached[0]));
  }
  if (if_nametoindex(config_.bridge.c_str()) != 0) {
    Command command;
    command.arguments = {"/sbin/ip", "link", "delete", "dev", config_.bridge};
    ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
    if (result.exit_code != 0) {
      return absl::UnavailableError(
          absl::StrCat("removing bridge ", config_.bridge, ": ", result.error_output));
    }
  }
  return RemoveAll(absl::StrCat(config_.state_dir, "/ipam/", config_.bridge));
}

}  // namespace davit::network
