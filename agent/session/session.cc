#include "agent/session/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace davit::session {
namespace {

constexpr uint64_t kMissedHeartbeats = 3;
constexpr uint64_t kMaxEpochLead = 365 * 24 * 3600;  // seconds
// A controller that sends its agents away soon after it has welcomed them is not well: it must not
// make them hurry.
constexpr absl::Duration kLongSession = absl::Seconds(15);
// Timers stand still while the machine sleeps: so that its sleep is noticed soon after its end.
constexpr absl::Duration kCutOffCheckPeriod = absl::Seconds(30);

}  // namespace

Session::Session(const Deps& deps, v1::Hello hello, v1::RegistrationRecord registration)
    : deps_(deps),
      serial_(deps.control),
      hello_(std::move(hello)),
      registration_(std::move(registration)) {
  state_.container_instance_arn = registration_.container_instance_arn();
  state_.last_error = "not connected to a controller yet";
  BeginCutOff();
}

void Session::OnConnected(std::shared_ptr<Transport> transport, const std::string& controller) {
  serial_.Post([this, transport = std::move(transport), controller] {
    transport_ = transport;
    session_id_.clear();
    reports_.Clear();
    assignments_.Clear();
    results_in_ = 0;
    has_complete_set_ = false;
    has_ended_ = false;
    {
      MutexLock lock(&mu_);
      state_.controller = controller;
    }
    hello_.set_container_instance_arn(registration_.container_instance_arn());
    hello_.set_last_controller_epoch(registration_.controller_epoch());
    hello_.set_runtime_available(deps_.supervisor->runtime_available());
    v1::AgentMessage message;
    *message.mutable_hello() = hello_;
    transport_->Send(std::move(message));
  });
}

void Session::OnMessage(std::shared_ptr<Transport> transport, v1::ControllerMessage message) {
  serial_.Post([this, transport = std::move(transport), message = std::move(message)] {
    if (transport == transport_) Handle(message);
  });
}

void Session::OnDisconnected(const std::string& why) {
  serial_.Post([this, why] {
    const bool has_reason = std::exchange(has_ended_, false);  // a better reason than `why`
    transport_ = nullptr;
    session_id_.clear();
    reports_.Clear();
    BeginCutOff();
    MutexLock lock(&mu_);
    state_.connected = false;
    if (!has_reason) state_.last_error = why;
  });
}

bool Session::TakeBackoffReset() {
  MutexLock lock(&mu_);
  const std::optional<absl::Duration> welcomed_at = std::exchange(welcomed_at_, std::nullopt);
  const bool was_long = welcomed_at && deps_.clock->Monotonic() - *welcomed_at >= kLongSession;
  return std::exchange(is_restarting_, false) || was_long;
}

supervisor::SessionState Session::state() const {
  MutexLock lock(&mu_);
  return state_;
}

void Session::Handle(const v1::ControllerMessage& message) {
  if (message.has_welcome()) return HandleWelcome(message.session_id(), message.welcome());
  if (message.has_goodbye()) return HandleGoodbye(message.goodbye());
  if (session_id_.empty() || message.session_id() != session_id_) {
    return End(absl::StrCat("received a message of session '", message.session_id(),
                            "' in session '", session_id_, "'"));
  }
  if (message.has_assignment_set()) {
    if (const auto set = assignments_.Read(message.assignment_set())) HandleAssignments(*set);
  } else if (message.has_report_ack()) {
    for (const std::string& arn : reports_.Ack(message.report_ack().report_id()))
      deps_.supervisor->NoteAcked(arn);
    SendReports();
  } else if (message.has_heartbeat_ack()) {
    heartbeats_acked_ = std::max(heartbeats_acked_, message.heartbeat_ack().sequence());
    periods_without_answer_ = 0;
    period_ = absl::Milliseconds(std::max(message.heartbeat_ack().period_ms(), 100));
    ScheduleHeartbeat();
  } else if (message.has_stop_confirmation()) {
    const v1::StopConfirmation& stop = message.stop_confirmation();
    deps_.supervisor->Stop({stop.task_arns().begin(), stop.task_arns().end()}, stop.reason());
  }
}

