#include "bench/controller/api_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace davit::bench {
namespace {

constexpr int kTimeoutSeconds = 60;

struct Head {
  int status = 0;
  size_t content_length = 0;
  bool is_last = false;  // the server closes the connection after this answer
};

absl::StatusOr<Head> ParseHead(absl::string_view text) {
  Head head;
  bool has_length = false;
  for (absl::string_view line : absl::StrSplit(text, "\r\n")) {
    if (head.status == 0) {  // HTTP/1.1 200 OK
      if (line.size() < 12 || !absl::SimpleAtoi(line.substr(9, 3), &head.status)) {
        return absl::InternalError(absl::StrCat("not HTTP: ", line));
      }
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const absl::string_view name = line.substr(0, colon);
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (absl::EqualsIgnoreCase(name, "content-length")) {
      has_length = absl::SimpleAtoi(value, &head.content_length);
    } else if (absl::EqualsIgnoreCase(name, "connection")) {
      head.is_last = absl::EqualsIgnoreCase(value, "close");
    }
  }
  if (!has_length) return absl::InternalError("an answer without Content-Length");
  return head;
}

absl::Status SocketError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

}  // namespace

ApiClient::~ApiClient() { Disconnect(); }

void ApiClient::Disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::Status ApiClient::Connect() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return SocketError("socket");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval timeout{kTimeoutSeconds, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const absl::Status status = SocketError("connect");
    Disconnect();
    return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ApiClient::Call(absl::string_view operation, absl::string_view body) {
  const std::string request =
      absl::StrCat("POST / HTTP/1.1\r\nHost: 127.0.0.1:", port_,
                   "\r\nContent-Type: application/x-amz-json-1.1\r\n"
                   "X-Amz-Target: AmazonEC2ContainerServiceV20141113.",
                   operation, "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  // The server may have closed an idle connection: then the request was not read, and a new
  // connection is tried once.
  for (int attempt = 0;; ++attempt) {
    const bool is_reused = fd_ >= 0;
    if (!is_reused) RETURN_IF_ERROR(Connect());
    bool is_stale = false;
    absl::StatusOr<std::string> answer = Exchange(request, &is_stale);
    if (answer.ok() || absl::IsFailedPrecondition(answer.status())) return answer;
    Disconnect();
    if (!is_reused || !is_stale || attempt > 0) return answer;
  }
}

absl::StatusOr<std::string> ApiClient::Exchange(const std::string& request, bool* is_stale) {
  for (size_t sent = 0; sent < request.size();) {
    const ssize_t count = send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      *is_stale = true;
      return SocketError("send");
    }
    sent += static_cast<size_t>(count);
  }
  std::string answer;
  size_t head_size = 0;
  Head head;
  while (head_size == 0 || answer.size() < head_size + head.content_length) {
    const size_t had = answer.size();
    const size_t wanted = std::max<size_t>(head_size + head.content_length, had + 16384);
    answer.resize(wanted);
    const ssize_t count = recv(fd_, answer.data() + had, wanted - had, 0);
    answer.resize(had + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) {
      *is_stale = had == 0 && (count == 0 || errno == ECONNRESET);
      return count == 0 ? absl::UnavailableError("the server closed the connection")
                        : SocketError("receive");
    }
    if (head_size != 0) continue;
    const size_t end = answer.find("\r\n\r\n", had < 3 ? 0 : had - 3);
    if (end == std::string::npos) continue;
    head_size = end + 4;
    ASSIGN_OR_RETURN(head, ParseHead(absl::string_view(answer).substr(0, end)));
  }
  if (head.is_last) Disconnect();
  answer.erase(0, head_size);
  if (head.status == 200) return answer;
  return absl::FailedPreconditionError(absl::StrCat("HTTP ", head.status, ": ", answer));
}

std::vector<std::string> TaskArnsOf(absl::string_view json) {
  constexpr absl::string_view kMember = "\"taskArn\":\"";
  std::vector<std::string> arns;
  for (size_t at = json.find(kMember); at != absl::string_view::npos; at = json.find(kMember, at)) {
    at += kMember.size();
    const absl::string_view arn = json.substr(at, json.find('"', at) - at);
    // A task's containers name it too, and stand beside it.
    if (arns.empty() || arns.back() != arn) arns.emplace_back(arn);
  }
  return arns;
}

}  // namespace davit::bench
