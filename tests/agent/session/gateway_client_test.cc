// The client over real gRPC on loopback ports, with a controller that the test plays.
#include "agent/session/gateway_client.h"

#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "agent/image/fake_image_puller.h"
#include "agent/network/fake_network.h"
#include "agent/resource/fake_task_cgroups.h"
#include "agent/runtime/fake_runtime.h"
#include "agent/store/memory_store.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "davit/v1/agent.grpc.pb.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/skip.h"

namespace davit::session {
namespace {

constexpr char kNowhere[] = "127.0.0.1:1";

// A controller that welcomes every agent and then sends nothing.
class FakeController final : public v1::AgentGateway::Service {
 public:
  explicit FakeController(int port = 0, std::shared_ptr<grpc::ServerCredentials> credentials =
                                            grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), std::move(credentials), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(port_ != 0);
  }
  ~FakeController() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "localhost:" + std::to_string(port_); }
  int port() const { return port_; }
  // The Goodbye to send instead of a Welcome.
  void SayGoodbye(v1::Goodbye::Code code) { goodbye_ = code; }
  int hellos() const { return hellos_; }

  grpc::Status Session(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ControllerMessage, v1::AgentMessage>* stream) override {
    v1::AgentMessage message;
    if (!stream->Read(&message) || !message.has_hello())
      return {grpc::StatusCode::INVALID_ARGUMENT, "no Hello"};
    ++hellos_;
    v1::ControllerMessage answer;
    answer.set_session_id("s1");
    if (goodbye_ != 0) {
      answer.mutable_goodbye()->set_code(static_cast<v1::Goodbye::Code>(goodbye_.load()));
    } else {
      answer.mutable_welcome()->set_container_instance_arn("arn");
      answer.mutable_welcome()->set_heartbeat_period_ms(60000);
    }
    stream->Write(answer);
    while (stream->Read(&message)) {
    }
    return grpc::Status::OK;
  }

 private:
  int port_ = 0;
  std::atomic<int> hellos_{0};
  std::atomic<int> goodbye_{0};
  std::unique_ptr<grpc::Server> server_;
};

// Keeps alive the completion queue that all callback streams of a process share. gRPC 1.51
// sometimes aborts when the last channel that used it ends ("assertion failed: prior > 0"); an
// agent's channels never end.
void KeepCallbackQueue() {
  struct Ended final : grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
    void OnDone(const grpc::Status&) override { done.Notify(); }
    absl::Notification done;
  };
  static v1::AgentGateway::Stub* const stub =
      v1::AgentGateway::NewStub(grpc::CreateChannel(kNowhere, grpc::InsecureChannelCredentials()))
          .release();
  grpc::ClientContext context;
  Ended stream;
  stub->async()->Session(&context, &stream);
  stream.StartCall();
  stream.done.WaitForNotification();
}

// An agent with real threads and timers, and without tasks.
class Agent {
 public:
  explicit Agent(GatewayClient::Options options) {
    KeepCallbackQueue();
    auto created = GatewayClient::Create(std::move(options), &control_, &timers_, &session_);
    REQUIRE(created.ok());
    client = *std::move(created);
  }
  explicit Agent(std::vector<std::string> endpoints)
      : Agent(GatewayClient::Options{std::move(endpoints), true, "", "", ""}) {}
  ~Agent() {
    client = nullptr;
    control_.Stop();
  }

  supervisor::SessionState state() const { return session_.state(); }
  // Waits until ctest's timeout ends the test.
  void AwaitConnection(uint64_t number = 1) const {
    while (!state().connected || state().connections < number) std::this_thread::yield();
  }
  void AwaitError(const std::string& text) const {
    while (state().last_error.find(text) == std::string::npos) std::this_thread::yield();
  }

  std::unique_ptr<GatewayClient> client;

 private:
  ThreadPool control_{"control", 2};
  ThreadTimers timers_;
  runtime::FakeRuntime runtime_{Clock::Real(), &control_};
  resource::FakeTaskCgroups cgroups_;
  network::FakeNetwork network_;
  store::MemoryStore store_;
  const test::ScratchFolder folder_;
  const supervisor::TaskFiles files_{folder_.path()};
  const supervisor::PostMortems post_mortems_{{}, &cgroups_, &files_};
  BlockingCalls calls_{Clock::Real(), &timers_, &control_};
  LanePool pool_{{}, {Clock::Real(), &timers_, &control_, &calls_}};
  supervisor::Supervisor supervisor_{{},
                                     {{&control_, &pool_, &pool_, &pool_, &pool_, &pool_, &pool_},
                                      &timers_,
                                      Clock::Real(),
                                      &store_,
                                      &runtime_,
                                      &cgroups_,
                                      &network_,
                                      &files_,
                                      &calls_,
                                      &post_mortems_}};
  Session session_{
      {&control_, &timers_, &store_, &supervisor_, [] { return std::string(); }}, v1::Hello(), {}};
};

