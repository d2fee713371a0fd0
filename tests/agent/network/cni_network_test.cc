#include "agent/network/cni_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agent/network/network_namespace.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "tests/agent/network/network_contract.h"
#include "tests/support/skip.h"

namespace davit::network {
namespace {

std::string Output(std::vector<std::string> arguments) {
  Command command;
  command.arguments = std::move(arguments);
  command.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  const absl::StatusOr<CommandResult> result = RunCommand(command);
  REQUIRE(result.ok());
  return result->output;
}

// The test's process plays the host in its own network and mount namespaces. So it never touches
// the machine's links, iptables rules, sysctls and mounts, and all ports are free.
void EnterHostOfOurOwn() {
  static bool is_entered = false;
  if (is_entered) return;
  if (geteuid() != 0) test::Skip("needs root");
  if (!FileExists("/usr/lib/cni/bridge")) test::Skip("needs the CNI plugins in /usr/lib/cni");
  if (!FileExists("/usr/sbin/iptables")) test::Skip("needs iptables");
  REQUIRE(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0);
  REQUIRE(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  Output({"/sbin/ip", "link", "set", "lo", "up"});
  is_entered = true;
}

// Our objects in the kernel, without the chains that portmap keeps for all containers.
std::string KernelState() {
  std::string state = Output({"/sbin/ip", "-o", "-br", "link", "show", "type", "veth"});
  for (const absl::string_view line : absl::StrSplit(Output({"/usr/sbin/iptables-save"}), '\n')) {
    if (absl::StartsWith(line, "#") || absl::StrContains(line, "CNI-HOSTPORT-")) continue;
    if (absl::StartsWith(line, "-A") || absl::StartsWith(line, ":CNI"))
      absl::StrAppend(&state, line, "\n");
  }
  return state;
}

class Host {
 public:
  Host() {
    EnterHostOfOurOwn();
    char name[] = "/tmp/davit-network-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    folder_ = name;
    config_.bridge = "dvtest0";
    config_.subnet = "10.249.0.0/24";
    config_.run_dir = folder_ + "/run";
    config_.state_dir = folder_ + "/state";
    Restart();
  }
  ~Host() {
    for (const int pid : servers_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    const std::vector<std::string> left = *network_->List();
    for (const std::string& id : left) network_->Detach(id).IgnoreError();
    CHECK(network_->RemoveBridge() == absl::OkStatus());
    CHECK(KernelState().empty());
    RemoveAll(folder_).IgnoreError();
  }

  CniNetwork* network() { return network_.get(); }
  // Restarts the agent's process, with or without a reboot.
  void Restart(const std::string& boot_id = "boot-1") {
    network_.reset();
    config_.boot_id = boot_id;
    auto network = CniNetwork::Open(config_);
    REQUIRE(network.ok());
    network_ = *std::move(network);
  }
  const CniNetworkConfig& config() const { return config_; }
  std::vector<std::string> Leases() const {
    std::vector<std::string> leases;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_ + "/state/ipam/dvtest0", error)) {
      const std::string name = entry.path().filename().string();
      if (absl::StartsWith(name, "10.")) leases.push_back(name);
    }
    return leases;
  }

  // Inside the namespace: answers `text` to whoever connects or sends a datagram.
  void Serve(const std::string& namespace_path, int type, int port, const std::string& text) {
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const int pid = fork();
    if (pid == 0) {
      const int fd = open(namespace_path.c_str(), O_RDONLY | O_CLOEXEC);
      if (setns(fd, CLONE_NEWNET) != 0) _exit(1);
      const int listener = socket(AF_INET, type, 0);
      const sockaddr_in any = Address("0.0.0.0", port);
      if (bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0) _exit(2);
      if (type == SOCK_STREAM && listen(listener, 8) != 0) _exit(3);
      if (write(ready[1], "x", 1) != 1) _exit(4);
      AnswerForEver(listener, type, text);
    }
    servers_.push_back(pid);
    close(ready[1]);
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
  }

  // The answer from 127.0.0.1 (or `address`) on the host; empty: none.
  static std::string Ask(int type, int port, const char* address = "127.0.0.1") {
    const int fd = socket(AF_INET, type, 0);
    const timeval patience{3, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const sockaddr_in to = Address(address, port);
    std::string answer;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 &&
        send(fd, "?", 1, 0) == 1) {
      char buffer[64];
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got > 0) answer.assign(buffer, static_cast<size_t>(got));
    }
    close(fd);
    return answer;
  }

 private:
  static sockaddr_in Address(const char* ip, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, ip, &address.sin_addr);
    return address;
  }
  [[noreturn]] static void AnswerForEver(int listener, int type, const std::string& text) {
    for (;;) {
      char byte = 0;
      if (type == SOCK_STREAM) {
        const int client = accept(listener, nullptr, nullptr);
        if (read(client, &byte, 1) == 1 && write(client, text.data(), text.size()) < 0) _exit(5);
        close(client);
      } else {
        sockaddr_in from{};
        socklen_t length = sizeof(from);
        recvfrom(listener, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &length);
        sendto(listener, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&from),
               length);
      }
    }
  }

  std::string folder_;
  CniNetworkConfig config_;
  std::unique_ptr<CniNetwork> network_;
  std::vector<int> servers_;
};

