// The HTTP face of the API: envelopes, error names, golden answers. In-process, on a fake clock;
// the loop has a thread.
#include "controller/api/api_server.h"

#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "controller/loop/agent_sessions.h"
#include "controller/store/memory_store.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

using Json = nlohmann::json;

class NullSink final : public loop::AgentSink {
 public:
  void Queue(v1::ControllerMessage /*message*/) override {}
  void Queue(const std::string& /*session_id*/, change::Assignments /*assignments*/) override {}
  void QueueEnd() override {}
  void Flush() override {}
};

struct TestApi {
  TestApi() { REQUIRE(loop.Start(&sessions).ok()); }
  ~TestApi() {
    writer.Stop();
    encoders.Stop();
  }

  HttpServerResponse Call(const std::string& operation, const std::string& body) {
    return Raw("AmazonEC2ContainerServiceV20141113." + operation, body);
  }
  // Of golden answers the order of members does not count.
  Json CallJson(const std::string& operation, const std::string& body) {
    return Json::parse(Call(operation, body).body);
  }
  HttpServerResponse Raw(const std::string& target, const std::string& body) {
    HttpServerRequest request;
    request.method = "POST";
    request.path = "/";
    if (!target.empty()) request.headers["x-amz-target"] = target;
    request.body = body;
    return Wait(&api, request);
  }
  HttpServerResponse Get(const std::string& path) {
    HttpServerRequest request;
    request.method = "GET";
    request.path = path;
    return Wait(&api, request);
  }
  static HttpServerResponse Wait(api::ApiServer* server, const HttpServerRequest& request) {
    std::promise<HttpServerResponse> promise;
    server->Handle(request, HttpResponder([&promise](HttpServerResponse response) {
                     promise.set_value(std::move(response));
                   }));
    return promise.get_future().get();
  }
  void ConnectHost(const std::string& host) { ConnectHost(MakeHello(host)); }
  void ConnectHost(const v1::Hello& hello) {
    const std::string session = sessions.Open(std::make_shared<NullSink>());
    v1::AgentMessage message;
    *message.mutable_hello() = hello;
    std::promise<void> taken;
    sessions.Receive(session, message, [&taken] { taken.set_value(); });
    taken.get_future().wait();
  }

  store::MemoryStore store;
  FakeClock clock;
  FakeTimers timers{&clock};
  ThreadPool writer{"loop", 1};
  loop::Loop loop{{ModelOptions(), &store, &clock, &writer, &timers}};
  loop::AgentSessions sessions{&loop};
  ThreadPool encoders{"encoders", 1};
  HttpServerCounters http;
  api::ApiServer api{&loop, &encoders, &clock, &http, {}};
};

TEST_CASE("an answer is AWS JSON 1.1 with a request id", "[api]") {
  TestApi api;
  const HttpServerResponse response = api.Call("ListClusters", "{}");
  CHECK(response.status == 200);
  CHECK(response.content_type == "application/x-amz-json-1.1");
  CHECK(response.headers.at("x-amzn-RequestId").size() == 36);
  CHECK(response.body == R"({"clusterArns":[]})");
}

TEST_CASE("errors carry ECS's exception and a message", "[api]") {
  TestApi api;
  HttpServerResponse response;
  std::string body;
  SECTION("unknown operation") {
    response = api.Call("MakeCoffee", "{}");
    body =
        R"({"__type":"UnknownOperationException","message":"Unknown operation: AmazonEC2ContainerServiceV20141113.MakeCoffee"})";
  }
  SECTION("no operation") {
    response = api.Raw("", "{}");
    body = R"({"__type":"UnknownOperationException","message":"X-Amz-Target is missing."})";
  }
  SECTION("an operation of another service") {
    response = api.Raw("ListClusters", "{}");
    body = R"({"__type":"UnknownOperationException","message":"Unknown operation: ListClusters"})";
  }
  SECTION("an operation of ECS that is not built") {
    response = api.Call("CreateTaskSet", "{}");
    body =
        R"({"__type":"UnsupportedFeatureException","message":"CreateTaskSet is not supported by this controller."})";
  }
  SECTION("unknown members") {
    response = api.Call("ListTasks", R"({"cluter":"x","maxResults":"3"})");
    body =
        R"({"__type":"InvalidParameterException","message":"cluter: unknown member\nmaxResults: must be a whole number, is a string"})";
  }
  SECTION("unknown members of a task definition") {
    response = api.Call("RegisterTaskDefinition", R"({"fam":"x"})");
    body = R"({"__type":"ClientException","message":"fam: unknown member"})";
  }
  SECTION("no such cluster") {
    response = api.Call("ListTasks", "{}");
    body = R"({"__type":"ClusterNotFoundException","message":"Cluster not found."})";
  }
  CHECK(response.status == 400);
  CHECK(response.body == body);
}

TEST_CASE("text that is not JSON is a SerializationException", "[api]") {
  TestApi api;
  CHECK_THAT(api.Call("ListTasks", "{").body,
             Catch::StartsWith(R"({"__type":"SerializationException")"));
}

