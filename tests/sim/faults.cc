// What goes wrong in a history, and how it ends.
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/sim/simulation.h"

namespace davit::sim {
namespace {

constexpr absl::Duration kLongestFault = absl::Seconds(60);
constexpr double kWorkRate = 0.03;  // requests per step

// For the trace, in the order of Fault.
constexpr const char* kNames[] = {"the agent is killed",
                                  "the agent will be killed in a call",
                                  "the host loses power",
                                  "the controller is killed",
                                  "the controller will be killed in a commit",
                                  "the controller's disk fails",
                                  "the runtime cannot be reached",
                                  "calls into the host fail at random",
                                  "a shim is killed",
                                  "a container runs out of memory",
                                  "a pool hangs",
                                  "the agent is stopped (SIGSTOP)",
                                  "the controller is stopped (SIGSTOP)",
                                  "nothing becomes durable",
                                  "a connection breaks",
                                  "the host is partitioned",
                                  "a message comes twice",
                                  "the agent's state is lost",
                                  "the agent's database is damaged",
                                  "the disk is cloned",
                                  "the wall clock is set",
                                  "the controller's wall clock is set",
                                  "a message comes that nobody has sent",
                                  "another agent has the same identity"};

}  // namespace

void Simulation::Disturb() {
  if (random_.Chance(kWorkRate)) MakeWork();
  if (random_.Chance(fault_rate_)) {
    ++result_.faults;
    const size_t fault = random_.Below(std::size(kNames));
    Inflict(static_cast<Fault>(fault), kNames[fault]);
  }
}

void Simulation::Inflict(Fault fault, const std::string& name) {
  const absl::Duration length = random_.Within(kLongestFault);
  Process* const controller = control_plane_.process();
  switch (fault) {
    case Fault::kKillController:
      control_plane_.Crash();
      break;
    case Fault::kKillControllerInCommit:
      control_plane_.CrashAtCommit(static_cast<int>(1 + random_.Below(10)));
      break;
    case Fault::kFailCommits:
      control_plane_.FailCommits(true);
      Later(length, [this] { control_plane_.FailCommits(false); });
      break;
    case Fault::kPauseController:
      if (controller != nullptr) controller->Pause(clock_.Monotonic() + length);
      break;
    case Fault::kCut:
      network_.CutOne(&random_);
      break;
    case Fault::kDuplicate:
      network_.DuplicateOne(&random_);
      break;
    case Fault::kSetControllerClock:
      control_plane_.clock()->Jump(RandomJump());
      witness_.OnControllerClockSet();
      break;
    default:
      return InflictOnHost(fault, name, random_.Below(hosts_.size()));
  }
  Say(absl::StrCat("fault: ", name));
  Later(random_.Within(kLongestAbsence), [this] { StartController(); });
}

void Simulation::InflictOnHost(Fault fault, const std::string& name, size_t number) {
  Host* const host = hosts_[number].get();
  const absl::Duration length = random_.Within(kLongestFault);
  const absl::Duration until = clock_.Monotonic() + length;
  const std::set<std::string> live = witness_.LiveOn(number);
  const std::string victim =
      live.empty() ? "" : *std::next(live.begin(), static_cast<int>(random_.Below(live.size())));
  Process* const agent = host->agent_process();
  Say(absl::StrCat("fault on host ", number, ": ", name, " (for ", absl::FormatDuration(length),
                   ", container ", victim, ")"));
  switch (fault) {
    case Fault::kKillAgent:
      host->CrashAgent();
      break;
    case Fault::kReboot:
      host->Reboot();
      break;
    case Fault::kKillAgentInCall:
      if (agent != nullptr)
        host->interference()->killed_in = static_cast<int>(1 + random_.Below(20));
      break;
    case Fault::kFailCalls:
      if (agent != nullptr) host->interference()->failure_rate = 0.3 * random_.Uniform();
      Later(length, [host] {
        if (host->interference() != nullptr) host->interference()->failure_rate = 0;
      });
      break;
    case Fault::kLoseRuntime:
      host->runtime()->SetReachable(false);
      Later(length, [host] { host->runtime()->SetReachable(true); });
      break;
    case Fault::kKillShim:
      if (!victim.empty()) host->KillShim(victim);
      break;
    case Fault::kOutOfMemory:
      if (!victim.empty()) host->RunOutOfMemory(victim);
      break;
    case Fault::kStallPool:
      if (agent != nullptr) agent->pools[random_.Below(agent->pools.size())].Stall(until);
      break;
    case Fault::kPauseAgent:
      if (agent != nullptr) agent->Pause(until);
      break;
    case Fault::kHoldDisk:
      host->HoldDisk(until);
      break;
    case Fault::kPartition:
      Partition(number);
      break;
    case Fault::kLoseStore:
    case Fault::kDamageStore:
      if (random_.Chance(0.2)) host->Reboot();
      host->LoseStore(fault == Fault::kLoseStore);
      break;
    case Fault::kCloneDisk:
      if (random_.Chance(0.7)) return;  // its tasks are lost to the history
      if (random_.Chance(0.5)) host->Reboot();
      host->BecomeAnotherInstance();
      break;
    case Fault::kSetClock:
      host->clock()->Jump(RandomJump());
      witness_.OnClockSet(number);
      break;
    case Fault::kSayNonsense:
      SayNonsense(number);
      break;
    case Fault::kTwin:
      AddTwin(number, length);
      break;
    default:
      break;
  }
  Later(random_.Within(kLongestAbsence), [host] { host->StartAgent(); });
}

// One way or both. gRPC gives a connection up that is silent for too long.
void Simulation::Partition(size_t host) {
  const absl::Duration until = clock_.Monotonic() + random_.Within(kLongestFault);
  davit::sim::Partition* const partition = network_.partition(host);
  const size_t direction = random_.Below(3);
  if (direction != 0) partition->up_until = until;
  if (direction != 1) partition->down_until = until;
  if (random_.Chance(0.5)) Later(absl::Seconds(20), [this] { network_.CutOne(&random_); });
}

absl::Duration Simulation::RandomJump() {
  const absl::Duration lengths[] = {absl::Seconds(1), absl::Seconds(100), absl::Hours(3),
                                    absl::Hours(240)};
  const absl::Duration length = random_.Within(lengths[random_.Below(std::size(lengths))]);
  return random_.Chance(0.5) ? length : -length;
}

bool Simulation::IsOn(size_t host, const v1::StoredTask& row) const {
  return witness_.InstanceOf(row) == hosts_[host]->InstanceId();
}

void Simulation::SayNonsense(size_t host) {
  Connection* const connection = network_.Newest(host);
  if (connection == nullptr) return;
  v1::AgentMessage up;
  v1::ControllerMessage down;
  switch (random_.Below(5)) {
    case 0:
      up.mutable_resync_request();
      return connection->InjectUp(std::move(up));
    case 1:  // of a task that nobody knows, and of all that run elsewhere
      up.mutable_status_report()->set_report_id(1'000'000);
      up.mutable_status_report()->add_tasks()->set_task_arn(
          absl::StrCat("arn:aws:ecs:us-east-1:000000000000:task/default/", random_.Hex32()));
      for (const auto& [id, row] : witness_.rows()) {
        if (IsOn(host, row)) continue;
        up.mutable_status_report()->add_tasks()->set_task_arn(ArnOf(row));
      }
      for (v1::TaskState& state : *up.mutable_status_report()->mutable_tasks()) {
        state.set_last_status(v1::TaskStatus::STOPPED);
      }
      return connection->InjectUp(std::move(up));
    case 2:  // all that is wanted: the controller must confirm none of it
      for (const auto& [id, row] : witness_.rows()) {
        if (row.desired_status() == v1::TaskStatus::STOPPED) continue;
        if (IsOn(host, row)) up.mutable_stop_candidates()->add_task_arns(ArnOf(row));
      }
      return connection->InjectUp(std::move(up));
    case 3:
      return connection->ReplayComplete();
    default:  // with a gap: nothing of it is to be done
      down.mutable_assignment_set()->set_type(v1::AssignmentSet::INCREMENTAL);
      down.mutable_assignment_set()->set_applies_to(1'000'000);
      down.mutable_assignment_set()->set_results_in(1'000'001);
      for (const auto& [id, row] : witness_.rows()) {
        v1::Assignment* assignment = down.mutable_assignment_set()->add_assignments();
        assignment->set_task_arn(ArnOf(row));
        assignment->set_desired_status(v1::TaskStatus::STOPPED);
      }
      return connection->InjectDown(std::move(down));
  }
}

void Simulation::AddTwin(size_t host, absl::Duration length) {
  v1::AgentMessage hello;
  *hello.mutable_hello() = hosts_[host]->Hello();
  hello.mutable_hello()->set_agent_instance_id("twin");
  if (random_.Chance(0.5)) hello.mutable_hello()->set_boot_id("another machine's");
  const auto connection = network_.DialAsTwin(host, {[](const v1::ControllerMessage&) {}, [] {}});
  connection->SendUp(std::move(hello));
  Later(length, [connection] { connection->DropAgent(); });
}

void Simulation::Heal() {
  Say("nothing fails from now on");
  control_plane_.FailCommits(false);
  control_plane_.CrashAtCommit(0);
  StartController();
  if (control_plane_.process() != nullptr) control_plane_.process()->Pause(absl::ZeroDuration());
  for (size_t i = 0; i < hosts_.size(); ++i) {
    Host* const host = hosts_[i].get();
    *network_.partition(i) = {};
    host->runtime()->SetReachable(true);
    host->HoldDisk(absl::ZeroDuration());
    host->CalmDown();
    host->StartAgent();
    host->agent_process()->Pause(absl::ZeroDuration());
    for (Pool& pool : host->agent_process()->pools) pool.Stall(absl::ZeroDuration());
    host->interference()->killed_in = 0;
    host->interference()->failure_rate = 0;
  }
}

}  // namespace davit::sim