TEST_CASE("the CNI network passes the contract suite", "[network][root]") {
  Host host;
  CheckNetworkContract(host.network());
}

TEST_CASE("containers with the same port are reachable on their own host ports",
          "[network][root]") {
  Host host;
  const auto web1 = host.network()->Attach("web1", NetworkMode::kBridge, {{80, 0, "tcp"}});
  const auto web2 = host.network()->Attach("web2", NetworkMode::kBridge, {{80, 8080, "tcp"}});
  REQUIRE(web1.ok());
  REQUIRE(web2.ok());
  host.Serve(web1->namespace_path, SOCK_STREAM, 80, "one");
  host.Serve(web2->namespace_path, SOCK_STREAM, 80, "two");
  CHECK(Host::Ask(SOCK_STREAM, web1->bindings[0].host_port) == "one");
  CHECK(Host::Ask(SOCK_STREAM, 8080) == "two");
  CHECK(Host::Ask(SOCK_STREAM, 80, web1->ip_address.c_str()) == "one");
  CHECK(Host::Ask(SOCK_STREAM, 8080, "10.249.0.1") == "two");
  REQUIRE(host.network()->Detach("web2") == absl::OkStatus());
  CHECK(Host::Ask(SOCK_STREAM, 8080).empty());
}

TEST_CASE("a UDP port is reachable on its host port", "[network][root]") {
  Host host;
  const auto dns = host.network()->Attach("dns", NetworkMode::kBridge, {{53, 0, "udp"}});
  REQUIRE(dns.ok());
  host.Serve(dns->namespace_path, SOCK_DGRAM, 53, "address");
  CHECK(Host::Ask(SOCK_DGRAM, dns->bindings[0].host_port) == "address");
}

TEST_CASE("a container reaches another through the host's port", "[network][root]") {
  Host host;
  const auto web = host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}});
  const auto client = host.network()->Attach("client", NetworkMode::kBridge, {});
  REQUIRE(web.ok());
  REQUIRE(client.ok());
  host.Serve(web->namespace_path, SOCK_STREAM, 80, "hello");
  std::string answer;
  std::thread([&] {
    const int fd = open(client->namespace_path.c_str(), O_RDONLY | O_CLOEXEC);
    if (setns(fd, CLONE_NEWNET) == 0) answer = Host::Ask(SOCK_STREAM, 8080, "10.249.0.1");
    close(fd);
  }).join();
  CHECK(answer == "hello");
}

TEST_CASE("mode none has only loopback", "[network][root]") {
  Host host;
  const auto lone = host.network()->Attach("lone", NetworkMode::kNone, {});
  REQUIRE(lone.ok());
  const std::string links =
      Output({"/usr/bin/nsenter", "--net=" + lone->namespace_path, "/sbin/ip", "-o", "link"});
  CHECK(absl::StrContains(links, "LOOPBACK,UP"));
  CHECK(std::count(links.begin(), links.end(), '\n') == 1);
}

TEST_CASE("an attachment outlives the agent's process", "[network][root]") {
  Host host;
  const auto before = host.network()->Attach("web", NetworkMode::kBridge, {{80, 0, "tcp"}});
  REQUIRE(before.ok());
  host.Restart();
  const auto after = host.network()->Attach("web", NetworkMode::kBridge, {});
  REQUIRE(after.ok());
  CHECK(after->bindings == before->bindings);
  CHECK(after->ip_address == before->ip_address);
  const int port = before->bindings[0].host_port;
  const absl::Status taken =
      host.network()->Attach("other", NetworkMode::kBridge, {{80, port, "tcp"}}).status();
  CHECK(absl::StrContains(taken.message(), "container web"));
}

TEST_CASE("an incomplete attachment is undone or created again", "[network][root]") {
  Host host;
  REQUIRE(host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}}).ok());
  const std::string path = host.config().run_dir + "/cni/web.json";
  const absl::StatusOr<AttachmentRecord> whole = ParseAttachmentRecord(*ReadFile(path));
  REQUIRE(whole.ok());
  AttachmentRecord half = *whole;
  half.is_complete = false;
  half.ip_address.clear();
  half.cni_result.clear();
  const std::string records[] = {ToJson(half), "{\"containerId\":"};
  for (const std::string& record : records) {
    REQUIRE(WriteFileAtomically(path, record) == absl::OkStatus());
    host.Restart();
    const auto anew = host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}});
    REQUIRE(anew.ok());
    CHECK(host.Leases() == std::vector<std::string>{anew->ip_address});
    REQUIRE(WriteFileAtomically(path, record) == absl::OkStatus());
    host.Restart();
    CHECK(host.network()->Detach("web") == absl::OkStatus());
    CHECK(KernelState().empty());
    CHECK(host.Leases().empty());
    REQUIRE(host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}}).ok());
  }
}

