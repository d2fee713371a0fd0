#ifndef DAVIT_AGENT_NETWORK_PORT_LEDGER_H_
#define DAVIT_AGENT_NETWORK_PORT_LEDGER_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/network/network.h"
#include "base/mutex.h"

namespace davit::network {

struct PortRange {
  int first = 32768;
  int last = 60999;
};
// "32768-60999". InvalidArgument: not of that form, or not within 1..65535.
absl::StatusOr<PortRange> ParsePortRange(absl::string_view text);

// Knows which container has which host port. Holds each port with a bound socket that never
// listens. iptables alone would give the port to a container without anybody noticing; with the
// socket other programs, the kernel's choice of ephemeral ports and other agents see that it is
// taken. Thread-safe; does not block.
class PortLedger {
 public:
  // Dynamic ports come from `range` without `excluded`.
  PortLedger(PortRange range, std::set<int> excluded);
  ~PortLedger();
  PortLedger(const PortLedger&) = delete;
  PortLedger& operator=(const PortLedger&) = delete;

  // Reserves all of `requests` for `owner`, or none. FailedPrecondition: a port is taken; the
  // message names it and, if one of ours has it, the container. ResourceExhausted: no dynamic port
  // is free. InvalidArgument: not a port, or requested twice.
  absl::StatusOr<std::vector<PortBinding>> Reserve(const std::string& owner,
                                                   const std::vector<PortRequest>& requests);
  // Reserves the ports that `owner` had before a restart. FailedPrecondition: a program has bound
  // one of them in between. The port still belongs to `owner`, because iptables sends its traffic
  // there.
  absl::Status Restore(const std::string& owner, const std::vector<PortBinding>& bindings);
  // Releases all ports of `owner`, if it has any.
  void Release(const std::string& owner);

 private:
  using Key = std::pair<std::string, int>;  // protocol, port
  struct Holder {
    std::string owner;
    int socket = -1;
  };
  absl::Status Take(const std::string& owner, const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<int> TakeAny(const std::string& owner, const std::string& protocol)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::vector<PortBinding>> ReserveAll(const std::string& owner,
                                                      const std::vector<PortRequest>& requests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseAll(const std::string& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const PortRange range_;
  const std::set<int> excluded_;
  Mutex mu_;
  std::map<Key, Holder> held_ ABSL_GUARDED_BY(mu_);
  // Dynamic ports rotate, because clients may still use one that was just freed.
  int next_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_PORT_LEDGER_H_
