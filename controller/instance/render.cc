#include "controller/instance/render.h"

#include "absl/strings/str_cat.h"

namespace davit::controller::instance {
namespace {

v1::Resource IntegerResource(absl::string_view name, int64_t value) {
  v1::Resource resource;
  resource.set_name(std::string(name));
  resource.set_type("INTEGER");
  resource.set_double_value(0);
  resource.set_long_value(0);
  resource.set_integer_value(static_cast<int32_t>(value));
  return resource;
}

v1::Resource StringSetResource(absl::string_view name) {
  v1::Resource resource;
  resource.set_name(std::string(name));
  resource.set_type("STRINGSET");
  resource.set_double_value(0);
  resource.set_long_value(0);
  resource.set_integer_value(0);
  return resource;
}

v1::Resource PortsResource(absl::string_view name, const std::vector<int>& ports) {
  v1::Resource resource = StringSetResource(name);
  int last = 0;
  for (const int port : ports) {
    if (port != last) resource.add_string_set_value(absl::StrCat(port));
    last = port;
  }
  return resource;
}

void RenderRemaining(const capacity::Host& host, v1::ContainerInstance* out) {
  *out->add_remaining_resources() = IntegerResource("CPU", host.free_cpu_units);
  *out->add_remaining_resources() = IntegerResource("MEMORY", host.free_memory_mib);
  *out->add_remaining_resources() = PortsResource("PORTS", host.taken_tcp_ports);
  *out->add_remaining_resources() = PortsResource("PORTS_UDP", host.taken_udp_ports);
  if (host.gpus.empty()) return;
  v1::Resource* gpus = out->add_remaining_resources();
  *gpus = StringSetResource("GPU");
  for (const std::string& id : host.FreeGpus()) gpus->add_string_set_value(id);
}

}  // namespace

InstanceView ViewOf(const state::Instance& instance) {
  return {instance.record, instance.session, instance.host, instance.running_count,
          instance.pending_count};
}

v1::ContainerInstance Render(const state::Place& place, const InstanceView& instance) {
  const v1::StoredContainerInstance& record = *instance.record;
  v1::ContainerInstance out;
  out.set_container_instance_arn(state::ArnOf(place, record));
  out.set_ec2_instance_id(record.ec2_instance_id());
  out.set_version(record.version());
  *out.mutable_version_info() = record.version_info();
  *out.mutable_registered_resources() = record.registered_resources();
  out.set_status(v1::ContainerInstanceStatus::Value_Name(record.status()));
  *out.mutable_attributes() = record.attributes();
  out.set_registered_at(static_cast<double>(record.registered_at()) / 1000);
  *out.mutable_tags() = record.tags();
  out.set_agent_connected(instance.session != nullptr);
  out.set_running_tasks_count(instance.running_count);
  out.set_pending_tasks_count(instance.pending_count);
  RenderRemaining(instance.host, &out);
  return out;
}

v1::ContainerInstanceHealthStatus RenderHealth(const InstanceView& instance) {
  const std::string status = instance.session == nullptr              ? "INSUFFICIENT_DATA"
                             : instance.session->is_runtime_available ? "OK"
                                                                      : "IMPAIRED";
  v1::ContainerInstanceHealthStatus out;
  out.set_overall_status(status);
  v1::InstanceHealthCheckResult* check = out.add_details();
  check->set_type("CONTAINER_RUNTIME");
  check->set_status(status);
  return out;
}

}  // namespace davit::controller::instance
