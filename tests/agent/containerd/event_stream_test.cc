#include "agent/containerd/event_stream.h"

#include <catch2/catch.hpp>

#include "github.com/containerd/containerd/api/events/container.pb.h"
#include "github.com/containerd/containerd/api/events/task.pb.h"

namespace davit::containerd {
namespace {

google::protobuf::Any Pack(const std::string& type, const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.set_type_url(type);
  any.set_value(message.SerializeAsString());
  return any;
}

TEST_CASE("the end of a process is read with its time", "[containerd]") {
  ::containerd::events::TaskExit exit;
  exit.set_container_id("c1");
  exit.set_id("exec1");
  exit.set_exit_status(137);
  exit.mutable_exited_at()->set_seconds(1700000000);
  exit.mutable_exited_at()->set_nanos(5);
  const std::optional<Event> event = ParseEvent(Pack("containerd.events.TaskExit", exit));
  REQUIRE(event.has_value());
  const auto& exited = std::get<TaskExited>(*event);
  CHECK(exited.container_id == "c1");
  CHECK(exited.process_id == "exec1");
  CHECK(exited.exit_status == 137);
  CHECK(exited.exited_at == absl::FromUnixSeconds(1700000000) + absl::Nanoseconds(5));
}

TEST_CASE("out of memory and deletion are read with their container", "[containerd]") {
  ::containerd::events::TaskOOM oom;
  oom.set_container_id("c1");
  const std::optional<Event> killed = ParseEvent(Pack("containerd.events.TaskOOM", oom));
  REQUIRE(killed.has_value());
  CHECK(std::get<TaskOutOfMemory>(*killed).container_id == "c1");
  ::containerd::events::ContainerDelete deletion;
  deletion.set_id("c2");
  const std::optional<Event> deleted =
      ParseEvent(Pack("containerd.events.ContainerDelete", deletion));
  REQUIRE(deleted.has_value());
  CHECK(std::get<ContainerDeleted>(*deleted).container_id == "c2");
}

TEST_CASE("events of other types and malformed events are ignored", "[containerd]") {
  CHECK_FALSE(ParseEvent(Pack("containerd.events.TaskStart", ::containerd::events::TaskStart()))
                  .has_value());
  google::protobuf::Any broken;
  broken.set_type_url("containerd.events.TaskExit");
  broken.set_value("\xff\xff\xff");
  CHECK_FALSE(ParseEvent(broken).has_value());
}

}  // namespace
}  // namespace davit::containerd
