#include "agent/containerd/events.h"

#include "agent/containerd/containers.h"
#include "base/mutex.h"
#include "tests/agent/containerd/server_fixture.h"

namespace davit::containerd {
namespace {

// Waits for events. Thread-safe.
class Inbox {
 public:
  Events::Sink Sink() {
    return [this](const Event& event) {
      {
        MutexLock lock(&mu_);
        events_.push_back(event);
      }
      added_.NotifyAll();
    };
  }
  // The n-th event, from 0; nullopt: it did not come within 20 s.
  std::optional<Event> At(size_t n) {
    MutexLock lock(&mu_);
    while (events_.size() <= n) {
      if (!added_.WaitFor(&mu_, absl::Seconds(20)) && events_.size() <= n) return std::nullopt;
    }
    return events_[n];
  }

 private:
  Mutex mu_;
  CondVar added_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mu_);
};

template <typename T>
bool Is(const std::optional<Event>& event) {
  return event.has_value() && std::holds_alternative<T>(*event);
}

void MakeAndDelete(Client* client, const std::string& id) {
  Containers containers(client);
  Container container;
  container.id = id;
  container.runtime = "io.containerd.runc.v2";
  container.oci_spec_json = "{}";
  REQUIRE(containers.Create(container) == absl::OkStatus());
  REQUIRE(containers.Delete(id) == absl::OkStatus());
}

TEST_CASE_METHOD(test::ServerFixture, "no event is missed after Connected", "[events]") {
  Inbox inbox;
  Events events(client.get(), inbox.Sink());
  REQUIRE(Is<Connected>(inbox.At(0)));
  MakeAndDelete(client.get(), "c1");
  const auto event = inbox.At(1);
  REQUIRE(Is<ContainerDeleted>(event));
  CHECK(std::get<ContainerDeleted>(*event).container_id == "c1");
}

TEST_CASE_METHOD(test::ServerFixture, "events of other namespaces are not reported", "[events]") {
  Inbox inbox;
  Events events(client.get(), inbox.Sink());
  REQUIRE(Is<Connected>(inbox.At(0)));
  ClientOptions options = client->options();
  options.containerd_namespace = "another";
  Client another(options);
  MakeAndDelete(&another, "theirs");
  MakeAndDelete(client.get(), "ours");
  const auto event = inbox.At(1);
  REQUIRE(Is<ContainerDeleted>(event));
  CHECK(std::get<ContainerDeleted>(*event).container_id == "ours");
}

TEST_CASE_METHOD(test::ServerFixture, "a lost stream is reported once and reconnects by itself",
                 "[events]") {
  Inbox inbox;
  Events events(client.get(), inbox.Sink());
  REQUIRE(Is<Connected>(inbox.At(0)));
  server->Kill();
  REQUIRE(Is<Disconnected>(inbox.At(1)));
  REQUIRE(server->Restart() == absl::OkStatus());
  REQUIRE(Is<Connected>(inbox.At(2)));
  MakeAndDelete(client.get(), "c1");
  CHECK(Is<ContainerDeleted>(inbox.At(3)));
}

TEST_CASE_METHOD(test::ServerFixture,
                 "a containerd that is down at first is reported as Disconnected", "[events]") {
  server->Kill();
  Inbox inbox;
  Events events(client.get(), inbox.Sink());
  REQUIRE(Is<Disconnected>(inbox.At(0)));
  REQUIRE(server->Restart() == absl::OkStatus());
  CHECK(Is<Connected>(inbox.At(1)));
}

}  // namespace
}  // namespace davit::containerd
