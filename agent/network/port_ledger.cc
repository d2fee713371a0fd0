#include "agent/network/port_ledger.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace davit::network {
namespace {

constexpr char kHostAddress[] = "0.0.0.0";
constexpr int kMaxPort = 65535;

// Without SO_REUSEADDR, so that no two sockets can have the same port. A port in TIME_WAIT counts
// as taken, for a limited time.
absl::StatusOr<int> BindSocket(const std::string& protocol, int port) {
  const int type = protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoStatus(errno, "socket");
  const int smallest = 0;  // nobody reads packets that arrive before iptables redirects them
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close(fd);
    const std::string name = absl::StrCat("host port ", port, "/", protocol);
    if (error == EADDRINUSE) {
      return absl::FailedPreconditionError(
          absl::StrCat(name, " is in use by a program on the host"));
    }
    return ErrnoStatus(error, absl::StrCat("binding ", name));
  }
  return fd;
}

absl::Status Validate(const PortRequest& request) {
  if (request.protocol != "tcp" && request.protocol != "udp") {
    return absl::InvalidArgumentError(
        absl::StrCat("protocol '", request.protocol, "' is not tcp or udp"));
  }
  if (request.container_port < 1 || request.container_port > kMaxPort || request.host_port < 0 ||
      request.host_port > kMaxPort) {
    return absl::InvalidArgumentError(absl::StrCat("not a port mapping: host ", request.host_port,
                                                   ", container ", request.container_port));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PortRange> ParsePortRange(absl::string_view text) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  PortRange range;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &range.first) ||
      !absl::SimpleAtoi(ends[1], &range.last) || range.first < 1 || range.last > kMaxPort ||
      range.first > range.last) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not a range of ports such as 32768-60999"));
  }
  return range;
}

PortLedger::PortLedger(PortRange range, std::set<int> excluded)
    : range_(range), excluded_(std::move(excluded)), next_(range.first) {}

PortLedger::~PortLedger() {
  for (const auto& [key, holder] : held_) {
    if (holder.socket >= 0) close(holder.socket);
  }
}

absl::Status PortLedger::Take(const std::string& owner, const Key& key) {
  const auto holder = held_.find(key);
  if (holder != held_.end()) {
    const std::string name = absl::StrCat("host port ", key.second, "/", key.first);
    if (holder->second.owner == owner) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " is requested twice by the same container"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is in use by container ", holder->second.owner));
  }
  ASSIGN_OR_RETURN(const int socket, BindSocket(key.first, key.second));
  held_[key] = {owner, socket};
  return absl::OkStatus();
}

absl::StatusOr<int> PortLedger::TakeAny(const std::string& owner, const std::string& protocol) {
  const int count = range_.last - range_.first + 1;
  for (int tries = 0; tries < count; ++tries) {
    const int port = next_;
    next_ = next_ == range_.last ? range_.first : next_ + 1;
    if (excluded_.count(port) > 0) continue;
    const absl::Status taken = held_.count({protocol, port}) > 0
                                   ? absl::FailedPreconditionError("held")
                                   : Take(owner, {protocol, port});
    if (taken.ok()) return port;
    if (taken.code() != absl::StatusCode::kFailedPrecondition) return taken;
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("no free ", protocol, " host port in ", range_.first, "-", range_.last));
}

absl::StatusOr<std::vector<PortBinding>> PortLedger::ReserveAll(
    const std::string& owner, const std::vector<PortRequest>& requests) {
  std::vector<PortBinding> bindings;
  for (const PortRequest& request : requests) {
    RETURN_IF_ERROR(Validate(request));
    bindings.push_back({kHostAddress, request.container_port, request.host_port, request.protocol});
    // Fixed ports first, so that a dynamic port cannot take one that is requested by number.
    if (request.host_port != 0) RETURN_IF_ERROR(Take(owner, {request.protocol, request.host_port}));
  }
  for (PortBinding& binding : bindings) {
    if (binding.host_port != 0) continue;
    ASSIGN_OR_RETURN(binding.host_port, TakeAny(owner, binding.protocol));
  }
  return bindings;
}

absl::StatusOr<std::vector<PortBinding>> PortLedger::Reserve(
    const std::string& owner, const std::vector<PortRequest>& requests) {
  const MutexLock lock(&mu_);
  absl::StatusOr<std::vector<PortBinding>> bindings = ReserveAll(owner, requests);
  if (!bindings.ok()) ReleaseAll(owner);
  return bindings;
}

absl::Status PortLedger::Restore(const std::string& owner,
                                 const std::vector<PortBinding>& bindings) {
  const MutexLock lock(&mu_);
  absl::Status result;
  for (const PortBinding& binding : bindings) {
    const Key key{binding.protocol, binding.host_port};
    if (held_.count(key) > 0) continue;
    const absl::Status taken = Take(owner, key);
    if (!taken.ok()) held_[key] = {owner, -1};
    result.Update(taken);
  }
  return result;
}

void PortLedger::ReleaseAll(const std::string& owner) {
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->second.owner != owner) {
      ++it;
      continue;
    }
    if (it->second.socket >= 0) close(it->second.socket);
    it = held_.erase(it);
  }
}

void PortLedger::Release(const std::string& owner) {
  const MutexLock lock(&mu_);
  ReleaseAll(owner);
}

}  // namespace davit::network
