#ifndef DAVIT_AGENT_NETWORK_FAKE_NETWORK_H_
#define DAVIT_AGENT_NETWORK_FAKE_NETWORK_H_

#include <map>
#include <string>
#include <vector>

#include "agent/network/network.h"
#include "base/mutex.h"

namespace davit::network {

// Network in memory, with the same rules (one contract suite runs on both). Thread-safe; never
// blocks. Dynamic ports count up from 32768, addresses from 10.213.0.2.
class FakeNetwork : public Network {
 public:
  absl::StatusOr<Attachment> Attach(const std::string& container_id, NetworkMode mode,
                                    const std::vector<PortRequest>& ports) override;
  absl::Status Detach(const std::string& container_id) override;
  absl::StatusOr<std::vector<std::string>> List() const override;

  // Plays a program of the host that binds a port.
  void SimulateHostPort(const std::string& protocol, int port);
  // Until it is set to OK, Attach() returns `status` and creates nothing. FailDetach() does the
  // same for Detach(), which then removes nothing.
  void FailAttach(const absl::Status& status);
  void FailDetach(const absl::Status& status);

 private:
  absl::Status Bind(const std::string& container_id, PortBinding* binding)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Release(const std::string& container_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::map<std::string, Attachment> attachments_ ABSL_GUARDED_BY(mu_);  // by container id
  std::map<std::pair<std::string, int>, std::string> owners_
      ABSL_GUARDED_BY(mu_);  // "" = a program of the host
  int next_port_ ABSL_GUARDED_BY(mu_) = 32768;
  int next_address_ ABSL_GUARDED_BY(mu_) = 2;
  absl::Status attach_status_ ABSL_GUARDED_BY(mu_);
  absl::Status detach_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_FAKE_NETWORK_H_
