#ifndef DAVIT_AGENT_CONFIG_H_
#define DAVIT_AGENT_CONFIG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"

namespace davit {

// The settings of agent.toml. config/agent.toml describes each key and has the same defaults.
struct AgentConfig {
  // [agent]
  std::string cluster = "default";
  std::string state_dir = "/var/lib/davit";
  std::string run_dir = "/run/davit";
  bool dev = false;
  // [controller]
  std::vector<std::string> endpoints = {"127.0.0.1:51680"};
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  absl::Duration stop_after_disconnect = absl::ZeroDuration();  // 0: never
  // [instance]
  std::string instance_id;
  std::string imds_endpoint = "http://169.254.169.254";
  int reserved_memory_mib = 64;
  std::vector<int> reserved_ports = {22, 51678, 51680};
  std::vector<int> reserved_udp_ports;
  std::map<std::string, std::string> attributes;
  // [containerd]
  std::string containerd_address = "/run/containerd/containerd.sock";
  std::string containerd_namespace = "davit";
  std::string snapshotter = "overlayfs";
  std::string runtime = "io.containerd.runc.v2";
  // [cgroup]
  std::string cgroup_parent = "/davit";
  // [network]
  std::string bridge = "davit0";
  std::string subnet = "10.213.0.0/16";
  std::string cni_plugin_dir = "/usr/lib/cni";
  std::string host_port_range = "32768-60999";
  // [image]
  std::vector<std::string> insecure_registries = {"127.0.0.1", "localhost"};
  int concurrent_layers = 4;
  // [containers]
  std::string init_path = "/usr/bin/tini-static";
  // [gpu]
  std::map<std::string, std::vector<std::string>> gpu_devices;
  std::vector<std::string> gpu_common_devices;
  std::map<std::string, std::string> gpu_mounts;
  // [secrets]
  std::string secrets_directory = "/etc/davit/secrets";
  // [aws]
  std::string aws_region;
  std::string aws_credentials_file;
  std::string aws_s3_endpoint;
  std::string aws_secrets_manager_endpoint;
  std::string aws_ssm_endpoint;
  // [container_log]
  std::string logger_path;  // empty: davit-logger in the folder of davit-agent
  int log_max_size_mib = 10;
  int log_max_files = 5;
  // [tasks]
  absl::Duration stop_timeout = absl::Seconds(30);
  absl::Duration cleanup_after = absl::Hours(3);
  absl::Duration reconcile_interval = absl::Minutes(2);
  absl::Duration orphan_grace = absl::Minutes(5);
  int post_mortem_log_lines = 5;
  // [http]
  std::string http_address = "127.0.0.1";
  int http_port = 51678;
  // [logging]
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  friend bool operator==(const AgentConfig&, const AgentConfig&) = default;
};

// `force_dev` (--dev) overrides agent.dev. InvalidArgument: the message has one line per unknown
// key or wrong value. NotFound, PermissionDenied: cannot read the file.
absl::StatusOr<AgentConfig> LoadAgentConfig(const std::string& path, bool force_dev);

}  // namespace davit

#endif  // DAVIT_AGENT_CONFIG_H_
