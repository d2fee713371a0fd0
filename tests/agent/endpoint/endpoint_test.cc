#include "agent/endpoint/endpoint.h"

#include "base/http_server.h"
#include "tests/agent/endpoint/endpoint_fixture.h"
#include "tests/support/http_peer.h"

namespace davit::endpoint {
namespace {

using test::EndpointFixture;
using Json = nlohmann::json;

TEST_CASE("a host without problems is ok", "[endpoint]") {
  EndpointFixture agent;
  CHECK(agent.Get("/healthz").status == 200);
  CHECK(agent.GetJson("/healthz") ==
        Json({{"status", "ok"},
              {"runtime_available", true},
              {"controller", {{"connected", true}, {"endpoint", "controller:51680"}}}}));
}

TEST_CASE("without a controller the host is healthy and says what it waits for", "[endpoint]") {
  EndpointFixture agent;
  agent.session.connected = false;
  agent.session.last_error = "connection refused";
  CHECK(agent.Get("/healthz").status == 200);
  const Json health = agent.GetJson("/healthz");
  CHECK(health["status"] == "ok");
  CHECK(health["controller"]["connected"] == false);
  CHECK(health["controller"]["waiting_for"] == "connection refused");
}

TEST_CASE("without containerd the host is impaired", "[endpoint]") {
  EndpointFixture agent;
  agent.host.runtime.SetReachable(false);
  agent.host.Pass(absl::Seconds(1));
  CHECK(agent.Get("/healthz").status == 503);
  const Json health = agent.GetJson("/healthz");
  CHECK(health["status"] == "impaired");
  CHECK(health["runtime_available"] == false);
  CHECK_THAT(health["reason"].get<std::string>(), Catch::Contains("containerd cannot be reached"));
  agent.host.runtime.SetReachable(true);
  agent.host.Pass(absl::Seconds(10));
  CHECK(agent.Get("/healthz").status == 200);
}

TEST_CASE("a store that cannot write impairs the host, and every problem is reported",
          "[endpoint]") {
  EndpointFixture agent;
  agent.host.store.Hold(true);
  CHECK(agent.Get("/healthz").status == 503);
  CHECK_THAT(agent.GetJson("/healthz")["reason"].get<std::string>(),
             Catch::StartsWith("state cannot be stored: "));
  agent.host.runtime.SetReachable(false);
  agent.host.Pass(absl::Seconds(1));
  CHECK_THAT(agent.GetJson("/healthz")["reason"].get<std::string>(),
             Catch::Contains("containerd") && Catch::Contains("; state cannot be stored: "));
}

TEST_CASE("metadata has ECS's members", "[endpoint]") {
  EndpointFixture agent;
  CHECK(agent.GetJson("/v1/metadata") ==
        Json({{"Cluster", "blue"},
              {"ContainerInstanceArn", "arn:aws:ecs:r:a:container-instance/c/1"},
              {"Version", "Davit Agent - v1.2.3"}}));
  agent.session.container_instance_arn.clear();
  CHECK(agent.GetJson("/v1/metadata")["ContainerInstanceArn"].is_null());
}

TEST_CASE("tasks are listed with their containers", "[endpoint]") {
  EndpointFixture agent;
  CHECK(agent.GetJson("/v1/tasks") == Json({{"Tasks", Json::array()}}));
  const v1::Assignment first = agent.Run(1);
  agent.Run(2);
  const Json tasks = agent.GetJson("/v1/tasks")["Tasks"];
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0]["Arn"] == first.task_arn());
  CHECK(tasks[0]["DesiredStatus"] == "RUNNING");
  CHECK(tasks[0]["KnownStatus"] == "RUNNING");
  CHECK(tasks[0]["Family"] == "web");
  CHECK(tasks[0]["Version"] == "1");
  REQUIRE(tasks[0]["Containers"].size() == 1);
  const Json container = tasks[0]["Containers"][0];
  CHECK(container["Name"] == "web");
  CHECK(container["Image"] == "registry/web:1");
  CHECK(container["RuntimeId"] == test::ContainerId(first));
  CHECK(container["KnownStatus"] == "RUNNING");
  CHECK(container["Pid"].get<int>() > 0);
  CHECK(container.count("ExitCode") == 0);
}

