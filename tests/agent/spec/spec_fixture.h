#ifndef DAVIT_TESTS_AGENT_SPEC_SPEC_FIXTURE_H_
#define DAVIT_TESTS_AGENT_SPEC_SPEC_FIXTURE_H_

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <string>

#include "agent/spec/oci_spec.h"
#include "agent/spec/spec_input.h"

namespace davit::spec {

// All inputs of a spec. Complete and valid until a test changes one.
struct Fixture {
  v1::TaskDefinition task;
  v1::TaskOverride overrides;
  ImageConfig image;
  HostFacts host;
  ContainerPlace place;

  // A bridge-mode task whose one container, "web", has the members in `container_json`.
  explicit Fixture(const std::string& container_json = "{}") {
    v1::ContainerDefinition* web = task.add_container_definitions();
    const auto status = google::protobuf::util::JsonStringToMessage(container_json, web);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    web->set_name("web");
    image.command = {"/bin/sh"};
    host.architecture = "amd64";
    place.task_arn = "arn:aws:ecs:us-east-1:000000000000:task/default/0123";
    place.container_name = "web";
    place.cgroup_path = "/davit/0123/web";
    place.network_namespace_path = "/run/davit/netns/web";
    place.hostname = "0123web";
  }

  v1::ContainerDefinition& web() { return *task.mutable_container_definitions(0); }
  v1::ContainerOverride& AddOverride() {
    v1::ContainerOverride* added = overrides.add_container_overrides();
    added->set_name("web");
    return *added;
  }
  SpecInput Input() const {
    const v1::ContainerOverride& own = overrides.container_overrides().empty()
                                           ? v1::ContainerOverride::default_instance()
                                           : overrides.container_overrides(0);
    return {task, task.container_definitions(0), own, image, host, place};
  }
  absl::StatusOr<std::string> BuildText() const {
    return BuildOciSpec(task, task.container_definitions(0), overrides, image, host, place);
  }
  // Null if the spec is refused.
  nlohmann::json Build() const {
    const absl::StatusOr<std::string> text = BuildText();
    return text.ok() ? nlohmann::json::parse(*text) : nlohmann::json();
  }
  // "OK" or "CODE: message" of the refusal.
  std::string Error() const { return BuildText().status().ToString(); }
};

}  // namespace davit::spec

#endif  // DAVIT_TESTS_AGENT_SPEC_SPEC_FIXTURE_H_
