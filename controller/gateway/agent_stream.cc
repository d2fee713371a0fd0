#include "controller/gateway/agent_stream.h"

#include <utility>

namespace davit::controller::gateway {

class AgentStream::Sink final : public loop::AgentSink {
 public:
  explicit Sink(AgentStream* stream) : stream_(stream) {}

  // The lock is held during the calls: they only touch the stream's queue, and OnDone() must wait
  // for them.
  void Queue(v1::ControllerMessage message) override {
    MutexLock lock(&mu_);
    if (stream_ != nullptr) stream_->Queue(std::move(message));
  }
  void Queue(const std::string& session_id, change::Assignments assignments) override {
    MutexLock lock(&mu_);
    if (stream_ != nullptr) stream_->Queue(session_id, std::move(assignments));
  }
  void QueueEnd() override {
    MutexLock lock(&mu_);
    if (stream_ != nullptr) stream_->QueueEnd();
  }
  void Flush() override {
    MutexLock lock(&mu_);
    if (stream_ != nullptr) stream_->Flush();
  }
  void ReadNext() {
    MutexLock lock(&mu_);
    if (stream_ != nullptr) stream_->ReadNext();
  }
  void Detach() {
    MutexLock lock(&mu_);
    stream_ = nullptr;
  }

 private:
  Mutex mu_;
  AgentStream* stream_ ABSL_GUARDED_BY(mu_);
};

AgentStream* AgentStream::Start(loop::AgentSessions* sessions, std::string bound_host) {
  auto* stream = new AgentStream(sessions);  // deleted in OnDone()
  stream->sink_ = std::make_shared<Sink>(stream);
  stream->session_id_ = sessions->Open(stream->sink_, std::move(bound_host));
  stream->StartRead(&stream->incoming_);
  return stream;
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) {  // the agent has ended its half, or the connection broke
    sessions_->Close(session_id_);
    MutexLock lock(&mu_);
    FinishOnce(grpc::Status::OK);
    return;
  }
  v1::AgentMessage message = std::move(incoming_);
  incoming_.Clear();
  sessions_->Receive(session_id_, std::move(message), [sink = sink_] { sink->ReadNext(); });
}

void AgentStream::ReadNext() {
  MutexLock lock(&mu_);
  if (!is_finished_) StartRead(&incoming_);
}

void AgentStream::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  is_writing_ = false;
  if (!ok) return;  // the stream is broken: OnReadDone(false) follows
  StartNextWrite();
}

void AgentStream::OnCancel() {
  sessions_->Close(session_id_);
  MutexLock lock(&mu_);
  FinishOnce(grpc::Status::CANCELLED);
}

void AgentStream::OnDone() {
  sessions_->Close(session_id_);
  sink_->Detach();
  delete this;
}

void AgentStream::Queue(v1::ControllerMessage message) {
  MutexLock lock(&mu_);
  if (!is_ending_ && !is_finished_) queue_.Push(std::move(message));
}

void AgentStream::Queue(const std::string& session_id, change::Assignments assignments) {
  MutexLock lock(&mu_);
  if (!is_ending_ && !is_finished_) queue_.Push(session_id, std::move(assignments));
}

void AgentStream::QueueEnd() {
  MutexLock lock(&mu_);
  is_ending_ = true;
}

void AgentStream::Flush() {
  MutexLock lock(&mu_);
  StartNextWrite();
}

void AgentStream::StartNextWrite() {
  if (is_writing_ || is_finished_) return;
  if (auto next = queue_.Pop()) {
    outgoing_ = *std::move(next);
    is_writing_ = true;
    StartWrite(&outgoing_);
  } else if (is_ending_) {
    FinishOnce(grpc::Status::OK);
  }
}

void AgentStream::FinishOnce(const grpc::Status& status) {
  if (is_finished_) return;
  is_finished_ = true;
  Finish(status);
}

}  // namespace davit::controller::gateway