// Epochs are seconds since 1970, unless a store counted on from one. One that is far in the future
// was never a controller's: whoever has it would refuse every controller for ever.
void Session::ForgetImpossibleEpoch(uint64_t offered) {
  const uint64_t seen = registration_.controller_epoch();
  const auto now =
      static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixSeconds(deps_.clock->Now()), 0));
  if (seen <= std::max(offered, now) + kMaxEpochLead) return;
  LogWarning("the controller epoch that the store has is impossible, and is forgotten",
             {{"stored", seen}, {"offered", offered}});
  registration_.set_controller_epoch(0);
}

void Session::HandleWelcome(const std::string& session_id, const v1::Welcome& welcome) {
  ForgetImpossibleEpoch(welcome.controller_epoch());
  if (welcome.controller_epoch() < registration_.controller_epoch()) {
    return End(absl::StrCat("controller of epoch ", welcome.controller_epoch(),
                            " was deposed by one of epoch ", registration_.controller_epoch()));
  }
  // After a sleep of the machine the timer may not have fired yet.
  CheckCutOff();
  cut_off_since_.reset();
  session_id_ = session_id;
  period_ = absl::Milliseconds(std::max(welcome.heartbeat_period_ms(), 100));
  if (registration_.container_instance_arn() != welcome.container_instance_arn() ||
      registration_.controller_epoch() != welcome.controller_epoch()) {
    registration_.set_cluster(hello_.cluster());
    registration_.set_ec2_instance_id(hello_.ec2_instance_id());
    registration_.set_container_instance_arn(welcome.container_instance_arn());
    registration_.set_controller_epoch(welcome.controller_epoch());
    deps_.store->SaveRegistration(registration_);
  }
  heartbeats_sent_ = heartbeats_acked_ = periods_without_answer_ = 0;
  {
    MutexLock lock(&mu_);
    state_.connected = true;
    state_.container_instance_arn = welcome.container_instance_arn();
    state_.last_error.clear();
    ++state_.connections;
    welcomed_at_ = deps_.clock->Monotonic();
  }
  LogInfo("registered with the controller",
          {{"container_instance_arn", welcome.container_instance_arn()},
           {"controller_epoch", welcome.controller_epoch()}});
  deps_.supervisor->ReportAll();
  // Availability may have changed since the Hello, when there was no session to report it.
  if (deps_.supervisor->runtime_available() != hello_.runtime_available()) return SendHeartbeat();
  ScheduleHeartbeat();
}

void Session::HandleAssignments(const v1::AssignmentSet& set) {
  const bool is_complete = set.type() == v1::AssignmentSet::COMPLETE;
  if (!is_complete && (!has_complete_set_ || set.applies_to() != results_in_)) {
    LogWarning("gap between assignment sets, requesting a complete one",
               {{"applies_to", set.applies_to()}, {"expected", results_in_}});
    v1::AgentMessage message;
    message.mutable_resync_request()->set_last_results_in(results_in_);
    has_complete_set_ = false;
    return Send(std::move(message));
  }
  if (set.results_in() < results_in_) {
    LogWarning("ignoring an assignment set older than the applied one",
               {{"results_in", set.results_in()}, {"applied", results_in_}});
    return;
  }
  results_in_ = set.results_in();
  has_complete_set_ = true;
  if (is_complete) listed_.clear();
  for (const v1::Assignment& assignment : set.assignments()) {
    listed_.insert(assignment.task_arn());
    deps_.supervisor->Assign(assignment);
  }
  if (is_complete) ProposeStops();
}

// Silence kills nothing: tasks that the sets lack are proposed to the controller, and run until it
// confirms their stop.
void Session::ProposeStops() {
  deps_.supervisor->ListUnfinished(
      [this, session_id = session_id_](const std::set<std::string>& arns) {
        serial_.Post([this, session_id, arns] {
          if (session_id != session_id_ || !has_complete_set_) return;  // the next set proposes
          v1::AgentMessage message;
          v1::StopCandidates* candidates = message.mutable_stop_candidates();
          candidates->set_of_set(results_in_);
          for (const std::string& arn : arns) {
            if (listed_.count(arn) == 0) candidates->add_task_arns(arn);
          }
          if (candidates->task_arns().empty()) return;
          LogInfo("tasks unknown to the controller run until it confirms their stop",
                  {{"tasks", candidates->task_arns_size()}});
          Send(std::move(message));
        });
      });
}

