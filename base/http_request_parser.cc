#include "base/http_request_parser.h"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace davit {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

// Beast's string_body reserves what Content-Length announces. This one holds what has arrived.
struct ArrivedBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, beast::error_code& error) { error = {}; }
    template <class Buffers>
    size_t put(const Buffers& buffers, beast::error_code& error) {
      error = {};
      size_t size = 0;
      for (const auto buffer : beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(buffer.data()), buffer.size());
        size += buffer.size();
      }
      return size;
    }
    void finish(beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

std::string Text(beast::string_view text) { return std::string(text.data(), text.size()); }

std::string Decode(absl::string_view text, bool is_plus_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto value = [&](size_t at) {
      const char c = absl::ascii_tolower(static_cast<unsigned char>(text[at]));
      return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0' : c - 'a' + 10;
    };
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (is_escape) {
      decoded.push_back(static_cast<char>(value(i + 1) * 16 + value(i + 2)));
      i += 2;
    } else {
      decoded.push_back(is_plus_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

void AppendField(absl::string_view name, absl::string_view value, std::string* head) {
  const size_t begin = head->size();
  absl::StrAppend(head, name, ": ", value);
  for (size_t i = begin; i < head->size(); ++i) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>((*head)[i]))) (*head)[i] = ' ';
  }
  head->append("\r\n");
}

}  // namespace

struct HttpRequestParser::Beast {
  http::request_parser<ArrivedBody> parser;
};

HttpRequestParser::HttpRequestParser(size_t max_header_bytes, size_t max_body_bytes)
    : beast_(std::make_unique<Beast>()),
      max_header_bytes_(max_header_bytes),
      max_body_bytes_(max_body_bytes) {
  beast_->parser.header_limit(static_cast<uint32_t>(max_header_bytes));
  beast_->parser.body_limit(max_body_bytes);
  beast_->parser.eager(false);  // the head is checked before any of the body is looked at
}

HttpRequestParser::~HttpRequestParser() = default;

HttpRequestParser::State HttpRequestParser::Feed(absl::string_view input, size_t* used) {
  auto& parser = beast_->parser;
  *used = 0;
  if (head_bytes_ == 0) {
    // RFC 9112, 2.2: some clients send an empty line after a body.
    while (*used < input.size() && (input[*used] == '\r' || input[*used] == '\n')) ++*used;
    if (*used < input.size() && !absl::ascii_isalpha(static_cast<unsigned char>(input[*used])))
      return Refuse(400, "this is not an HTTP request; the port speaks HTTP/1.1 without TLS");
  }
  while (!parser.is_done()) {
    if (*used == input.size()) return State::kNeedsMore;
    beast::error_code error;
    const absl::string_view rest = input.substr(*used);
    const size_t taken = parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    *used += taken;
    if (!is_head_checked_) head_bytes_ += taken;
    if (error == http::error::header_limit)
      return Refuse(431, absl::StrCat("the header is larger than ", max_header_bytes_, " bytes"));
    if (error == http::error::body_limit)
      return Refuse(413, absl::StrCat("the body is larger than ", max_body_bytes_, " bytes"));
    if (error == http::error::need_more) {
      // A line of a chunked body or of its trailer that never ends.
      if (parser.is_header_done() && input.size() - *used > max_header_bytes_)
        return Refuse(431, "a line of the chunked body is too long");
      return State::kNeedsMore;
    }
    if (error) return Refuse(400, absl::StrCat("malformed request: ", error.message()));
    if (parser.is_header_done() && !is_head_checked_) {
      is_head_checked_ = true;
      if (CheckHead() == State::kRefused) return State::kRefused;
    }
  }
  return State::kComplete;
}

