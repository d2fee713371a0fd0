#include "agent/network/cni_plugins.h"

#include <openssl/sha.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "base/status.h"
#include "base/subprocess.h"

namespace davit::network {
namespace {

using nlohmann::json;

constexpr char kCniVersion[] = "1.0.0";
constexpr char kPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";  // for iptables
constexpr char kIptables[] = "/usr/sbin/iptables";
constexpr int kNoAddressFree = 11;

// The configuration for one plugin: its own plus the runtime's additions (SPEC.md, "Deriving
// execution configuration").
json ExecutionConfig(const CniNetworkList& network, json plugin, const CniAttachment& attachment,
                     const json& previous) {
  plugin["cniVersion"] = kCniVersion;
  plugin["name"] = network.name;
  if (!previous.is_null()) plugin["prevResult"] = previous;
  if (plugin.contains("capabilities") && plugin["capabilities"].value("portMappings", false)) {
    json mappings = json::array();
    for (const PortBinding& binding : attachment.bindings) {
      mappings.push_back({{"hostPort", binding.host_port},
                          {"containerPort", binding.container_port},
                          {"protocol", binding.protocol}});
    }
    plugin["runtimeConfig"]["portMappings"] = mappings;
  }
  plugin.erase("capabilities");
  return plugin;
}

// The status for a failed plugin (SPEC.md, "Error").
absl::Status PluginError(const std::string& type, const std::string& verb,
                         const CommandResult& result) {
  const json error = json::parse(result.output, nullptr, false);
  std::string text = absl::StrCat("CNI plugin ", type, " ", verb, ": ");
  int code = 0;
  if (error.is_object()) {
    code = error.value("code", 0);
    absl::StrAppend(&text, error.value("msg", ""), " ", error.value("details", ""));
  } else {
    absl::StrAppend(&text, "exit code ", result.exit_code, " ", result.output, result.error_output);
  }
  text = Shorten(text, 600);
  if (code == kNoAddressFree || absl::StrContains(text, "no IP addresses available")) {
    return absl::ResourceExhaustedError(text);
  }
  return absl::UnavailableError(text);
}

absl::StatusOr<std::string> RunPlugin(const CniNetworkList& network, const std::string& verb,
                                      const json& config, const CniAttachment& attachment) {
  const std::string type = config.value("type", "");
  Command command;
  command.arguments = {absl::StrCat(network.plugin_dir, "/", type)};
  command.environment = {{"CNI_COMMAND", verb},
                         {"CNI_CONTAINERID", attachment.container_id},
                         {"CNI_NETNS", attachment.namespace_path},
                         {"CNI_IFNAME", attachment.interface},
                         {"CNI_PATH", network.plugin_dir},
                         {"PATH", kPath}};
  command.input = config.dump(-1, ' ', false, json::error_handler_t::replace);
  const absl::StatusOr<CommandResult> result = RunCommand(command);
  if (absl::IsNotFound(result.status()) || absl::IsPermissionDenied(result.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("CNI plugin ", type, ": ", result.status().message()));
  }
  RETURN_IF_ERROR(result.status(), "CNI plugin ", type, " ", verb);
  if (result->exit_code != 0) return PluginError(type, verb, *result);
  return result->output;
}

absl::StatusOr<CommandResult> Iptables(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kIptables, "--wait", "-t", "nat"});
  Command command;
  command.arguments = std::move(arguments);
  command.environment = {{"PATH", kPath}};
  return RunCommand(command);
}

}  // namespace

CniNetworkList BridgeNetwork(const std::string& plugin_dir, const std::string& bridge,
                             const std::string& subnet, const std::string& ipam_dir) {
  const json bridge_plugin = {
      {"type", "bridge"},
      {"bridge", bridge},
      {"isGateway", true},
      {"ipMasq", true},
      // Lets containers reach themselves and their neighbours through the host's ports.
      {"hairpinMode", true},
      {"ipam",
       {{"type", "host-local"},
        {"dataDir", ipam_dir},
        {"ranges", {{{{"subnet", subnet}}}}},
        {"routes", {{{"dst", "0.0.0.0/0"}}}}}}};
  // snat: makes 127.0.0.1:PORT on the host reach the container.
  const json portmap_plugin = {
      {"type", "portmap"}, {"snat", true}, {"capabilities", {{"portMappings", true}}}};
  return {plugin_dir, bridge, {bridge_plugin.dump(), portmap_plugin.dump()}};
}

