#include "tests/agent/runtime/containerd_world.h"

#include <csignal>
#include <stdexcept>

#include "tests/agent/runtime/oci_spec.h"
#include "tests/support/busybox_image.h"
#include "tests/support/skip.h"

namespace davit::test {

ContainerdWorld::ContainerdWorld(runtime::ContainerdRuntimeOptions options,
                                 absl::Duration event_silence) {
  auto server = ContainerdServer::Start();
  if (absl::IsNotFound(server.status()) || absl::IsPermissionDenied(server.status())) {
    Skip(server.status().ToString());
  }
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  server_ = *std::move(server);
  containerd::ClientOptions client_options;
  client_options.address = server_->address();
  client_options.containerd_namespace = server_->containerd_namespace();
  client_options.call_timeout = options.call_timeout;
  client_options.event_silence = event_silence;
  client_ = std::make_unique<containerd::Client>(client_options);
  const auto chain_id = ImportBusybox(client_.get());
  if (absl::IsNotFound(chain_id.status())) Skip(chain_id.status().ToString());
  if (!chain_id.ok()) throw std::runtime_error(chain_id.status().ToString());
  chain_id_ = *chain_id;
  options.exec_folder = server_->folder() + "/exec";
  runtime_ = std::make_unique<runtime::ContainerdRuntime>(client_.get(), options);
}

ContainerdWorld::~ContainerdWorld() {
  const auto containers = runtime_->List();
  if (!containers.ok()) return;
  for (const runtime::ContainerInfo& container : *containers) {
    runtime_->Remove(container.id).IgnoreError();  // else the server's destructor cleans up
  }
}

runtime::ContainerSpec ContainerdWorld::Spec(const std::string& id, Program program) {
  switch (program) {
    case Program::kExitWith0:
      return SpecOf(id, {"/bin/sh", "-c", "exit 0"});
    case Program::kExitWith7:
      return SpecOf(id, {"/bin/sh", "-c", "exit 7"});
    case Program::kEatMemory:
      // An endless line, which tail keeps whole.
      return SpecOf(id, {"/bin/sh", "-c", "yes | tr -d '\\n' | tail -n 1"}, 16 << 20);
    case Program::kRunUntilTerm:
      break;
  }
  return SpecOf(id, {"/bin/sh", "-c", "trap 'exit 143' TERM; sleep 100000 & wait"});
}

runtime::ContainerSpec ContainerdWorld::SpecOf(const std::string& id,
                                               const std::vector<std::string>& arguments,
                                               int64_t memory_bytes) {
  runtime::ContainerSpec spec;
  spec.id = id;
  spec.image_name = "busybox";
  spec.oci_spec_json = MinimalOciSpec(arguments, server_->cgroup_parent() + "/" + id, memory_bytes);
  return spec;
}

runtime::ExecSpec ContainerdWorld::Exec(const std::string& id, Command command) {
  runtime::ExecSpec spec{.container_id = id, .exec_id = "check", .arguments = {}};
  switch (command) {
    case Command::kSayAndExitWith3:
      spec.arguments = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3"};
      break;
    case Command::kSayTenDigits:
      spec.arguments = {"sh", "-c", "printf 0123456789"};
      break;
    case Command::kRunForever:
      spec.arguments = {"/bin/sh", "-c", "echo so far; sleep 100001 & sleep 100002; true"};
      break;
    case Command::kAbsentProgram:
      spec.arguments = {"/bin/absent"};
      break;
  }
  return spec;
}

void ContainerdWorld::RestartRuntime() {
  if (absl::Status status = server_->Restart(); !status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

void ContainerdWorld::KillProcess(const std::string& /*id*/, int pid) { kill(pid, SIGKILL); }

void ContainerdWorld::KillShim(const std::string& id) {
  for (const pid_t pid : server_->ShimPids(id)) kill(pid, SIGKILL);
}

void ContainerdWorld::RunOutOfMemory(const std::string& /*id*/) {}

}  // namespace davit::test
