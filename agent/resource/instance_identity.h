#ifndef DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_
#define DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::resource {

// The identity of this host: its EC2 instance, or a substitute elsewhere. Fields that the source
// lacks are empty.
struct InstanceIdentity {
  enum class Source {
    kImds,        // EC2's instance metadata service
    kConfigured,  // [instance] id; other fields from IMDS if it exists
    kMachineId,   // derived from /etc/machine-id
  };
  Source source = Source::kMachineId;
  std::string ec2_instance_id;  // "i-" and 17 hexadecimal digits, or the configured text
  std::string region;
  std::string availability_zone;
  std::string instance_type;
  std::string ami_id;
  std::string account_id;
  std::string vpc_id;
  std::string subnet_id;
  friend bool operator==(const InstanceIdentity&, const InstanceIdentity&) = default;
};

struct InstanceIdentityOptions {
  std::string configured_id;  // [instance] id; empty: none
  std::string imds_endpoint =
      "http://169.254.169.254";  // [instance] imds_endpoint; empty: do not ask
  std::string machine_id;        // HostFacts::machine_id
  std::string root = "/";        // sys/class/dmi/id is read below it
  absl::Duration connect_timeout = absl::Seconds(1);
  absl::Duration timeout = absl::Seconds(2);  // for all requests together
};

// Asks IMDSv2 (token first: AWS, "Use the Instance Metadata Service to access instance metadata").
// Without an answer, or without a token, the host is not on EC2. Blocks up to `timeout`.
// Unavailable: this is EC2 (by DMI or by the token), but IMDS does not return the identity. Retry:
// with a substitute identity the agent would discard its state. FailedPrecondition: there is
// nothing to derive an identity from.
absl::StatusOr<InstanceIdentity> FindInstanceIdentity(const InstanceIdentityOptions& options);

// "i-" and 17 hexadecimal digits of a hash, because machine-id(5) asks not to publish the id
// itself.
std::string InstanceIdFromMachineId(absl::string_view machine_id);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_
