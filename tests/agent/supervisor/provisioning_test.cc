#include "agent/supervisor/provisioning.h"

#include <catch2/catch.hpp>

namespace davit::supervisor {
namespace {

TEST_CASE("a task's cpu is a hard quota of the period", "[provisioning]") {
  v1::Assignment assignment;
  assignment.mutable_task_definition()->set_cpu("256");
  assignment.mutable_task_definition()->set_memory("128");
  const resource::CgroupLimits limits = LimitsOf(assignment, 100);
  CHECK(limits.cpu_quota == absl::Milliseconds(25));
  CHECK_FALSE(limits.cpu_shares.has_value());
  CHECK(limits.memory_bytes == 128 << 20);
  CHECK(limits.pids == 100);
}

TEST_CASE("containers' limits are checked against the overridden task cpu", "[provisioning]") {
  v1::Assignment assignment;
  CHECK(TaskCpuUnits(assignment) == 0);
  assignment.mutable_task_definition()->set_cpu("256");
  CHECK(TaskCpuUnits(assignment) == 256);
  assignment.mutable_overrides()->set_cpu("512");
  CHECK(TaskCpuUnits(assignment) == 512);
}

TEST_CASE("without a task cpu its weight is the sum of its containers'", "[provisioning]") {
  v1::Assignment assignment;
  assignment.mutable_task_definition()->add_container_definitions()->set_cpu(100);
  assignment.mutable_task_definition()->add_container_definitions();  // counts as 2
  const resource::CgroupLimits limits = LimitsOf(assignment, 0);
  CHECK(limits.cpu_shares == 102);
  CHECK_FALSE(limits.cpu_quota.has_value());
  CHECK_FALSE(limits.memory_bytes.has_value());
  CHECK_FALSE(limits.pids.has_value());
}

TEST_CASE("an override of task cpu and memory wins", "[provisioning]") {
  v1::Assignment assignment;
  assignment.mutable_task_definition()->set_cpu("256");
  assignment.mutable_overrides()->set_cpu("2048");
  assignment.mutable_overrides()->set_memory("10");
  const resource::CgroupLimits limits = LimitsOf(assignment, 0);
  CHECK(limits.cpu_quota == absl::Milliseconds(200));
  CHECK(limits.memory_bytes == 10 << 20);
}

TEST_CASE("each container has its assigned GPUs", "[provisioning]") {
  v1::Assignment assignment;
  assignment.add_containers()->set_name("web");
  v1::ContainerIdentity* train = assignment.add_containers();
  train->set_name("train");
  train->add_gpu_ids("GPU-a");
  CHECK(GpuIdsOf(assignment, "web").empty());
  CHECK(GpuIdsOf(assignment, "train") == std::vector<std::string>{"GPU-a"});
}

}  // namespace
}  // namespace davit::supervisor
