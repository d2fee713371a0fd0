#include "bench/controller/agents.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <random>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "davit/v1/agent.grpc.pb.h"

namespace davit::bench {
namespace {

constexpr int kStatesPerReport = 500;
constexpr int kMaxRedialMs = 500;
constexpr char kDigest[] =
    "sha256:3fbc632167424a6d997e74f52b878d7cc478225cffac6bc977eedfe51c7f4e79";

int RandomUpTo(int limit) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<int>(0, limit)(random);
}

v1::Resource IntegerResource(const char* name, int value) {
  v1::Resource resource;
  resource.set_name(name);
  resource.set_type("INTEGER");
  resource.set_double_value(0);
  resource.set_long_value(0);
  resource.set_integer_value(value);
  return resource;
}

v1::Resource ReservedPorts(const char* name, std::initializer_list<const char*> ports) {
  v1::Resource resource;
  resource.set_name(name);
  resource.set_type("STRINGSET");
  for (const char* port : ports) resource.add_string_set_value(port);
  return resource;
}

// One task, as its agent knows it.
struct KnownTask {
  std::vector<std::string> containers;
  v1::TaskStatus::Value status = v1::TaskStatus::UNSPECIFIED;  // UNSPECIFIED: nothing to report
  bool is_stop_ordered = false;
  uint64_t sequence = 0;
};

v1::TaskState StateOf(const std::string& arn, KnownTask* task) {
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  v1::TaskState state;
  state.set_task_arn(arn);
  state.set_last_status(task->status);
  state.set_sequence(++task->sequence);
  state.set_pull_started_at(now);
  state.set_pull_stopped_at(now);
  state.set_started_at(now);
  const bool is_stopped = task->status == v1::TaskStatus::STOPPED;
  if (is_stopped) {
    state.set_stop_code(task->is_stop_ordered ? v1::StopCode::UserInitiated
                                              : v1::StopCode::EssentialContainerExited);
    state.set_stopped_reason(task->is_stop_ordered ? "Task stopped by user"
                                                   : "Essential container in task exited");
    state.set_execution_stopped_at(now);
    state.set_stopped_at(now);
  }
  for (const std::string& name : task->containers) {
    v1::ContainerState* container = state.add_containers();
    container->set_name(name);
    container->set_last_status(is_stopped ? v1::ContainerStatus::STOPPED
                                          : v1::ContainerStatus::RUNNING);
    container->set_runtime_id(absl::StrCat(ShortId(arn), "-", name));
    container->set_image_digest(kDigest);
    container->set_health_status("UNKNOWN");
    if (is_stopped) container->set_exit_code(task->is_stop_ordered ? 143 : 0);
  }
  return state;
}

}  // namespace

class SimulatedAgents::Channels {
 public:
  explicit Channels(const Options& options) {
    grpc::ChannelArguments arguments;
    // Without this all channels would share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxRedialMs);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    for (int i = 0; i < options.channels; ++i) {
      stubs_.push_back(v1::AgentGateway::NewStub(
          grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", options.gateway_port),
                                    grpc::InsecureChannelCredentials(), arguments)));
    }
  }
  v1::AgentGateway::Stub* Of(int agent) {
    return stubs_[static_cast<size_t>(agent) % stubs_.size()].get();
  }

 private:
  std::vector<std::unique_ptr<v1::AgentGateway::Stub>> stubs_;
};

// One host: its identity and its tasks, which outlive its sessions.
class SimulatedAgents::Agent {
 public:
  Agent(SimulatedAgents* all, int index);

  void Dial();
  void Cancel();
  // Calls of the session.
  void OnMessage(Session* session, const v1::ControllerMessage& message);
  void OnWritten(Session* session, bool ok);
  void OnBroken(Session* session);
  void OnDone(Session* session);

