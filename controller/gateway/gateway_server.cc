#include "controller/gateway/gateway_server.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status.h"
#include "controller/gateway/agent_stream.h"

namespace davit::controller::gateway {
namespace {

constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// Agents may ping as often as this without being taken for a flood.
constexpr int kMinPingIntervalMs = 5'000;

// Where a certificate says which host it is for: a subjectAltName URI
// davit:CLUSTER/EC2-INSTANCE-ID.
constexpr absl::string_view kBoundHostPrefix = "davit:";

std::string BoundHost(const grpc::AuthContext& peer) {
  for (const grpc::string_ref& name : peer.FindPropertyValues("x509_subject_alternative_name")) {
    absl::string_view text(name.data(), name.size());
    if (absl::ConsumePrefix(&text, kBoundHostPrefix)) return std::string(text);
  }
  return "";
}

class GatewayService final : public v1::AgentGateway::CallbackService {
 public:
  explicit GatewayService(loop::AgentSessions* sessions) : sessions_(sessions) {}
  grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* Session(
      grpc::CallbackServerContext* context) override {
    return AgentStream::Start(sessions_, BoundHost(*context->auth_context()));
  }

 private:
  loop::AgentSessions* const sessions_;
};

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const GatewayOptions& options) {
  if (options.cert_file.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions ssl(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFile(options.ca_file), "gateway.ca_file");
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  ASSIGN_OR_RETURN(pair.cert_chain, ReadFile(options.cert_file), "gateway.cert_file");
  ASSIGN_OR_RETURN(pair.private_key, ReadFile(options.key_file), "gateway.key_file");
  ssl.pem_key_cert_pairs.push_back(std::move(pair));
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

struct GatewayServer::Impl {
  explicit Impl(loop::AgentSessions* sessions) : service(sessions) {}
  GatewayService service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

GatewayServer::GatewayServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GatewayServer::~GatewayServer() { Stop(absl::ZeroDuration()); }

int GatewayServer::port() const { return impl_->port; }

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Start(const GatewayOptions& options,
                                                                    loop::AgentSessions* sessions) {
  auto impl = std::make_unique<Impl>(sessions);
  ASSIGN_OR_RETURN(const auto credentials, MakeCredentials(options));
  const std::string address = absl::StrCat(options.address, ":", options.port);
  grpc::ServerBuilder builder;
  // Otherwise two controllers share the port silently.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddListeningPort(address, credentials, &impl->port);
  builder.RegisterService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen for agents on ", address,
                     ": is it in use, or are the certificate files wrong?"));
  }
  return std::unique_ptr<GatewayServer>(new GatewayServer(std::move(impl)));
}

void GatewayServer::Stop(absl::Duration grace) {
  if (impl_->server == nullptr) return;
  impl_->server->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  impl_->server->Wait();
  impl_->server = nullptr;
}

}  // namespace davit::controller::gateway
