#ifndef DAVIT_AGENT_HOST_H_
#define DAVIT_AGENT_HOST_H_

#include <map>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/resource/host_facts.h"
#include "agent/resource/instance_identity.h"
#include "agent/spec/oci_spec.h"
#include "agent/store/store.h"
#include "agent/task/admission_ledger.h"
#include "davit/v1/agent.pb.h"

namespace davit {

// The host's facts as the layers want them, used once by main(). Pure, but for ToSpecFacts().

// For OCI specs: `facts`, and what host_probe.h finds. `seccomp_profile`: text of
// containers-common's file.
spec::HostFacts ToSpecFacts(const AgentConfig& config, const resource::HostFacts& facts,
                            std::string seccomp_profile);

// Takes off the configuration the GPUs whose device nodes are not among the host's, all of them if
// a common node is not: tasks are not offered what is not there. Returns what is missing.
std::vector<std::string> DropAbsentGpus(const std::map<std::string, spec::DeviceNode>& devices,
                                        AgentConfig* config);

// What tasks may use: CPU = cores x 1024 units, memory less the reserve, ports less the reserved
// ones, GPUs.
task::ResourceNeeds CapacityOf(const AgentConfig& config, const resource::HostFacts& facts);

// What the store says, for this host in this cluster. A store of another EC2 instance (a cloned
// disk) keeps only whom it belonged to: its tasks are dropped from `state` and their ids returned,
// to be removed from the store. FailedPrecondition: the host was a member of another cluster.
absl::StatusOr<std::vector<std::string>> ReconcileIdentity(const std::string& cluster,
                                                           const std::string& ec2_instance_id,
                                                           store::StoredState* state);

// How the agent introduces itself, but for what changes from session to session.
v1::Hello HelloOf(const AgentConfig& config, const resource::HostFacts& facts,
                  const resource::InstanceIdentity& identity, const std::string& runtime_version);

}  // namespace davit

#endif  // DAVIT_AGENT_HOST_H_
