#ifndef DAVIT_TESTS_AGENT_RUNTIME_OCI_SPEC_H_
#define DAVIT_TESTS_AGENT_RUNTIME_OCI_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

namespace davit::test {

// A minimal OCI runtime spec that runs `arguments` as root in its own namespaces, except the host's
// network. `memory_bytes` 0: no limit. Source: OCI runtime-spec 1.0.2.
std::string MinimalOciSpec(const std::vector<std::string>& arguments, const std::string& cgroup,
                           int64_t memory_bytes = 0);

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_RUNTIME_OCI_SPEC_H_
