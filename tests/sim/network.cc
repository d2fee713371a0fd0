#include "tests/sim/network.h"

namespace davit::sim {
namespace {

constexpr absl::Duration kKeepalive = absl::Seconds(20);

}  // namespace

void Connection::SendUp(v1::AgentMessage message) {
  if (!is_cut_) up_.Push(Latency(), std::move(message));
}

void Connection::SendDown(std::optional<v1::ControllerMessage> message) {
  if (message.has_value() && message->has_welcome()) session_id_ = message->session_id();
  if (message.has_value() && message->has_assignment_set() && !complete_) complete_ = message;
  if (!is_cut_) return down_.Push(Latency(), std::move(message));
  if (!message.has_value()) up_.Push(Latency(), std::nullopt);  // the agent's own kernel ends it
}

void Connection::DropAgent() {
  if (!agent_.has_value()) return;
  agent_.reset();
  down_.items.clear();
  if (is_cut_) return;
  up_.LoseTail(&random_);
  up_.Push(Latency(), std::nullopt);
}

void Connection::DropController() {
  if (!controller_.has_value()) return;
  controller_.reset();
  up_.items.clear();
  if (is_cut_) return;
  down_.LoseTail(&random_);
  down_.Push(Latency(), std::nullopt);
}

void Connection::Cut() {
  if (is_cut_) return;
  is_cut_ = true;
  up_.items.clear();
  down_.items.clear();
  const absl::Duration now = clock_->Monotonic();
  down_.Push(now + random_.Within(kKeepalive), std::nullopt);
  // Otherwise the controller notices missing heartbeats.
  if (random_.Chance(0.5) || !is_accepted_)
    up_.Push(now + random_.Within(kKeepalive), std::nullopt);
}

void Connection::Duplicate() {
  if (random_.Chance(0.5) && !up_.items.empty()) {
    const auto& last = up_.items.back();
    if (last.message.has_value() && !last.message->has_hello()) up_.items.push_back(last);
  } else if (!down_.items.empty() && down_.items.back().message.has_value()) {
    down_.items.push_back(down_.items.back());
  }
}

void Connection::InjectUp(v1::AgentMessage message) {
  if (session_id_.empty() || is_cut_ || !agent_.has_value()) return;
  message.set_session_id(session_id_);
  up_.Push(Latency(), std::move(message));
}

void Connection::InjectDown(v1::ControllerMessage message) {
  if (session_id_.empty() || is_cut_ || !controller_.has_value()) return;
  message.set_session_id(session_id_);
  down_.Push(Latency(), std::move(message));
}

void Connection::ReplayComplete() {
  if (complete_) InjectDown(*complete_);
}

absl::Duration Connection::UpDue() const {
  if (up_.items.empty()) return absl::InfiniteDuration();
  return std::max(up_.items.front().due, partition_->up_until);
}

absl::Duration Connection::DownDue() const {
  if (down_.items.empty()) return absl::InfiniteDuration();
  // The agent's own kernel reports the end, whatever the network does.
  if (!down_.items.front().message.has_value() && is_cut_) return down_.items.front().due;
  return std::max(down_.items.front().due, partition_->down_until);
}

absl::Duration Connection::NextDue(absl::Duration now) const {
  absl::Duration next = absl::InfiniteDuration();
  for (const absl::Duration due : {UpDue(), DownDue()}) {
    if (due > now) next = std::min(next, due);
  }
  return next;
}

void Connection::DeliverOne(const std::shared_ptr<Connection>& self) {
  const absl::Duration now = clock_->Monotonic();
  if (UpDue() <= now && (DownDue() > now || random_.Chance(0.5))) {
    DeliverUp(self);
  } else if (DownDue() <= now) {
    DeliverDown();
  }
}

void Connection::DeliverUp(const std::shared_ptr<Connection>& self) {
  if (!is_accepted_) {
    is_accepted_ = true;
    controller_ = accept_ ? accept_(self) : std::nullopt;
    if (!controller_.has_value()) {
      up_.items.clear();
      is_cut_ = true;
      down_.Push(Latency(), std::nullopt);
      return;
    }
  }
  std::optional<v1::AgentMessage> message = std::move(up_.items.front().message);
  up_.items.pop_front();
  if (!controller_.has_value()) return;
  if (message.has_value()) return controller_->receive(*std::move(message));
  const ControllerSide side = *std::exchange(controller_, std::nullopt);
  side.ended();
}

void Connection::DeliverDown() {
  std::optional<v1::ControllerMessage> message = std::move(down_.items.front().message);
  down_.items.pop_front();
  if (message.has_value()) {
    if (agent_.has_value()) agent_->receive(*std::move(message));
    if (controller_.has_value()) controller_->written();
    return;
  }
  if (agent_.has_value()) {
    const AgentSide side = *std::exchange(agent_, std::nullopt);
    side.ended();
  }
  // gRPC ends the other half as well.
  if (!is_cut_) up_.Push(Latency(), std::nullopt);
}

std::shared_ptr<Connection> Network::Dial(size_t host, Connection::AgentSide agent) {
  std::shared_ptr<Connection> connection = DialAsTwin(host, std::move(agent));
  newest_[host] = connection;
  return connection;
}

std::shared_ptr<Connection> Network::DialAsTwin(size_t host, Connection::AgentSide agent) {
  const auto accept = [this](const std::shared_ptr<Connection>& connection) {
    return accept_ ? accept_(connection) : std::nullopt;
  };
  connections_.push_back(std::make_shared<Connection>(clock_, &partitions_[host], accept,
                                                      std::move(agent), random_.Fork()));
  return connections_.back();
}

Connection* Network::Newest(size_t host) { return newest_[host].lock().get(); }

void Network::DropController() {
  for (const auto& connection : connections_) connection->DropController();
}

void Network::CutOne(Random* random) {
  if (!connections_.empty()) connections_[random->Below(connections_.size())]->Cut();
}

void Network::DuplicateOne(Random* random) {
  if (!connections_.empty()) connections_[random->Below(connections_.size())]->Duplicate();
}

bool Network::is_due() const {
  return std::any_of(connections_.begin(), connections_.end(), [this](const auto& connection) {
    return connection->is_due(clock_->Monotonic());
  });
}

absl::Duration Network::NextDue() const {
  absl::Duration due = absl::InfiniteDuration();
  for (const auto& connection : connections_) {
    due = std::min(due, connection->NextDue(clock_->Monotonic()));
  }
  return due;
}

void Network::DeliverOne(Random* random) {
  std::vector<std::shared_ptr<Connection>> due;
  for (const auto& connection : connections_) {
    if (connection->is_due(clock_->Monotonic())) due.push_back(connection);
  }
  if (due.empty()) return;
  const std::shared_ptr<Connection> chosen = due[random->Below(due.size())];
  chosen->DeliverOne(chosen);
  std::erase_if(connections_, [](const auto& connection) { return connection->is_over(); });
}

}  // namespace davit::sim
