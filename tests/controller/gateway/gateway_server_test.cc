// The gateway over real gRPC on a loopback port, with an agent that the test plays.
#include "controller/gateway/gateway_server.h"

#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/file.h"
#include "base/subprocess.h"
#include "controller/store/memory_store.h"
#include "davit/v1/agent.grpc.pb.h"
#include "tests/controller/support/fixtures.h"

namespace davit::test {
namespace {

struct TestGateway {
  explicit TestGateway(gateway::GatewayOptions options = {}) {
    REQUIRE(loop.Start(&sessions).ok());
    options.port = 0;
    auto started = gateway::GatewayServer::Start(options, &sessions);
    REQUIRE(started.ok());
    server = *std::move(started);
  }
  ~TestGateway() {
    server.reset();
    writer.Stop();
  }
  std::string address() const { return absl::StrCat("localhost:", server->port()); }

  store::MemoryStore store;
  FakeClock clock;
  FakeTimers timers{&clock};
  ThreadPool writer{"loop", 1};
  loop::Loop loop{{ModelOptions(), &store, &clock, &writer, &timers}};
  loop::AgentSessions sessions{&loop};
  std::unique_ptr<gateway::GatewayServer> server;
};

// An agent's end of a stream; calls wait for the controller, at most until the deadline.
struct FakeAgent {
  FakeAgent(const std::string& address,
            const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    stub = v1::AgentGateway::NewStub(grpc::CreateChannel(address, credentials));
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream = stub->Session(&context);
  }
  explicit FakeAgent(const TestGateway& gateway)
      : FakeAgent(gateway.address(), grpc::InsecureChannelCredentials()) {}
  ~FakeAgent() {
    context.TryCancel();
    v1::ControllerMessage rest;
    while (stream->Read(&rest)) {
    }
    (void)stream->Finish();
  }

  // The first message, Welcome or Goodbye.
  v1::ControllerMessage SayHello(const v1::Hello& hello) {
    v1::AgentMessage message;
    *message.mutable_hello() = hello;
    CHECK(stream->Write(message));
    v1::ControllerMessage answer = Read();
    session_id = answer.session_id();
    return answer;
  }
  v1::ControllerMessage Read() {
    v1::ControllerMessage message;
    if (!stream->Read(&message)) FAIL("the stream has ended");
    return message;
  }
  bool IsEnded() {
    v1::ControllerMessage message;
    return !stream->Read(&message);
  }

