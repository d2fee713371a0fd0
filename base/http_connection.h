#ifndef DAVIT_BASE_HTTP_CONNECTION_H_
#define DAVIT_BASE_HTTP_CONNECTION_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/http_connection_ledger.h"
#include "base/http_request_parser.h"
#include "base/http_server.h"

namespace davit {

// What the connections of one I/O thread share. Used on that thread only.
struct HttpConnectionContext {
  HttpServer::Options options;
  HttpServerCounters* counters;
  std::shared_ptr<boost::asio::io_context> io;  // responders keep it beyond the server's end
  HttpConnectionLedger ledger;
  bool is_stopping = false;
  std::function<void(HttpServerRequest, HttpResponder)> handle;
  // More memory is held than before: the owner closes whom it must.
  std::function<void()> on_memory;
  std::function<void(HttpConnectionLedger::Id)> on_closed;
};

// One accepted connection, from the first byte to the last: reads a request, has it handled, writes
// the answer, and begins again. One timer is always armed, so that no peer and no handler holds it
// for ever.
//
// All calls are made on the I/O thread. Pending operations keep it alive; after Close() there are
// none. A silent connection holds no buffer. `context` is borrowed until the connection is closed.
//
// Only Read() and Write() touch the socket's bytes, so that a TLS stream may take its place. A
// response in pieces asks for the next one where OnWritten() finds nothing left to send; a protocol
// upgrade takes socket_ and input_ away where Answer() begins.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;
  HttpConnection(HttpConnectionLedger::Id id, Socket socket, std::string remote_address,
                 HttpConnectionContext* context);

  // Once. The ledger knows the connection already.
  void Start();
  // The server stops: closes now, unless a request is being answered.
  void Stop();
  void Close();

 private:
  // kClosing: the last answer was sent, and what the peer still sends is thrown away, because a
  // close with unread data would destroy the answer on its way.
  enum class State { kIdle, kReading, kAnswering, kWriting, kClosing, kClosed };

  void Enter(State state, absl::Duration timeout);
  HttpConnectionLedger::State LedgerState() const;
  void OnTimeout();
  void Read();
  void OnReadable();
  void Parse();
  void NoteBytes();
  void SendContinue();
  void Handle();
  HttpResponder MakeResponder();
  // The handler's answer to the request with this number; late ones are ignored.
  void Answer(uint64_t request_number, HttpServerResponse response);
  void AnswerBadRequest(HttpServerResponse response);
  void Send(HttpServerResponse response);
  void Write();
  void OnWritten(size_t size);
  void FinishSending();
  // Wraps a completion handler: keeps this alive, ignores what was cancelled, closes on a throw.
  template <typename F>
  auto Guard(F handler);

  const HttpConnectionLedger::Id id_;
  HttpConnectionContext* const context_;
  const std::string remote_address_;
  Socket socket_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      timer_;
  State state_ = State::kIdle;
  uint64_t request_number_ = 0;
  std::unique_ptr<HttpRequestParser> parser_;  // of the request that is being read
  std::string input_;                          // received, and not parsed yet
  // Of the request that is being answered.
  bool is_head_request_ = false;
  bool is_http_1_0_ = false;
  bool keeps_alive_ = false;
  size_t request_bytes_ = 0;  // that its handler holds
  std::string output_head_;
  std::string output_body_;
  size_t written_ = 0;  // of head and body together
};

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_CONNECTION_H_
