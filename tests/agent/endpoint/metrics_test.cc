#include "agent/endpoint/metrics.h"

#include <cerrno>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/log/logger_state.h"
#include "tests/agent/endpoint/endpoint_fixture.h"

namespace davit::endpoint {
namespace {

using test::EndpointFixture;

// "name{label=...} value" of every sample.
std::vector<std::string> Samples(const std::string& text) {
  std::vector<std::string> samples;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] != '#') samples.emplace_back(line);
  }
  return samples;
}

TEST_CASE("every documented series exists from the start", "[metrics]") {
  EndpointFixture agent;
  const HttpServerResponse response = agent.Get("/metrics");
  CHECK(response.status == 200);
  CHECK_THAT(response.content_type, Catch::StartsWith("text/plain; version=0.0.4"));
  for (const std::string sample : {"davit_agent_info{version=\"1.2.3\",container_instance_arn="
                                   "\"arn:aws:ecs:r:a:container-instance/c/1\"} 1\n",
                                   "davit_agent_controller_connected 1\n",
                                   "davit_agent_controller_sessions_total 3\n",
                                   "davit_agent_runtime_available 1\n",
                                   "davit_agent_store_healthy 1\n",
                                   "davit_agent_pool_queue_depth{pool=\"control\"} 7\n",
                                   "davit_agent_tasks{status=\"PENDING\"} 0\n",
                                   "davit_agent_tasks{status=\"ACTIVATING\"} 0\n",
                                   "davit_agent_tasks{status=\"RUNNING\"} 0\n",
                                   "davit_agent_tasks{status=\"STOPPING\"} 0\n",
                                   "davit_agent_tasks{status=\"DEPROVISIONING\"} 0\n",
                                   "davit_agent_tasks{status=\"STOPPED\"} 0\n",
                                   "davit_agent_containers{status=\"PENDING\"} 0\n",
                                   "davit_agent_containers{status=\"RUNNING\"} 0\n",
                                   "davit_agent_containers{status=\"STOPPED\"} 0\n",
                                   "davit_agent_container_readiness{ready=\"true\"} 0\n",
                                   "davit_agent_container_readiness{ready=\"false\"} 0\n",
                                   "davit_agent_owned{kind=\"container\"} 0\n",
                                   "davit_agent_owned{kind=\"lease\"} 0\n",
                                   "davit_agent_owned{kind=\"cgroup\"} 0\n",
                                   "davit_agent_owned{kind=\"network\"} 0\n",
                                   "davit_agent_orphans 0\n",
                                   "davit_agent_http_open_connections 0\n",
                                   "davit_agent_http_waiting_requests 0\n",
                                   "davit_agent_http_unanswered_requests 0\n",
                                   "davit_agent_http_requests_total 0\n",
                                   "davit_agent_http_refused_requests_total 0\n",
                                   "davit_agent_http_bad_requests_total 0\n",
                                   "davit_agent_http_connections_closed_for_room_total 0\n",
                                   "davit_agent_http_refused_connections_total 0\n",
                                   "davit_agent_http_failed_accepts_total 0\n"}) {
    CHECK_THAT(response.body, Catch::Contains(sample));
  }
}

TEST_CASE("the gauges follow the state", "[metrics]") {
  EndpointFixture agent;
  agent.Run(1);
  const v1::Assignment stopped = agent.Run(2);
  agent.host.runtime.Exit(test::ContainerId(stopped), 0);
  agent.host.Pass(absl::Seconds(1));
  agent.host.runtime.SetReachable(false);
  agent.host.store.Hold(true);
  agent.session.connected = false;
  agent.host.Pass(absl::Seconds(1));
  const std::string text = agent.Get("/metrics").body;
  CHECK_THAT(text, Catch::Contains("davit_agent_tasks{status=\"RUNNING\"} 1\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_tasks{status=\"STOPPED\"} 1\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_containers{status=\"RUNNING\"} 1\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_runtime_available 0\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_store_healthy 0\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_controller_connected 0\n"));
}

