#include "tests/sim/fleet_host.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/definition/reservation.h"
#include "controller/loop/assignment_queue.h"

namespace davit::sim {

using Status = v1::TaskStatus;

// What has come from the controller and was not taken in yet.
class FleetHost::Stream final : public controller::loop::AgentSink {
 public:
  void Queue(v1::ControllerMessage message) override { queue_.Push(std::move(message)); }
  void Queue(const std::string& session_id, controller::change::Assignments assignments) override {
    queue_.Push(session_id, std::move(assignments));
  }
  void QueueEnd() override { is_ending_ = true; }
  void Flush() override {}

  std::optional<v1::ControllerMessage> Pop() { return queue_.Pop(); }
  bool is_over() const { return is_ending_ && queue_.empty(); }
  std::string id;

 private:
  controller::loop::AssignmentQueue queue_;
  bool is_ending_ = false;
};

FleetHost::FleetHost(int number) : number_(number) {}

void FleetHost::Connect(controller::loop::AgentSessions* sessions) {
  sessions_ = sessions;
  stream_ = std::make_shared<Stream>();
  stream_->id = sessions->Open(stream_);
  session_id_.clear();
  reader_.Clear();
  results_in_.reset();
  reported_ends_.clear();
  v1::AgentMessage message;
  v1::Hello* hello = message.mutable_hello();
  hello->set_protocol_version(2);
  hello->set_cluster("default");
  hello->set_container_instance_arn(arn_);
  hello->set_ec2_instance_id(absl::StrCat("i-", number_));
  hello->set_agent_instance_id(absl::StrCat("agent-", number_));
  hello->set_boot_id(absl::StrCat("boot-", number_));
  hello->set_runtime_available(true);
  for (const auto& [name, amount] : {std::pair("CPU", kCpuUnits), {"MEMORY", kMemoryMib}}) {
    v1::Resource* resource = hello->add_resources();
    resource->set_name(name);
    resource->set_type("INTEGER");
    resource->set_integer_value(amount);
  }
  sessions_->Receive(stream_->id, std::move(message));
}

void FleetHost::Disconnect() {
  if (stream_ == nullptr) return;
  sessions_->Close(stream_->id);
  DropStream();
}

void FleetHost::DropStream() {
  stream_ = nullptr;
  session_id_.clear();
}

bool FleetHost::ReceiveOne() {
  if (stream_ == nullptr) return false;
  auto message = stream_->Pop();
  if (!message) {
    if (!stream_->is_over()) return false;
    Disconnect();
    return true;
  }
  if (std::exchange(loses_next_, false)) return true;
  Handle(*message);
  return true;
}

void FleetHost::Handle(const v1::ControllerMessage& message) {
  if (message.has_welcome()) {
    session_id_ = message.session_id();
    arn_ = message.welcome().container_instance_arn();
    return ReportAll();
  }
  if (message.has_goodbye()) return;
  if (message.session_id() != session_id_) violation_ = "a message of another session came";
  if (message.has_assignment_set()) {
    if (auto set = reader_.Read(message.assignment_set())) HandleSet(*set);
  } else if (message.has_report_ack()) {
    const auto ends = reported_ends_.find(message.report_ack().report_id());
    if (ends == reported_ends_.end()) return;
    acknowledged_ends_.insert(ends->second.begin(), ends->second.end());
    reported_ends_.erase(ends);
  } else if (message.has_stop_confirmation()) {
    for (const std::string& arn : message.stop_confirmation().task_arns())
      tasks_[arn].must_stop = true;
  }
}

void FleetHost::HandleSet(const v1::AssignmentSet& set) {
  const bool is_complete = set.type() == v1::AssignmentSet::COMPLETE;
  if (!is_complete && set.applies_to() != results_in_) {
    violation_ = absl::StrCat("host ", number_, ": a set applies to ", set.applies_to(), ", after ",
                              results_in_.value_or(0));
  }
  results_in_ = set.results_in();
  if (is_complete) listed_.clear();
  for (const v1::Assignment& assignment : set.assignments()) {
    listed_.insert(assignment.task_arn());
    if (assignment.task_definition().container_definitions().empty())
      violation_ = absl::StrCat(assignment.task_arn(), " came without its task definition");
    const auto [task, is_new] = tasks_.try_emplace(assignment.task_arn());
    if (is_new) {
      task->second.memory_mib =
          ReservationOf(assignment.task_definition(), assignment.overrides()).memory_mib;
    }
    if (assignment.desired_status() == Status::STOPPED) task->second.must_stop = true;
  }
  if (!is_complete) return;
  v1::AgentMessage message;
  for (const std::string& arn : Unfinished()) {
    if (listed_.count(arn) == 0) message.mutable_stop_candidates()->add_task_arns(arn);
  }
  if (message.has_stop_candidates()) Send(std::move(message));
}

void FleetHost::Progress(Random* random, bool ends) {
  const std::set<std::string> unfinished = Unfinished();
  if (unfinished.empty()) return;
  const std::string arn =
      *std::next(unfinished.begin(), static_cast<std::ptrdiff_t>(random->Below(unfinished.size())));
  Task& task = tasks_[arn];
  if (task.must_stop || ends) {
    task.status = Status::STOPPED;
  } else if (task.status < Status::RUNNING) {
    task.status = static_cast<Status::Value>(task.status + 100);
  } else {
    return;
  }
  task.sequence = ++sequence_;
  Report({arn});
}

void FleetHost::Beat() {
  v1::AgentMessage message;
  message.mutable_heartbeat()->set_sequence(++beats_);
  message.mutable_heartbeat()->set_runtime_available(true);
  Send(std::move(message));
}

void FleetHost::ReportAll() {
  std::vector<std::string> arns;
  for (const auto& [arn, task] : tasks_) {
    if (acknowledged_ends_.count(arn) == 0) arns.push_back(arn);
  }
  Report(arns);
}

void FleetHost::Report(const std::vector<std::string>& arns) {
  if (session_id_.empty() || arns.empty()) return;
  v1::AgentMessage message;
  v1::StatusReport* report = message.mutable_status_report();
  report->set_report_id(++reports_);
  for (const std::string& arn : arns) {
    v1::TaskState* state = report->add_tasks();
    state->set_task_arn(arn);
    state->set_last_status(tasks_[arn].status);
    state->set_sequence(tasks_[arn].sequence);
    if (tasks_[arn].status == Status::STOPPED) reported_ends_[reports_].push_back(arn);
  }
  Send(std::move(message));
}

void FleetHost::Send(v1::AgentMessage message) {
  if (session_id_.empty()) return;
  message.set_session_id(session_id_);
  sessions_->Receive(stream_->id, std::move(message));
}

std::set<std::string> FleetHost::Unfinished() const {
  std::set<std::string> arns;
  for (const auto& [arn, task] : tasks_) {
    if (task.status != Status::STOPPED) arns.insert(arn);
  }
  return arns;
}

int64_t FleetHost::memory_in_use() const {
  int64_t sum = 0;
  for (const auto& [arn, task] : tasks_)
    sum += task.status == Status::STOPPED ? 0 : task.memory_mib;
  return sum;
}

}  // namespace davit::sim
