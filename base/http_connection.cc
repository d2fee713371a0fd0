#include "base/http_connection.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace davit {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kReadBytes = 64U << 10;
// How long a peer may go on sending what nobody reads any more.
constexpr absl::Duration kCloseTimeout = absl::Seconds(2);
constexpr absl::Duration kForEver = absl::Hours(24 * 365);

bool AsksToClose(const HttpServerResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (absl::EqualsIgnoreCase(name, "Connection") && absl::EqualsIgnoreCase(value, "close"))
      return true;
  }
  return false;
}

}  // namespace

HttpConnection::HttpConnection(HttpConnectionLedger::Id id, Socket socket,
                               std::string remote_address, HttpConnectionContext* context)
    : id_(id),
      context_(context),
      remote_address_(std::move(remote_address)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()) {}

template <typename F>
auto HttpConnection::Guard(F handler) {
  return [self = shared_from_this(), handler = std::move(handler)](error_code error,
                                                                   auto... arguments) {
    if (error == asio::error::operation_aborted || self->state_ == State::kClosed) return;
    try {
      handler(error, arguments...);
    } catch (const std::exception& problem) {
      LogError("HTTP connection is closed after an internal error", {{"error", problem.what()}});
      self->Close();
    }
  };
}

void HttpConnection::Start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  Enter(State::kIdle, context_->options.idle_timeout);
  Read();
}

void HttpConnection::Stop() {
  if (state_ == State::kAnswering || state_ == State::kWriting) {
    keeps_alive_ = false;
  } else {
    Close();
  }
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kAnswering) --context_->counters->unanswered_requests;
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  context_->on_closed(id_);
}

HttpConnectionLedger::State HttpConnection::LedgerState() const {
  switch (state_) {
    case State::kIdle:
      return HttpConnectionLedger::State::kIdle;
    case State::kAnswering:
      return HttpConnectionLedger::State::kAnswering;
    case State::kWriting:
      return HttpConnectionLedger::State::kWriting;
    case State::kReading:
    case State::kClosing:
    case State::kClosed:
      break;
  }
  return HttpConnectionLedger::State::kReading;
}

void HttpConnection::Enter(State state, absl::Duration timeout) {
  state_ = state;
  context_->ledger.Set(id_, LedgerState());
  timer_.expires_after(absl::ToChronoNanoseconds(std::min(timeout, kForEver)));  // cancels the wait
  timer_.async_wait(Guard([this](error_code) {
    // One that had fired already when the time-out was changed.
    if (timer_.expiry() <= std::chrono::steady_clock::now()) OnTimeout();
  }));
}

void HttpConnection::OnTimeout() {
  switch (state_) {
    case State::kReading:
      return AnswerBadRequest(PlainHttpResponse(
          408, absl::StrCat("the request's ", parser_->has_head() ? "body" : "header",
                            " did not arrive in time")));
    case State::kAnswering:
      ++context_->counters->refused_requests;
      return Answer(request_number_,
                    PlainHttpResponse(
                        503, absl::StrCat("no answer within ",
                                          absl::FormatDuration(context_->options.answer_timeout))));
    case State::kIdle:
    case State::kWriting:
    case State::kClosing:
    case State::kClosed:
      return Close();
  }
}

void HttpConnection::Read() {
  socket_.async_wait(Socket::wait_read, Guard([this](error_code error) {
                       if (error) return Close();
                       OnReadable();
                     }));
}