TEST_CASE("a running container exports its cgroup's counters", "[metrics]") {
  EndpointFixture agent;
  agent.Run(1);
  const std::string id = "00000000000000000000000000000001";
  resource::CgroupUsage usage;
  usage.memory_bytes = 1 << 20;
  usage.cpu_time = absl::Milliseconds(2500);
  usage.oom_kills = 2;
  agent.host.cgroups.SimulateContainerCgroup(id, "web");
  agent.host.cgroups.SimulateUsage(agent.host.cgroups.ContainerPath(id, "web"), usage);
  const std::string text = agent.Get("/metrics").body;
  const std::string labels = "{task_id=\"" + id + "\",container_name=\"web\",family=\"web\"} ";
  CHECK_THAT(text, Catch::Contains("davit_agent_container_memory_bytes" + labels + "1048576\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_container_cpu_seconds_total" + labels + "2.5\n"));
  CHECK_THAT(text, Catch::Contains("davit_agent_container_oom_kills_total" + labels + "2\n"));
}

TEST_CASE("running containers are counted by readiness", "[metrics]") {
  EndpointFixture agent;
  agent.Run(1);  // is not asked, so it does not count
  v1::Assignment task = test::MakeAssignment(2);
  (*task.mutable_task_definition()
        ->mutable_container_definitions(0)
        ->mutable_docker_labels())["davit.readiness-check"] = R"({"command": ["CMD", "/ready"]})";
  agent.host.supervisor->Assign(task);
  const auto expect = [&agent](int ready, int not_ready) {
    const std::string text = agent.Get("/metrics").body;
    const std::string family = "davit_agent_container_readiness";
    CHECK_THAT(text, Catch::Contains(family + "{ready=\"true\"} " + std::to_string(ready) + "\n"));
    CHECK_THAT(text,
               Catch::Contains(family + "{ready=\"false\"} " + std::to_string(not_ready) + "\n"));
  };
  agent.host.Pass(absl::Seconds(2));
  expect(0, 1);
  agent.host.Pass(absl::Seconds(5));
  expect(1, 0);
  agent.host.runtime.Exit(test::ContainerId(task), 0);
  agent.host.Pass(absl::Seconds(1));
  expect(0, 0);
}

TEST_CASE("series of a container end with it, however long its record is kept", "[metrics]") {
  EndpointFixture agent;
  const size_t before = Samples(agent.Get("/metrics").body).size();
  for (int i = 1; i <= 5; ++i) {
    const v1::Assignment task = agent.Run(i);
    agent.host.runtime.Exit(test::ContainerId(task), 0);
    agent.host.Pass(absl::Seconds(1));
  }
  CHECK(Samples(agent.Get("/metrics").body).size() == before);
}

TEST_CASE("every family has help, a type and base units, and counters end in _total", "[metrics]") {
  EndpointFixture agent;
  agent.Run(1);
  agent.host.cgroups.SimulateContainerCgroup("00000000000000000000000000000001", "web");
  const std::string text = agent.Get("/metrics").body;
  for (const std::string& sample : Samples(text)) {
    const std::string name = sample.substr(0, sample.find_first_of("{ "));
    CAPTURE(name);
    CHECK_THAT(name, Catch::StartsWith("davit_agent_"));
    CHECK_THAT(text, Catch::Contains("# HELP " + name + " "));
    const bool is_counter = text.find("# TYPE " + name + " counter\n") != std::string::npos;
    CHECK(is_counter == (name.find("_total") != std::string::npos));
    CHECK_THAT(name, !Catch::Contains("_ms") && !Catch::Contains("_mib"));
  }
}

TEST_CASE("what davit-logger says of a container's log is exported", "[metrics]") {
  EndpointFixture agent;
  const v1::Assignment assignment = agent.Run(1);
  const std::string& arn = assignment.task_arn();
  const std::string log = agent.host.files().LogFile(arn.substr(arn.rfind('/') + 1), "web");
  const std::string labels = absl::StrCat("{task_id=\"", arn.substr(arn.rfind('/') + 1),
                                          "\",container_name=\"web\",family=\"web\"} ");
  const auto sample = [&labels](const std::string& name, int value) {
    return Catch::Contains(absl::StrCat("\n", name, labels, value, "\n"));
  };
  CHECK_THAT(agent.Get("/metrics").body, sample("davit_agent_container_logged", 0));
  {
    const log::LoggerStateFile logger(log);
    logger.Write({12, 840, ENOSPC, 3});
    const std::string text = agent.Get("/metrics").body;
    CHECK_THAT(text, sample("davit_agent_container_logged", 1));
    CHECK_THAT(text, sample("davit_agent_container_log_lost_lines_total", 12));
    CHECK_THAT(text, sample("davit_agent_container_log_writer_kills_total", 3));
  }
  CHECK_THAT(agent.Get("/metrics").body, sample("davit_agent_container_logged", 0));
}

}  // namespace
}  // namespace davit::endpoint
