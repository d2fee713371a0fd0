#include <catch2/catch.hpp>

#include "controller/cluster/ecs_error.h"
#include "controller/cluster/list.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

v1::RunTaskRequest Request(const std::string& definition = "web") {
  v1::RunTaskRequest request;
  request.set_task_definition(definition);
  return request;
}

struct OneHost : TestCluster {
  OneHost() {
    Connect("s1", MakeHello("i-1"));
    Register(MakeDefinition("web"));
  }
  std::string ErrorOf(const v1::RunTaskRequest& request) {
    const cluster::Outcome outcome = Apply(request);
    CHECK(outcome.mutations.empty());
    return absl::StrCat(cluster::ExceptionName(outcome.status), ": ", outcome.status.message());
  }
};

TEST_CASE("a task is placed and assigned at once", "[run]") {
  OneHost cluster;
  const cluster::Outcome outcome = cluster.Apply(Request());
  const v1::Task task = dynamic_cast<const v1::RunTaskResponse&>(*outcome.answer).tasks(0);
  CHECK(task.last_status() == "PROVISIONING");
  CHECK(task.desired_status() == "RUNNING");
  CHECK(task.group() == "family:web");
  CHECK(task.launch_type() == "EC2");
  CHECK(task.cpu() == "10");
  CHECK(task.memory() == "100");
  CHECK(task.created_at() == 1700000000);
  CHECK(task.attributes(0).value() == "x86_64");
  CHECK(task.overrides().container_overrides(0).name() == "web");
  CHECK(task.containers(0).last_status() == "PENDING");
  CHECK(task.containers(0).container_arn() ==
        absl::StrCat("arn:aws:ecs:us-east-1:000000000000:container/default/",
                     task.task_arn().substr(task.task_arn().size() - 32),
                     "/00000000000000000000000000000003"));
  const auto sent = SentTo("s1", outcome);
  REQUIRE(sent.size() == 1);
  const v1::Assignment& assignment = sent[0].assignment_set().assignments(0);
  CHECK(assignment.task_arn() == task.task_arn());
  CHECK(assignment.desired_status() == v1::TaskStatus::RUNNING);
  CHECK(assignment.task_definition().revision() == 1);
  CHECK(assignment.containers(0).container_arn() == task.containers(0).container_arn());
}

TEST_CASE("what cannot be placed is a failure per instance, next to the tasks that could",
          "[run]") {
  OneHost cluster;
  cluster.Register(MakeDefinition("big", 900));
  const v1::RunTaskResponse response = cluster.Run("big", 3);
  CHECK(response.tasks_size() == 2);
  REQUIRE(response.failures_size() == 1);
  CHECK(response.failures(0).reason() == "RESOURCE:MEMORY");
  CHECK(response.failures(0).detail() == "needs 900 MiB of memory, has 200 of 2000 left");
}

TEST_CASE("the same client token gives the same tasks; with other parameters it is a conflict",
          "[run]") {
  OneHost cluster;
  v1::RunTaskRequest request = Request();
  request.set_client_token("once");
  const auto first = cluster.Call<v1::RunTaskResponse>(request);
  const cluster::Outcome again = cluster.Apply(request);
  CHECK(again.mutations.empty());
  CHECK(dynamic_cast<const v1::RunTaskResponse&>(*again.answer).tasks(0).task_arn() ==
        first.tasks(0).task_arn());
  request.set_count(2);
  CHECK_THAT(cluster.ErrorOf(request),
             Catch::StartsWith("ConflictException") && Catch::Contains(first.tasks(0).task_arn()));
}

TEST_CASE("every refused request has ECS's exception", "[run]") {
  OneHost cluster;
  v1::RunTaskRequest request = Request();
  std::string error;
  SECTION("no such definition") {
    request = Request("nope");
    error = "ClientException: TaskDefinition not found.";
  }
  SECTION("bad revision") {
    request = Request("web:foo");
    error = "ClientException: Invalid revision number. Number: foo";
  }
  SECTION("no such cluster") {
    request.set_cluster("blue");
    error = "ClusterNotFoundException: Cluster not found.";
  }
  SECTION("count") {
    request.set_count(11);
    error = "InvalidParameterException: count: must be in 1..10, is 11.";
  }
  SECTION("Fargate") {
    request.set_launch_type("FARGATE");
    error = "UnsupportedFeatureException: Not supported: launchType FARGATE (only EC2 is).";
  }
  SECTION("constraints") {
    request.add_placement_constraints()->set_type("distinctInstance");
    error = "UnsupportedFeatureException: Not supported: placementConstraints.";
  }
  SECTION("override of nobody") {
    request.mutable_overrides()->add_container_overrides()->set_name("db");
    error =
        "InvalidParameterException: Override for container named db is not a container in the "
        "TaskDefinition.";
  }
  SECTION("several at once") {
    request.set_count(0);
    request.mutable_overrides()->set_cpu("much");
    error =
        "InvalidParameterException: count: must be in 1..10, is 0.\n"
        "overrides.cpu: is neither CPU units nor vCPUs: 'much'.";
  }
  CHECK(cluster.ErrorOf(request) == error);
}

