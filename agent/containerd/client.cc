#include "agent/containerd/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/version/v1/version.grpc.pb.h"
#include "google/protobuf/empty.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::version::v1;

// Marks the errors of IsNoAnswer().
constexpr char kNoAnswer[] = "davit.containerd/no-answer";

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // containerd's own limit for one message in either direction.
  arguments.SetMaxReceiveMessageSize(16 << 20);
  // Reconnect quickly after a restart of containerd, not after minutes: the socket is local.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // How long a connection may take to come up. A busy host needs more than a moment.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  // Callers decide about retries, from the code.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(absl::StrCat("unix:", address),
                                   grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Client::Client(ClientOptions options)
    : options_(std::move(options)),
      connection_(std::make_unique<Connection>(Connection{MakeChannel(options_.address)})) {}

Client::~Client() = default;

absl::StatusOr<std::string> Client::Version() {
  const auto stub = api::Version::NewStub(connection_->channel);
  api::VersionResponse response;
  RETURN_IF_ERROR(Call(*this, {}, stub.get(), &api::Version::Stub::Version,
                       google::protobuf::Empty(), &response),
                  "asking containerd's version at ", options_.address);
  return response.version();
}

bool Client::IsConnected() const {
  return connection_->channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (absl::IsUnavailable(result) || absl::IsDeadlineExceeded(result)) {
    result.SetPayload(kNoAnswer, absl::Cord());
  }
  return result;
}

bool IsNoAnswer(const absl::Status& status) { return status.GetPayload(kNoAnswer).has_value(); }

gpr_timespec MonotonicDeadline(absl::Duration from_now) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(from_now), GPR_TIMESPAN));
}

absl::Duration TimeoutOf(const Client& client, const CallOptions& options) {
  return options.timeout > absl::ZeroDuration() ? options.timeout : client.options().call_timeout;
}

void SetMetadata(const Client& client, const CallOptions& options, grpc::ClientContext* context) {
  context->AddMetadata("containerd-namespace", client.options().containerd_namespace);
  if (!options.lease.empty()) context->AddMetadata("containerd-lease", options.lease);
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace davit::containerd
