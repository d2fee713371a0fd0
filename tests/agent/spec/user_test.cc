#include "agent/spec/user.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace davit::spec {
namespace {

constexpr char kPasswd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "this line is broken\n"
    "app:x:1000:2000:App:/home/app:/bin/sh\n"
    "4242:x:77:77::/:\n"
    "big:x:99999999999:0::/:\n"
    "twin:x:1000:3000::/:\n";
constexpr char kGroup[] =
    "root:x:0:root\n"
    "app:x:2000:\n"
    "wheel:x:10:root,app\n"
    "data:x:50:app,other\n"
    "broken\n"
    "data2:x:50:app\n";

struct Row {
  std::string user;
  uint32_t uid;
  uint32_t gid;
  std::vector<uint32_t> gids;
};

TEST_CASE("a user is found by name or number, with the groups that the files give", "[spec]") {
  const Row row = GENERATE(values<Row>({
      {"", 0, 0, {0, 10}},      // root, and wheel lists it
      {"root", 0, 0, {0, 10}},  //
      {"0", 0, 0, {0, 10}},     //
      {"app", 1000, 2000, {2000, 10, 50}},
      {"1000", 1000, 2000, {2000, 10, 50}},  // the first line of that number
      {"app:wheel", 1000, 10, {10}},         // a named group replaces all others
      {"app:50", 1000, 50, {50}},
      {"app:", 1000, 2000, {2000, 10, 50}},
      {":wheel", 0, 10, {10}},
      {"5:6", 5, 6, {6}},  // unknown numbers are used as they are
      {"5", 5, 0, {0}},
      {"4242", 4242, 0, {0}},  // a number is never a name
      {"2147483647", 2147483647, 0, {0}},
  }));
  CAPTURE(row.user);
  const absl::StatusOr<ResolvedUser> user = ResolveUser(row.user, kPasswd, kGroup);
  REQUIRE(user.ok());
  CHECK(user->uid == row.uid);
  CHECK(user->gid == row.gid);
  CHECK(user->additional_gids == row.gids);
}

TEST_CASE("a user that the image does not have is refused by name", "[spec]") {
  using Case = std::pair<std::string, std::string>;
  const auto [name, message] = GENERATE(values<Case>({
      {"nobody", "user: 'nobody' is not in the image's /etc/passwd"},
      {"big", "user: 'big' is not in the image's /etc/passwd"},  // its line is malformed
      {"app:nogroup", "user: group 'nogroup' is not in the image's /etc/group"},
      {"-1", "user: '-1' is not in the image's /etc/passwd"},
      {"2147483648", "user: 2147483648 is above the largest id, 2147483647"},
      {"0:99999999999999999999", "user: 99999999999999999999 is above the largest id, 2147483647"},
      {"a:b:c", "user: 'a' is not in the image's /etc/passwd"},
      {"app:wheel:x", "user: group 'wheel:x' is not in the image's /etc/group"},
  }));
  const absl::StatusOr<ResolvedUser> user = ResolveUser(name, kPasswd, kGroup);
  CHECK(user.status() == absl::InvalidArgumentError(message));
}

TEST_CASE("an image without passwd and group files runs as root or by number", "[spec]") {
  CHECK(*ResolveUser("", "", "") == ResolvedUser{0, 0, {0}});
  CHECK(*ResolveUser("7:8", "", "") == ResolvedUser{7, 8, {8}});
  CHECK(ResolveUser("root", "", "").status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::spec
