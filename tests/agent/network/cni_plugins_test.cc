#include "agent/network/cni_plugins.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace davit::network {
namespace {

using nlohmann::json;

// Plugins that are shell scripts and record the environment and input of each call.
class ScriptedPlugins {
 public:
  ScriptedPlugins() {
    char name[] = "/tmp/davit-cni-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    folder_ = name;
  }
  ~ScriptedPlugins() { RemoveAll(folder_).IgnoreError(); }

  void Install(const std::string& type, const std::string& body) {
    const std::string script = absl::StrCat(
        "#!/bin/sh\necho \"$CNI_COMMAND ", type, " $CNI_CONTAINERID [$CNI_NETNS] $CNI_IFNAME\" >> ",
        folder_, "/calls\ncat > ", folder_, "/", type, ".$CNI_COMMAND.json\n", body, "\n");
    REQUIRE(WriteFileAtomically(absl::StrCat(folder_, "/", type), script, 0755) ==
            absl::OkStatus());
  }
  std::string Calls() const { return ReadFile(folder_ + "/calls").value_or(""); }
  json Input(const std::string& type, const std::string& verb) const {
    return json::parse(*ReadFile(absl::StrCat(folder_, "/", type, ".", verb, ".json")));
  }
  CniNetworkList List() const {
    return {folder_,
            "net1",
            {R"({"type":"first"})", R"({"type":"second","capabilities":{"portMappings":true}})"}};
  }

 private:
  std::string folder_;
};

const CniAttachment kAttachment = {"c1", "/ns/c1", "eth0", {{"0.0.0.0", 80, 32768, "tcp"}}};

TEST_CASE("plugins are added in order, each with the result before it", "[network]") {
  ScriptedPlugins plugins;
  plugins.Install("first", R"(echo '{"ips":[{"address":"10.0.0.2/24"}]}')");
  plugins.Install("second", R"(echo '{"ips":[{"address":"10.0.0.3/24"}]}')");
  const absl::StatusOr<std::string> result = AddToNetwork(plugins.List(), kAttachment);
  REQUIRE(result.ok());
  CHECK(*AddressOfResult(*result) == "10.0.0.3");
  CHECK(plugins.Calls() == "ADD first c1 [/ns/c1] eth0\nADD second c1 [/ns/c1] eth0\n");
  const json first = plugins.Input("first", "ADD");
  CHECK(first["cniVersion"] == "1.0.0");
  CHECK(first["name"] == "net1");
  CHECK_FALSE(first.contains("prevResult"));
  CHECK_FALSE(first.contains("runtimeConfig"));
  const json second = plugins.Input("second", "ADD");
  CHECK(second["prevResult"]["ips"][0]["address"] == "10.0.0.2/24");
  CHECK(second["runtimeConfig"]["portMappings"][0]["hostPort"] == 32768);
  CHECK_FALSE(second.contains("capabilities"));
}

TEST_CASE("all plugins are deleted in reverse order, even if one fails", "[network]") {
  ScriptedPlugins plugins;
  plugins.Install("first", "exit 0");
  plugins.Install("second", R"(echo '{"code":7,"msg":"no such rule","details":"d"}'; exit 1)");
  const absl::Status status =
      DeleteFromNetwork(plugins.List(), {"c1", "", "eth0", {}}, R"({"ips":[]})");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(absl::StrContains(status.message(), "second DEL: no such rule d"));
  CHECK(plugins.Calls() == "DEL second c1 [] eth0\nDEL first c1 [] eth0\n");
  CHECK(plugins.Input("first", "DEL").contains("prevResult"));
}

TEST_CASE("a plugin's failure has its message and what to do about it", "[network]") {
  ScriptedPlugins plugins;
  plugins.Install("first",
                  R"(echo '{"code":999,"msg":"no IP addresses available in range set"}'; exit 1)");
  CHECK(AddToNetwork(plugins.List(), kAttachment).status().code() ==
        absl::StatusCode::kResourceExhausted);
  plugins.Install("first", "echo oops >&2; exit 3");
  const absl::Status plain = AddToNetwork(plugins.List(), kAttachment).status();
  CHECK(plain.code() == absl::StatusCode::kUnavailable);
  CHECK(absl::StrContains(plain.message(), "exit code 3 oops"));
  plugins.Install("first", "echo no json");
  CHECK(AddToNetwork(plugins.List(), kAttachment).status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("a plugin that is not installed is FailedPrecondition", "[network]") {
  const ScriptedPlugins plugins;
  CHECK(AddToNetwork(plugins.List(), kAttachment).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a result without address is refused", "[network]") {
  for (const char* text : {"", "{}", R"({"ips":[]})", R"({"ips":[{}]})", R"({"ips":[7]})", "[]"}) {
    CHECK(AddressOfResult(text).status().code() == absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace davit::network