void Session::HandleGoodbye(const v1::Goodbye& goodbye) {
  {
    MutexLock lock(&mu_);
    is_restarting_ = goodbye.code() == v1::Goodbye::SHUTTING_DOWN;
    if (goodbye.code() != v1::Goodbye::STALE) welcomed_at_.reset();
  }
  LogWarning("controller ended the session",
             {{"code", v1::Goodbye::Code_Name(goodbye.code())}, {"reason", goodbye.reason()}});
  End(absl::StrCat(v1::Goodbye::Code_Name(goodbye.code()), ": ", goodbye.reason()));
}

// Each call replaces the timer of the one before, so an acknowledged heartbeat restarts the period.
void Session::ScheduleHeartbeat() {
  deps_.timers->After(period_, &serial_, [this, timer = ++heartbeat_timer_] {
    if (timer == heartbeat_timer_ && !session_id_.empty()) OnHeartbeatDue();
  });
}

void Session::OnHeartbeatDue() {
  if (heartbeats_sent_ > heartbeats_acked_ && ++periods_without_answer_ >= kMissedHeartbeats) {
    return End("the controller does not acknowledge heartbeats");
  }
  SendHeartbeat();
}

void Session::SendHeartbeat() {
  v1::AgentMessage message;
  v1::Heartbeat* heartbeat = message.mutable_heartbeat();
  heartbeat->set_sequence(++heartbeats_sent_);
  heartbeat->set_runtime_available(deps_.supervisor->runtime_available());
  heartbeat->set_impairment(deps_.impairment());
  Send(std::move(message));
  ScheduleHeartbeat();
}

void Session::Report(v1::TaskState state) {
  serial_.Post([this, state = std::move(state)]() mutable {
    if (session_id_.empty()) return;  // the next Welcome reports all of them
    reports_.Add(std::move(state));
    SendReports();
  });
}

void Session::HealthChanged() {
  serial_.Post([this] {
    if (!session_id_.empty()) SendHeartbeat();
  });
}

void Session::OrphansFound() {
  serial_.Post([this] {
    if (has_complete_set_) ProposeStops();  // else the next set proposes
  });
}

void Session::SendReports() {
  while (std::optional<v1::StatusReport> report = reports_.Next()) {
    v1::AgentMessage message;
    *message.mutable_status_report() = *std::move(report);
    Send(std::move(message));
  }
}

void Session::Send(v1::AgentMessage message) {
  if (transport_ == nullptr) return;
  message.set_session_id(session_id_);
  transport_->Send(std::move(message));
}

void Session::End(const std::string& why) {
  LogWarning("session ended", {{"reason", why}});
  session_id_.clear();
  has_ended_ = true;
  BeginCutOff();
  {
    MutexLock lock(&mu_);
    state_.connected = false;
    state_.last_error = why;
  }
  // From now on, ignore messages that the controller sent before it noticed the end.
  if (const auto transport = std::exchange(transport_, nullptr)) transport->Close();
}

void Session::BeginCutOff() {
  if (deps_.stop_after_disconnect <= absl::ZeroDuration() || cut_off_since_) return;
  cut_off_since_ = deps_.clock->MonotonicWithSleep();
  has_stopped_all_ = false;
  CheckCutOff();
}

void Session::CheckCutOff() {
  if (!cut_off_since_ || has_stopped_all_) return;
  const absl::Duration left =
      *cut_off_since_ + deps_.stop_after_disconnect - deps_.clock->MonotonicWithSleep();
  if (left <= absl::ZeroDuration()) return StopAllTasks();
  deps_.timers->After(std::min(left, kCutOffCheckPeriod), &serial_,
                      [this, timer = ++cut_off_timer_] {
                        if (timer == cut_off_timer_) CheckCutOff();
                      });
}

// Called at most once between two sessions: no task can be assigned without a session.
void Session::StopAllTasks() {
  has_stopped_all_ = true;
  const std::string reason = absl::StrCat(
      "agent was disconnected from the controller for longer than stop_after_disconnect (",
      absl::FormatDuration(deps_.stop_after_disconnect), ")");
  LogWarning("stopping all tasks", {{"reason", reason}});
  deps_.supervisor->ListUnfinished(
      [supervisor = deps_.supervisor, reason](const std::set<std::string>& arns) {
        supervisor->Stop({arns.begin(), arns.end()}, reason);
      });
}

}  // namespace davit::session