HttpRequestParser::State HttpRequestParser::CheckHead() {
  const auto& message = beast_->parser.get();
  const auto hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11))
    return Refuse(400, "malformed request: exactly one Host header is required");
  if (message.method() == http::verb::connect)
    return Refuse(501, "CONNECT is not supported: this is not a proxy");
  if (message.count(http::field::transfer_encoding) > 0 &&
      !beast::iequals(message[http::field::transfer_encoding], "chunked"))
    return Refuse(501, "no Transfer-Encoding but chunked is supported");
  const beast::string_view expect = message[http::field::expect];
  if (!expect.empty() && message.version() >= 11) {
    if (!beast::iequals(expect, "100-continue"))
      return Refuse(417, "no expectation but 100-continue is supported");
    expects_continue_ = !beast_->parser.is_done();
  }
  return State::kNeedsMore;
}

HttpRequestParser::State HttpRequestParser::Refuse(int status, absl::string_view why) {
  refusal_ = PlainHttpResponse(status, why);
  return State::kRefused;
}

bool HttpRequestParser::TakeExpectation() { return std::exchange(expects_continue_, false); }

bool HttpRequestParser::has_head() const { return is_head_checked_; }

size_t HttpRequestParser::held_bytes() const {
  return head_bytes_ + beast_->parser.get().body().size();
}

bool HttpRequestParser::keeps_alive() const { return beast_->parser.keep_alive(); }

bool HttpRequestParser::is_http_1_0() const { return beast_->parser.get().version() < 11; }

HttpServerRequest HttpRequestParser::Take() {
  auto message = beast_->parser.release();
  HttpServerRequest request;
  request.method = Text(message.method_string());
  for (const auto& field : message) {
    const auto [entry, is_new] = request.headers.emplace(
        absl::AsciiStrToLower(Text(field.name_string())), Text(field.value()));
    if (!is_new) absl::StrAppend(&entry->second, ", ", Text(field.value()));
  }
  ParseHttpTarget(Text(message.target()), &request.path, &request.query);
  request.body = std::move(message.body());
  return request;
}

HttpServerResponse PlainHttpResponse(int status, absl::string_view text) {
  return {status, "text/plain; charset=utf-8", absl::StrCat(text, "\n"), {}};
}

bool IsBodilessStatus(int status) { return status < 200 || status == 204 || status == 304; }

std::string HttpResponseHead(const HttpServerResponse& response, bool is_http_1_0,
                             bool keeps_alive) {
  const auto reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  std::string head = absl::StrCat(is_http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ", response.status, " ",
                                  Text(reason), "\r\n");
  AppendField("Date",
              absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()),
              &head);
  if (!IsBodilessStatus(response.status)) {
    if (!response.content_type.empty()) AppendField("Content-Type", response.content_type, &head);
    AppendField("Content-Length", absl::StrCat(response.body.size()), &head);
  }
  for (const auto& [name, value] : response.headers) {
    const bool is_ours = absl::EqualsIgnoreCase(name, "Content-Length") ||
                         absl::EqualsIgnoreCase(name, "Transfer-Encoding") ||
                         absl::EqualsIgnoreCase(name, "Connection");
    if (!is_ours) AppendField(name, value, &head);
  }
  if (!keeps_alive) {
    AppendField("Connection", "close", &head);
  } else if (is_http_1_0) {
    AppendField("Connection", "keep-alive", &head);
  }
  head.append("\r\n");
  return head;
}

void ParseHttpTarget(absl::string_view target, std::string* path,
                     std::map<std::string, std::string>* query) {
  target = target.substr(0, target.find('#'));
  if (absl::StartsWithIgnoreCase(target, "http://") ||
      absl::StartsWithIgnoreCase(target, "https://")) {
    const size_t slash = target.find_first_of("/?", target.find("://") + 3);
    target = slash == absl::string_view::npos ? "/" : target.substr(slash);
  }
  const size_t mark = target.find('?');
  *path = Decode(target.substr(0, mark), /*is_plus_space=*/false);
  if (path->empty()) *path = "/";
  if (mark == absl::string_view::npos) return;
  for (const absl::string_view pair : absl::StrSplit(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    query->emplace(Decode(pair.substr(0, equals), true),
                   equals == absl::string_view::npos ? "" : Decode(pair.substr(equals + 1), true));
  }
}

}  // namespace davit
