// What agents say, and what they are told (proto/davit/v1/agent.proto).
#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "controller/cluster/model.h"
#include "controller/cluster/task_merge.h"

namespace davit::cluster {
namespace {

constexpr int kProtocolVersion = 1;
constexpr absl::Duration kMinHeartbeatPeriod = absl::Seconds(5);
constexpr double kHeartbeatsPerSecond = 200;

// Of all heartbeats together at most kHeartbeatsPerSecond, +-10 % so that agents that were started
// together drift apart. The jitter comes from the agent and its heartbeat's number: the model has
// no randomness.
absl::Duration HeartbeatPeriod(size_t agents, const std::string& arn, uint64_t sequence) {
  const absl::Duration period = std::max(
      kMinHeartbeatPeriod, absl::Seconds(static_cast<double>(agents) / kHeartbeatsPerSecond));
  const size_t hash = std::hash<std::string>()(absl::StrCat(arn, "/", sequence));
  return period * (0.9 + 0.2 * static_cast<double>(hash % 1024) / 1023.0);
}

// The first thing that is wrong with a Hello, naming its field; empty if it is acceptable.
std::string WhatIsWrong(const v1::Hello& hello) {
  if (hello.protocol_version() != kProtocolVersion) {
    return absl::StrCat("protocol_version is ", hello.protocol_version(),
                        "; this controller speaks ", kProtocolVersion);
  }
  if (hello.cluster().empty()) return "cluster is empty";
  if (hello.ec2_instance_id().empty()) return "ec2_instance_id is empty: the host has no identity";
  if (hello.agent_instance_id().empty()) return "agent_instance_id is empty";
  for (const char* name : {"CPU", "MEMORY"}) {
    const bool is_there =
        std::any_of(hello.resources().begin(), hello.resources().end(),
                    [name](const auto& resource) { return resource.name() == name; });
    if (!is_there) return absl::StrCat("resources lack ", name);
  }
  return "";
}

bool IsAnotherMachine(const v1::Hello& hello, const Session& connected) {
  return !connected.id.empty() && !connected.boot_id.empty() && !hello.boot_id().empty() &&
         connected.boot_id != hello.boot_id();
}

template <typename List>
bool AreSame(const List& a, const List& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.SerializeAsString() == y.SerializeAsString();
         });
}

v1::Assignment MakeAssignment(const Task& task) {
  const v1::Task& shown = task.record.task();
  v1::Assignment assignment;
  assignment.set_task_arn(shown.task_arn());
  assignment.set_cluster(task.record.cluster());
  assignment.set_version(task.record.assignment_version());
  const bool is_stop = shown.desired_status() == "STOPPED";
  assignment.set_desired_status(is_stop ? v1::TaskStatus::STOPPED : v1::TaskStatus::RUNNING);
  if (is_stop) {
    assignment.set_stop_reason(shown.stopped_reason());
    v1::StopCode::Value code = v1::StopCode::UNSPECIFIED;
    v1::StopCode::Value_Parse(shown.stop_code(), &code);
    assignment.set_stop_code(code);
  }
  if (task.revision != nullptr)
    *assignment.mutable_task_definition() = task.revision->record.task_definition();
  *assignment.mutable_overrides() = shown.overrides();
  assignment.set_group(shown.group());
  assignment.set_started_by(shown.started_by());
  for (const v1::Container& container : shown.containers()) {
    v1::ContainerIdentity* identity = assignment.add_containers();
    identity->set_name(container.name());
    identity->set_container_arn(container.container_arn());
    *identity->mutable_gpu_ids() = container.gpu_ids();
    identity->set_may_have_run(container.last_status() == "RUNNING" ||
                               container.last_status() == "STOPPED");
  }
  return assignment;
}

}  // namespace

