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

// Which container has which host port. Each port is held by a socket that is bound and never
// listens: iptables rules would hand the port to a container behind everybody's back; this way
// other programs, the kernel's choice of ephemeral ports and other agents on the host see that it
// is taken. Thread-safe; does not block.
class PortLedger {
 public:
  // Dynamic ports come from `range` without `excluded`.
  PortLedger(PortRange range, std::set<int> excluded);
  ~PortLedger();
  PortLedger(const PortLedger&) = delete;
  PortLedger& operator=(const PortLedger&) = delete;

  // All of `requests` for `owner`, or none. FailedPrecondition: a port is taken (names it, and the
  // container that holds it if it is one of ours). ResourceExhausted: no dynamic port is free.
  // InvalidArgument: not a port, or asked for twice.
  absl::StatusOr<std::vector<PortBinding>> Reserve(const std::string& owner,
                                                   const std::vector<PortRequest>& requests);
  // Takes back what `owner` had before a restart. FailedPrecondition: a program has bound one
  // meanwhile; the port is `owner`'s all the same, for iptables still sends it there.
  absl::Status Restore(const std::string& owner, const std::vector<PortBinding>& bindings);
  // OK to call for an owner of nothing.
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
  // Dynamic ports rotate: one that was just freed may still be in its clients' heads.
  int next_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_PORT_LEDGER_H_
