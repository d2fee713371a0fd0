#include "agent/config.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "agent/network/port_ledger.h"
#include "base/config_reader.h"
#include "base/status.h"

namespace davit {
namespace {

constexpr int kMaxPort = 65535;
constexpr absl::Duration kLeastStopAfterDisconnect = absl::Seconds(10);

void CheckAbsolute(absl::string_view section, absl::string_view key, absl::string_view path,
                   ConfigReader* reader) {
  if (!absl::StartsWith(path, "/")) reader->AddError(section, key, "must be an absolute path");
}

// Letters, digits, '-' and '_': ECS's rule for names of clusters.
bool IsClusterName(absl::string_view text) {
  const auto is_allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), is_allowed);
}

// The kernel's rule (dev_valid_name() in net/core/dev.c).
bool IsLinkName(absl::string_view text) {
  const auto is_forbidden = [](char c) { return c == '/' || c == ':' || absl::ascii_isspace(c); };
  return !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), is_forbidden);
}

// "10.213.0.0/16", with room for a bridge and containers.
bool IsSubnet(absl::string_view text) {
  const size_t slash = text.find('/');
  in_addr address{};
  int prefix = 0;
  return slash != absl::string_view::npos && absl::SimpleAtoi(text.substr(slash + 1), &prefix) &&
         prefix >= 8 && prefix <= 29 &&
         inet_pton(AF_INET, std::string(text.substr(0, slash)).c_str(), &address) == 1;
}

// Must not be the root: the agent creates and removes tasks' cgroups in it.
bool IsCgroupParent(absl::string_view path) {
  return absl::StartsWith(path, "/") && path.size() > 1 && !absl::StrContains(path, "..") &&
         !absl::EndsWith(path, "/");
}

// An empty URL means the default.
void CheckUrl(absl::string_view section, absl::string_view key, absl::string_view url,
              ConfigReader* reader) {
  if (url.empty() || absl::StartsWith(url, "http://") || absl::StartsWith(url, "https://")) return;
  reader->AddError(section, key, "must be the beginning of a URL, such as http://127.0.0.1:4566");
}

bool IsEndpoint(absl::string_view text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  return colon != absl::string_view::npos && colon > 0 &&
         absl::SimpleAtoi(text.substr(colon + 1), &port) && port >= 1 && port <= kMaxPort;
}

void ReadController(AgentConfig* config, ConfigReader* reader) {
  reader->Read("controller", "endpoints", &config->endpoints);
  reader->Read("controller", "ca_file", &config->ca_file);
  reader->Read("controller", "cert_file", &config->cert_file);
  reader->Read("controller", "key_file", &config->key_file);
  reader->Read("controller", "stop_after_disconnect", &config->stop_after_disconnect,
               absl::ZeroDuration(), absl::Hours(24 * 365));
  if (config->stop_after_disconnect > absl::ZeroDuration() &&
      config->stop_after_disconnect < kLeastStopAfterDisconnect) {
    reader->AddError("controller", "stop_after_disconnect",
                     "must be 0s or at least 10s, because each restart of agent or controller "
                     "disconnects them for a while");
  }
  if (config->endpoints.empty())
    reader->AddError("controller", "endpoints", "must name at least one host:port");
  for (const std::string& endpoint : config->endpoints) {
    if (!IsEndpoint(endpoint)) {
      reader->AddError("controller", "endpoints",
                       absl::StrCat("has '", endpoint, "', which is not host:port"));
    }
  }
  if (!config->dev &&
      (config->ca_file.empty() || config->cert_file.empty() || config->key_file.empty())) {
    reader->AddError(
        "controller", "ca_file, cert_file and key_file",
        "must be set for mutual TLS with the controller (for a trial without TLS set agent.dev)");
  }
}

