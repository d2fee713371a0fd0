#ifndef DAVIT_AGENT_SUPERVISOR_CONTAINER_CREATION_H_
#define DAVIT_AGENT_SUPERVISOR_CONTAINER_CREATION_H_

#include <string>

#include "agent/log/log_uri.h"
#include "agent/network/network.h"
#include "agent/secret/value_resolver.h"
#include "agent/spec/oci_spec.h"
#include "agent/supervisor/host_inventory.h"
#include "agent/supervisor/task.h"

namespace davit::supervisor {

// Makes containers: network, root file system, OCI specification, waiting process. Thread-safe;
// blocks: on pools only.
class ContainerCreation {
 public:
  struct Deps {
    HostParts host;
    const spec::HostFacts* facts;
    log::LogOptions log;      // `file` is filled in per container
    std::string agent_label;  // LabelsOf()
  };
  explicit ContainerCreation(Deps deps) : deps_(std::move(deps)) {}

  // Runs CNI plugins: slow.
  absl::StatusOr<network::Attachment> Attach(const Task& task, const std::string& container) const;
  // OK if it is there and waits. AlreadyExists: it runs or ran. `again`: after an earlier life,
  // whose process is cleared away.
  absl::Status Create(const Task& task, const std::string& container, bool again,
                      const network::Attachment& attachment,
                      const secret::ResolvedValues& values) const;

 private:
  absl::StatusOr<std::string> BuildSpec(const Task& task, const v1::ContainerDefinition& definition,
                                        const network::Attachment& attachment,
                                        const runtime::Rootfs& rootfs,
                                        const secret::ResolvedValues& values) const;
  // What the containers of a task share by pidMode and ipcMode.
  absl::Status PlaceShared(const Task& task, spec::ContainerPlace* place) const;
  absl::Status PlaceVolumes(const Task& task, const v1::ContainerDefinition& definition,
                            const runtime::Rootfs& rootfs, const secret::ResolvedValues& values,
                            spec::ContainerPlace* place) const;
  absl::Status PlaceEtc(const Task& task, const v1::ContainerDefinition& definition,
                        const network::Attachment& attachment, spec::ContainerPlace* place) const;
  const Deps deps_;
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_CONTAINER_CREATION_H_
