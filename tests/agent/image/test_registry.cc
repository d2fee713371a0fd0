#include "tests/agent/image/test_registry.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace davit::image {

ScriptedServer::ScriptedServer(std::vector<std::string> answers) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("no loopback port for the test");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, answers = std::move(answers)] { Serve(answers); });
}

ScriptedServer::~ScriptedServer() {
  shutdown(listener_, SHUT_RDWR);  // ends a waiting accept()
  thread_.join();
  close(listener_);
}

void ScriptedServer::Serve(const std::vector<std::string>& answers) {
  for (const std::string& answer : answers) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = read(connection, buffer, sizeof(buffer));
      if (count <= 0) break;
      head.append(buffer, static_cast<size_t>(count));
    }
    {
      MutexLock lock(&mu_);
      requests_.push_back(head);
    }
    static_cast<void>(send(connection, answer.data(), answer.size(), MSG_NOSIGNAL));
    close(connection);
  }
}

}  // namespace davit::image
