#ifndef DAVIT_TESTS_SUPPORT_HTTP_PEER_H_
#define DAVIT_TESTS_SUPPORT_HTTP_PEER_H_

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

namespace davit::test {

// One TCP connection to an HTTP server on this host, byte for byte: for what a proper client does
// not do. Reads and writes wait at most kDeadlineMs.
class HttpPeer {
 public:
  static constexpr int kDeadlineMs = 20000;

  // `from`: the address to connect from, any of 127.0.0.0/8. `receive_buffer` of 0: the system's.
  explicit HttpPeer(int port, const std::string& from = "127.0.0.1", int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(fd_ >= 0);
    if (receive_buffer > 0)
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in local{};
    local.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &local.sin_addr);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&local), sizeof(local)) == 0);
    sockaddr_in remote{};
    remote.sin_family = AF_INET;
    remote.sin_port = htons(static_cast<uint16_t>(port));
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&remote), sizeof(remote)) == 0);
  }
  ~HttpPeer() { Close(); }
  HttpPeer(HttpPeer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        is_ended_(other.is_ended_),
        received_(std::move(other.received_)) {}
  HttpPeer& operator=(HttpPeer&&) = delete;

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  // Says that nothing more will be sent.
  void EndSending() { shutdown(fd_, SHUT_WR); }

  // False: the server closed the connection, or takes nothing more.
  bool Send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      if (!Wait(POLLOUT)) return false;
      const ssize_t count =
          send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN) return false;
      if (count > 0) sent += static_cast<size_t>(count);
    }
    return true;
  }
  // The head of the next answer, without its body. Empty: the connection ended.
  std::string ReadHead() {
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) return "";
    }
    return Take(end + 4);
  }
  // The next answer, whole. Empty: the connection ended before.
  std::string ReadAnswer() {
    const std::string head = ReadHead();
    const size_t length = head.find("Content-Length: ");
    const size_t size =
        length == std::string::npos ? 0 : std::strtoul(head.c_str() + length + 16, nullptr, 10);
    while (received_.size() < size) {
      if (!ReadSome()) return "";
    }
    return head + Take(size);
  }
  // Everything until the server closes. `*is_closed`, if given, tells whether it did so in time.
  std::string ReadToEnd(bool* is_closed = nullptr) {
    while (ReadSome()) {
    }
    if (is_closed != nullptr) *is_closed = is_ended_;
    return Take(received_.size());
  }
  // True once the server has closed the connection, which it must do before the deadline.
  bool IsClosedByServer() {
    bool is_closed = false;
    ReadToEnd(&is_closed);
    return is_closed;
  }
  std::string Get(const std::string& path) {
    Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return ReadAnswer();
  }

 private:
  bool Wait(short events) const {
    pollfd watched{fd_, events, 0};
    return poll(&watched, 1, kDeadlineMs) == 1;
  }
  bool ReadSome() {
    char buffer[16384];
    if (is_ended_ || !Wait(POLLIN)) return false;
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count <= 0) {
      is_ended_ = true;
      return false;
    }
    received_.append(buffer, static_cast<size_t>(count));
    return true;
  }
  std::string Take(size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  int fd_;
  bool is_ended_ = false;
  std::string received_;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_HTTP_PEER_H_
