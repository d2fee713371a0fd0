#ifndef DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_
#define DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::resource {

// Which EC2 instance this is, or what stands for one elsewhere. Fields that the source does not
// tell are empty.
struct InstanceIdentity {
  enum class Source {
    kImds,        // EC2's instance metadata service
    kConfigured,  // [instance] id; the rest is IMDS's where there is one
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
  std::string root = "/";        // below it sys/class/dmi/id is looked at
  absl::Duration connect_timeout = absl::Seconds(1);
  absl::Duration timeout = absl::Seconds(2);  // for all requests together
};

// Asks IMDSv2 (token first: AWS, "Use the Instance Metadata Service to access instance metadata").
// Nobody answering there, or somebody who gives no token, means that the host is not on EC2. Blocks
// up to `timeout`. Unavailable: this is EC2 (by DMI, or a token was given), but the metadata
// service does not tell who we are; to be tried again, for an identity made up instead would make
// the agent discard its state. FailedPrecondition: nothing to derive an identity from.
absl::StatusOr<InstanceIdentity> FindInstanceIdentity(const InstanceIdentityOptions& options);

// "i-" and 17 hexadecimal digits of a hash: machine-id(5) asks not to publish the id itself.
std::string InstanceIdFromMachineId(absl::string_view machine_id);

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_INSTANCE_IDENTITY_H_
