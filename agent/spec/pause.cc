#include "agent/spec/pause.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/spec/default_mounts.h"
#include "agent/spec/devices.h"
#include "agent/spec/seccomp.h"
#include "base/status.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

constexpr char kPauseInContainer[] = "/davit-pause";

bool HasSeveralContainers(const v1::TaskDefinition& task) {
  return task.container_definitions_size() > 1;
}

Json ToJson(const Mount& mount) {
  return {{"destination", mount.destination},
          {"type", mount.type},
          {"source", mount.source},
          {"options", mount.options}};
}

Json PauseProcess() {
  const Json none = Json::array();
  return {{"args", {kPauseInContainer}},
          {"env", none},
          {"cwd", "/"},
          {"user", {{"uid", 0}, {"gid", 0}}},
          {"noNewPrivileges", true},
          {"capabilities", {{"bounding", none}, {"effective", none}, {"permitted", none}}}};
}

absl::StatusOr<Json> PauseLinux(const SpecInput& input) {
  Json nodes = Json::array();
  Json rules = Json::array();
  RETURN_IF_ERROR(AddDevices(input, {&nodes, &rules}));
  Json namespaces = Json::array();
  for (const char* type : {"mount", "uts", "network", "pid", "ipc"})
    namespaces.push_back({{"type", type}});
  if (input.host.cgroup_v2) namespaces.push_back({{"type", "cgroup"}});
  Json linux_part{{"cgroupsPath", input.place.cgroup_path},
                  {"namespaces", std::move(namespaces)},
                  {"resources", {{"devices", std::move(rules)}}},
                  {"maskedPaths", MaskedPaths(input)},
                  {"readonlyPaths", ReadonlyPaths(input)}};
  if (!input.host.seccomp_profile_json.empty()) {
    ASSIGN_OR_RETURN(linux_part["seccomp"],
                     BuildSeccomp(input.host.seccomp_profile_json,
                                  {input.host.architecture, input.host.kernel_release, {}}));
  }
  return linux_part;
}

}  // namespace

bool SharesTaskPid(const v1::TaskDefinition& task) {
  return task.pid_mode() == "task" && HasSeveralContainers(task);
}

bool SharesTaskIpc(const v1::TaskDefinition& task) {
  return task.ipc_mode() == "task" && HasSeveralContainers(task);
}

int64_t SharedMemoryMib(const v1::TaskDefinition& task) {
  int64_t mib = 0;
  for (const v1::ContainerDefinition& container : task.container_definitions())
    mib = std::max<int64_t>(mib, container.linux_parameters().shared_memory_size());
  return mib > 0 ? mib : kDefaultSharedMemoryMib;
}

absl::StatusOr<std::string> BuildPauseSpec(const std::string& task_arn,
                                           const std::string& cgroup_path, const HostFacts& host) {
  if (host.pause_path.empty()) {
    return absl::FailedPreconditionError(
        "pidMode and ipcMode task require davit-pause, which is not in the folder of davit-agent");
  }
  // As much as possible from the default container.
  v1::TaskDefinition task;
  task.set_ipc_mode("none");  // no /dev/shm: the containers share one from the agent
  const v1::ContainerDefinition container;
  const v1::ContainerOverride overrides;
  const ImageConfig image;
  ContainerPlace place;
  place.cgroup_path = cgroup_path;
  const SpecInput input{task, container, overrides, image, host, place};
  ASSIGN_OR_RETURN(std::vector<Mount> mounts, DefaultMounts(input));
  mounts.push_back(BindMount(host.pause_path, kPauseInContainer, /*read_only=*/true));
  Json json_mounts = Json::array();
  for (const Mount& mount : mounts) json_mounts.push_back(ToJson(mount));
  ASSIGN_OR_RETURN(Json linux_part, PauseLinux(input));
  return Json{
      {"ociVersion", "1.0.2"},
      {"root", {{"path", "rootfs"}, {"readonly", true}}},
      {"process", PauseProcess()},
      {"mounts", std::move(json_mounts)},
      {"linux", std::move(linux_part)},
      {"annotations", {{"davit.task-arn", task_arn}, {"davit.container-name", kPauseContainer}}}}
      .dump();
}

}  // namespace davit::spec
