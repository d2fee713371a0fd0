#ifndef DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_
#define DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "agent/endpoint/endpoint.h"
#include "tests/support/fake_host.h"

namespace davit::test {

// The endpoint of an agent on a fake host; the test decides how its session fares.
class EndpointFixture {
 public:
  EndpointFixture() {
    host.StartAgent();
    session.connected = true;
    session.controller = "controller:51680";
    session.container_instance_arn = "arn:aws:ecs:r:a:container-instance/c/1";
    session.connections = 3;
  }

  // The handler waits for the supervisor's mailbox, which this thread works off meanwhile.
  HttpServerResponse Call(const std::string& method, const std::string& path,
                          const std::map<std::string, std::string>& query = {}) {
    const endpoint::Endpoint endpoint({host.supervisor.get(),
                                       [this] { return session; },
                                       &host.store,
                                       &host.cgroups,
                                       {{"control", [] { return size_t{7}; }}},
                                       "1.2.3"},
                                      "blue");
    HttpServerResponse response;
    std::atomic<bool> is_done{false};
    std::thread handler([&] {
      response = endpoint.Handle({method, path, query, {}, "", "127.0.0.1"});
      is_done = true;
    });
    while (!is_done) {
      if (!host.executor.RunOne()) std::this_thread::yield();
    }
    handler.join();
    return response;
  }
  HttpServerResponse Get(const std::string& path,
                         const std::map<std::string, std::string>& query = {}) {
    return Call("GET", path, query);
  }
  nlohmann::json GetJson(const std::string& path,
                         const std::map<std::string, std::string>& query = {}) {
    const HttpServerResponse response = Get(path, query);
    CHECK(response.content_type == "application/json");
    return nlohmann::json::parse(response.body);
  }
  v1::Assignment Run(int number) {
    const v1::Assignment assignment = MakeAssignment(number);
    host.supervisor->Assign(assignment);
    host.Pass(absl::Seconds(1));
    REQUIRE(host.StateOf(assignment.task_arn()).last_status() == v1::TaskStatus::RUNNING);
    return assignment;
  }

  FakeHost host;
  supervisor::SessionState session;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_
