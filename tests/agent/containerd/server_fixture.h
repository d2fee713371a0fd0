#ifndef DAVIT_TESTS_AGENT_CONTAINERD_SERVER_FIXTURE_H_
#define DAVIT_TESTS_AGENT_CONTAINERD_SERVER_FIXTURE_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "agent/containerd/client.h"
#include "agent/containerd/leases.h"
#include "tests/support/containerd_server.h"
#include "tests/support/skip.h"

namespace davit::test {

// A private containerd and a client with one lease.
struct ServerFixture {
  ServerFixture() : server(StartOrSkip()) {
    containerd::ClientOptions options;
    options.address = server->address();
    options.containerd_namespace = server->containerd_namespace();
    client = std::make_unique<containerd::Client>(options);
    REQUIRE(containerd::Leases(client.get()).Create("lease", {{"who", "test"}}) ==
            absl::OkStatus());
  }

  static std::unique_ptr<ContainerdServer> StartOrSkip() {
    auto started = ContainerdServer::Start();
    if (absl::IsNotFound(started.status()) || absl::IsPermissionDenied(started.status())) {
      Skip(started.status().ToString());
    }
    REQUIRE(started.status() == absl::OkStatus());
    return *std::move(started);
  }

  std::unique_ptr<ContainerdServer> server;
  std::unique_ptr<containerd::Client> client;
  const containerd::CallOptions leased{.lease = "lease", .timeout = absl::Seconds(10)};
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_AGENT_CONTAINERD_SERVER_FIXTURE_H_