void HttpConnection::OnReadable() {
  // An answer to a request that never came in full is being sent: see FinishSending().
  if (state_ == State::kAnswering || state_ == State::kWriting) return;
  std::array<char, kReadBytes> buffer;
  error_code error;
  const size_t size = socket_.read_some(asio::buffer(buffer), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return Read();
  if (error == asio::error::eof && state_ == State::kReading)
    return AnswerBadRequest(PlainHttpResponse(400, "the connection ended within the request"));
  if (error) return Close();
  if (state_ == State::kClosing) return Read();
  input_.append(buffer.data(), size);
  Parse();
}

// Of what was received: at most one request is taken, the rest waits for its answer.
void HttpConnection::Parse() {
  const HttpServer::Options& options = context_->options;
  if (parser_ == nullptr) {
    parser_ = std::make_unique<HttpRequestParser>(options.max_header_bytes, options.max_body_bytes);
    Enter(State::kReading, options.header_timeout);
  }
  const bool had_head = parser_->has_head();
  size_t used = 0;
  const HttpRequestParser::State result = parser_->Feed(input_, &used);
  input_.erase(0, used);
  if (input_.empty()) input_ = std::string();
  if (result == HttpRequestParser::State::kRefused) return AnswerBadRequest(parser_->refusal());
  if (result == HttpRequestParser::State::kComplete) return Handle();
  if (!had_head && parser_->has_head()) Enter(State::kReading, options.body_timeout);
  NoteBytes();
  if (state_ != State::kReading) return;  // it was the largest holder of memory itself
  if (parser_->TakeExpectation()) SendContinue();
  Read();
}

void HttpConnection::NoteBytes() {
  const size_t before = context_->ledger.bytes();
  context_->ledger.SetBytes(id_, input_.size() + output_head_.size() + output_body_.size() +
                                     request_bytes_ +
                                     (parser_ == nullptr ? 0 : parser_->held_bytes()));
  if (context_->ledger.bytes() > before) context_->on_memory();
}

void HttpConnection::SendContinue() {
  static constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // The peer has read all answers before, so there is room for this.
  asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()),
                    Guard([this](error_code error, size_t) {
                      if (error) Close();
                    }));
}

void HttpConnection::Handle() {
  ++context_->counters->requests;
  ++context_->counters->unanswered_requests;
  keeps_alive_ = parser_->keeps_alive() && !context_->is_stopping;
  is_http_1_0_ = parser_->is_http_1_0();
  request_bytes_ = parser_->held_bytes();
  HttpServerRequest request = parser_->Take();
  parser_.reset();
  request.remote_address = remote_address_;
  is_head_request_ = request.method == "HEAD";
  ++request_number_;
  Enter(State::kAnswering, context_->options.answer_timeout);
  NoteBytes();
  context_->handle(std::move(request), MakeResponder());
}

HttpResponder HttpConnection::MakeResponder() {
  return HttpResponder([io = context_->io, connection = weak_from_this(),
                        number = request_number_](HttpServerResponse response) mutable {
    asio::post(*io, [connection = std::move(connection), number,
                     response = std::move(response)]() mutable {
      if (const auto self = connection.lock()) self->Answer(number, std::move(response));
    });
  });
}

void HttpConnection::Answer(uint64_t request_number, HttpServerResponse response) {
  if (state_ != State::kAnswering || request_number != request_number_) return;
  --context_->counters->unanswered_requests;
  keeps_alive_ = keeps_alive_ && !AsksToClose(response) && !context_->is_stopping;
  Send(std::move(response));
}

void HttpConnection::AnswerBadRequest(HttpServerResponse response) {
  ++context_->counters->bad_requests;
  parser_.reset();
  keeps_alive_ = false;
  is_head_request_ = false;
  is_http_1_0_ = false;
  error_code ignored;
  socket_.cancel(ignored);  // what is being read
  Send(std::move(response));
}

void HttpConnection::Send(HttpServerResponse response) {
  output_head_ = HttpResponseHead(response, is_http_1_0_, keeps_alive_);
  const bool has_body = !is_head_request_ && !IsBodilessStatus(response.status);
  output_body_ = has_body ? std::move(response.body) : std::string();
  written_ = 0;
  request_bytes_ = 0;
  Enter(State::kWriting, context_->options.write_stall_timeout);
  NoteBytes();
  if (state_ == State::kWriting) Write();
}

void HttpConnection::Write() {
  const size_t head = std::min(written_, output_head_.size());
  const std::array<asio::const_buffer, 2> rest = {asio::buffer(output_head_) + head,
                                                  asio::buffer(output_body_) + (written_ - head)};
  socket_.async_write_some(rest, Guard([this](error_code error, size_t size) {
                             if (error) return Close();
                             OnWritten(size);
                           }));
}

void HttpConnection::OnWritten(size_t size) {
  written_ += size;
  if (written_ == output_head_.size() + output_body_.size()) return FinishSending();
  Enter(State::kWriting, context_->options.write_stall_timeout);
  Write();
}

void HttpConnection::FinishSending() {
  output_head_ = std::string();
  output_body_ = std::string();
  NoteBytes();
  if (keeps_alive_) {
    Enter(State::kIdle, context_->options.idle_timeout);
    return input_.empty() ? Read() : Parse();
  }
  input_ = std::string();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  if (context_->is_stopping) return Close();
  Enter(State::kClosing, kCloseTimeout);
  Read();
}

}  // namespace davit