TEST_CASE("the client connects and is welcomed", "[gateway_client]") {
  FakeController controller;
  Agent agent({controller.address()});
  agent.client->Start();
  agent.AwaitConnection();
  CHECK(agent.state().controller == controller.address());
  CHECK(controller.hellos() == 1);
}

TEST_CASE("endpoints are dialled in turn until one answers", "[gateway_client]") {
  FakeController controller;
  Agent agent({kNowhere, "127.0.0.1:2", controller.address()});
  agent.client->Start();
  agent.AwaitConnection();
  CHECK(agent.state().controller == controller.address());
}

TEST_CASE("a controller that restarts is found again", "[gateway_client]") {
  auto controller = std::make_unique<FakeController>();
  const int port = controller->port();
  Agent agent({controller->address()});
  agent.client->Start();
  agent.AwaitConnection();
  controller = nullptr;
  while (agent.state().connected) std::this_thread::yield();
  CHECK_FALSE(agent.state().last_error.empty());
  controller = std::make_unique<FakeController>(port);
  agent.AwaitConnection(2);
}

TEST_CASE("when one controller ends, another one is dialled", "[gateway_client]") {
  auto first = std::make_unique<FakeController>();
  FakeController second;
  Agent agent({first->address(), second.address()});
  agent.client->Start();
  agent.AwaitConnection();
  CHECK(agent.state().controller == first->address());
  first = nullptr;
  agent.AwaitConnection(2);
  CHECK(agent.state().controller == second.address());
}

TEST_CASE("an agent that is sent away dials again", "[gateway_client]") {
  FakeController controller;
  controller.SayGoodbye(GENERATE(v1::Goodbye::SUPERSEDED, v1::Goodbye::SHUTTING_DOWN));
  Agent agent({controller.address()});
  agent.client->Start();
  while (controller.hellos() < 3) std::this_thread::yield();
  CHECK_FALSE(agent.state().connected);
}

TEST_CASE("a client can be stopped at any time", "[gateway_client]") {
  FakeController controller;
  const bool answers = GENERATE(false, true);
  Agent agent(std::vector<std::string>{answers ? controller.address() : kNowhere});
  SECTION("before it was started") {}
  SECTION("while it connects") { agent.client->Start(); }
  SECTION("between two attempts, or in a session") {
    agent.client->Start();
    while (!agent.state().connected &&
           agent.state().last_error.find("not connected to a controller") == 0) {
      std::this_thread::yield();
    }
  }
  agent.client->Stop();
  agent.client->Stop();
  const int hellos = controller.hellos();
  agent.client = nullptr;
  CHECK(controller.hellos() == hellos);
}

// A CA, and certificates for localhost as docs/operations.md has them made: NAME.pem, NAME.key.
class Certificates {
 public:
  Certificates() {
    MakeKey("ca", "davit test CA",
            {"-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext",
             "keyUsage=critical,keyCertSign,cRLSign"});
    Sign("controller", "serverAuth", "ca");
    Sign("agent", "clientAuth", "ca");
  }
  // Signed with `by`.pem, which may be no authority.
  void Sign(const std::string& name, const std::string& purpose, const std::string& by) const {
    MakeKey(name, "localhost",
            {"-CA", File(by + ".pem"), "-CAkey", File(by + ".key"), "-addext",
             "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
             "-addext", absl::StrCat("extendedKeyUsage=", purpose), "-addext",
             "subjectAltName=DNS:localhost"});
  }
  std::string File(const std::string& name) const { return folder_.File(name); }

  // A server that shows `name`.pem and, behind it, what it was signed with.
  std::shared_ptr<grpc::ServerCredentials> ForServer(const std::string& name = "controller",
                                                     const std::string& signer = "") const {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = *ReadFile(File("ca.pem"));
    std::string chain = *ReadFile(File(name + ".pem"));
    if (!signer.empty()) chain += *ReadFile(File(signer + ".pem"));
    options.pem_key_cert_pairs.push_back({*ReadFile(File(name + ".key")), chain});
    return grpc::SslServerCredentials(options);
  }
  GatewayClient::Options ForAgent(const std::string& address) const {
    return {{address}, false, File("ca.pem"), File("agent.pem"), File("agent.key")};
  }

