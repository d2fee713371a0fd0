#include "controller/ecs/paging.h"

#include <catch2/catch.hpp>

namespace davit::controller::ecs {
namespace {

TEST_CASE("a token leads to the page after its key", "[paging]") {
  const auto page = ParsePage("ListTasks", false, 0, MakeToken("ListTasks", "abc"));
  REQUIRE(page.ok());
  CHECK(page->after == "abc");
  CHECK(page->size == 100);
}

TEST_CASE("a token of another list, or one that was tampered with, is refused", "[paging]") {
  std::string token = MakeToken("ListTasks", "abc");
  SECTION("another list") { CHECK_FALSE(ParsePage("ListClusters", false, 0, token).ok()); }
  SECTION("cut") {
    token.pop_back();
    CHECK_FALSE(ParsePage("ListTasks", false, 0, token).ok());
  }
  SECTION("made up") { CHECK_FALSE(ParsePage("ListTasks", false, 0, "abc").ok()); }
  SECTION("not base64") { CHECK_FALSE(ParsePage("ListTasks", false, 0, "&&&").ok()); }
}

TEST_CASE("maxResults is 1..100", "[paging]") {
  CHECK(ParsePage("ListTasks", true, 1, "").ok());
  CHECK(ParsePage("ListTasks", true, 100, "").ok());
  CHECK_FALSE(ParsePage("ListTasks", true, 0, "").ok());
  CHECK_FALSE(ParsePage("ListTasks", true, 101, "").ok());
}

}  // namespace
}  // namespace davit::controller::ecs
