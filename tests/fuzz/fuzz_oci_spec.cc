#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "agent/spec/oci_spec.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

// A task definition, as JSON or as the wire has it.
int FuzzOciSpec(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const google::protobuf::LogSilencer silence;  // it would report each string that is not UTF-8
  v1::TaskDefinition task;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(text, &task, options).ok() &&
      !task.ParseFromString(text))
    return 0;
  spec::HostFacts host;
  host.architecture = "amd64";
  host.cpus = 2;
  host.memory_bytes = 4LL << 30;
  spec::ContainerPlace place;
  place.task_arn = "arn:aws:ecs:r:a:task/c/1";
  place.cgroup_path = "/davit/1/web";
  place.network_namespace_path = "/run/davit/netns/1";
  place.volumes = {{"data", "/var/lib/davit/volumes/data"}};
  static_cast<void>(spec::UnsupportedMembers(task));
  for (const v1::ContainerDefinition& container : task.container_definitions()) {
    const auto built = spec::BuildOciSpec(task, container, {}, {}, host, place);
    if (!built.ok()) continue;
    const auto json = nlohmann::json::parse(*built, nullptr, /*allow_exceptions=*/false);
    Must(json.is_object() && json.contains("process") && json.contains("linux"));
    Must(json["linux"]["cgroupsPath"] == place.cgroup_path);
  }
  return 0;
}

}  // namespace davit::fuzz