TEST_CASE("golden: clusters", "[api]") {
  TestApi api;
  const std::string cluster =
      R"({"clusterArn":"arn:aws:ecs:us-east-1:000000000000:cluster/blue","clusterName":"blue","status":"ACTIVE",)"
      R"("registeredContainerInstancesCount":0,"runningTasksCount":0,"pendingTasksCount":0,"activeServicesCount":0,)"
      R"("statistics":[],"tags":[],"settings":[)";
  const std::string setting = R"({"name":"containerInsights","value":"disabled"})";
  const std::string end = R"(],"capacityProviders":[],"defaultCapacityProviderStrategy":[]})";
  CHECK(api.CallJson("CreateCluster", R"({"clusterName":"blue"})") ==
        Json::parse("{\"cluster\":" + cluster + setting + end + "}"));
  CHECK(
      api.CallJson("DescribeClusters", R"({"clusters":["blue","red"]})") ==
      Json::parse("{\"clusters\":[" + cluster + end +
                  "],\"failures\":[{\"arn\":"
                  "\"arn:aws:ecs:us-east-1:000000000000:cluster/red\",\"reason\":\"MISSING\"}]}"));
  CHECK(api.CallJson("ListClusters", "{}") ==
        Json::parse(R"({"clusterArns":["arn:aws:ecs:us-east-1:000000000000:cluster/blue"]})"));
  CHECK_THAT(api.Call("DeleteCluster", R"({"cluster":"blue"})").body,
             Catch::Contains(R"("status":"INACTIVE")"));
  CHECK(api.CallJson("ListClusters", "{}") == Json::parse(R"({"clusterArns":[]})"));
}

TEST_CASE("golden: a container instance", "[api]") {
  TestApi api;
  api.ConnectHost("i-1");
  const std::string arn =
      "arn:aws:ecs:us-east-1:000000000000:container-instance/default/"
      "00000000000000000000000000000001";
  CHECK(api.CallJson("ListContainerInstances", "{}") ==
        Json::parse("{\"containerInstanceArns\":[\"" + arn + "\"]}"));
  CHECK(
      api.CallJson("DescribeContainerInstances",
                   R"({"containerInstances":["00000000000000000000000000000001"]})") ==
      Json::parse(
          R"({"containerInstances":[{"containerInstanceArn":")" + arn +
          R"(","ec2InstanceId":"i-1","version":1,"versionInfo":{"agentVersion":"0.1.0"},"remainingResources":[)"
          R"({"name":"CPU","type":"INTEGER","doubleValue":0,"longValue":0,"integerValue":2048,"stringSetValue":[]},)"
          R"({"name":"MEMORY","type":"INTEGER","doubleValue":0,"longValue":0,"integerValue":2000,"stringSetValue":[]},)"
          R"({"name":"PORTS","type":"STRINGSET","doubleValue":0,"longValue":0,"integerValue":0,"stringSetValue":["22"]},)"
          R"({"name":"PORTS_UDP","type":"STRINGSET","doubleValue":0,"longValue":0,"integerValue":0,"stringSetValue":[]}],)"
          R"("registeredResources":[{"name":"CPU","type":"INTEGER","integerValue":2048,"stringSetValue":[]},)"
          R"({"name":"MEMORY","type":"INTEGER","integerValue":2000,"stringSetValue":[]},)"
          R"({"name":"PORTS","type":"STRINGSET","stringSetValue":["22"]}],"status":"ACTIVE","agentConnected":true,)"
          R"("runningTasksCount":0,"pendingTasksCount":0,"attributes":[{"name":"ecs.cpu-architecture","value":"x86_64"}],)"
          R"("registeredAt":1800000000,"attachments":[],"tags":[]}],"failures":[]})"));
}

TEST_CASE("golden: the GPUs of a container instance and of a task", "[api]") {
  TestApi api;
  v1::Hello hello = MakeHello("i-1");
  v1::Resource* gpus = hello.add_resources();
  gpus->set_name("GPU");
  gpus->set_type("STRINGSET");
  gpus->add_string_set_value("GPU-a");
  gpus->add_string_set_value("GPU-b");
  api.ConnectHost(hello);
  api.Call(
      "RegisterTaskDefinition",
      R"({"family":"train","containerDefinitions":[{"name":"web","image":"busybox","memory":100,)"
      R"("resourceRequirements":[{"type":"GPU","value":"1"}]}]})");
  const Json task = api.CallJson("RunTask", R"({"taskDefinition":"train"})")["tasks"][0];
  CHECK(task["containers"][0]["gpuIds"] == Json::parse(R"(["GPU-a"])"));
  const Json instance = api.CallJson(
      "DescribeContainerInstances",
      R"({"containerInstances":["00000000000000000000000000000001"]})")["containerInstances"][0];
  CHECK(instance["registeredResources"][3] ==
        Json::parse(R"({"name":"GPU","type":"STRINGSET","stringSetValue":["GPU-a","GPU-b"]})"));
  CHECK(instance["remainingResources"][4] ==
        Json::parse(R"({"name":"GPU","type":"STRINGSET","doubleValue":0,"longValue":0,)"
                    R"("integerValue":0,"stringSetValue":["GPU-b"]})"));
}

