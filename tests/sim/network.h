#ifndef DAVIT_TESTS_SIM_NETWORK_H_
#define DAVIT_TESTS_SIM_NETWORK_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "davit/v1/agent.pb.h"
#include "tests/sim/random.h"
#include "tests/support/fake_time.h"

namespace davit::sim {

// One direction of a stream: messages that were sent but have not arrived, always in order.
template <typename Message>
struct Lane {
  struct Item {
    absl::Duration due;
    std::optional<Message> message;  // nullopt: the stream ends here
  };
  std::deque<Item> items;

  void Push(absl::Duration due, std::optional<Message> message) {
    if (!items.empty()) due = std::max(due, items.back().due);
    items.push_back({due, std::move(message)});
  }
  // Messages in flight are lost from some point on.
  void LoseTail(Random* random) { items.resize(random->Below(items.size() + 1)); }
};

// How long nothing passes between a host and the controller, per direction. TCP keeps what is sent
// meanwhile.
struct Partition {
  absl::Duration up_until = absl::ZeroDuration();    // agent to controller
  absl::Duration down_until = absl::ZeroDuration();  // controller to agent
};

// A TCP stream as gRPC uses it. Messages arrive once and in order, late, or not at all from some
// point on. Each side notices the end on its own, the controller perhaps never. Single-threaded.
class Connection {
 public:
  struct AgentSide {
    std::function<void(v1::ControllerMessage)> receive;
    std::function<void()> ended;
  };
  struct ControllerSide {
    std::function<void(v1::AgentMessage)> receive;
    std::function<void()> ended;
    std::function<void()> written;  // a message has left the controller's buffer
  };
  // nullopt: refused, nobody listens.
  using Accept = std::function<std::optional<ControllerSide>(const std::shared_ptr<Connection>&)>;

  Connection(test::FakeClock* clock, const Partition* partition, Accept accept, AgentSide agent,
             Random random)
      : clock_(clock),
        partition_(partition),
        accept_(std::move(accept)),
        agent_(std::move(agent)),
        random_(random) {}

  void SendUp(v1::AgentMessage message);
  // nullopt: the controller ends the stream.
  void SendDown(std::optional<v1::ControllerMessage> message);
  // False: the controller's writes wait until written().
  bool has_room() const { return is_cut_ || down_.items.size() < 3; }

  // The agent closes its end, or dies. Its callbacks are not used again.
  void DropAgent();
  // The same of the controller.
  void DropController();
  // The connection breaks. Messages in flight are lost. The agent notices within 20 s (gRPC's
  // keepalive), the controller perhaps.
  void Cut();
  // A message arrives a second time. TCP does not do that, but agent.proto promises that it is
  // harmless. Not a Hello, because the controller ends the stream after a second one.
  void Duplicate();

  // An unsolicited message arrives in the session. Does nothing without a session.
  void InjectUp(v1::AgentMessage message);
  void InjectDown(v1::ControllerMessage message);
  // The first COMPLETE set of the session arrives again, whatever has come since.
  void ReplayComplete();

  bool is_due(absl::Duration now) const { return UpDue() <= now || DownDue() <= now; }
  // The time of the next arrival after `now`. Infinite: nothing is in flight.
  absl::Duration NextDue(absl::Duration now) const;
  // Delivers one due message.
  void DeliverOne(const std::shared_ptr<Connection>& self);
  bool is_over() const { return !agent_.has_value() && !controller_.has_value() && is_accepted_; }

 private:
  absl::Duration Latency() { return clock_->Monotonic() + random_.Within(absl::Milliseconds(20)); }
  absl::Duration UpDue() const;
  absl::Duration DownDue() const;
  void DeliverUp(const std::shared_ptr<Connection>& self);
  void DeliverDown();

  test::FakeClock* const clock_;
  const Partition* const partition_;
  const Accept accept_;
  std::optional<AgentSide> agent_;
  std::optional<ControllerSide> controller_;
  Random random_;
  Lane<v1::AgentMessage> up_;
  Lane<v1::ControllerMessage> down_;
  bool is_accepted_ = false;  // or was refused
  bool is_cut_ = false;
  std::string session_id_;                         // that a Welcome has given
  std::optional<v1::ControllerMessage> complete_;  // the session's first COMPLETE set
};

// The network between hosts and the controller. Single-threaded.
class Network {
 public:
  Network(test::FakeClock* clock, size_t hosts, Random random)
      : clock_(clock), random_(random), partitions_(hosts), newest_(hosts) {}

  // The controller listens; null: it does not.
  void Listen(Connection::Accept accept) { accept_ = std::move(accept); }
  std::shared_ptr<Connection> Dial(size_t host, Connection::AgentSide agent);
  // The same for a client that is not the host's agent.
  std::shared_ptr<Connection> DialAsTwin(size_t host, Connection::AgentSide agent);
  void DropController();
  void CutOne(Random* random);
  void DuplicateOne(Random* random);
  // The newest connection of the host's agent. Null: none, or it has ended.
  Connection* Newest(size_t host);
  Partition* partition(size_t host) { return &partitions_[host]; }

  bool is_due() const;
  absl::Duration NextDue() const;  // of what is not due yet
  // Delivers one of the due messages.
  void DeliverOne(Random* random);

 private:
  test::FakeClock* const clock_;
  Random random_;
  std::vector<Partition> partitions_;  // by host; never resized
  Connection::Accept accept_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::weak_ptr<Connection>> newest_;  // by host
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_NETWORK_H_
