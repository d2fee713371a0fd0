// How long JSON takes: our encoder beside protobuf's, and the decoder. Built with the others; run
// it by hand: build/release/bin/json_bench.
#include <benchmark/benchmark.h>
#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "base/json_decoder.h"
#include "base/json_encoder.h"
#include "davit/v1/ecs.pb.h"

namespace davit {
namespace {

// An answer of DescribeTasks with tasks as they usually are.
v1::DescribeTasksResponse Tasks(int64_t count) {
  v1::DescribeTasksResponse response;
  for (int64_t i = 0; i < count; ++i) {
    const std::string id = absl::StrCat("0123456789abcdef0123456789", 100000 + i);
    const std::string arn = absl::StrCat("arn:aws:ecs:us-east-1:000000000000:task/default/", id);
    v1::Task* task = response.add_tasks();
    task->set_task_arn(arn);
    task->set_cluster_arn("arn:aws:ecs:us-east-1:000000000000:cluster/default");
    task->set_task_definition_arn("arn:aws:ecs:us-east-1:000000000000:task-definition/web:3");
    task->set_container_instance_arn(
        absl::StrCat("arn:aws:ecs:us-east-1:000000000000:container-instance/default/", id));
    task->set_last_status("RUNNING");
    task->set_desired_status("RUNNING");
    task->set_cpu("256");
    task->set_memory("512");
    task->set_group("service:web");
    task->set_launch_type("EC2");
    task->set_connectivity("CONNECTED");
    task->set_connectivity_at(1700000000.123);
    task->set_created_at(1700000000.123);
    task->set_started_at(1700000001.5);
    task->set_pull_started_at(1700000000.25);
    task->set_pull_stopped_at(1700000000.75);
    task->set_version(3);
    task->mutable_overrides()->add_container_overrides()->set_name("app");
    v1::Container* container = task->add_containers();
    container->set_container_arn(absl::StrCat(arn, "/0b0bc9f6-b1ba-4e1f-8c6c-3d2f4d1a2b3c"));
    container->set_task_arn(arn);
    container->set_name("app");
    container->set_image("registry.example.com/team/web:1.27.3");
    container->set_image_digest(absl::StrCat("sha256:", id, id));
    container->set_runtime_id(absl::StrCat(id, "-app"));
    container->set_last_status("RUNNING");
    container->set_health_status("UNKNOWN");
    container->set_cpu("256");
    container->set_memory("512");
    v1::NetworkBinding* binding = container->add_network_bindings();
    binding->set_bind_ip("0.0.0.0");
    binding->set_container_port(80);
    binding->set_host_port(32768);
    binding->set_protocol("tcp");
  }
  return response;
}

void BM_EncodeJson(benchmark::State& state) {
  const v1::DescribeTasksResponse response = Tasks(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(EncodeJson(response));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_EncodeJson)->Arg(1)->Arg(10)->Arg(100);

void BM_EncodeWithProtobuf(benchmark::State& state) {
  const v1::DescribeTasksResponse response = Tasks(state.range(0));
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  for (auto _ : state) {
    std::string text;
    (void)google::protobuf::util::MessageToJsonString(response, &text, options);
    benchmark::DoNotOptimize(text);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_EncodeWithProtobuf)->Arg(1)->Arg(10)->Arg(100);

void BM_DecodeRunTask(benchmark::State& state) {
  const std::string text =
      R"({"cluster":"default","taskDefinition":"web:3","count":10,"startedBy":"bench",)"
      R"("overrides":{"containerOverrides":[{"name":"app","environment":[{"name":"A","value":"1"}]}]},)"
      R"("placementStrategy":[{"type":"spread","field":"instanceId"}]})";
  for (auto _ : state) {
    v1::RunTaskRequest request;
    benchmark::DoNotOptimize(DecodeJson(text, &request));
  }
}
BENCHMARK(BM_DecodeRunTask);

}  // namespace
}  // namespace davit

BENCHMARK_MAIN();
