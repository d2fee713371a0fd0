#include "agent/spec/process.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using Strings = std::vector<std::string>;

struct ArgumentsRow {
  Strings image_entrypoint;
  Strings image_command;
  Strings entry_point;
  Strings command;
  Strings override_command;
  Strings expected;
};

Fixture MakeFixture(const ArgumentsRow& row) {
  Fixture fixture;
  fixture.image.entrypoint = row.image_entrypoint;
  fixture.image.command = row.image_command;
  for (const std::string& word : row.entry_point) fixture.web().add_entry_point(word);
  for (const std::string& word : row.command) fixture.web().add_command(word);
  v1::ContainerOverride& override_ = fixture.AddOverride();
  for (const std::string& word : row.override_command) override_.add_command(word);
  return fixture;
}

TEST_CASE("entry point and command take Docker's precedence", "[spec]") {
  const ArgumentsRow row = GENERATE(values<ArgumentsRow>({
      {{"ie"}, {"ic"}, {}, {}, {}, {"ie", "ic"}},
      {{}, {"ic"}, {}, {}, {}, {"ic"}},
      {{"ie"}, {}, {}, {}, {}, {"ie"}},
      {{"ie"}, {"ic"}, {}, {"c"}, {}, {"ie", "c"}},
      {{"ie"}, {"ic"}, {"e"}, {}, {}, {"e"}},  // the image's command goes with its entry point
      {{"ie"}, {"ic"}, {"e"}, {"c"}, {}, {"e", "c"}},
      {{"ie"}, {"ic"}, {}, {"c"}, {"o"}, {"ie", "o"}},
      {{"ie"}, {"ic"}, {"e"}, {"c"}, {"o", "p"}, {"e", "o", "p"}},
      {{"ie"}, {"ic"}, {""}, {"c"}, {}, {"c"}},  // [""] is no entry point
      {{"ie"}, {"ic"}, {"e", ""}, {}, {}, {"e", ""}},
  }));
  const Fixture fixture = MakeFixture(row);
  CHECK(*ResolveArguments(fixture.Input()) == row.expected);
}

TEST_CASE("a container with nothing to execute is refused", "[spec]") {
  const ArgumentsRow row = GENERATE(values<ArgumentsRow>({
      {{}, {}, {}, {}, {}, {}},
      {{"ie"}, {"ic"}, {""}, {}, {}, {}},
      {{}, {}, {}, {""}, {}, {}},
  }));
  CHECK(MakeFixture(row).Error() ==
        "INVALID_ARGUMENT: container 'web': command: nothing to execute: neither the "
        "definition nor the image has an entry point or a command");
}

TEST_CASE("the most specific value of a variable wins", "[spec]") {
  Fixture fixture(R"({"environment": [{"name": "C", "value": "definition"},
                                      {"name": "D", "value": "definition"},
                                      {"name": "E", "value": "first"},
                                      {"name": "E", "value": "last"},
                                      {"name": "EMPTY"}]})");
  fixture.image.environment = {"A=image", "B=image", "C=image", "D=image", "BROKEN", "=x", "Q=a=b"};
  fixture.place.extra_environment = {{"B", "agent"}, {"C", "agent"}};
  v1::KeyValuePair* pair = fixture.AddOverride().add_environment();
  pair->set_name("D");
  pair->set_value("override");
  CHECK(*ResolveEnvironment(fixture.Input()) ==
        Strings{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOSTNAME=0123web", "A=image", "B=agent", "C=definition", "D=override", "Q=a=b",
                "E=last", "EMPTY="});
}

TEST_CASE("the image's PATH replaces the default one, a terminal gets TERM", "[spec]") {
  Fixture fixture(R"({"pseudoTerminal": true, "hostname": "db"})");
  fixture.image.environment = {"PATH=/opt/bin"};
  CHECK(*ResolveEnvironment(fixture.Input()) ==
        Strings{"PATH=/opt/bin", "HOSTNAME=db", "TERM=xterm"});
  CHECK(fixture.Build()["process"]["terminal"] == true);
  CHECK(Fixture().Build()["process"]["terminal"] == false);
}

