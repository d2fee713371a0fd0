#include "agent/containerd/client.h"

#include <catch2/catch.hpp>

#include "agent/containerd/connection.h"
#include "agent/containerd/containers.h"
#include "agent/containerd/content_store.h"
#include "agent/containerd/tasks.h"

namespace davit::containerd {
namespace {

using Code = absl::StatusCode;

TEST_CASE("a missing containerd is Unavailable", "[containerd]") {
  ClientOptions options;
  options.address = "/nonexistent/containerd.sock";
  Client client(options);
  CHECK(client.Version().status().code() == Code::kUnavailable);
  CHECK_FALSE(client.IsConnected());
  CHECK(Containers(&client).List().status().code() == Code::kUnavailable);
  CHECK(Tasks(&client).Get("c1").status().code() == Code::kUnavailable);
  ContentStore store(&client);
  CHECK(store.OpenWriter("ref", "sha256:0", 1).status().code() == Code::kUnavailable);
}

TEST_CASE("gRPC's codes keep their meaning and text", "[containerd]") {
  const absl::Status status = ToAbslStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "no task"));
  CHECK(status == absl::NotFoundError("no task"));
  CHECK(ToAbslStatus(grpc::Status(grpc::StatusCode::UNKNOWN, "ttrpc: closed")).code() ==
        Code::kUnknown);
  CHECK(ToAbslStatus(grpc::Status::OK).ok());
}

TEST_CASE("a call's timeout is its own or the client's", "[containerd]") {
  ClientOptions options;
  options.call_timeout = absl::Seconds(3);
  const Client client(options);
  CHECK(TimeoutOf(client, {}) == absl::Seconds(3));
  CHECK(TimeoutOf(client, {.lease = "", .timeout = absl::Seconds(9)}) == absl::Seconds(9));
}

}  // namespace
}  // namespace davit::containerd