 private:
  void OnWelcome(const v1::Welcome& welcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnSet(const v1::AssignmentSet& set) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Accept(const v1::Assignment& assignment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReportSoon(const std::string& arn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ScheduleHeartbeat(int period_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FillReport(v1::StatusReport* report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  SimulatedAgents* const all_;
  const int index_;
  Mutex mu_;
  v1::Hello hello_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, KnownTask> tasks_ ABSL_GUARDED_BY(mu_);
  // Of the session; void when it ends.
  Session* session_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::string session_id_ ABSL_GUARDED_BY(mu_);  // empty: not welcomed
  bool is_broken_ ABSL_GUARDED_BY(mu_) = false;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_complete_ ABSL_GUARDED_BY(mu_) = false;
  bool is_heartbeat_due_ ABSL_GUARDED_BY(mu_) = false;
  bool is_resync_due_ ABSL_GUARDED_BY(mu_) = false;
  int64_t complete_tasks_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t last_set_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t applied_to_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t heartbeat_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t report_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t unacked_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<std::string> unsent_ ABSL_GUARDED_BY(mu_);  // ARNs of tasks whose state goes out next
};

// One stream. Deletes itself at its end.
class SimulatedAgents::Session final
    : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  Session(Agent* agent, v1::AgentGateway::Stub* stub) : agent_(agent) {
    context_.set_wait_for_ready(true);
    stub->async()->Session(&context_, this);
  }
  void Start() {
    AddHold();  // heartbeats are written outside the reactions
    StartRead(&incoming_);
    StartCall();
  }
  void Write(v1::AgentMessage message) {
    outgoing_ = std::move(message);
    StartWrite(&outgoing_);
  }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      agent_->OnBroken(this);
      RemoveHold();
      return;
    }
    agent_->OnMessage(this, incoming_);
    incoming_.Clear();
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override { agent_->OnWritten(this, ok); }
  void OnDone(const grpc::Status& /*status*/) override {
    agent_->OnDone(this);
    delete this;
  }

 private:
  Agent* const agent_;
  grpc::ClientContext context_;
  v1::ControllerMessage incoming_;
  v1::AgentMessage outgoing_;
};

SimulatedAgents::Agent::Agent(SimulatedAgents* all, int index) : all_(all), index_(index) {
  const Options& options = all->options_;
  hello_.set_cluster(options.cluster);
  hello_.set_ec2_instance_id(absl::StrFormat("i-%017x", index));
  hello_.set_agent_instance_id(RandomUuid());
  hello_.set_boot_id(RandomUuid());
  hello_.set_runtime_available(true);
  hello_.set_protocol_version(2);
  hello_.mutable_version_info()->set_agent_version("0.1.0");
  hello_.mutable_version_info()->set_docker_version("containerd 1.6.20");
  *hello_.add_resources() = IntegerResource("CPU", options.cpu);
  *hello_.add_resources() = IntegerResource("MEMORY", options.memory_mib);
  *hello_.add_resources() = ReservedPorts("PORTS", {"22", "2375", "2376", "51678"});
  *hello_.add_resources() = ReservedPorts("PORTS_UDP", {});
  const std::pair<const char*, std::string> attributes[] = {
      {"ecs.os-type", "linux"},
      {"ecs.cpu-architecture", "x86_64"},
      {"ecs.instance-type", index % 4 == 0 ? "m5.16xlarge" : "c5.16xlarge"},
      {"ecs.availability-zone", absl::StrCat("us-east-1", std::string(1, "abc"[index % 3]))},
      {"ecs.capability.docker-remote-api.1.21", ""}};
  for (const auto& [name, value] : attributes) {
    v1::Attribute* attribute = hello_.add_attributes();
    attribute->set_name(name);
    if (!value.empty()) attribute->set_value(value);
  }
}

void SimulatedAgents::Agent::Dial() {
  if (all_->is_stopping_) return;
  MutexLock lock(&mu_);
  ++all_->open_sessions_;
  session_ = new Session(this, all_->channels_->Of(index_));
  v1::AgentMessage message;
  *message.mutable_hello() = hello_;
  is_writing_ = true;
  session_->Write(std::move(message));
  session_->Start();
}

void SimulatedAgents::Agent::Cancel() {
  MutexLock lock(&mu_);
  if (session_ != nullptr) session_->Cancel();
}

void SimulatedAgents::Agent::OnMessage(Session* session, const v1::ControllerMessage& message) {
  MutexLock lock(&mu_);
  if (session != session_) return;
  switch (message.body_case()) {
    case v1::ControllerMessage::kWelcome:
      session_id_ = message.session_id();
      OnWelcome(message.welcome());
      break;
    case v1::ControllerMessage::kHeartbeatAck:
      ScheduleHeartbeat(message.heartbeat_ack().period_ms());
      break;
    case v1::ControllerMessage::kAssignmentSet:
      OnSet(message.assignment_set());
      break;
    case v1::ControllerMessage::kReportAck:
      --unacked_;
      --all_->unacked_reports_;
      break;
    case v1::ControllerMessage::kGoodbye:
      ++all_->goodbyes_;
      break;
    default:  // kinds that later controllers may send
      break;
  }
  WriteNext();
}

void SimulatedAgents::Agent::OnWelcome(const v1::Welcome& welcome) {
  hello_.set_container_instance_arn(welcome.container_instance_arn());
  hello_.set_last_controller_epoch(welcome.controller_epoch());
  ++all_->welcomed_;
  // As if the agents had not come in the same second.
  ScheduleHeartbeat(RandomUpTo(welcome.heartbeat_period_ms()));
}

void SimulatedAgents::Agent::OnSet(const v1::AssignmentSet& set) {
  if (set.type() == v1::AssignmentSet::COMPLETE) {
    // It may come in parts: each counts what it holds.
    if (!is_complete_) ++all_->complete_;
    is_complete_ = true;
    complete_tasks_ += set.assignments_size();
    all_->complete_tasks_ += set.assignments_size();
  } else if (set.applies_to() != last_set_ &&
             (set.applies_to() != applied_to_ || set.results_in() != last_set_)) {
    ++all_->resyncs_;
    is_resync_due_ = true;
    return;
  }
  applied_to_ = set.applies_to();  // the next part of a set has the same numbers
  last_set_ = set.results_in();
  for (const v1::Assignment& assignment : set.assignments()) Accept(assignment);
  for (const std::string& arn : set.removed_task_arns()) {
    all_->tasks_ -= static_cast<int64_t>(tasks_.erase(arn));
  }
}

void SimulatedAgents::Agent::Accept(const v1::Assignment& assignment) {
  const Behaviour behaviour = all_->behaviour_;
  const auto [found, is_new] = tasks_.try_emplace(assignment.task_arn());
  KnownTask& task = found->second;
  if (is_new) {
    ++all_->tasks_;
    for (const v1::ContainerIdentity& identity : assignment.containers()) {
      task.containers.push_back(identity.name());
    }
  }
  if (behaviour == Behaviour::kSilent) return;
  if (assignment.desired_status() == v1::TaskStatus::STOPPED) {
    task.is_stop_ordered = task.is_stop_ordered || task.status != v1::TaskStatus::STOPPED;
    task.status = v1::TaskStatus::STOPPED;
  } else if (task.status != v1::TaskStatus::STOPPED) {
    task.status =
        behaviour == Behaviour::kFinish ? v1::TaskStatus::STOPPED : v1::TaskStatus::RUNNING;
  }
  ReportSoon(assignment.task_arn());
}

void SimulatedAgents::Agent::ReportSoon(const std::string& arn) {
  unsent_.push_back(arn);
  ++all_->unsent_states_;
}

void SimulatedAgents::Agent::ScheduleHeartbeat(int period_ms) {
  const Session* session = session_;
  all_->timers_.After(absl::Milliseconds(period_ms), &all_->pool_, [this, session] {
    MutexLock lock(&mu_);
    // A new session may have the address of the old one: then this is an early heartbeat.
    if (session != session_) return;
    is_heartbeat_due_ = true;
    WriteNext();
  });
}

void SimulatedAgents::Agent::WriteNext() {
  if (session_ == nullptr || session_id_.empty() || is_broken_ || is_writing_) return;
  v1::AgentMessage message;
  message.set_session_id(session_id_);
  if (is_heartbeat_due_) {
    is_heartbeat_due_ = false;
    message.mutable_heartbeat()->set_sequence(++heartbeat_);
    message.mutable_heartbeat()->set_runtime_available(true);
  } else if (is_resync_due_) {
    is_resync_due_ = false;
    message.mutable_resync_request()->set_last_results_in(last_set_);
  } else if (!unsent_.empty()) {
    FillReport(message.mutable_status_report());
    if (message.status_report().tasks().empty()) return;
  } else {
    return;
  }
  is_writing_ = true;
  session_->Write(std::move(message));
}

void SimulatedAgents::Agent::FillReport(v1::StatusReport* report) {
  while (!unsent_.empty() && report->tasks_size() < kStatesPerReport) {
    const auto task = tasks_.find(unsent_.front());
    if (task != tasks_.end() && task->second.status != v1::TaskStatus::UNSPECIFIED) {
      *report->add_tasks() = StateOf(task->first, &task->second);
    }
    unsent_.pop_front();
    --all_->unsent_states_;
  }
  if (report->tasks().empty()) return;
  report->set_report_id(++report_);
  ++unacked_;
  ++all_->unacked_reports_;
}

void SimulatedAgents::Agent::OnWritten(Session* session, bool ok) {
  MutexLock lock(&mu_);
  if (session != session_) return;
  is_writing_ = false;
  if (ok) WriteNext();
}

void SimulatedAgents::Agent::OnBroken(Session* session) {
  MutexLock lock(&mu_);
  if (session == session_) is_broken_ = true;
}

void SimulatedAgents::Agent::OnDone(Session* session) {
  {
    MutexLock lock(&mu_);
    if (session == session_) {
      if (!session_id_.empty()) --all_->welcomed_;
      if (is_complete_) --all_->complete_;
      all_->complete_tasks_ -= complete_tasks_;
      all_->unacked_reports_ -= unacked_;
      all_->unsent_states_ -= static_cast<int64_t>(unsent_.size());
      session_ = nullptr;
      session_id_.clear();
      is_broken_ = is_writing_ = is_complete_ = is_heartbeat_due_ = is_resync_due_ = false;
      complete_tasks_ = unacked_ = 0;
      last_set_ = applied_to_ = report_ = 0;
      unsent_.clear();
    }
  }
  all_->timers_.After(absl::Milliseconds(RandomUpTo(kMaxRedialMs)), &all_->pool_,
                      [this] { Dial(); });
  --all_->open_sessions_;
}

SimulatedAgents::SimulatedAgents(Options options)
    : options_(std::move(options)), channels_(std::make_unique<Channels>(options_)) {
  for (int i = 0; i < options_.count; ++i) agents_.push_back(std::make_unique<Agent>(this, i));
}

SimulatedAgents::~SimulatedAgents() {
  is_stopping_ = true;
  pool_.Stop();  // from here on nobody dials
  for (const auto& agent : agents_) agent->Cancel();
  while (open_sessions_ > 0) absl::SleepFor(absl::Milliseconds(5));
}

void SimulatedAgents::Start() {
  for (const auto& agent : agents_) agent->Dial();
}

SimulatedAgents::Counts SimulatedAgents::counts() const {
  return {welcomed_,        complete_,      complete_tasks_, tasks_,
          unacked_reports_, unsent_states_, goodbyes_,       resyncs_};
}

}  // namespace davit::bench