TEST_CASE("a cluster without instances is an error of its own", "[run]") {
  TestCluster cluster;
  cluster.Apply(v1::CreateClusterRequest());
  cluster.Register(MakeDefinition("web"));
  CHECK(cluster.Apply(Request()).status.message() ==
        "No Container Instances were found in your cluster.");
}

TEST_CASE("an INACTIVE definition starts no new tasks, and its number is not used again", "[run]") {
  OneHost cluster;
  v1::DeregisterTaskDefinitionRequest deregister;
  deregister.set_task_definition("web:1");
  CHECK(cluster.Call<v1::DeregisterTaskDefinitionResponse>(deregister).task_definition().status() ==
        "INACTIVE");
  CHECK(cluster.ErrorOf(Request("web:1")) == "ClientException: TaskDefinition is inactive");
  CHECK(cluster.ErrorOf(Request("web")) == "ClientException: TaskDefinition not found.");
  CHECK(cluster.Call<v1::RegisterTaskDefinitionResponse>(MakeDefinition("web"))
            .task_definition()
            .revision() == 2);
  deregister.set_task_definition("web");
  CHECK(cluster.Apply(deregister).status.message() == "Revision is missing.");
}

TEST_CASE("tags come from the request, and on demand from the definition and from ECS", "[run]") {
  OneHost cluster;
  v1::RegisterTaskDefinitionRequest definition = MakeDefinition("tagged");
  v1::Tag* tag = definition.add_tags();
  tag->set_key("team");
  tag->set_value("red");
  cluster.Register(definition);
  v1::RunTaskRequest request = Request("tagged");
  request.set_propagate_tags("TASK_DEFINITION");
  request.set_enable_ecs_managed_tags(true);
  const auto response = cluster.Call<v1::RunTaskResponse>(request);
  REQUIRE(response.tasks(0).tags_size() == 2);
  CHECK(response.tasks(0).tags(0).value() == "red");
  CHECK(response.tasks(0).tags(1).key() == "aws:ecs:clusterName");
}

TEST_CASE("ListTasks filters by what ECS filters by, in pages", "[run]") {
  OneHost cluster;
  cluster.Register(MakeDefinition("db"));
  cluster.Run("web", 3);
  v1::RunTaskRequest request = Request("db");
  request.set_started_by("me");
  const std::string db = cluster.Call<v1::RunTaskResponse>(request).tasks(0).task_arn();
  const cluster::State& state = cluster.model.state();
  v1::ListTasksRequest list;
  SECTION("all") { CHECK(cluster::Read(state, list)->task_arns_size() == 4); }
  SECTION("family") {
    list.set_family("web");
    CHECK(cluster::Read(state, list)->task_arns_size() == 3);
  }
  SECTION("startedBy") {
    list.set_started_by("me");
    REQUIRE(cluster::Read(state, list)->task_arns_size() == 1);
    CHECK(cluster::Read(state, list)->task_arns(0) == db);
    list.set_family("db");
    CHECK(cluster::Read(state, list).status().message() ==
          "startedBy: must be the only filter besides cluster.");
  }
  SECTION("desiredStatus") {
    list.set_desired_status("STOPPED");
    CHECK(cluster::Read(state, list)->task_arns().empty());
    cluster.Report("s1", db, v1::TaskStatus::STOPPED, 1);
    CHECK(cluster::Read(state, list)->task_arns(0) == db);
  }
  SECTION("pages") {
    list.set_max_results(3);
    const auto first = *cluster::Read(state, list);
    CHECK(first.task_arns_size() == 3);
    list.set_next_token(first.next_token());
    const auto second = *cluster::Read(state, list);
    CHECK(second.task_arns_size() == 1);
    CHECK_FALSE(second.has_next_token());
  }
}

}  // namespace
}  // namespace davit::test