 private:
  void MakeKey(const std::string& name, const std::string& subject,
               const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"req",
                                          "-x509",
                                          "-newkey",
                                          "ec",
                                          "-pkeyopt",
                                          "ec_paramgen_curve:prime256v1",
                                          "-nodes",
                                          "-days",
                                          "2",
                                          "-subj",
                                          "/CN=" + subject,
                                          "-keyout",
                                          File(name + ".key"),
                                          "-out",
                                          File(name + ".pem")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Run(std::move(arguments));
  }
  static void Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    const auto result = RunCommand({arguments, {}, "", absl::Seconds(30)});
    if (absl::IsNotFound(result.status())) test::Skip("needs openssl");
    REQUIRE(result.ok());
    INFO(result->error_output);
    REQUIRE(result->exit_code == 0);
  }
  const test::ScratchFolder folder_;
};

TEST_CASE("an agent with its certificate is accepted by mutual TLS", "[gateway_client]") {
  const Certificates ours;
  FakeController controller(0, ours.ForServer());
  Agent agent(ours.ForAgent(controller.address()));
  agent.client->Start();
  agent.AwaitConnection();
}

TEST_CASE("a controller with a certificate of another CA is refused", "[gateway_client]") {
  const Certificates ours;
  const Certificates theirs;
  FakeController controller(0, theirs.ForServer());
  Agent agent(GatewayClient::Options{{controller.address()},
                                     false,
                                     ours.File("ca.pem"),
                                     theirs.File("agent.pem"),
                                     theirs.File("agent.key")});
  agent.client->Start();
  agent.AwaitError("failed to connect to all addresses");
  CHECK(controller.hellos() == 0);
}

TEST_CASE("an agent with a certificate of another CA is refused", "[gateway_client]") {
  const Certificates ours;
  const Certificates theirs;
  FakeController controller(0, ours.ForServer());
  Agent agent(GatewayClient::Options{{controller.address()},
                                     false,
                                     ours.File("ca.pem"),
                                     theirs.File("agent.pem"),
                                     theirs.File("agent.key")});
  agent.client->Start();
  while (agent.state().last_error.find("no controller was reached") == 0) std::this_thread::yield();
  CHECK(controller.hellos() == 0);
  CHECK_FALSE(agent.state().connected);
}

TEST_CASE("an agent's certificate makes no controller", "[gateway_client]") {
  const Certificates ours;
  ours.Sign("minted", "serverAuth", "agent");
  const bool is_minted = GENERATE(true, false);
  FakeController controller(
      0, is_minted ? ours.ForServer("minted", "agent") : ours.ForServer("agent"));
  Agent agent(ours.ForAgent(controller.address()));
  agent.client->Start();
  agent.AwaitError("failed to connect to all addresses");
  CHECK(controller.hellos() == 0);
}

TEST_CASE("an agent's certificate makes no other agent", "[gateway_client]") {
  const Certificates ours;
  ours.Sign("minted", "clientAuth", "agent");
  REQUIRE(WriteFileAtomically(ours.File("chain.pem"), *ReadFile(ours.File("minted.pem")) +
                                                          *ReadFile(ours.File("agent.pem")))
              .ok());
  FakeController controller(0, ours.ForServer());
  GatewayClient::Options options = ours.ForAgent(controller.address());
  options.cert_file = ours.File("chain.pem");
  options.key_file = ours.File("minted.key");
  Agent agent(options);
  agent.client->Start();
  while (agent.state().last_error.find("not connected to a controller") == 0)
    std::this_thread::yield();
  CHECK(controller.hellos() == 0);
  CHECK_FALSE(agent.state().connected);
}

TEST_CASE("an agent without TLS is refused by a controller with TLS", "[gateway_client]") {
  const Certificates ours;
  FakeController controller(0, ours.ForServer());
  Agent agent({controller.address()});
  agent.client->Start();
  while (agent.state().last_error.find("not connected to a controller") == 0)
    std::this_thread::yield();
  CHECK(controller.hellos() == 0);
}

TEST_CASE("an unreadable TLS file is named with its key", "[gateway_client]") {
  ThreadPool control("control", 1);
  ThreadTimers timers;
  const auto client = GatewayClient::Create(
      {{kNowhere}, false, "/no/ca.pem", "/no/cert.pem", "/no/key.pem"}, &control, &timers, nullptr);
  REQUIRE(absl::IsNotFound(client.status()));
  CHECK_THAT(std::string(client.status().message()),
             Catch::Contains("controller.ca_file") && Catch::Contains("/no/ca.pem"));
}

}  // namespace
}  // namespace davit::session
