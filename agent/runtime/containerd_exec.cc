#include "agent/runtime/containerd_exec.h"

#include <signal.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::runtime {
namespace {

using containerd::CallOptions;

// The settings of the container's own process, with another command.
absl::StatusOr<std::string> ProcessOf(const std::string& oci_spec_json,
                                      const std::vector<std::string>& arguments) {
  try {
    nlohmann::json process = nlohmann::json::parse(oci_spec_json).at("process");
    process["args"] = arguments;
    process["terminal"] = false;
    process.erase("consoleSize");
    return process.dump();
  } catch (const nlohmann::json::exception& error) {
    return absl::FailedPreconditionError(
        absl::StrCat("the container's record has no process: ", error.what()));
  }
}

std::string CgroupOf(const std::string& oci_spec_json) {
  const nlohmann::json spec = nlohmann::json::parse(oci_spec_json, nullptr, false);
  const nlohmann::json linux_part = spec.is_object() ? spec.value("linux", nlohmann::json()) : spec;
  return linux_part.is_object() ? linux_part.value("cgroupsPath", "") : "";
}

// The process `pid`, unless it has ended and its number is of one outside the container's cgroup.
std::optional<ProcessHandle> HoldIfInside(int pid, const std::string& cgroup) {
  absl::StatusOr<ProcessHandle> process = ProcessHandle::Open(pid);
  if (!process.ok() || cgroup.empty()) return std::nullopt;
  // "9:memory:/davit/TASK/CONTAINER" (cgroups(7)), of one hierarchy or of several.
  const std::string text = ReadFile(absl::StrCat("/proc/", pid, "/cgroup")).value_or("");
  if (!absl::StrContains(text, cgroup + "\n")) return std::nullopt;
  return *std::move(process);
}

// A deadline of containerd, not of the command.
absl::Status NotAnswered(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace

ContainerdExec::ContainerdExec(containerd::Tasks* tasks, Options options)
    : tasks_(tasks), options_(std::move(options)) {}

absl::StatusOr<ExecResult> ContainerdExec::Run(const ExecSpec& spec,
                                               const std::string& oci_spec_json) {
  ASSIGN_OR_RETURN(const std::string process, ProcessOf(oci_spec_json, spec.arguments));
  RETURN_IF_ERROR(MakeDirectories(options_.folder, 0700));
  ASSIGN_OR_RETURN(const auto output,
                   ExecOutput::Open(absl::StrCat(options_.folder, "/", next_pipe_.fetch_add(1)),
                                    spec.max_output_bytes));
  RETURN_IF_ERROR(Add(spec, process, *output));
  const absl::StatusOr<int> pid = tasks_->StartExec(
      spec.container_id, spec.exec_id, {.lease = "", .timeout = options_.call_timeout});
  const absl::StatusOr<std::optional<int>> exit_code =
      pid.ok() ? Await(spec, HoldIfInside(*pid, CgroupOf(oci_spec_json)))
               : NotAnswered(pid.status());
  const absl::Status cleared = OkIfNotFound(Clear(spec));
  RETURN_IF_ERROR(exit_code.status());
  if (!absl::IsDeadlineExceeded(cleared)) RETURN_IF_ERROR(cleared, "ending the command");
  const std::string text = output->Finish();
  if (!exit_code->has_value()) {
    return absl::DeadlineExceededError(absl::StrCat(
        "timed out after ", absl::FormatDuration(spec.timeout), text.empty() ? "" : ": ", text));
  }
  return ExecResult{**exit_code, text};
}

absl::Status ContainerdExec::Add(const ExecSpec& spec, const std::string& process_json,
                                 const ExecOutput& output) {
  const containerd::ExecRequest request{.container_id = spec.container_id,
                                        .exec_id = spec.exec_id,
                                        .process_json = process_json,
                                        .stdout_address = output.path(),
                                        .stderr_address = output.path()};
  const CallOptions within{.lease = "", .timeout = options_.call_timeout};
  const absl::Status status = NotAnswered(tasks_->Exec(request, within));
  if (!absl::IsAlreadyExists(status)) return status;
  RETURN_IF_ERROR(OkIfNotFound(Clear(spec)), "ending an earlier command");
  return NotAnswered(tasks_->Exec(request, within));
}

absl::StatusOr<std::optional<int>> ContainerdExec::Await(
    const ExecSpec& spec, const std::optional<ProcessHandle>& process) {
  const auto ended =
      tasks_->WaitExec(spec.container_id, spec.exec_id, {.lease = "", .timeout = spec.timeout});
  if (ended.ok()) return ended->exit_status;
  if (!absl::IsDeadlineExceeded(ended.status())) return ended.status();
  // The shim may hang instead: Clear() finds out.
  // With all that it has started and that is still in its group: those would pile up.
  if (process) RETURN_IF_ERROR(process->KillGroup());
  return std::nullopt;
}

absl::Status ContainerdExec::Clear(const ExecSpec& spec) {
  const CallOptions within{.lease = "", .timeout = options_.call_timeout};
  const absl::Status killed = tasks_->KillExec(spec.container_id, spec.exec_id, SIGKILL, within);
  if (killed.ok()) {
    const absl::Status ended = tasks_
                                   ->WaitExec(spec.container_id, spec.exec_id,
                                              {.lease = "", .timeout = options_.kill_timeout})
                                   .status();
    if (absl::IsDeadlineExceeded(ended)) {
      return absl::DeadlineExceededError("the command survives SIGKILL");
    }
    RETURN_IF_ERROR(ended);
  } else if (!absl::IsNotFound(killed) && !absl::IsFailedPrecondition(killed)) {
    return NotAnswered(killed);
  }
  return NotAnswered(tasks_->DeleteExec(spec.container_id, spec.exec_id, within));
}

}  // namespace davit::runtime