void Model::OnHello(const std::string& session_id, const v1::Hello& hello) {
  std::string problem = WhatIsWrong(hello);
  absl::StatusOr<Instance*> known = nullptr;
  if (problem.empty()) {
    known = Identify(hello);
    if (!known.ok()) problem = std::string(known.status().message());
  }
  if (!problem.empty()) {
    EndSession(session_id, v1::Goodbye::REFUSED, problem);
    AddNote(Note::Level::kWarning, "agent refused",
            {{"ec2_instance_id", hello.ec2_instance_id()},
             {"cluster", hello.cluster()},
             {"reason", problem}});
    return;
  }
  if (*known != nullptr && IsAnotherMachine(hello, (*known)->session)) {
    // Two machines with one identity: each would run what the other runs. If it is the same one
    // after a restart, its former session will be silent soon.
    EndSession(session_id, v1::Goodbye::STALE,
               absl::StrCat("ec2_instance_id: a host with another boot id is connected as ",
                            hello.ec2_instance_id()));
    AddNote(Note::Level::kWarning, "two hosts have one identity, or one was restarted",
            {{"container_instance_arn", (*known)->arn()},
             {"ec2_instance_id", hello.ec2_instance_id()},
             {"connected_boot_id", (*known)->session.boot_id},
             {"boot_id", hello.boot_id()}});
    return;
  }
  if (hello.last_controller_epoch() > state_.epoch()) {
    // This store is newer than the fleet: it was emptied or restored. Agents refuse an epoch below
    // what they have seen.
    AddNote(Note::Level::kWarning, "controller epoch raised above what an agent has seen",
            {{"epoch", absl::StrCat(state_.epoch())},
             {"seen", absl::StrCat(hello.last_controller_epoch())}});
    state_.PutEpoch(hello.last_controller_epoch() + 1);
  }
  Instance* instance = Register(hello, *known);
  if (!instance->session.id.empty()) {
    EndSession(instance->session.id, v1::Goodbye::SUPERSEDED,
               "another agent with the same identity has connected");
    Disconnect(instance, "superseded");
  }
  instance->session = Session();
  instance->session.is_runtime_available = hello.runtime_available();
  instance->session.boot_id = hello.boot_id();
  instance->session.last_heard = now_.monotonic;
  state_.SetSession(instance, session_id);
  instance->session.period = HeartbeatPeriod(state_.sessions().size(), instance->arn(), 0);

  v1::ControllerMessage message;
  v1::Welcome* welcome = message.mutable_welcome();
  welcome->set_container_instance_arn(instance->arn());
  welcome->set_controller_epoch(state_.epoch());
  welcome->set_heartbeat_period_ms(
      static_cast<int32_t>(absl::ToInt64Milliseconds(instance->session.period)));
  Send(session_id, std::move(message));
  SendComplete(instance);
  AddNote(Note::Level::kInfo, "agent connected",
          {{"container_instance_arn", instance->arn()},
           {"ec2_instance_id", hello.ec2_instance_id()},
           {"agent_version", hello.version_info().agent_version()}});
}

// The instance that a Hello is from; null: a new one.
absl::StatusOr<Instance*> Model::Identify(const v1::Hello& hello) {
  const Cluster* cluster = state_.FindCluster(hello.cluster());
  if (cluster == nullptr || cluster->record.cluster().status() != "ACTIVE") {
    // As with ECS: agents may make the cluster that is theirs when they were told of none.
    if (hello.cluster() != "default") {
      return absl::InvalidArgumentError(
          absl::StrCat("cluster: '", hello.cluster(),
                       "' does not exist; create it, or mend the agent's configuration"));
    }
    MakeCluster("default", {});
  }
  Instance* by_arn = state_.FindInstance(hello.container_instance_arn());
  // A known ARN from another host is a cloned disk: that host is somebody else.
  if (by_arn != nullptr && by_arn->record.instance().ec2_instance_id() == hello.ec2_instance_id()) {
    if (by_arn->record.cluster() == hello.cluster()) return by_arn;
    return absl::InvalidArgumentError(absl::StrCat("cluster: this host is registered in cluster '",
                                                   by_arn->record.cluster(), "', not in '",
                                                   hello.cluster(), "'"));
  }
  return state_.FindInstanceByHost(hello.cluster(), hello.ec2_instance_id());
}

Instance* Model::Register(const v1::Hello& hello, Instance* known) {
  v1::StoredContainerInstance record;
  if (known != nullptr) record = known->record;
  v1::ContainerInstance* instance = record.mutable_instance();
  if (known != nullptr && AreSame(instance->registered_resources(), hello.resources()) &&
      AreSame(instance->attributes(), hello.attributes()) &&
      instance->version_info().SerializeAsString() == hello.version_info().SerializeAsString()) {
    return known;
  }
  if (known == nullptr) {
    record.set_cluster(hello.cluster());
    instance->set_container_instance_arn(
        MakeArn(options_.place,
                absl::StrCat("container-instance/", hello.cluster(), "/", options_.new_id())));
    instance->set_ec2_instance_id(hello.ec2_instance_id());
    instance->set_status("ACTIVE");
    instance->set_registered_at(ToEpochSeconds(now_.wall));
  }
  instance->set_version(instance->version() + 1);
  *instance->mutable_registered_resources() = hello.resources();
  *instance->mutable_attributes() = hello.attributes();
  *instance->mutable_version_info() = hello.version_info();
  return state_.PutInstance(std::move(record));
}

void Model::OnHeartbeat(Instance* instance, const v1::Heartbeat& heartbeat) {
  ObserveRuntime(instance, heartbeat.runtime_available(), heartbeat.impairment());
  instance->session.period =
      HeartbeatPeriod(state_.sessions().size(), instance->arn(), heartbeat.sequence());
  v1::ControllerMessage message;
  message.mutable_heartbeat_ack()->set_sequence(heartbeat.sequence());
  message.mutable_heartbeat_ack()->set_period_ms(
      static_cast<int32_t>(absl::ToInt64Milliseconds(instance->session.period)));
  Send(instance->session.id, std::move(message));
}