  std::unique_ptr<v1::AgentGateway::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream;
  std::string session_id;
};

TEST_CASE("an agent is welcomed, gets its tasks, reports them and is acked", "[gateway]") {
  TestGateway gateway;
  FakeAgent agent(gateway);
  CHECK(agent.SayHello(MakeHello("i-1")).has_welcome());
  CHECK(agent.Read().assignment_set().type() == v1::AssignmentSet::COMPLETE);
  gateway.loop.SubmitAlways(CommandOf(MakeDefinition("web")));
  v1::RunTaskRequest run;
  run.set_task_definition("web");
  gateway.loop.SubmitAlways(CommandOf(run));
  const v1::AssignmentSet set = agent.Read().assignment_set();
  REQUIRE(set.assignments_size() == 1);
  REQUIRE(agent.stream->Write(
      ReportOf(agent.session_id, set.assignments(0).task_arn(), v1::TaskStatus::STOPPED, 7)));
  CHECK(agent.Read().report_ack().report_id() == 7);
  CHECK(agent.Read().assignment_set().removed_task_arns(0) == set.assignments(0).task_arn());
}

TEST_CASE("heartbeats are answered", "[gateway]") {
  TestGateway gateway;
  FakeAgent agent(gateway);
  agent.SayHello(MakeHello("i-1"));
  agent.Read();
  for (uint64_t sequence = 1; sequence <= 50; ++sequence) {
    v1::AgentMessage beat = WithSession(agent.session_id);
    beat.mutable_heartbeat()->set_sequence(sequence);
    beat.mutable_heartbeat()->set_runtime_available(true);
    REQUIRE(agent.stream->Write(beat));
    REQUIRE(agent.Read().heartbeat_ack().sequence() == sequence);
  }
}

TEST_CASE("a second agent with the same identity takes over; the first is told why", "[gateway]") {
  TestGateway gateway;
  FakeAgent first(gateway);
  first.SayHello(MakeHello("i-1"));
  first.Read();
  FakeAgent second(gateway);
  CHECK(second.SayHello(MakeHello("i-1")).has_welcome());
  CHECK(first.Read().goodbye().code() == v1::Goodbye::SUPERSEDED);
  CHECK(first.IsEnded());
}

TEST_CASE("a refused Hello ends the stream after the Goodbye", "[gateway]") {
  TestGateway gateway;
  FakeAgent agent(gateway);
  v1::Hello hello = MakeHello("i-1");
  hello.set_cluster("nowhere");
  CHECK(agent.SayHello(hello).goodbye().code() == v1::Goodbye::REFUSED);
  CHECK(agent.IsEnded());
}

TEST_CASE("stopping says goodbye to every agent", "[gateway]") {
  TestGateway gateway;
  FakeAgent agent(gateway);
  agent.SayHello(MakeHello("i-1"));
  agent.Read();
  gateway.loop.SubmitAlways([](change::Change* change) -> absl::StatusOr<model::Answer> {
    agents::OnStopping(change);
    return model::Answer();
  });
  CHECK(agent.Read().goodbye().code() == v1::Goodbye::SHUTTING_DOWN);
  CHECK(agent.IsEnded());
  gateway.server->Stop(absl::Seconds(5));
}

TEST_CASE("streams that are open when the gateway stops are cut", "[gateway]") {
  TestGateway gateway;
  FakeAgent silent(gateway);
  FakeAgent agent(gateway);
  agent.SayHello(MakeHello("i-1"));
  gateway.server->Stop(absl::Milliseconds(1));
}

TEST_CASE("a port that is in use is an error that names it", "[gateway]") {
  TestGateway gateway;
  gateway::GatewayOptions options;
  options.port = gateway.server->port();
  const auto second = gateway::GatewayServer::Start(options, &gateway.sessions);
  REQUIRE(absl::IsFailedPrecondition(second.status()));
  CHECK_THAT(std::string(second.status().message()), Catch::Contains(absl::StrCat(options.port)));
}

TEST_CASE("certificate files that cannot be read are named", "[gateway]") {
  TestGateway gateway;
  gateway::GatewayOptions options;
  options.ca_file = options.cert_file = options.key_file = "/nonexistent.pem";
  const auto server = gateway::GatewayServer::Start(options, &gateway.sessions);
  CHECK(absl::IsNotFound(server.status()));
  CHECK_THAT(std::string(server.status().message()), Catch::Contains("gateway.ca_file"));
}

// A CA, and certificates that it has signed for `localhost`, made by openssl(1).
struct Certificates {
  Certificates() : folder(mkdtemp(pattern)) {
    Run({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=ca",
         "-keyout", File("ca.key"), "-out", File("ca.pem")});
    Sign("server");
    Sign("agent");
    Sign("bound", ",URI:davit:default/i-1");
  }
  ~Certificates() { (void)RemoveAll(folder); }
  void Sign(const std::string& name, const std::string& more_names = "") {
    Run({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext",
         absl::StrCat("subjectAltName=DNS:localhost", more_names), "-addext",
         "basicConstraints=critical,CA:FALSE", "-addext",
         absl::StrCat("extendedKeyUsage=", name == "server" ? "serverAuth" : "clientAuth"),
         "-keyout", File(name + ".key"), "-out", File(name + ".csr")});
    Run({"x509", "-req", "-in", File(name + ".csr"), "-CA", File("ca.pem"), "-CAkey",
         File("ca.key"), "-CAcreateserial", "-copy_extensions", "copy", "-days", "1", "-out",
         File(name + ".pem")});
  }
  void Run(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = std::move(arguments);
    command.arguments.insert(command.arguments.begin(), "/usr/bin/openssl");
    const auto result = RunCommand(command);
    REQUIRE(result.ok());
    REQUIRE(result->exit_code == 0);
  }
  std::string File(const std::string& name) const { return folder + "/" + name; }
  char pattern[32] = "/tmp/davit-certs-XXXXXX";
  const std::string folder;
};

TEST_CASE("with certificate files, only agents with a certificate of the CA are let in",
          "[gateway]") {
  const Certificates files;
  gateway::GatewayOptions options;
  options.ca_file = files.File("ca.pem");
  options.cert_file = files.File("server.pem");
  options.key_file = files.File("server.key");
  TestGateway gateway(options);
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = *ReadFile(files.File("ca.pem"));
  {
    FakeAgent stranger(gateway.address(), grpc::SslCredentials(ssl));
    CHECK(stranger.IsEnded());
  }
  const auto dial = [&](const std::string& name) {
    ssl.pem_cert_chain = *ReadFile(files.File(name + ".pem"));
    ssl.pem_private_key = *ReadFile(files.File(name + ".key"));
    return std::make_unique<FakeAgent>(gateway.address(), grpc::SslCredentials(ssl));
  };
  CHECK(dial("agent")->SayHello(MakeHello("i-1")).has_welcome());
  CHECK(dial("bound")->SayHello(MakeHello("i-1")).has_welcome());
  CHECK(dial("bound")->SayHello(MakeHello("i-2")).goodbye().code() == v1::Goodbye::REFUSED);
}

}  // namespace
}  // namespace davit::test
