#include "agent/containerd/tasks.h"

#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/tasks/v1/tasks.grpc.pb.h"
#include "github.com/containerd/containerd/runtime/v2/runc/options/oci.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::tasks::v1;
namespace types = ::containerd::v1::types;

// The name of containerd's Go type inside an Any. Source: containerd typeurl, runtime-spec 1.x.
constexpr char kProcessTypeUrl[] = "types.containerd.io/opencontainers/runtime-spec/1/Process";
constexpr char kRuncOptionsTypeUrl[] = "containerd.runc.v1.Options";

TaskStatus FromProto(types::Status status) {
  switch (status) {
    case types::CREATED:
      return TaskStatus::kCreated;
    case types::RUNNING:
      return TaskStatus::kRunning;
    case types::STOPPED:
      return TaskStatus::kStopped;
    case types::PAUSED:
      return TaskStatus::kPaused;
    case types::PAUSING:
      return TaskStatus::kPausing;
    default:
      return TaskStatus::kUnknown;
  }
}

// For main processes the shim leaves container_id unset and puts the container's id into `id`.
TaskInfo FromProto(const types::Process& process) {
  return {.container_id = process.id(),
          .status = FromProto(process.status()),
          .pid = static_cast<int>(process.pid()),
          .exit_status = static_cast<int>(process.exit_status()),
          .exited_at = ToTime(process.exited_at())};
}

}  // namespace

struct Tasks::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Tasks::Stub rpc;
};

Tasks::Tasks(Client* client)
    : client_(client), stub_(std::make_unique<Stub>(client->connection().channel)) {}

Tasks::~Tasks() = default;

absl::StatusOr<int> Tasks::Create(const TaskCreateRequest& task, const CallOptions& options) {
  api::CreateTaskRequest request;
  request.set_container_id(task.container_id);
  ToProtoMounts(task.rootfs, request.mutable_rootfs());
  request.set_stdin(task.stdin_address);
  request.set_stdout(task.stdout_address);
  request.set_stderr(task.stderr_address);
  request.set_terminal(task.terminal);
  if (!task.runc_binary.empty()) {
    ::containerd::runc::v1::Options runc;
    runc.set_binary_name(task.runc_binary);
    request.mutable_options()->set_type_url(kRuncOptionsTypeUrl);
    request.mutable_options()->set_value(runc.SerializeAsString());
  }
  api::CreateTaskResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Create, request, &response));
  return static_cast<int>(response.pid());
}

absl::StatusOr<int> Tasks::Start(const std::string& container_id, const CallOptions& options) {
  api::StartRequest request;
  request.set_container_id(container_id);
  api::StartResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Start, request, &response));
  return static_cast<int>(response.pid());
}

absl::StatusOr<TaskInfo> Tasks::Get(const std::string& container_id, const CallOptions& options) {
  api::GetRequest request;
  request.set_container_id(container_id);
  api::GetResponse response;
  RETURN_IF_ERROR(Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Get, request, &response));
  return FromProto(response.process());
}

absl::StatusOr<std::vector<TaskInfo>> Tasks::List(const CallOptions& options) {
  api::ListTasksResponse response;
  RETURN_IF_ERROR(Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::List,
                       api::ListTasksRequest(), &response));
  std::vector<TaskInfo> tasks;
  for (const types::Process& process : response.tasks()) tasks.push_back(FromProto(process));
  return tasks;
}

absl::Status Tasks::Kill(const std::string& container_id, int signal_number, bool all,
                         const CallOptions& options) {
  api::KillRequest request;
  request.set_container_id(container_id);
  request.set_signal(static_cast<uint32_t>(signal_number));
  request.set_all(all);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Kill, request, &response);
}

absl::StatusOr<TaskExitStatus> Tasks::Wait(const std::string& container_id,
                                           const CallOptions& options) {
  api::WaitRequest request;
  request.set_container_id(container_id);
  api::WaitResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Wait, request, &response));
  return TaskExitStatus{static_cast<int>(response.exit_status()), ToTime(response.exited_at())};
}

absl::StatusOr<TaskExitStatus> Tasks::Delete(const std::string& container_id,
                                             const CallOptions& options) {
  api::DeleteTaskRequest request;
  request.set_container_id(container_id);
  api::DeleteResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Delete, request, &response));
  return TaskExitStatus{static_cast<int>(response.exit_status()), ToTime(response.exited_at())};
}

absl::Status Tasks::Exec(const ExecRequest& exec, const CallOptions& options) {
  api::ExecProcessRequest request;
  request.set_container_id(exec.container_id);
  request.set_exec_id(exec.exec_id);
  request.set_stdout(exec.stdout_address);
  request.set_stderr(exec.stderr_address);
  request.mutable_spec()->set_type_url(kProcessTypeUrl);
  request.mutable_spec()->set_value(exec.process_json);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Exec, request, &response);
}

absl::StatusOr<int> Tasks::StartExec(const std::string& container_id, const std::string& exec_id,
                                     const CallOptions& options) {
  api::StartRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  api::StartResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Start, request, &response));
  return static_cast<int>(response.pid());
}

absl::Status Tasks::KillExec(const std::string& container_id, const std::string& exec_id,
                             int signal_number, const CallOptions& options) {
  api::KillRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  request.set_signal(static_cast<uint32_t>(signal_number));
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Kill, request, &response);
}

absl::StatusOr<TaskExitStatus> Tasks::WaitExec(const std::string& container_id,
                                               const std::string& exec_id,
                                               const CallOptions& options) {
  api::WaitRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  api::WaitResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::Wait, request, &response));
  return TaskExitStatus{static_cast<int>(response.exit_status()), ToTime(response.exited_at())};
}

absl::Status Tasks::DeleteExec(const std::string& container_id, const std::string& exec_id,
                               const CallOptions& options) {
  api::DeleteProcessRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  api::DeleteResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Tasks::Stub::DeleteProcess, request, &response);
}

}  // namespace davit::containerd