TEST_CASE("golden: a task", "[api]") {
  TestApi api;
  api.ConnectHost("i-1");
  api.Call(
      "RegisterTaskDefinition",
      R"({"family":"web","containerDefinitions":[{"name":"web","image":"busybox","cpu":10,"memory":100}]})");
  const std::string task =
      R"({"attachments":[],"attributes":[{"name":"ecs.cpu-architecture","value":"x86_64"}],)"
      R"("clusterArn":"arn:aws:ecs:us-east-1:000000000000:cluster/default","connectivity":"CONNECTED",)"
      R"("containerInstanceArn":"arn:aws:ecs:us-east-1:000000000000:container-instance/default/00000000000000000000000000000001",)"
      R"("containers":[{"containerArn":"arn:aws:ecs:us-east-1:000000000000:container/default/00000000000000000000000000000002/00000000000000000000000000000003",)"
      R"("taskArn":"arn:aws:ecs:us-east-1:000000000000:task/default/00000000000000000000000000000002","name":"web",)"
      R"("image":"busybox","lastStatus":"PENDING","networkBindings":[],"networkInterfaces":[],"healthStatus":"UNKNOWN",)"
      R"("cpu":"10","memory":"100","gpuIds":[]}],"cpu":"10","createdAt":1800000000,"desiredStatus":"RUNNING",)"
      R"("enableExecuteCommand":false,"group":"family:web","healthStatus":"UNKNOWN","inferenceAccelerators":[],)"
      R"("lastStatus":"PROVISIONING","launchType":"EC2","memory":"100","overrides":{"containerOverrides":[)"
      R"({"name":"web","command":[],"environment":[],"environmentFiles":[],"resourceRequirements":[]}]},"tags":[],)"
      R"("taskArn":"arn:aws:ecs:us-east-1:000000000000:task/default/00000000000000000000000000000002",)"
      R"("taskDefinitionArn":"arn:aws:ecs:us-east-1:000000000000:task-definition/web:1","version":1})";
  CHECK(api.CallJson("RunTask", R"({"taskDefinition":"web"})") ==
        Json::parse("{\"tasks\":[" + task + "],\"failures\":[]}"));
  CHECK(api.CallJson("DescribeTasks", R"({"tasks":["00000000000000000000000000000002"]})") ==
        Json::parse("{\"tasks\":[" + task + "],\"failures\":[]}"));
  CHECK_THAT(
      api.Call("StopTask", R"({"task":"00000000000000000000000000000002","reason":"enough"})").body,
      Catch::Contains(R"("desiredStatus":"STOPPED")") &&
          Catch::Contains(R"("stopCode":"UserInitiated")") &&
          Catch::Contains(R"("stoppedReason":"enough")"));
  CHECK(
      api.CallJson("StopTask", R"({"task":"nope"})") ==
      Json::parse(
          R"({"__type":"InvalidParameterException","message":"The referenced task was not found."})"));
}

TEST_CASE("metrics count tasks, instances and requests", "[api]") {
  TestApi api;
  api.ConnectHost("i-1");
  api.Call("ListTasks", "{}");
  api.Call("MakeCoffee", "{}");
  const HttpServerResponse metrics = api.Get("/metrics");
  CHECK(metrics.status == 200);
  CHECK_THAT(metrics.content_type, Catch::StartsWith("text/plain; version=0.0.4"));
  for (const char* line : {
           "davit_controller_tasks{status=\"RUNNING\"} 0",
           "davit_controller_container_instances{agent_connected=\"true\"} 1",
           "davit_controller_api_requests_total{code=\"OK\",operation=\"ListTasks\"} 1",
           "davit_controller_api_requests_total{code=\"UnknownOperationException\",operation="
           "\"unknown\"} 1",
           "davit_controller_queue_depth 0",
           "davit_controller_api_request_seconds_count{operation=\"ListTasks\"} 1",
       }) {
    CHECK_THAT(metrics.body, Catch::Contains(line));
  }
}

TEST_CASE("healthz is for probes, and other paths say what there is", "[api]") {
  TestApi api;
  CHECK(api.Get("/healthz").body == "ok\n");
  CHECK(api.Get("/").status == 404);
}

TEST_CASE("with access keys, unsigned requests are refused", "[api]") {
  TestApi api;
  api::ApiServer closed(&api.loop, &api.encoders, &api.clock, &api.http, {{"AKID", "secret"}});
  HttpServerRequest request;
  request.method = "POST";
  request.path = "/";
  request.headers["x-amz-target"] = "AmazonEC2ContainerServiceV20141113.ListClusters";
  CHECK_THAT(TestApi::Wait(&closed, request).body,
             Catch::Contains("MissingAuthenticationTokenException"));
}

TEST_CASE("a store that fails is a ServerException, which clients retry", "[api]") {
  TestApi api;
  api.store.FailWith(absl::ResourceExhaustedError("disk full"));
  const HttpServerResponse response = api.Call("CreateCluster", "{}");
  CHECK(response.status == 500);
  CHECK_THAT(response.body, Catch::Contains("ServerException") && Catch::Contains("disk full"));
}

}  // namespace
}  // namespace davit::test
