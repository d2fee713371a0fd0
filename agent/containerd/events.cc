#include "agent/containerd/events.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "agent/containerd/connection.h"
#include "agent/containerd/event_stream.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace davit::containerd {

// The thread that keeps a stream open.
class Events::Subscriber {
 public:
  Subscriber(Client* client, Sink sink)
      : client_(client), sink_(std::move(sink)), thread_([this] { Run(); }) {}

  ~Subscriber() {
    {
      MutexLock lock(&mu_);
      stopping_ = true;
      if (stream_ != nullptr) stream_->Cancel();
    }
    wake_.NotifyAll();
    thread_.join();
  }

 private:
  void Run() {
    Backoff backoff(absl::Milliseconds(100), absl::Seconds(2));
    bool is_told_disconnected = false;
    for (;;) {
      EventStream stream(client_);
      if (!SetCurrent(&stream)) return;
      const absl::Status status = stream.Run([&](const Event& event) {
        if (std::holds_alternative<Connected>(event)) {
          is_told_disconnected = false;
          backoff.Reset();
        }
        sink_(event);
      });
      if (!SetCurrent(nullptr)) return;
      if (!is_told_disconnected) sink_(Disconnected{status});
      is_told_disconnected = true;
      if (!Pause(backoff.Next())) return;
    }
  }

  // Sets the stream that the destructor cancels. False: the destructor has begun.
  bool SetCurrent(EventStream* stream) {
    MutexLock lock(&mu_);
    stream_ = stream;
    return !stopping_;
  }

  // Waits for `delay`, or until the channel comes up. False: the destructor has begun.
  bool Pause(absl::Duration delay) {
    const absl::Duration end = Clock::Real()->Monotonic() + delay;
    const bool was_connected = client_->IsConnected();
    for (;;) {
      const absl::Duration left = end - Clock::Real()->Monotonic();
      if (left <= absl::ZeroDuration()) return IsWanted();
      if (was_connected) {
        MutexLock lock(&mu_);
        if (stopping_) return false;
        wake_.WaitFor(&mu_, left);
        continue;
      }
      // A plain sleep is not enough: gRPC 1.51 reads a channel's sockets only during calls on it,
      // or every 5 s, so it would notice that late that containerd is back. This wait cannot be
      // interrupted, so it is done in short steps.
      const bool is_up = client_->connection().channel->WaitForConnected(
          MonotonicDeadline(std::min(left, absl::Milliseconds(100))));
      if (is_up || !IsWanted()) return IsWanted();
    }
  }

  bool IsWanted() {
    MutexLock lock(&mu_);
    return !stopping_;
  }

  Client* const client_;
  const Sink sink_;
  Mutex mu_;
  CondVar wake_;
  EventStream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last member: the thread uses all of the above
};

Events::Events(Client* client, Sink sink)
    : subscriber_(std::make_unique<Subscriber>(client, std::move(sink))) {}

Events::~Events() = default;

}  // namespace davit::containerd
