#include "base/http_request_parser.h"

#include <catch2/catch.hpp>
#include <tuple>

namespace davit {
namespace {

using State = HttpRequestParser::State;

// Feeds `bytes` in pieces of `step`, as a connection does, until the parser wants no more.
State FeedAll(HttpRequestParser* parser, const std::string& bytes, size_t step,
              std::string* rest = nullptr) {
  std::string input;
  State state = State::kNeedsMore;
  size_t given = 0;
  while (state == State::kNeedsMore && given < bytes.size()) {
    input += bytes.substr(given, step);
    given = std::min(bytes.size(), given + step);
    size_t used = 0;
    state = parser->Feed(input, &used);
    input.erase(0, used);
  }
  if (rest != nullptr) *rest = input + bytes.substr(given);
  return state;
}

TEST_CASE("a request is the same in whatever pieces it comes", "[http_server]") {
  const std::string text = GENERATE(
      "POST /a%20b?x=1&y=+%2B HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: "
      "5\r\n\r\nhello",
      "POST /a%20b?x=1&y=+%2B HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2;e=f\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n");
  const size_t step = GENERATE(1, 2, 7, 1000);
  HttpRequestParser parser(1000, 1000);
  std::string rest;
  REQUIRE(FeedAll(&parser, text + "GET /next", step, &rest) == State::kComplete);
  CHECK(rest == "GET /next");
  CHECK(parser.keeps_alive());
  const HttpServerRequest request = parser.Take();
  CHECK(request.method == "POST");
  CHECK(request.path == "/a b");
  CHECK(request.query == std::map<std::string, std::string>{{"x", "1"}, {"y", " +"}});
  CHECK(request.headers.at("x-a") == "1, 2");
  CHECK(request.body == "hello");
}

TEST_CASE("what is wrong with a request is told", "[http_server]") {
  using Row = std::tuple<std::string, int, std::string>;
  const auto [text, status, words] = GENERATE(
      Row{"\x16\x03\x01 hello", 400, "not an HTTP request"},
      Row{"GARBAGE\r\n\r\n", 400, "malformed"},
      Row{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400, "version"},
      Row{"GET / HTTP/1.1\r\n\r\n", 400, "Host"},
      Row{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host"},
      Row{"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, "malformed"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Content-Length"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400,
          "Content-Length"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          400, "malformed"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "chunk"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
          "Transfer-Encoding"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", 417,
          "100-continue"},
      Row{"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "CONNECT"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413, "100 bytes"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", 413,
          "100 bytes"},
      Row{"GET /" + std::string(1000, 'x') + " HTTP/1.1\r\n", 431, "1000 bytes"},
      Row{"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1000, 'x'), 431, "1000 bytes"},
      Row{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
              std::string(2000, 'x'),
          431, "too long"});
  const size_t step = GENERATE(1, 5000);
  CAPTURE(text, step);
  HttpRequestParser parser(1000, 100);
  REQUIRE(FeedAll(&parser, text, step) == State::kRefused);
  CHECK(parser.refusal().status == status);
  CHECK_THAT(parser.refusal().body, Catch::Contains(words));
  CHECK_THAT(parser.refusal().content_type, Catch::StartsWith("text/plain"));
}

TEST_CASE("a client is told once to go on with its body", "[http_server]") {
  HttpRequestParser parser(1000, 100);
  const std::string head =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  REQUIRE(FeedAll(&parser, head, 1000) == State::kNeedsMore);
  CHECK(parser.TakeExpectation());
  CHECK_FALSE(parser.TakeExpectation());
  CHECK(FeedAll(&parser, "ab", 1) == State::kComplete);
}

TEST_CASE("HTTP/1.0 is kept alive only on request, and 1.1 closed only on request",
          "[http_server]") {
  using Row = std::tuple<std::string, bool, bool>;
  const auto [text, is_http_1_0, keeps_alive] =
      GENERATE(Row{"GET / HTTP/1.0\r\n\r\n", true, false},
               Row{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, true},
               Row{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, true},
               Row{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, false});
  HttpRequestParser parser(1000, 100);
  REQUIRE(FeedAll(&parser, text, 3) == State::kComplete);
  CHECK(parser.is_http_1_0() == is_http_1_0);
  CHECK(parser.keeps_alive() == keeps_alive);
}

TEST_CASE("targets are decoded", "[http_server]") {
  using Query = std::map<std::string, std::string>;
  using Row = std::tuple<std::string, std::string, Query>;
  const auto [target, expected_path, expected_query] = GENERATE(
      Row{"/a+b%2Fc?d+e=%26&&f&g=h=i&g=2#j", "/a+b/c", {{"d e", "&"}, {"f", ""}, {"g", "h=i"}}},
      Row{"/100%?a=%zz&b=%4", "/100%", {{"a", "%zz"}, {"b", "%4"}}},
      Row{"http://host:1/p?q=1", "/p", {{"q", "1"}}}, Row{"http://host", "/", {}},
      Row{"https://host?q=1", "/", {{"q", "1"}}}, Row{"*", "*", {}});
  std::string path;
  Query query;
  ParseHttpTarget(target, &path, &query);
  CHECK(path == expected_path);
  CHECK(query == expected_query);
}

TEST_CASE("no field of an answer can bring another one with it", "[http_server]") {
  HttpServerResponse response{200, "a\r\nX-B: 1", "body", {{"X-C", "1\r\nX-D: 2"}}};
  response.headers["content-length"] = "999";
  const std::string head = HttpResponseHead(response, false, true);
  CHECK_THAT(head,
             !Catch::Contains("\r\nX-B") && !Catch::Contains("\r\nX-D") && !Catch::Contains("999"));
  CHECK_THAT(head, Catch::StartsWith("HTTP/1.1 200 OK\r\n") &&
                       Catch::Contains("\r\nContent-Length: 4\r\n"));
}

}  // namespace
}  // namespace davit
