#include "base/status.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <memory>
#include <tuple>

namespace davit {
namespace {

TEST_CASE("a text that fits is not shortened", "[status]") {
  CHECK(Shorten("", 0).empty());
  CHECK(Shorten("abc", 3) == "abc");
}

TEST_CASE("a shortened text never has more bytes than allowed", "[status]") {
  const std::string text =
      GENERATE(std::string("abcdefghij"), std::string("h\u00e4\u00df\u00f6\u00fc\u00e4"),
               std::string("\u20ac\u20ac\u20ac\u20ac"),
               std::string("\U0001F6A2\U0001F6A2\U0001F6A2"), std::string(20, '\x80'));
  for (size_t limit = 0; limit <= text.size(); ++limit)
    REQUIRE(Shorten(text, limit).size() <= limit);
}

TEST_CASE("a text is cut between UTF-8 characters", "[status]") {
  using Row = std::tuple<std::string, size_t, std::string>;
  const auto [text, limit, expected] =
      GENERATE(Row{"abcdefgh", 7, "abcd..."}, Row{"abcdefgh", 2, ".."},
               Row{"ab\u00e4cdefgh", 6, "ab..."},  // 2 bytes: the cut would be in its middle
               Row{"ab\u00e4cdefgh", 7, "ab\u00e4..."}, Row{"a\u20acbcdefgh", 5, "a..."},
               Row{"a\u20acbcdefgh", 6, "a..."}, Row{"a\u20acbcdefgh", 7, "a\u20ac..."},
               Row{"\U0001F6A2bcdefgh", 6, "..."}, Row{"\U0001F6A2bcdefgh", 7, "\U0001F6A2..."});
  CHECK(Shorten(text, limit) == expected);
}

TEST_CASE("bytes that are not UTF-8 are replaced within the limit", "[status]") {
  CHECK(Shorten("a\xff", 10) == "a\uFFFD");
  CHECK(Shorten(std::string(20, '\x80'), 10) == "\uFFFD\uFFFD...");
}

absl::Status FailWith(const absl::Status& status) {
  RETURN_IF_ERROR(status, "opening ", "door ", 7);
  return absl::OkStatus();
}

absl::StatusOr<int> Twice(absl::StatusOr<int> number) {
  ASSIGN_OR_RETURN(const int value, std::move(number), "doubling");
  return 2 * value;
}

TEST_CASE("each layer adds what it was doing and keeps the code", "[status]") {
  CHECK(FailWith(absl::OkStatus()).ok());
  const absl::Status failed = FailWith(absl::NotFoundError("no key"));
  CHECK(absl::IsNotFound(failed));
  CHECK(failed.message() == "opening door 7: no key");
}

TEST_CASE("a value is passed on and an error is annotated", "[status]") {
  CHECK(*Twice(21) == 42);
  const auto failed = Twice(absl::UnavailableError("no number"));
  CHECK(absl::IsUnavailable(failed.status()));
  CHECK(failed.status().message() == "doubling: no number");
}

absl::StatusOr<std::unique_ptr<int>> TwoOnOneScope() {
  ASSIGN_OR_RETURN(std::unique_ptr<int> first,
                   absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(1)));
  ASSIGN_OR_RETURN(first, absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(2)));
  return first;
}

TEST_CASE("values that can only be moved are moved", "[status]") {
  const auto value = TwoOnOneScope();
  REQUIRE(value.ok());
  CHECK(**value == 2);
}

TEST_CASE("payloads survive annotation", "[status]") {
  absl::Status status = absl::InternalError("x");
  status.SetPayload("type", absl::Cord("payload"));
  CHECK(Annotate(status, "y").GetPayload("type") == absl::Cord("payload"));
  CHECK(Annotate(absl::OkStatus(), "y").ok());
}

TEST_CASE("the code decides whether an error is retried", "[status]") {
  CHECK(IsRetryable(absl::UnavailableError("")));
  CHECK(IsRetryable(absl::ResourceExhaustedError("")));
  CHECK(IsRetryable(absl::DeadlineExceededError("")));
  CHECK_FALSE(IsRetryable(absl::OkStatus()));
  CHECK_FALSE(IsRetryable(absl::InvalidArgumentError("")));
  CHECK_FALSE(IsRetryable(absl::InternalError("")));
}

TEST_CASE("removing a missing object and creating an existing one succeed", "[status]") {
  CHECK(OkIfNotFound(absl::NotFoundError("")).ok());
  CHECK_FALSE(OkIfNotFound(absl::AlreadyExistsError("")).ok());
  CHECK(OkIfAlreadyExists(absl::AlreadyExistsError("")).ok());
  CHECK_FALSE(OkIfAlreadyExists(absl::NotFoundError("")).ok());
}

TEST_CASE("errno becomes a code and the system's message", "[status]") {
  CHECK(absl::IsNotFound(ErrnoStatus(ENOENT, "open /x")));
  CHECK(absl::IsPermissionDenied(ErrnoStatus(EACCES, "open /x")));
  CHECK(absl::IsResourceExhausted(ErrnoStatus(ENOSPC, "write")));
  CHECK(ErrnoStatus(ENOENT, "open /x").message() == "open /x: No such file or directory");
}

}  // namespace
}  // namespace davit