void ReadHost(AgentConfig* config, ConfigReader* reader) {
  reader->Read("instance", "id", &config->instance_id);
  reader->Read("instance", "imds_endpoint", &config->imds_endpoint);
  reader->Read("instance", "reserved_memory_mib", &config->reserved_memory_mib, 0, 1 << 30);
  reader->Read("instance", "reserved_ports", &config->reserved_ports, 1, kMaxPort);
  reader->Read("instance", "reserved_udp_ports", &config->reserved_udp_ports, 1, kMaxPort);
  reader->Read("instance", "attributes", &config->attributes);
  reader->Read("cgroup", "parent", &config->cgroup_parent);
  if (!IsCgroupParent(config->cgroup_parent)) {
    reader->AddError("cgroup", "parent", "must be an absolute path below the root, such as /davit");
  }
}

void ReadContainers(AgentConfig* config, ConfigReader* reader) {
  reader->Read("containerd", "address", &config->containerd_address);
  reader->Read("containerd", "namespace", &config->containerd_namespace);
  reader->Read("containerd", "snapshotter", &config->snapshotter);
  reader->Read("containerd", "runtime", &config->runtime);
  CheckAbsolute("containerd", "address", config->containerd_address, reader);
  if (config->containerd_namespace.empty())
    reader->AddError("containerd", "namespace", "must not be empty");
  reader->Read("network", "bridge", &config->bridge);
  reader->Read("network", "subnet", &config->subnet);
  reader->Read("network", "cni_plugin_dir", &config->cni_plugin_dir);
  reader->Read("network", "host_port_range", &config->host_port_range);
  if (!IsLinkName(config->bridge)) {
    reader->AddError(
        "network", "bridge",
        "must be the name of a network interface: 1 to 15 characters without '/', ':' and spaces");
  }
  if (!IsSubnet(config->subnet)) {
    reader->AddError("network", "subnet",
                     "must be an IPv4 network with a prefix from 8 to 29, such as 10.213.0.0/16");
  }
  CheckAbsolute("network", "cni_plugin_dir", config->cni_plugin_dir, reader);
  if (const auto range = network::ParsePortRange(config->host_port_range); !range.ok()) {
    reader->AddError("network", "host_port_range", range.status().message());
  }
  reader->Read("image", "insecure_registries", &config->insecure_registries);
  reader->Read("image", "concurrent_layers", &config->concurrent_layers, 1, 64);
  reader->Read("containers", "init_path", &config->init_path);
  reader->Read("container_log", "logger_path", &config->logger_path);
  if (!config->logger_path.empty())
    CheckAbsolute("container_log", "logger_path", config->logger_path, reader);
  reader->Read("container_log", "max_size_mib", &config->log_max_size_mib, 1, 1 << 20);
  reader->Read("container_log", "max_files", &config->log_max_files, 1, 1000);
}

// NVIDIA_VISIBLE_DEVICES is a list with commas, in which "all", "none" and "void" have a special
// meaning.
bool IsGpuId(absl::string_view text) {
  const auto is_forbidden = [](char c) { return c == ',' || !absl::ascii_isgraph(c); };
  return !text.empty() && text != "all" && text != "none" && text != "void" &&
         std::none_of(text.begin(), text.end(), is_forbidden);
}

void ReadGpus(AgentConfig* config, ConfigReader* reader) {
  reader->Read("gpu", "devices", &config->gpu_devices);
  reader->Read("gpu", "common_devices", &config->gpu_common_devices);
  reader->Read("gpu", "mounts", &config->gpu_mounts);
  std::vector<std::string> nodes = config->gpu_common_devices;
  for (const auto& [id, own_nodes] : config->gpu_devices) {
    if (!IsGpuId(id)) {
      reader->AddError("gpu", "devices",
                       absl::StrCat("has '", id, "', which is not a GPU id such as GPU-0a1b or 0"));
    }
    if (own_nodes.empty())
      reader->AddError("gpu", "devices", absl::StrCat("must name a device node of GPU ", id));
    nodes.insert(nodes.end(), own_nodes.begin(), own_nodes.end());
  }
  for (const std::string& node : nodes) {
    if (absl::StartsWith(node, "/dev/")) continue;
    reader->AddError("gpu", "devices and common_devices",
                     absl::StrCat("have '", node, "', which is not below /dev"));
  }
  for (const auto& [inside, path] : config->gpu_mounts) {
    if (absl::StartsWith(inside, "/") && inside.size() > 1 && absl::StartsWith(path, "/")) continue;
    reader->AddError("gpu", "mounts",
                     absl::StrCat("has '", inside, "' = '", path,
                                  "': both must be absolute paths, the first not /"));
  }
}

