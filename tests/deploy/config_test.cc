#include "agent/config.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/config_reader.h"
#include "controller/config.h"

namespace davit {
namespace {

const std::string kFolder = DAVIT_SOURCE_DIR "/config/";

// Dev mode, because the files name no TLS certificates.

TEST_CASE("config/agent.toml holds the defaults", "[deploy]") {
  const absl::StatusOr<AgentConfig> config = LoadAgentConfig(kFolder + "agent.toml", true);
  REQUIRE(config.status() == absl::OkStatus());
  AgentConfig defaults;
  defaults.dev = true;
  CHECK(*config == defaults);
}

TEST_CASE("config/controller.toml holds the defaults", "[deploy]") {
  absl::StatusOr<ConfigReader> reader = ConfigReader::FromFile(kFolder + "controller.toml");
  REQUIRE(reader.status() == absl::OkStatus());
  const absl::StatusOr<ControllerConfig> config = ReadControllerConfig(*std::move(reader), true);
  REQUIRE(config.status() == absl::OkStatus());
  ControllerConfig defaults;
  defaults.dev = true;
  CHECK(*config == defaults);
}

}  // namespace
}  // namespace davit
