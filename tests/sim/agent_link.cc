#include "tests/sim/agent_link.h"

#include <utility>

namespace davit::sim {

class AgentLink::Stream final : public session::Transport {
 public:
  explicit Stream(AgentLink* link) : link_(link) {}

  void Open(const std::shared_ptr<Stream>& self) {
    Connection::AgentSide side;
    side.receive = [link = link_, self](v1::ControllerMessage message) {
      link->deps_.session->OnMessage(self, std::move(message));
    };
    side.ended = [link = link_, self] {
      self->connection_ = nullptr;
      link->OnEnded(self.get(), "the controller closed the stream");
    };
    connection_ = link_->deps_.network->Dial(link_->host_, std::move(side));
  }
  void Send(v1::AgentMessage message) override {
    if (connection_ != nullptr) connection_->SendUp(std::move(message));
  }
  void Close() override {
    if (connection_ == nullptr) return;
    Drop();
    link_->deps_.control->Post([link = link_, stream = this] { link->OnEnded(stream, "closed"); });
  }
  void Drop() {
    if (auto connection = std::exchange(connection_, nullptr)) connection->DropAgent();
  }

 private:
  AgentLink* const link_;
  std::shared_ptr<Connection> connection_;
};

AgentLink::AgentLink(size_t host, const Deps& deps, Random random)
    : host_(host),
      deps_(deps),
      random_(random),
      backoff_(absl::Milliseconds(100), absl::Seconds(15)) {}

void AgentLink::Dial() {
  if (is_abandoned_) return;
  deps_.witness->OnDial(host_);
  stream_ = std::make_shared<Stream>(this);
  stream_->Open(stream_);
  deps_.session->OnConnected(stream_, "controller");
}

void AgentLink::OnEnded(const Stream* stream, const std::string& why) {
  if (is_abandoned_ || stream != stream_.get()) return;
  stream_ = nullptr;
  deps_.session->OnDisconnected(why);
  if (deps_.session->TakeBackoffReset()) backoff_.Reset();
  absl::Duration pause = backoff_.Next(random_.Uniform());
  if (deps_.bug == Bug::kDialsAtOnce) pause = absl::ZeroDuration();
  deps_.timers->After(pause, deps_.control, [this] { Dial(); });
}

void AgentLink::Abandon() {
  is_abandoned_ = true;
  if (stream_ != nullptr) stream_->Drop();
  stream_ = nullptr;
}

}  // namespace davit::sim
