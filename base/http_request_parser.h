#ifndef DAVIT_BASE_HTTP_REQUEST_PARSER_H_
#define DAVIT_BASE_HTTP_REQUEST_PARSER_H_

#include <memory>

#include "base/http_server.h"

namespace davit {

// Makes one HTTP/1.x request of the bytes of a connection, over Boost.Beast (the only file that
// includes it is http_request_parser.cc). Not thread-safe; does no I/O.
class HttpRequestParser {
 public:
  enum class State {
    kNeedsMore,
    kComplete,  // Take() the request
    kRefused,   // answer with refusal(), then close: what follows cannot be told apart
  };
  HttpRequestParser(size_t max_header_bytes, size_t max_body_bytes);
  ~HttpRequestParser();

  // Uses bytes from the front of `input`, which must begin where the last call stopped using it,
  // and tells how many. Must not be called again once the state is not kNeedsMore.
  State Feed(absl::string_view input, size_t* used);
  // True once, when the head is complete and the client waits for "100 Continue" before its body.
  bool TakeExpectation();
  bool has_head() const;
  // Bytes of head and body so far.
  size_t held_bytes() const;

  // Of a complete request.
  HttpServerRequest Take();
  bool keeps_alive() const;
  bool is_http_1_0() const;

  const HttpServerResponse& refusal() const { return refusal_; }

 private:
  struct Beast;
  State Refuse(int status, absl::string_view why);
  State CheckHead();

  const std::unique_ptr<Beast> beast_;
  const size_t max_header_bytes_;
  const size_t max_body_bytes_;
  size_t head_bytes_ = 0;
  bool is_head_checked_ = false;
  bool expects_continue_ = false;
  HttpServerResponse refusal_;
};

// An answer that the server itself gives.
HttpServerResponse PlainHttpResponse(int status, absl::string_view text);
// Status line and header fields of an answer, with the empty line that ends them. Control
// characters in `response`'s own fields are replaced: nobody can add a field by a line break.
std::string HttpResponseHead(const HttpServerResponse& response, bool is_http_1_0,
                             bool keeps_alive);
// True: answers with this status never have a body.
bool IsBodilessStatus(int status);

// Splits a request's target into `path` and `query` and percent-decodes both; '+' is a space in the
// query only. What is not a valid escape stays as it is. An absolute URL loses scheme and authority
// (RFC 9112, 3.2.2).
void ParseHttpTarget(absl::string_view target, std::string* path,
                     std::map<std::string, std::string>* query);

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_REQUEST_PARSER_H_
