// Rows that an older davit-controller has written.
#include "controller/rows/migration.h"

#include <catch2/catch.hpp>

#include "davit/v1/cluster_record_v1.pb.h"

namespace davit::controller::rows {
namespace {

const char kTask[] = "task/default/0123456789abcdef0123456789abcdef";

v1::StoredTaskV1 OldTask() {
  v1::StoredTaskV1 row;
  row.set_cluster("default");
  row.set_sequence(7);
  row.set_assignment_version(2);
  row.set_client_token("once");
  row.set_request_fingerprint("a whole request");
  row.set_stopped_noted_at(1700000010.25);
  v1::Task* task = row.mutable_task();
  task->set_task_arn(
      "arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef");
  task->set_container_instance_arn(
      "arn:aws:ecs:us-east-1:000000000000:container-instance/default/11");
  task->set_task_definition_arn("arn:aws:ecs:us-east-1:000000000000:task-definition/web:3");
  task->set_last_status("STOPPED");
  task->set_desired_status("STOPPED");
  task->set_stop_code("EssentialContainerExited");
  task->set_stopped_reason("Essential container in task exited");
  task->set_created_at(1700000000.5);
  task->set_group("family:web");
  task->set_version(5);
  v1::Attribute* attribute = task->add_attributes();
  attribute->set_name("ecs.cpu-architecture");
  attribute->set_value("x86_64");
  v1::Container* container = task->add_containers();
  container->set_name("web");
  container->set_container_arn("arn:aws:ecs:us-east-1:000000000000:container/default/0123/c1");
  container->set_last_status("STOPPED");
  container->set_health_status("UNHEALTHY");
  container->set_exit_code(0);
  container->add_network_bindings()->set_host_port(80);
  return row;
}

Rows OldRows() {
  v1::StoredClusterV1 cluster;
  cluster.mutable_cluster()->set_cluster_name("default");
  cluster.mutable_cluster()->set_status("INACTIVE");
  v1::StoredFamilyV1 family;
  family.set_last_revision(3);
  v1::StoredContainerInstanceV1 instance;
  instance.set_cluster("default");
  instance.mutable_instance()->set_container_instance_arn(
      "arn:aws:ecs:us-east-1:000000000000:container-instance/default/11");
  instance.mutable_instance()->set_ec2_instance_id("i-1");
  instance.mutable_instance()->set_status("ACTIVE");
  instance.mutable_instance()->set_registered_at(1700000000);
  v1::StoredMetaV1 meta;
  meta.set_epoch(9);
  v1::StoredTaskDefinitionV1 definition;
  definition.mutable_task_definition()->set_family("web");
  definition.mutable_task_definition()->set_revision(3);
  definition.mutable_task_definition()->set_status("ACTIVE");
  definition.mutable_task_definition()->set_registered_at(1700000000);
  definition.mutable_task_definition()->set_task_definition_arn("arn:...");
  return {{"cluster/default", cluster.SerializeAsString()},
          {"family/web", family.SerializeAsString()},
          {"instance/default/11", instance.SerializeAsString()},
          {"meta", meta.SerializeAsString()},
          {"task-definition/web:3", definition.SerializeAsString()},
          {kTask, OldTask().SerializeAsString()}};
}

template <typename Message>
Message Get(const Rows& rows, const std::string& key) {
  for (const auto& [name, value] : rows) {
    if (name != key) continue;
    Message message;
    REQUIRE(message.ParseFromString(value));
    REQUIRE(message.GetReflection()->GetUnknownFields(message).empty());
    return message;
  }
  FAIL("no row " << key);
  return {};
}

TEST_CASE("rows of format 1 become rows of this format, with the same keys", "[rows]") {
  CHECK(*FormatOf(OldRows()) == 1);
  const auto rows = Migrate(OldRows());
  REQUIRE(rows.ok());
  CHECK(*FormatOf(*rows) == kFormat);
  CHECK(Get<v1::StoredMeta>(*rows, "meta").epoch() == 9);
  CHECK(Get<v1::StoredCluster>(*rows, "cluster/default").status() == v1::ObjectStatus::INACTIVE);
  CHECK(Get<v1::StoredFamily>(*rows, "family/web").last_revision() == 3);
  const auto definition = Get<v1::StoredTaskDefinition>(*rows, "task-definition/web:3");
  CHECK(definition.registered_at() == 1700000000000);
  CHECK_FALSE(definition.content().has_task_definition_arn());
  CHECK(Get<v1::StoredContainerInstance>(*rows, "instance/default/11").id() == "11");

  const auto task = Get<v1::StoredTask>(*rows, kTask);
  CHECK(task.id() == "0123456789abcdef0123456789abcdef");
  CHECK(task.instance_id() == "11");
  CHECK(task.family() == "web");
  CHECK(task.revision() == 3);
  CHECK(task.last_status() == v1::TaskStatus::STOPPED);
  CHECK(task.stop_code() == v1::StopCode::EssentialContainerExited);
  CHECK(task.created_at() == 1700000000500);
  CHECK(task.stopped_noted_at() == 1700000010250);
  CHECK(task.cpu_architecture() == "x86_64");
  CHECK(task.request_digest().size() == 32);
  CHECK(task.containers(0).id() == "c1");
  CHECK(task.containers(0).health_status() == v1::HealthStatus::UNHEALTHY);
  CHECK(task.containers(0).has_exit_code());
  CHECK(task.containers(0).network_bindings(0).host_port() == 80);
}

TEST_CASE("rows of this format stay as they are; an empty store has no older one", "[rows]") {
  const Rows rows = *Migrate(OldRows());
  CHECK(*Migrate(rows) == rows);
  CHECK(*FormatOf({}) == kFormat);
}

TEST_CASE("rows of a newer version are refused with both formats named", "[rows]") {
  v1::StoredMeta meta;
  meta.set_format(77);
  const auto refused = Migrate({{"meta", meta.SerializeAsString()}});
  CHECK(absl::IsFailedPrecondition(refused.status()));
  CHECK_THAT(std::string(refused.status().message()), Catch::Contains("77"));
}

TEST_CASE("a damaged row of an older format is named", "[rows]") {
  Rows rows = OldRows();
  rows.back().second = "\xff\xff";
  const auto refused = Migrate(rows);
  CHECK(absl::IsDataLoss(refused.status()));
  CHECK_THAT(std::string(refused.status().message()), Catch::Contains(kTask));
}

}  // namespace
}  // namespace davit::controller::rows