void ReadSecrets(AgentConfig* config, ConfigReader* reader) {
  reader->Read("secrets", "directory", &config->secrets_directory);
  if (!config->secrets_directory.empty())
    CheckAbsolute("secrets", "directory", config->secrets_directory, reader);
  reader->Read("aws", "region", &config->aws_region);
  reader->Read("aws", "credentials_file", &config->aws_credentials_file);
  if (!config->aws_credentials_file.empty()) {
    CheckAbsolute("aws", "credentials_file", config->aws_credentials_file, reader);
  }
  reader->Read("aws", "s3_endpoint", &config->aws_s3_endpoint);
  reader->Read("aws", "secrets_manager_endpoint", &config->aws_secrets_manager_endpoint);
  reader->Read("aws", "ssm_endpoint", &config->aws_ssm_endpoint);
  CheckUrl("aws", "s3_endpoint", config->aws_s3_endpoint, reader);
  CheckUrl("aws", "secrets_manager_endpoint", config->aws_secrets_manager_endpoint, reader);
  CheckUrl("aws", "ssm_endpoint", config->aws_ssm_endpoint, reader);
}

void ReadLogging(AgentConfig* config, ConfigReader* reader) {
  std::string level = "info";
  std::string format = "logfmt";
  reader->Read("logging", "level", &level);
  reader->Read("logging", "format", &format);
  if (!ParseLogLevel(level, &config->log_level)) {
    reader->AddError("logging", "level", "must be debug, info, warning or error");
  }
  if (!ParseLogFormat(format, &config->log_format))
    reader->AddError("logging", "format", "must be logfmt or json");
}

}  // namespace

absl::StatusOr<AgentConfig> LoadAgentConfig(const std::string& path, bool force_dev) {
  ASSIGN_OR_RETURN(ConfigReader reader, ConfigReader::FromFile(path));
  AgentConfig config;
  reader.Read("agent", "cluster", &config.cluster);
  reader.Read("agent", "state_dir", &config.state_dir);
  reader.Read("agent", "run_dir", &config.run_dir);
  reader.Read("agent", "dev", &config.dev);
  config.dev = config.dev || force_dev;
  if (!IsClusterName(config.cluster)) {
    reader.AddError("agent", "cluster", "must have 1 to 255 letters, digits, '-' or '_'");
  }
  CheckAbsolute("agent", "state_dir", config.state_dir, &reader);
  CheckAbsolute("agent", "run_dir", config.run_dir, &reader);
  ReadController(&config, &reader);
  ReadHost(&config, &reader);
  ReadContainers(&config, &reader);
  reader.Read("tasks", "stop_timeout", &config.stop_timeout, absl::Seconds(1),
              absl::Hours(24 * 365));
  reader.Read("tasks", "cleanup_after", &config.cleanup_after, absl::Seconds(1),
              absl::Hours(24 * 365));
  reader.Read("tasks", "reconcile_interval", &config.reconcile_interval, absl::Seconds(1),
              absl::Hours(24));
  reader.Read("tasks", "orphan_grace", &config.orphan_grace, absl::ZeroDuration(),
              absl::Hours(24 * 365));
  reader.Read("tasks", "post_mortem_log_lines", &config.post_mortem_log_lines, 0, 50);
  reader.Read("http", "address", &config.http_address);
  reader.Read("http", "port", &config.http_port, 1, kMaxPort);
  ReadGpus(&config, &reader);
  ReadSecrets(&config, &reader);
  ReadLogging(&config, &reader);
  RETURN_IF_ERROR(reader.Finish());
  return config;
}

}  // namespace davit