TEST_CASE("a stopped task shows how its containers ended", "[endpoint]") {
  EndpointFixture agent;
  const v1::Assignment task = agent.Run(1);
  CHECK(agent.GetJson("/v1/tasks")["Tasks"][0]["Containers"][0].count("PostMortem") == 0);
  const std::string id = "00000000000000000000000000000001";
  resource::CgroupUsage usage;
  usage.memory_peak_bytes = 5 << 20;
  usage.cpu_time = absl::Milliseconds(1500);
  agent.host.cgroups.SimulateContainerCgroup(id, "web");
  agent.host.cgroups.SimulateUsage(agent.host.cgroups.ContainerPath(id, "web"), usage);
  REQUIRE(WriteFileAtomically(
              agent.host.files().LogFile(id, "web"),
              "{\"log\":\"bye\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}\n")
              .ok());
  agent.host.runtime.Exit(test::ContainerId(task), 139);
  agent.host.Pass(absl::Seconds(1));
  const Json json = agent.GetJson("/v1/tasks", {{"taskarn", task.task_arn()}});
  CHECK(json["KnownStatus"] == "STOPPED");
  CHECK_FALSE(json["StoppedReason"].get<std::string>().empty());
  CHECK(json["Containers"][0]["ExitCode"] == 139);
  CHECK(json["Containers"][0]["Reason"] == "exit code 139 (128 + SIGSEGV); last output: bye");
  CHECK(json["Containers"][0]["PostMortem"] == Json({{"CpuSeconds", 1.5},
                                                     {"MemoryPeakBytes", 5 << 20},
                                                     {"MemoryLimitBytes", 0},
                                                     {"MemoryIsOfTask", false},
                                                     {"OomKills", 0},
                                                     {"Signal", "SIGSEGV"},
                                                     {"LastLines", {"bye"}}}));
}

TEST_CASE("a container shows the last results of its checks", "[endpoint]") {
  EndpointFixture agent;
  int count = 0;
  agent.host.runtime.SetOnExec([&count](const runtime::ExecSpec& spec) {
    if (spec.arguments[0] == "/alive") return runtime::ExecResult{0, "alive"};
    return runtime::ExecResult{++count > 6 ? 3 : 0, "said " + std::to_string(count)};
  });
  v1::Assignment task = test::MakeAssignment(1);
  v1::ContainerDefinition* web = task.mutable_task_definition()->mutable_container_definitions(0);
  web->mutable_health_check()->add_command("CMD");
  web->mutable_health_check()->add_command("/alive");
  (*web->mutable_docker_labels())["davit.readiness-check"] =
      R"({"command": ["CMD", "/ready"], "interval": 5})";
  agent.host.supervisor->Assign(task);
  agent.host.Pass(absl::Seconds(2));
  Json container = agent.GetJson("/v1/tasks")["Tasks"][0]["Containers"][0];
  CHECK(container["Health"] ==
        Json({{"status", "UNKNOWN"}, {"output", ""}, {"checks", Json::array()}}));
  CHECK(container["Readiness"]["ready"] == false);
  agent.host.Pass(absl::Seconds(31));
  container = agent.GetJson("/v1/tasks")["Tasks"][0]["Containers"][0];
  CHECK(container["Health"]["status"] == "HEALTHY");
  CHECK(container["Health"]["output"] == "alive");
  REQUIRE(container["Health"]["checks"].size() == 1);
  CHECK(container["Readiness"]["ready"] == true);
  CHECK(container["Readiness"]["output"] == "said 6");
  agent.host.Pass(absl::Seconds(5));
  container = agent.GetJson("/v1/tasks")["Tasks"][0]["Containers"][0];
  CHECK(container["Readiness"]["ready"] == false);
  const Json checks = container["Readiness"]["checks"];
  REQUIRE(checks.size() == 5);
  CHECK(checks[0]["output"] == "said 3");
  CHECK(checks[4]["output"] == "said 7");
  CHECK(checks[4]["exitCode"] == 3);
  absl::Time at;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, checks[4]["at"].get<std::string>(), &at, nullptr));
  CHECK(agent.host.clock.Now() - at < absl::Seconds(5));
}

TEST_CASE("a task that waits says for what", "[endpoint]") {
  EndpointFixture agent;
  for (int i = 1; i <= 2; ++i) {  // of the host's 1000 MiB
    v1::Assignment large = test::MakeAssignment(i);
    large.mutable_task_definition()->mutable_container_definitions(0)->set_memory(600);
    agent.host.supervisor->Assign(large);
  }
  agent.host.Pass(absl::Seconds(1));
  const Json tasks = agent.GetJson("/v1/tasks")["Tasks"];
  CHECK(tasks[0].count("WaitingReason") == 0);
  CHECK_THAT(tasks[1]["WaitingReason"].get<std::string>(), Catch::Contains("MEMORY"));
}

