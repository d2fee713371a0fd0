#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

// The output of `write` on standard error, without the time.
std::string Logged(LogFormat format, LogLevel level, const std::function<void()>& write) {
  const test::ScratchFolder folder;
  const int file = open(folder.File("log").c_str(), O_CREAT | O_WRONLY, 0600);
  const int saved = dup(2);
  dup2(file, 2);
  SetUpLog(level, format);
  write();
  fflush(stderr);
  SetUpLog(LogLevel::kError, LogFormat::kLogfmt);
  dup2(saved, 2);
  close(saved);
  close(file);
  const std::string text = *ReadFile(folder.File("log"));
  if (text.empty()) return text;
  const std::string rest =
      format == LogFormat::kJson ? text.substr(text.find(',')) : text.substr(text.find(' '));
  return rest.substr(1, rest.size() - 2);  // without the newline
}

std::string Logfmt(const std::function<void()>& write) {
  return Logged(LogFormat::kLogfmt, LogLevel::kInfo, write);
}
std::string Json(const std::function<void()>& write) {
  return Logged(LogFormat::kJson, LogLevel::kInfo, write);
}

TEST_CASE("a logfmt line quotes the message always and fields only if needed", "[log]") {
  CHECK(Logfmt([] {
          LogInfo("task stopped",
                  {{"task_arn", "arn:aws:ecs:r:a:task/c/1"}, {"exit_code", 3}, {"reason", "a b"}});
        }) ==
        "level=info msg=\"task stopped\" task_arn=arn:aws:ecs:r:a:task/c/1 exit_code=3 reason=\"a "
        "b\"");
}

TEST_CASE("a value cannot break out of its logfmt field", "[log]") {
  CHECK(Logfmt([] { LogInfo("m", {{"v", "a=b"}}); }) == "level=info msg=\"m\" v=\"a=b\"");
  CHECK(Logfmt([] { LogInfo("m", {{"v", ""}}); }) == "level=info msg=\"m\" v=\"\"");
  CHECK(Logfmt([] {
          LogInfo("m", {{"v", "say \"x\\y\"\nlevel=error"}});
        }) == "level=info msg=\"m\" v=\"say \\\"x\\\\y\\\"\\nlevel=error\"");
  CHECK(Logfmt([] {
          LogInfo("m", {{"v", std::string("\t\x1b[31m\x7f", 7)}});
        }) == "level=info msg=\"m\" v=\"\\u0009\\u001b[31m\\u007f\"");
}

TEST_CASE("a JSON line has only escaped strings", "[log]") {
  CHECK(Json([] {
          LogWarning("a \"b\"", {{"n", 7}, {"v", std::string("x\0y\n\\", 5)}});
        }) == R"("level":"warning","msg":"a \"b\"","n":"7","v":"x\u0000y\n\\"})");
}

TEST_CASE("UTF-8 stays, other bytes are replaced one by one", "[log]") {
  CHECK(Json([] { LogInfo("h\u00e4\u20ac\U0001F6A2"); }) ==
        "\"level\":\"info\",\"msg\":\"h\u00e4\u20ac\U0001F6A2\"}");
  CHECK(Json([] { LogInfo("a\xff\xc3"); }) == "\"level\":\"info\",\"msg\":\"a\uFFFD\uFFFD\"}");
  CHECK(Json([] { LogInfo("\xc0\xaf"); }) ==
        "\"level\":\"info\",\"msg\":\"\uFFFD\uFFFD\"}");  // '/' in two bytes
  CHECK(Json([] { LogInfo("\xed\xa0\x80"); }) ==
        "\"level\":\"info\",\"msg\":\"\uFFFD\uFFFD\uFFFD\"}");  // a surrogate
  CHECK(Logfmt([] { LogInfo("m", {{"v", "\xff"}}); }) == "level=info msg=\"m\" v=\"\uFFFD\"");
}

TEST_CASE("format specifiers in messages are plain text", "[log]") {
  CHECK(Logfmt([] { LogInfo("{} %s", {{"v", "{0}"}}); }) == "level=info msg=\"{} %s\" v={0}");
}

TEST_CASE("a status is logged with its code", "[log]") {
  CHECK_THAT(Logfmt([] {
               LogError("m", {{"status", absl::NotFoundError("no x")}});
             }),
             Catch::Contains("status=\"NOT_FOUND: no x\""));
}

TEST_CASE("lines below the level are not written", "[log]") {
  CHECK(Logged(LogFormat::kLogfmt, LogLevel::kWarning, [] { LogInfo("quiet"); }).empty());
  CHECK_FALSE(Logged(LogFormat::kLogfmt, LogLevel::kWarning, [] { LogWarning("loud"); }).empty());
  CHECK_FALSE(Logged(LogFormat::kLogfmt, LogLevel::kDebug, [] { LogDebug("all"); }).empty());
}

TEST_CASE("levels and formats have names, and other names are refused", "[log]") {
  LogLevel level = LogLevel::kInfo;
  CHECK(ParseLogLevel("warning", &level));
  CHECK(level == LogLevel::kWarning);
  CHECK_FALSE(ParseLogLevel("verbose", &level));
  LogFormat format = LogFormat::kLogfmt;
  CHECK(ParseLogFormat("json", &format));
  CHECK(format == LogFormat::kJson);
  CHECK_FALSE(ParseLogFormat("xml", &format));
}

}  // namespace
}  // namespace davit