void Model::ObserveRuntime(Instance* instance, bool is_available, absl::string_view impairment) {
  Session& session = instance->session;
  if (session.is_runtime_available == is_available && session.impairment == impairment) return;
  session.impairment = std::string(impairment);
  state_.SetRuntimeAvailable(instance, is_available);
  AddNote(is_available && impairment.empty() ? Note::Level::kInfo : Note::Level::kWarning,
          "host health changed",
          {{"container_instance_arn", instance->arn()},
           {"runtime_available", is_available ? "true" : "false"},
           {"impairment", session.impairment}});
}

void Model::OnReport(Instance* instance, const v1::StatusReport& report) {
  std::vector<std::string> stopped;
  for (const v1::TaskState& seen : report.tasks()) {
    if (MergeTaskState(seen, *instance)) stopped.push_back(seen.task_arn());
  }
  v1::ControllerMessage message;
  message.mutable_report_ack()->set_report_id(report.report_id());
  Send(instance->session.id, std::move(message));
  if (!stopped.empty()) SendRemoval(instance, stopped);
}

// True: the task is STOPPED for good, by this report or before it.
bool Model::MergeTaskState(const v1::TaskState& seen, const Instance& instance) {
  Task* task = state_.FindTask(seen.task_arn());
  if (task == nullptr || task->instance != &instance) {
    AddNote(Note::Level::kWarning,
            task == nullptr ? "report of an unknown task ignored"
                            : "report of another instance's task ignored",
            {{"task_arn", seen.task_arn()}, {"container_instance_arn", instance.arn()}});
    return false;
  }
  if (task->is_stopped()) return seen.last_status() == v1::TaskStatus::STOPPED;
  // In another session than before nothing is older, since sessions are fenced; and an agent that
  // was killed before it had saved its sequence counts some numbers twice.
  const bool is_same_session = task->heard_in == instance.session.id;
  if (is_same_session && seen.sequence() != 0 && seen.sequence() <= task->record.sequence()) {
    return false;
  }
  task->heard_in = instance.session.id;
  const v1::TaskStatus::Value before = task->last_status;
  task = state_.PutTask(Merge(task->record, seen, task->revision, ToEpochSeconds(now_.wall)));
  if (task->last_status != before) {
    AddNote(Note::Level::kInfo, "task status changed",
            {{"task_arn", task->arn()},
             {"last_status", task->record.task().last_status()},
             {"stopped_reason", task->is_stopped() ? task->record.task().stopped_reason() : ""}});
  }
  return task->is_stopped();
}

void Model::OnStopCandidates(Instance* instance, const v1::StopCandidates& candidates) {
  v1::ControllerMessage message;
  v1::StopConfirmation* confirmation = message.mutable_stop_confirmation();
  size_t unknown = 0;
  for (const std::string& arn : candidates.task_arns()) {
    const Task* task = state_.FindTask(arn);
    // Ignorance is no ground for stopping: this store may have been emptied.
    if (task == nullptr) {
      ++unknown;
    } else if (task->is_stopped() || task->instance != instance) {
      confirmation->add_task_arns(arn);
    }
  }
  if (unknown > 0) {
    AddNote(Note::Level::kWarning,
            "agent runs tasks that this controller does not know; they are left alone",
            {{"container_instance_arn", instance->arn()}, {"tasks", absl::StrCat(unknown)}});
  }
  if (confirmation->task_arns().empty()) return;
  confirmation->set_reason("the controller knows it as stopped, or as another instance's");
  Send(instance->session.id, std::move(message));
}

v1::AssignmentSet* Model::NextSet(Instance* instance, v1::ControllerMessage* message) {
  v1::AssignmentSet* set = message->mutable_assignment_set();
  set->set_type(v1::AssignmentSet::INCREMENTAL);
  set->set_applies_to(instance->session.last_set);
  set->set_results_in(++instance->session.last_set);
  return set;
}

void Model::SendComplete(Instance* instance) {
  v1::ControllerMessage message;
  v1::AssignmentSet* set = NextSet(instance, &message);
  set->set_type(v1::AssignmentSet::COMPLETE);
  set->clear_applies_to();
  for (const auto& [arn, task] : instance->tasks) {
    if (!task->is_stopped()) *set->add_assignments() = MakeAssignment(*task);
  }
  Send(instance->session.id, std::move(message));
}

void Model::SendAssignment(Task* task) {
  if (task->instance == nullptr || task->instance->session.id.empty() || task->is_stopped()) return;
  v1::ControllerMessage message;
  *NextSet(task->instance, &message)->add_assignments() = MakeAssignment(*task);
  Send(task->instance->session.id, std::move(message));
}

void Model::SendRemoval(Instance* instance, const std::vector<std::string>& task_arns) {
  v1::ControllerMessage message;
  v1::AssignmentSet* set = NextSet(instance, &message);
  for (const std::string& arn : task_arns) set->add_removed_task_arns(arn);
  Send(instance->session.id, std::move(message));
}

}  // namespace davit::cluster
