#include "controller/config.h"

#include <catch2/catch.hpp>

namespace davit {
namespace {

absl::StatusOr<ControllerConfig> Read(absl::string_view text, bool dev = false) {
  return ReadControllerConfig(*ConfigReader::FromText(text, "controller.toml"), dev);
}

TEST_CASE("the shipped configuration says every key with its default", "[config]") {
  auto reader = ConfigReader::FromFile(DAVIT_SOURCE_DIR "/config/controller.toml");
  REQUIRE(reader.ok());
  const auto shipped = ReadControllerConfig(*std::move(reader), true);
  REQUIRE(shipped.ok());
  const ControllerConfig defaults;
  CHECK(shipped->region == defaults.region);
  CHECK(shipped->account == defaults.account);
  CHECK(shipped->state_dir == defaults.state_dir);
  CHECK(shipped->api_address == defaults.api_address);
  CHECK(shipped->api_port == defaults.api_port);
  CHECK(shipped->access_keys == defaults.access_keys);
  CHECK(shipped->gateway_address == defaults.gateway_address);
  CHECK(shipped->gateway_port == defaults.gateway_port);
  CHECK(shipped->cert_file == defaults.cert_file);
  CHECK(shipped->grace == defaults.grace);
  CHECK(shipped->stopped_retention == defaults.stopped_retention);
  CHECK(shipped->log_level == defaults.log_level);
  CHECK(shipped->log_format == defaults.log_format);
}

TEST_CASE("without certificates only a development controller starts", "[config]") {
  CHECK_THAT(std::string(Read("").status().message()), Catch::Contains("gateway.cert_file"));
  CHECK(Read("", true).ok());
  CHECK(Read("[controller]\ndev = true").ok());
  CHECK(Read("[gateway]\nca_file = 'a'\ncert_file = 'b'\nkey_file = 'c'").ok());
  CHECK_FALSE(Read("[gateway]\ncert_file = 'b'", true).ok());
}

TEST_CASE("an API that others can reach needs access keys", "[config]") {
  const std::string files = "[gateway]\nca_file = 'a'\ncert_file = 'b'\nkey_file = 'c'\n";
  CHECK_THAT(std::string(Read(files + "[api]\naddress = '0.0.0.0'").status().message()),
             Catch::Contains("api.access_keys"));
  const auto config =
      Read(files + "[api]\naddress = '0.0.0.0'\n[api.access_keys]\nAKID = 'secret'");
  REQUIRE(config.ok());
  CHECK(config->access_keys.at("AKID") == "secret");
}

TEST_CASE("everything that is wrong is said at once", "[config]") {
  const std::string message(Read("[controller]\naccount = '12'\n[api]\nport = 70000\nprot = 1\n"
                                 "[agents]\ngrace = 'soon'\n[logging]\nlevel = 'loud'",
                                 true)
                                .status()
                                .message());
  for (const char* key :
       {"controller.account", "api.port", "api.prot", "agents.grace", "logging.level"}) {
    CHECK_THAT(message, Catch::Contains(key));
  }
}

}  // namespace
}  // namespace davit
