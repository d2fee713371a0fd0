#ifndef DAVIT_CONTROLLER_CONFIG_H_
#define DAVIT_CONTROLLER_CONFIG_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/config_reader.h"
#include "base/log.h"

namespace davit {

// controller.toml. Keys are those of the file; config/controller.toml shows all of them with these
// defaults.
struct ControllerConfig {
  // [controller]
  std::string region = "us-east-1";      // stands in every ARN
  std::string account = "000000000000";  // likewise; 12 digits
  std::string state_dir = "/var/lib/davit-controller";
  bool dev = false;  // agents without TLS, requests without signatures
  // [api]
  std::string api_address = "127.0.0.1";
  int api_port = 51670;
  std::map<std::string, std::string>
      access_keys;  // access key id -> secret; none: signatures are not checked
  // [gateway]
  std::string gateway_address = "127.0.0.1";
  int gateway_port = 51680;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  // [agents]
  absl::Duration grace = absl::Seconds(60);
  // [tasks]
  absl::Duration stopped_retention = absl::Hours(1);
  // [logging]
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  friend bool operator==(const ControllerConfig&, const ControllerConfig&) = default;
};

// InvalidArgument lists everything that is wrong. `dev` is the command line's --dev, and wins over
// the file.
absl::StatusOr<ControllerConfig> ReadControllerConfig(ConfigReader reader, bool dev);

}  // namespace davit

#endif  // DAVIT_CONTROLLER_CONFIG_H_
