#include "controller/config.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace davit {
namespace {

void CheckAll(const ControllerConfig& config, ConfigReader* reader) {
  const bool is_account = config.account.size() == 12 &&
                          std::all_of(config.account.begin(), config.account.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (!is_account) reader->AddError("controller", "account", "must be 12 digits");
  if (config.region.empty()) reader->AddError("controller", "region", "must not be empty");
  const int files = !config.ca_file.empty() + !config.cert_file.empty() + !config.key_file.empty();
  if (files != 0 && files != 3) {
    reader->AddError("gateway", "cert_file", "ca_file, cert_file and key_file are needed together");
  }
  if (files == 0 && !config.dev) {
    reader->AddError("gateway", "cert_file",
                     "agents need TLS: give ca_file, cert_file and key_file, or set controller.dev "
                     "= true on a machine "
                     "that nobody else can reach");
  }
  const bool is_loopback = config.api_address == "127.0.0.1" || config.api_address == "::1";
  if (!is_loopback && !config.dev && config.access_keys.empty()) {
    reader->AddError("api", "access_keys",
                     "the API is reachable from other machines: give at least one access key");
  }
}

}  // namespace

absl::StatusOr<ControllerConfig> ReadControllerConfig(ConfigReader reader, bool dev) {
  ControllerConfig config;
  reader.Read("controller", "region", &config.region);
  reader.Read("controller", "account", &config.account);
  reader.Read("controller", "state_dir", &config.state_dir);
  reader.Read("controller", "dev", &config.dev);
  config.dev = config.dev || dev;
  reader.Read("api", "address", &config.api_address);
  reader.Read("api", "port", &config.api_port, 0, 65535);
  reader.Read("api", "access_keys", &config.access_keys);
  reader.Read("gateway", "address", &config.gateway_address);
  reader.Read("gateway", "port", &config.gateway_port, 0, 65535);
  reader.Read("gateway", "ca_file", &config.ca_file);
  reader.Read("gateway", "cert_file", &config.cert_file);
  reader.Read("gateway", "key_file", &config.key_file);
  reader.Read("agents", "grace", &config.grace, absl::Seconds(1), absl::Hours(24));
  reader.Read("tasks", "stopped_retention", &config.stopped_retention, absl::Seconds(1),
              absl::Hours(24 * 365));
  std::string level = "info";
  std::string format = "logfmt";
  reader.Read("logging", "level", &level);
  reader.Read("logging", "format", &format);
  if (!ParseLogLevel(level, &config.log_level)) {
    reader.AddError("logging", "level", "must be debug, info, warning or error");
  }
  if (!ParseLogFormat(format, &config.log_format))
    reader.AddError("logging", "format", "must be logfmt or json");
  CheckAll(config, &reader);
  RETURN_IF_ERROR(reader.Finish());
  return config;
}

}  // namespace davit