TEST_CASE("invalid process, user and hostname are refused by member", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [members, message] = GENERATE(values<Case>({
      {R"({"environment": [{"name": "A", "value": "1"}, {"value": "x"}]})",
       "environment[1].name: '' is not a valid variable name: it must not be empty or contain '='"},
      {R"({"environment": [{"name": "A=B"}]})",
       "environment[0].name: 'A=B' is not a valid variable name: it must not be empty or contain "
       "'='"},
      {R"({"environment": [{"name": "A", "value": "secret\u0000"}]})",
       "environment[0].value: contains a NUL byte"},
      {R"({"environment": [{"name": "A\u0000"}]})", "environment[0].name: contains a NUL byte"},
      {R"({"command": ["a", "\u0000"]})", "command: an argument: contains a NUL byte"},
      {R"({"workingDirectory": "srv"})", "workingDirectory: 'srv' is not an absolute path"},
      {R"({"user": "ghost"})", "user: 'ghost' is not in the image's /etc/passwd"},
      {R"({"hostname": "a b"})",
       "hostname: 'a b' must contain only letters, digits, '-', '.' and '_'"},
      {R"({"hostname": "01234567890123456789012345678901234567890123456789012345678901234"})",
       "hostname: 65 bytes, the kernel allows 64"},
  }));
  CHECK(Fixture(members).Error() == "INVALID_ARGUMENT: container 'web': " + message);
}

TEST_CASE("the definition's user, hostname and folder win over the image's", "[spec]") {
  Fixture fixture;
  fixture.image.user = "5:6";
  fixture.image.working_directory = "/image";
  CHECK(fixture.Build()["process"]["user"]["uid"] == 5);
  CHECK(fixture.Build()["process"]["cwd"] == "/image");
  CHECK(fixture.Build()["hostname"] == "0123web");
  fixture.web().set_user("7");
  fixture.web().set_working_directory("/a/../b//c/");
  fixture.web().set_hostname("db-1.local");
  CHECK(fixture.Build()["process"]["user"]["uid"] == 7);
  CHECK(fixture.Build()["process"]["cwd"] == "/b/c");
  CHECK(fixture.Build()["hostname"] == "db-1.local");
}

TEST_CASE("a string that is not UTF-8 is refused without an exception", "[spec]") {
  Fixture fixture;
  fixture.image.command = {"/bin/\xff"};
  CHECK(fixture.BuildText().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the host's init program runs before the definition's command", "[spec]") {
  Fixture fixture(R"({"command": ["/bin/app"], "linuxParameters": {"initProcessEnabled": true}})");
  fixture.host.init_path = "/usr/bin/tini-static";
  const nlohmann::json spec = fixture.Build();
  CHECK(spec["process"]["args"] == nlohmann::json{"/sbin/docker-init", "--", "/bin/app"});
  CHECK(std::any_of(spec["mounts"].begin(), spec["mounts"].end(), [](const nlohmann::json& mount) {
    return mount["destination"] == "/sbin/docker-init" &&
           mount["source"] == "/usr/bin/tini-static" && mount["options"].back() == "ro";
  }));
}

TEST_CASE("no init program is added where an init process exists", "[spec]") {
  Fixture fixture(R"({"command": ["/bin/app"], "linuxParameters": {"initProcessEnabled": true}})");
  fixture.task.set_pid_mode("host");
  CHECK(fixture.Build()["process"]["args"] == nlohmann::json{"/bin/app"});
}

TEST_CASE("a host without an init program refuses initProcessEnabled and says what to do",
          "[spec]") {
  const Fixture fixture(R"({"linuxParameters": {"initProcessEnabled": true}})");
  CHECK_THAT(fixture.Error(),
             Catch::Contains("initProcessEnabled") && Catch::Contains("containers.init_path"));
}

TEST_CASE("the definition wins over environment files, and secrets win over everything", "[spec]") {
  Fixture fixture(
      R"({"environment": [{"name": "A", "value": "definition"}, {"name": "S", "value": "x"}]})");
  fixture.image.environment = {"A=image", "B=image", "C=image"};
  fixture.place.file_environment = {{"A", "file"}, {"B", "file"}};
  fixture.place.secrets = {{"S", "secret"}};
  const std::vector<std::string> variables = ResolveEnvironment(fixture.Input()).value();
  const auto has = [&](const std::string& one) {
    return std::find(variables.begin(), variables.end(), one) != variables.end();
  };
  CHECK(has("A=definition"));
  CHECK(has("B=file"));
  CHECK(has("C=image"));
  CHECK(has("S=secret"));
}

TEST_CASE("a secret with an invalid name is not shown in the error", "[spec]") {
  Fixture fixture;
  fixture.place.secrets = {{"S", std::string("hunter2\0", 8)}};
  CHECK_THAT(fixture.Error(), Catch::Contains("secret S") && !Catch::Contains("hunter2"));
}

}  // namespace
}  // namespace davit::spec