TEST_CASE("one task is found by its ARN or by the id of its container", "[endpoint]") {
  EndpointFixture agent;
  agent.Run(1);
  const v1::Assignment second = agent.Run(2);
  CHECK(agent.GetJson("/v1/tasks", {{"taskarn", second.task_arn()}})["Arn"] == second.task_arn());
  CHECK(agent.GetJson("/v1/tasks", {{"dockerid", test::ContainerId(second)}})["Arn"] ==
        second.task_arn());
  CHECK(agent.Get("/v1/tasks", {{"taskarn", "arn:aws:ecs:r:a:task/c/other"}}).status == 404);
  CHECK(agent.Get("/v1/tasks", {{"dockerid", "other"}}).status == 404);
  CHECK(agent.Get("/v1/tasks", {{"dockerid", ""}}).status == 404);
}

TEST_CASE("text that is not UTF-8 does not break the response", "[endpoint]") {
  EndpointFixture agent;
  v1::Assignment task = test::MakeAssignment(1);
  task.mutable_task_definition()->mutable_container_definitions(0)->set_image("registry/web:1");
  agent.host.puller.Fail("registry/web:1", absl::InvalidArgumentError("bad manifest: \xff\xfe"));
  agent.host.supervisor->Assign(task);
  agent.host.Pass(absl::Seconds(1));
  CHECK_THAT(agent.GetJson("/v1/tasks")["Tasks"][0]["StoppedReason"].get<std::string>() +
                 agent.GetJson("/v1/tasks")["Tasks"][0]["Containers"][0].value("Reason", ""),
             Catch::Contains("bad manifest"));
}

TEST_CASE("unknown paths are 404, methods other than GET 405", "[endpoint]") {
  EndpointFixture agent;
  CHECK(agent.Get("/v2/tasks").status == 404);
  CHECK(agent.Get("/healthz/").status == 404);
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    CHECK(agent.Call(method, "/v1/tasks").status == 405);
  }
  CHECK(agent.GetJson("/")["AvailableCommands"].size() == 4);
}

TEST_CASE("HEAD is answered as GET is", "[endpoint]") {
  EndpointFixture agent;
  CHECK(agent.Call("HEAD", "/healthz").status == 200);
  CHECK(agent.Call("HEAD", "/metrics").status == 200);
}

TEST_CASE("a supervisor that hangs does not keep /healthz from answering", "[endpoint]") {
  EndpointFixture agent;
  std::vector<std::future<HttpServerResponse>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(agent.Begin("GET", "/metrics"));
  const auto answers_at_once = [&](const std::string& path) {
    auto response = agent.Begin("GET", path);
    const bool is_there = response.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    return is_there ? response.get().status : 0;
  };
  CHECK(answers_at_once("/healthz") == 200);
  CHECK(answers_at_once("/v1/metadata") == 200);
  CHECK(answers_at_once("/v1/tasks") == 503);  // enough of them wait
  agent.FinishRendering();
  for (auto& response : waiting) CHECK(response.get().status == 200);
}

// The endpoint behind a real server. The supervisor moves only while this thread waits for an
// answer.
class ServedEndpoint {
 public:
  explicit ServedEndpoint(const HttpServer::Options& options = {}) {
    server_ =
        HttpServer::Start(options, [this](const HttpServerRequest& request, HttpResponder respond) {
          agent.subject->Handle(request, std::move(respond));
        }).value();
  }
  test::HttpPeer Connect() const { return test::HttpPeer(server_->port()); }
  std::string Get(const std::string& path) {
    test::HttpPeer peer = Connect();
    const int64_t before = server_->counters().requests;
    peer.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    while (server_->counters().requests == before || server_->counters().unanswered_requests > 0) {
      if (!agent.host.executor.RunOne()) std::this_thread::yield();
    }
    return peer.ReadAnswer();
  }

  EndpointFixture agent;

 private:
  std::unique_ptr<HttpServer> server_;
};

TEST_CASE("metrics and health are shown beside hundreds of silent connections", "[endpoint]") {
  ServedEndpoint served;
  std::vector<test::HttpPeer> peers;
  for (int i = 0; i < 300; ++i) {
    peers.push_back(served.Connect());
    if (i % 2 == 0) peers.back().Send("GET /metrics HTTP/1.1\r\nHo");
  }
  CHECK_THAT(served.Get("/metrics"),
             Catch::StartsWith("HTTP/1.1 200 ") && Catch::Contains("davit_agent_tasks{"));
  CHECK_THAT(served.Get("/healthz"), Catch::StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("what needs a supervisor that hangs is a 503 in time", "[endpoint]") {
  HttpServer::Options options;
  options.answer_timeout = absl::Milliseconds(20);
  ServedEndpoint served(options);
  for (const std::string path : {"/metrics", "/v1/tasks"}) {
    test::HttpPeer peer = served.Connect();
    CHECK_THAT(peer.Get(path),
               Catch::StartsWith("HTTP/1.1 503 ") && Catch::Contains("no answer within 20ms"));
  }
  test::HttpPeer peer = served.Connect();
  CHECK_THAT(peer.Get("/healthz"), Catch::StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace davit::endpoint
