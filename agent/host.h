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

// Converts the host's facts for the layers that need them. main() calls each function once. Pure,
// except ToSpecFacts().

// Facts for OCI specs, from `facts` and host_probe.h. `seccomp_profile`: the text of
// containers-common's file.
spec::HostFacts ToSpecFacts(const AgentConfig& config, const resource::HostFacts& facts,
                            std::string seccomp_profile);

// Removes GPUs from the configuration whose device nodes do not exist on the host, and all GPUs if
// a common node does not exist. So tasks are not placed on missing GPUs. Returns the missing nodes.
std::vector<std::string> DropAbsentGpus(const std::map<std::string, spec::DeviceNode>& devices,
                                        AgentConfig* config);

// The resources for tasks: 1024 CPU units per core, memory and ports without the reserved ones,
// GPUs.
task::ResourceNeeds CapacityOf(const AgentConfig& config, const resource::HostFacts& facts);

// Checks that the stored state belongs to this host in this cluster. If it belongs to another EC2
// instance (a cloned disk), drops its tasks from `state` and remembers only the former instance.
// Returns the ids of the dropped tasks, so that the caller can remove them from the store.
// FailedPrecondition: the host was registered in another cluster.
absl::StatusOr<std::vector<std::string>> ReconcileIdentity(const std::string& cluster,
                                                           const std::string& ec2_instance_id,
                                                           store::StoredState* state);

// The Hello message, except the members that change from session to session.
v1::Hello HelloOf(const AgentConfig& config, const resource::HostFacts& facts,
                  const resource::InstanceIdentity& identity, const std::string& runtime_version);

}  // namespace davit

#endif  // DAVIT_AGENT_HOST_H_
