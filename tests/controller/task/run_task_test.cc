#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/ecs/ecs_error.h"
#include "controller/instance/render.h"
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
    const Outcome outcome = Apply(request);
    CHECK(outcome.mutations.empty());
    return absl::StrCat(ecs::ExceptionName(outcome.status), ": ", outcome.status.message());
  }
};

TEST_CASE("a task is placed and assigned at once", "[run]") {
  OneHost cluster;
  const Outcome outcome = cluster.Apply(Request());
  const v1::Task task = dynamic_cast<const v1::RunTaskResponse&>(*outcome.answer).tasks(0);
  CHECK(task.last_status() == "PROVISIONING");
  CHECK(task.desired_status() == "RUNNING");
  CHECK(task.group() == "family:web");
  CHECK(task.launch_type() == "EC2");
  CHECK(task.cpu() == "10");
  CHECK(task.memory() == "100");
  CHECK(task.created_at() == static_cast<double>(kStartSeconds));
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
  CHECK_THAT(assignment.task_definition_arn(), Catch::EndsWith("task-definition/web:1"));
  CHECK(sent[0].assignment_set().task_definitions(0).revision() == 1);
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

// A host with the GPUs A, B, C, and a definition of two containers with one each.
struct GpuHost : TestCluster {
  GpuHost() {
    v1::Hello hello = MakeHello("i-1");
    v1::Resource* gpus = hello.add_resources();
    gpus->set_name("GPU");
    gpus->set_type("STRINGSET");
    for (const char* id : {"A", "B", "C"}) gpus->add_string_set_value(id);
    Connect("s1", hello);
    v1::RegisterTaskDefinitionRequest definition = MakeDefinition("train");
    *definition.add_container_definitions() = definition.container_definitions(0);
    definition.mutable_container_definitions(1)->set_name("log");
    for (v1::ContainerDefinition& container : *definition.mutable_container_definitions()) {
      container.add_resource_requirements()->set_type("GPU");
      container.mutable_resource_requirements(0)->set_value("1");
    }
    Register(definition);
  }
  // How many the definition's container "web" is to have.
  v1::RunTaskRequest Asking(const std::string& gpus) {
    v1::RunTaskRequest request = Request("train");
    v1::ContainerOverride* replaced = request.mutable_overrides()->add_container_overrides();
    replaced->set_name("web");
    replaced->add_resource_requirements()->set_type("GPU");
    replaced->mutable_resource_requirements(0)->set_value(gpus);
    return request;
  }
};

std::string GpusOf(const v1::Task& task) {
  std::string text;
  for (const v1::Container& container : task.containers())
    absl::StrAppend(&text, container.name(), ":", absl::StrJoin(container.gpu_ids(), "+"), " ");
  return text;
}

// Of the one instance; its remaining resources.
std::string RemainingGpus(const state::State& state) {
  const auto& instances = state.FindCluster("default")->instances;
  const v1::ContainerInstance instance =
      instance::Render(state.place(), instance::ViewOf(*instances.begin()->second));
  for (const v1::Resource& resource : instance.remaining_resources()) {
    if (resource.name() == "GPU") return absl::StrJoin(resource.string_set_value(), "+");
  }
  return "no GPUs";
}

TEST_CASE("the controller gives each container GPUs of its own, until the task is STOPPED",
          "[run]") {
  GpuHost cluster;
  const Outcome outcome = cluster.Apply(Request("train"));
  const v1::Task first = dynamic_cast<const v1::RunTaskResponse&>(*outcome.answer).tasks(0);
  CHECK(GpusOf(first) == "web:A log:B ");
  const v1::Assignment assignment = SentTo("s1", outcome)[0].assignment_set().assignments(0);
  CHECK(assignment.containers(0).gpu_ids(0) == "A");
  CHECK(assignment.containers(1).gpu_ids(0) == "B");
  CHECK(RemainingGpus(cluster.model.state()) == "C");
  const v1::RunTaskResponse refused = cluster.Run("train");
  CHECK(refused.tasks().empty());
  CHECK(refused.failures(0).reason() == "RESOURCE:GPU");
  CHECK(refused.failures(0).detail() == "needs 2 GPUs, has 1 of 3 left");
  cluster.Report("s1", first.task_arn(), v1::TaskStatus::RUNNING, 1);
  CHECK(RemainingGpus(cluster.model.state()) == "C");
  cluster.Report("s1", first.task_arn(), v1::TaskStatus::STOPPED, 2);
  CHECK(RemainingGpus(cluster.model.state()) == "A+B+C");
  CHECK(GpusOf(cluster.Run("train").tasks(0)) == "web:A log:B ");
}

TEST_CASE("an override asks for another number of GPUs", "[run]") {
  GpuHost cluster;
  const auto response = cluster.Call<v1::RunTaskResponse>(cluster.Asking("2"));
  CHECK(GpusOf(response.tasks(0)) == "web:A+B log:C ");
  CHECK(RemainingGpus(cluster.model.state()).empty());
}

TEST_CASE("a controller that has started again knows whose the GPUs are", "[run]") {
  GpuHost cluster;
  cluster.Run("train");
  model::Model loaded(ModelOptions());
  REQUIRE(loaded.Load(*rows::DecodeAll(cluster.StoredRows())).ok());
  CHECK(RemainingGpus(loaded.state()) == "C");
  v1::Hello fewer = MakeHello("i-1");
  cluster.Connect("s2", fewer);  // its agent was given no GPUs any more
  CHECK(RemainingGpus(cluster.model.state()) == "no GPUs");
  CHECK(cluster.Run("train").failures(0).detail() == "needs 2 GPUs, has 0 of 0 left");
}

TEST_CASE("the same client token gives the same tasks; with other parameters it is a conflict",
          "[run]") {
  OneHost cluster;
  v1::RunTaskRequest request = Request();
  request.set_client_token("once");
  const auto first = cluster.Call<v1::RunTaskResponse>(request);
  const Outcome again = cluster.Apply(request);
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
  SECTION("numbers of overrides") {
    v1::ContainerOverride* replaced = request.mutable_overrides()->add_container_overrides();
    replaced->set_name("web");
    replaced->set_memory_reservation(-1000000);
    replaced->set_memory(5);
    replaced->set_cpu(-1);
    error =
        "InvalidParameterException: "
        "overrides.containerOverrides[0].cpu: must be in 0..196608, is -1.\n"
        "overrides.containerOverrides[0].memory: must be in 6..67108864, is 5.\n"
        "overrides.containerOverrides[0].memoryReservation: must be in 6..67108864, is -1000000.";
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
  SECTION("no number of GPUs") {
    v1::ContainerOverride* replaced = request.mutable_overrides()->add_container_overrides();
    replaced->set_name("web");
    replaced->add_resource_requirements()->set_type("GPU");
    replaced->mutable_resource_requirements(0)->set_value("-1");
    error =
        "InvalidParameterException: overrides.containerOverrides[0].resourceRequirements[0].value: "
        "must be a whole number of GPUs, at least 1; is '-1'.";
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
  v1::ListTasksRequest list;
  SECTION("all") { CHECK(cluster.Read(list)->task_arns_size() == 4); }
  SECTION("family") {
    list.set_family("web");
    CHECK(cluster.Read(list)->task_arns_size() == 3);
  }
  SECTION("startedBy") {
    list.set_started_by("me");
    REQUIRE(cluster.Read(list)->task_arns_size() == 1);
    CHECK(cluster.Read(list)->task_arns(0) == db);
    list.set_family("db");
    CHECK(cluster.Read(list).status().message() ==
          "startedBy: must be the only filter besides cluster.");
  }
  SECTION("desiredStatus") {
    list.set_desired_status("STOPPED");
    CHECK(cluster.Read(list)->task_arns().empty());
    cluster.Report("s1", db, v1::TaskStatus::STOPPED, 1);
    CHECK(cluster.Read(list)->task_arns(0) == db);
  }
  SECTION("pages") {
    list.set_max_results(3);
    const auto first = *cluster.Read(list);
    CHECK(first.task_arns_size() == 3);
    list.set_next_token(first.next_token());
    const auto second = *cluster.Read(list);
    CHECK(second.task_arns_size() == 1);
    CHECK_FALSE(second.has_next_token());
  }
}

}  // namespace
}  // namespace davit::test
