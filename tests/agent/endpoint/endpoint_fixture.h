#ifndef DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_
#define DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "agent/endpoint/endpoint.h"
#include "tests/support/fake_host.h"

namespace davit::test {

// The endpoint of an agent on a fake host. The test sets the state of the session.
class EndpointFixture {
 public:
  EndpointFixture() {
    host.StartAgent();
    subject = std::make_unique<endpoint::Endpoint>(
        endpoint::MetricSources{host.supervisor.get(),
                                [this] { return session; },
                                &host.store,
                                &host.cgroups,
                                {{"control", [] { return size_t{7}; }}},
                                &http,
                                "1.2.3",
                                &host.files()},
        "blue", renderers_.get());
    session.connected = true;
    session.controller = "controller:51680";
    session.container_instance_arn = "arn:aws:ecs:r:a:container-instance/c/1";
    session.connections = 3;
  }

  ~EndpointFixture() { FinishRendering(); }

  // The answer to a request. What it needs of the supervisor is worked off by this thread
  // meanwhile.
  HttpServerResponse Call(const std::string& method, const std::string& path,
                          const std::map<std::string, std::string>& query = {}) {
    std::future<HttpServerResponse> response = Begin(method, path, query);
    while (response.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (!host.executor.RunOne()) std::this_thread::yield();
    }
    return response.get();
  }
  // The answer that will come once the supervisor has moved.
  std::future<HttpServerResponse> Begin(const std::string& method, const std::string& path,
                                        const std::map<std::string, std::string>& query = {}) {
    std::promise<HttpServerResponse> promise;
    std::future<HttpServerResponse> response = promise.get_future();
    subject->Handle(
        {method, path, query, {}, "", "127.0.0.1"},
        HttpResponder([promise = std::move(promise)](HttpServerResponse answer) mutable {
          promise.set_value(std::move(answer));
        }));
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

  // Moves the supervisor until nobody waits for it any more.
  void FinishRendering() {
    std::atomic<bool> is_done{false};
    std::thread stop([&] {
      renderers_->Stop();
      is_done = true;
    });
    while (!is_done) {
      if (!host.executor.RunOne()) std::this_thread::yield();
    }
    stop.join();
  }

  FakeHost host;
  supervisor::SessionState session;
  HttpServerCounters http;
  std::unique_ptr<endpoint::Endpoint> subject;

 private:
  std::unique_ptr<ThreadPool> renderers_ = std::make_unique<ThreadPool>("render", 2);
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_ENDPOINT_ENDPOINT_FIXTURE_H_