TEST_CASE("attachments from before a reboot are detached and their addresses freed",
          "[network][root]") {
  Host host;
  REQUIRE(host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}}).ok());
  const std::string record = *ReadFile(host.config().run_dir + "/cni/web.json");
  REQUIRE(host.network()->Detach("web") == absl::OkStatus());
  // On a disk that is not a tmpfs: the record, a plain file for the namespace, the lease.
  REQUIRE(WriteFileAtomically(host.config().run_dir + "/cni/web.json", record) == absl::OkStatus());
  REQUIRE(WriteFileAtomically(host.config().run_dir + "/netns/web", "") == absl::OkStatus());
  REQUIRE(WriteFileAtomically(host.config().state_dir + "/ipam/dvtest0/10.249.0.77",
                              "web\r\neth0") == absl::OkStatus());
  host.Restart("boot-2");
  CHECK(host.Leases().empty());
  CHECK(*host.network()->List() == std::vector<std::string>{"web"});
  CHECK(host.network()->Detach("web") == absl::OkStatus());
  CHECK(host.network()->List()->empty());
}

TEST_CASE("a namespace that somebody removed leaves no rules and no address", "[network][root]") {
  Host host;
  REQUIRE(host.network()->Attach("web", NetworkMode::kBridge, {{80, 8080, "tcp"}}).ok());
  REQUIRE(RemoveNetworkNamespace(host.config().run_dir + "/netns/web") == absl::OkStatus());
  CHECK(host.network()->Detach("web") == absl::OkStatus());
  CHECK(KernelState().empty());
  CHECK(host.Leases().empty());
}

TEST_CASE("a full network says so, and has addresses again when a container is detached",
          "[network][root]") {
  Host host;
  CniNetworkConfig config = host.config();
  config.bridge = "dvtest1";
  config.subnet = "10.248.0.0/30";  // the gateway and one more
  config.run_dir += "1";
  config.state_dir += "1";
  const auto network = CniNetwork::Open(config);
  REQUIRE(network.ok());
  REQUIRE((*network)->Attach("c1", NetworkMode::kBridge, {}).ok());
  const absl::Status full = (*network)->Attach("c2", NetworkMode::kBridge, {}).status();
  CHECK(full.code() == absl::StatusCode::kResourceExhausted);
  CHECK(absl::StartsWith(full.message(), "ContainerNetworkingError: "));
  REQUIRE((*network)->Detach("c1") == absl::OkStatus());
  CHECK((*network)->Attach("c2", NetworkMode::kBridge, {}).ok());
  CHECK((*network)->RemoveBridge().code() == absl::StatusCode::kFailedPrecondition);
  REQUIRE((*network)->Detach("c2") == absl::OkStatus());
  CHECK((*network)->RemoveBridge() == absl::OkStatus());
}

TEST_CASE("many containers of two agents are attached in parallel", "[network][root]") {
  Host host;
  CniNetworkConfig config = host.config();
  config.bridge = "dvtest1";
  config.subnet = "10.248.0.0/24";
  config.run_dir += "1";
  config.state_dir += "1";
  const auto other = CniNetwork::Open(config);
  REQUIRE(other.ok());
  std::vector<absl::StatusOr<Attachment>> attachments(16, absl::UnknownError("not tried"));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < attachments.size(); ++i) {
    CniNetwork* const network = i % 2 == 0 ? host.network() : other->get();
    threads.emplace_back([network, &attachments, i] {
      attachments[i] =
          network->Attach(absl::StrCat("c", i), NetworkMode::kBridge, {{80, 0, "tcp"}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int> ports;
  std::set<std::string> addresses;
  for (const absl::StatusOr<Attachment>& attachment : attachments) {
    REQUIRE(attachment.status() == absl::OkStatus());
    ports.insert(attachment->bindings[0].host_port);
    addresses.insert(attachment->ip_address);
  }
  CHECK(ports.size() == attachments.size());
  CHECK(addresses.size() == attachments.size());
  const std::vector<std::string> others = *(*other)->List();
  for (const std::string& id : others) CHECK((*other)->Detach(id) == absl::OkStatus());
  CHECK((*other)->RemoveBridge() == absl::OkStatus());
}

TEST_CASE("an invalid configuration is refused at once", "[network][root]") {
  EnterHostOfOurOwn();
  CniNetworkConfig config;
  config.run_dir = config.state_dir = "/nonexistent/davit";
  config.bridge = "a-name-that-is-too-long";
  CHECK(CniNetwork::Open(config).status().code() == absl::StatusCode::kInvalidArgument);
  config.bridge = "dvtest2";
  config.plugin_dir = "/nonexistent";
  CHECK(CniNetwork::Open(config).status().code() == absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace davit::network
