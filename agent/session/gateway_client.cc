#include "agent/session/gateway_client.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "davit/v1/agent.grpc.pb.h"

namespace davit::session {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(15);
constexpr int kKeepaliveMs = 10000;
constexpr int kMaxMessageBytes = 64 << 20;  // enough for a COMPLETE set of some thousand tasks

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const GatewayClient::Options& options) {
  if (options.dev) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFile(options.ca_file), "controller.ca_file");
  ASSIGN_OR_RETURN(ssl.pem_cert_chain, ReadFile(options.cert_file), "controller.cert_file");
  ASSIGN_OR_RETURN(ssl.pem_private_key, ReadFile(options.key_file), "controller.key_file");
  return grpc::SslCredentials(ssl);
}

}  // namespace

// State that outlives the client object until the last stream has ended.
struct GatewayClient::Shared : std::enable_shared_from_this<Shared> {
  Options options;
  Executor* control = nullptr;
  Timers* timers = nullptr;
  Session* session = nullptr;
  std::vector<std::shared_ptr<grpc::Channel>> channels;

  Mutex mu;
  CondVar ended;
  bool stopping ABSL_GUARDED_BY(mu) = false;
  std::shared_ptr<Stream> stream ABSL_GUARDED_BY(mu);
  // The number of threads in Dial() and of streams that have not finished OnStreamEnded(). Stop()
  // waits for them, because they use the session and the timers.
  int busy ABSL_GUARDED_BY(mu) = 0;
  size_t next_endpoint ABSL_GUARDED_BY(mu) = 0;
  Backoff backoff ABSL_GUARDED_BY(mu) = Backoff(kFirstPause, kLongestPause);

  void Dial();
  void OnStreamEnded(const std::string& why);
  void DialAgain(const std::string& why);
  void NotBusy();
};

// One stream. gRPC's threads call the On...() methods, which only move data and post. Keeps itself
// alive until OnDone().
class GatewayClient::Stream final
    : public Transport,
      public grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage>,
      public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Shared> shared, const std::shared_ptr<grpc::Channel>& channel)
      : shared_(std::move(shared)), stub_(v1::AgentGateway::NewStub(channel)) {}

  // False: it was closed already.
  bool Open() {
    MutexLock lock(&mu_);
    if (closed_) return false;
    opened_ = true;
    self_ = shared_from_this();
    stub_->async()->Session(&context_, this);
    AddHold();  // Send() starts writes outside of gRPC's callbacks
    StartRead(&incoming_);
    if (!outgoing_.empty()) StartWrite(&outgoing_.front());
    StartCall();
    return true;
  }

  void Send(v1::AgentMessage message) override {
    MutexLock lock(&mu_);
    if (closed_) return;
    outgoing_.push_back(std::move(message));
    if (opened_ && outgoing_.size() == 1) StartWrite(&outgoing_.front());
  }

  void Close() override {
    {
      MutexLock lock(&mu_);
      if (std::exchange(closed_, true) || !opened_) return;
    }
    context_.TryCancel();
    RemoveHold();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Close();
    shared_->session->OnMessage(shared_from_this(), std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Close();
    MutexLock lock(&mu_);
    outgoing_.pop_front();
    if (!outgoing_.empty() && !closed_) StartWrite(&outgoing_.front());
  }

  void OnDone(const grpc::Status& status) override {
    const std::string why =
        status.ok() ? "the controller closed the stream" : status.error_message();
    const std::shared_ptr<Stream> self = std::move(self_);
    shared_->OnStreamEnded(why);
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<v1::AgentGateway::Stub> stub_;
  grpc::ClientContext context_;
  v1::ControllerMessage incoming_;
  std::shared_ptr<Stream> self_;
  Mutex mu_;
  std::deque<v1::AgentMessage> outgoing_ ABSL_GUARDED_BY(mu_);
  bool opened_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

void GatewayClient::Shared::Dial() {
  std::shared_ptr<Stream> opened;
  std::string endpoint;
  {
    MutexLock lock(&mu);
    if (stopping) return;
    const size_t index = next_endpoint++ % channels.size();
    endpoint = options.endpoints[index];
    opened = stream = std::make_shared<Stream>(shared_from_this(), channels[index]);
    busy += 2;  // this thread and the stream
  }
  // Before Open(), so that the session sees the connection before its end.
  session->OnConnected(opened, endpoint);
  if (!opened->Open()) OnStreamEnded("closed");
  NotBusy();
}

void GatewayClient::Shared::OnStreamEnded(const std::string& why) {
  session->OnDisconnected(why);
  DialAgain(why);
  NotBusy();
}

void GatewayClient::Shared::DialAgain(const std::string& why) {
  const bool may_reset_backoff = session->TakeBackoffReset();
  absl::Duration pause;
  {
    MutexLock lock(&mu);
    stream = nullptr;
    if (stopping) return;
    if (may_reset_backoff) backoff.Reset();
    pause = backoff.Next();
  }
  LogWarning("no connection to the controller, will retry",
             {{"reason", why}, {"retry_in", absl::FormatDuration(pause)}});
  timers->After(pause, control, [self = shared_from_this()] { self->Dial(); });
}

void GatewayClient::Shared::NotBusy() {
  MutexLock lock(&mu);
  --busy;
  ended.NotifyAll();
}

absl::StatusOr<std::unique_ptr<GatewayClient>> GatewayClient::Create(const Options& options,
                                                                     Executor* control,
                                                                     Timers* timers,
                                                                     Session* session) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials,
                   Credentials(options));
  auto shared = std::make_shared<Shared>();
  shared->options = options;
  shared->control = control;
  shared->timers = timers;
  shared->session = session;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // The channel must not wait longer than our own backoff before it dials again.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  for (const std::string& endpoint : options.endpoints) {
    shared->channels.push_back(grpc::CreateCustomChannel(endpoint, credentials, arguments));
  }
  return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(shared)));
}

void GatewayClient::Start() { shared_->Dial(); }

void GatewayClient::Stop() {
  std::shared_ptr<Stream> current;
  {
    MutexLock lock(&shared_->mu);
    shared_->stopping = true;
    current = shared_->stream;
  }
  if (current != nullptr) current->Close();
  current = nullptr;
  MutexLock lock(&shared_->mu);
  while (shared_->busy != 0) shared_->ended.Wait(&shared_->mu);
}

GatewayClient::~GatewayClient() { Stop(); }

}  // namespace davit::session