CniNetworkList LoopbackNetwork(const std::string& plugin_dir) {
  return {plugin_dir, "davit-loopback", {R"({"type":"loopback"})"}};
}

absl::StatusOr<std::string> AddToNetwork(const CniNetworkList& network,
                                         const CniAttachment& attachment) {
  json previous;
  for (const std::string& plugin : network.plugins) {
    const json config =
        ExecutionConfig(network, json::parse(plugin, nullptr, false), attachment, previous);
    // Without ports, portmap would only pass the result on.
    if (config.value("type", "") == "portmap" && attachment.bindings.empty()) continue;
    ASSIGN_OR_RETURN(const std::string output, RunPlugin(network, "ADD", config, attachment));
    previous = json::parse(output, nullptr, false);
    if (previous.is_discarded()) {
      return absl::InternalError(
          absl::StrCat("CNI plugin ", config.value("type", ""), " did not return JSON"));
    }
  }
  return previous.dump();
}

absl::Status DeleteFromNetwork(const CniNetworkList& network, const CniAttachment& attachment,
                               const std::string& result) {
  json previous = json::parse(result, nullptr, false);
  if (!previous.is_object()) previous = nullptr;
  absl::Status status;
  for (auto plugin = network.plugins.rbegin(); plugin != network.plugins.rend(); ++plugin) {
    const json config =
        ExecutionConfig(network, json::parse(*plugin, nullptr, false), attachment, previous);
    if (config.value("type", "") == "portmap" && attachment.bindings.empty()) continue;
    status.Update(RunPlugin(network, "DEL", config, attachment).status());
  }
  return status;
}

absl::StatusOr<std::string> AddressOfResult(const std::string& result) {
  const json document = json::parse(result, nullptr, false);
  if (document.is_object() && document.contains("ips") && document["ips"].is_array() &&
      !document["ips"].empty()) {
    const json& first = document["ips"][0];
    const std::string address = first.is_object() ? first.value("address", "") : "";
    if (!address.empty()) return address.substr(0, address.find('/'));
  }
  return absl::InternalError("the CNI plugins returned no address");
}

absl::Status RemoveMasquerading(const std::string& network_name, const std::string& container_id,
                                const std::string& ip_address) {
  // Names as in plugins/pkg/utils/utils.go, FormatChainName and FormatComment.
  const std::string key = network_name + container_id;
  unsigned char digest[SHA512_DIGEST_LENGTH];
  SHA512(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest), sizeof(digest));
  const std::string chain = absl::StrCat("CNI-", absl::BytesToHexString(bytes).substr(0, 24));
  const std::string comment =
      absl::StrCat("name: \"", network_name, "\" id: \"", container_id, "\"");
  ASSIGN_OR_RETURN(const CommandResult found, Iptables({"-S", chain}));
  if (found.exit_code != 0) return absl::OkStatus();
  const std::vector<std::vector<std::string>> steps = {
      {"-D", "POSTROUTING", "-s", ip_address + "/32", "-m", "comment", "--comment", comment, "-j",
       chain},
      {"-F", chain},
      {"-X", chain}};
  for (const std::vector<std::string>& step : steps) {
    ASSIGN_OR_RETURN(const CommandResult result, Iptables(step));
    // The rule may be gone already. The chain can only be removed after it.
    if (result.exit_code != 0 && step[0] != "-D") {
      return absl::UnavailableError(
          absl::StrCat("iptables ", step[0], " ", chain, ": ", result.error_output));
    }
  }
  return absl::OkStatus();
}

}  // namespace davit::network
