// What a controller may say to an agent's session, in any order, among disconnections, restarts of
// the agent and ends of containers. The input is a script (byte_source.h):
//   D       dial                        B     the connection breaks
//   W e p   Welcome of epoch e          G c   Goodbye with code c
//   S t n (k s){n}   AssignmentSet: t 0 COMPLETE, 1 INCREMENTAL, 2 one with a gap; tasks k, to run
//                    (s 0), to stop (1) or something else
//   A k BYTES;       a set with task k whose definition is the rest, a TaskDefinition as its bytes
//   H s p   HeartbeatAck of sequence s  R r   ReportAck of report r
//   C n k{n}  StopConfirmation of tasks
//   M BYTES;  any ControllerMessage, as its bytes    I   the next message is another session's
//   P n     2^n tenths of a second pass X k c  a container of task k ends with code c
//   K       the agent is killed and started again
#include <google/protobuf/stubs/logging.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "base/ids.h"
#include "base/log.h"
#include "tests/agent/session/session_fixture.h"
#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {
namespace {

constexpr int kMaxSteps = 60;
constexpr int kTasks = 16;

// What could reach the machine that fuzzes: the files of tasks are real ones.
void MakeHarmless(v1::TaskDefinition* definition) {
  definition->clear_volumes();
  for (v1::ContainerDefinition& container : *definition->mutable_container_definitions()) {
    container.clear_secrets();
    container.clear_environment_files();
    container.clear_linux_parameters();
    container.clear_mount_points();
  }
  definition->clear_ipc_mode();
}

class Controller {
 public:
  void Step(ByteSource* bytes) {
    switch (bytes->Letter("DBWGSAHRCMIPXK")) {
      case 'D':
        return Dial();
      case 'B':
        return agent_.Disconnect();
      case 'W':
        return Say([&](auto* m) {
          m->mutable_welcome()->set_controller_epoch(static_cast<uint64_t>(bytes->Number()));
          m->mutable_welcome()->set_container_instance_arn(
              "arn:aws:ecs:r:a:container-instance/c/1");
          m->mutable_welcome()->set_heartbeat_period_ms((1 + bytes->Number()) * 1000);
        });
      case 'G':
        return Say([&](auto* m) {
          m->mutable_goodbye()->set_code(static_cast<v1::Goodbye::Code>(bytes->Number()));
        });
      case 'S':
        return SendSet(bytes);
      case 'A':
        return SendAnyTask(bytes);
      case 'H':
        return Say([&](auto* m) {
          m->mutable_heartbeat_ack()->set_sequence(static_cast<uint64_t>(bytes->Number()));
          m->mutable_heartbeat_ack()->set_period_ms((bytes->Number() - 1) * 1000);
        });
      case 'R':
        return Say([&](auto* m) {
          m->mutable_report_ack()->set_report_id(static_cast<uint64_t>(bytes->Number()));
        });
      case 'C':
        return Say([&](auto* m) {
          for (int left = bytes->Number(); left > 0; --left) {
            m->mutable_stop_confirmation()->add_task_arns(Task(bytes->Number()).task_arn());
          }
        });
      case 'M':
        return SendAny(bytes);
      case 'I':
        is_foreign_ = true;
        return;
      case 'P':
        return agent_.host.Pass(absl::Milliseconds(100) * (1 << bytes->Number() % 13));
      case 'X':
        return agent_.host.runtime.Exit(test::ContainerId(Task(bytes->Number())), bytes->Number());
      case 'K':
        agent_.StopAgent();
        Check();  // before what was told to the old one is forgotten
        agent_.StartAgent();
        agent_.transport = nullptr;
        return;
    }
  }

  // Of all that the agent has sent since the last call.
  void Check() {
    if (agent_.transport == nullptr) return;
    const std::vector<v1::AgentMessage>& sent = agent_.transport->sent;
    for (; seen_ < sent.size(); ++seen_) {
      const v1::AgentMessage& message = sent[seen_];
      Must(message.has_hello() == (seen_ == 0));
      Must(message.has_hello() || !message.session_id().empty());
      Must(message.IsInitialized());
      if (!message.has_status_report()) continue;
      Must(message.status_report().report_id() > last_report_);
      last_report_ = message.status_report().report_id();
      for (const v1::TaskState& state : message.status_report().tasks()) CheckState(state);
    }
  }

  // What runs was assigned: nothing is made of what no set has listed.
  void CheckHost() {
    const auto containers = agent_.host.runtime.List();
    Must(containers.ok());
    for (const runtime::ContainerInfo& container : *containers) {
      Must(assigned_ids_.count(container.id.substr(0, container.id.find('-'))) == 1);
    }
  }

 private:
  // Tasks 8 and above have two containers.
  static v1::Assignment Task(int number) {
    return test::MakeAssignment(number % kTasks, number % kTasks >= kTasks / 2);
  }

  void Dial() {
    Check();
    agent_.Dial();
    seen_ = 0;
    last_report_ = 0;
    sequences_.clear();
    last_set_ = 0;
  }

  template <typename Write>
  void Say(Write write) {
    v1::ControllerMessage message;
    write(&message);
    Receive(std::move(message));
  }
  void Receive(v1::ControllerMessage message) {
    if (agent_.transport == nullptr) return;
    agent_.Receive(std::move(message), std::exchange(is_foreign_, false) ? "s2" : "s1");
  }

  void Add(v1::Assignment assignment, v1::AssignmentSet* set) {
    assigned_ids_.insert(ShortId(assignment.task_arn()));
    *set->add_assignments() = std::move(assignment);
  }
  void Number(int kind, v1::AssignmentSet* set) {
    set->set_type(kind == 0 ? v1::AssignmentSet::COMPLETE : v1::AssignmentSet::INCREMENTAL);
    if (kind > 0) set->set_applies_to(kind == 1 ? last_set_ : last_set_ + 7);
    set->set_results_in(++last_set_);
  }

  void SendSet(ByteSource* bytes) {
    v1::ControllerMessage message;
    v1::AssignmentSet* set = message.mutable_assignment_set();
    Number(bytes->Number() % 3, set);
    for (int left = bytes->Number(); left > 0; --left) {
      v1::Assignment assignment = Task(bytes->Number());
      constexpr int kStatuses[] = {v1::TaskStatus::RUNNING, v1::TaskStatus::STOPPED, 0, 450};
      assignment.set_desired_status(
          static_cast<v1::TaskStatus::Value>(kStatuses[bytes->Number() % 4]));
      Add(std::move(assignment), set);
    }
    Receive(std::move(message));
  }

  void SendAnyTask(ByteSource* bytes) {
    v1::Assignment assignment = Task(bytes->Number());
    if (!assignment.mutable_task_definition()->ParseFromString(bytes->Until(';'))) return;
    MakeHarmless(assignment.mutable_task_definition());
    v1::ControllerMessage message;
    Number(1, message.mutable_assignment_set());
    Add(std::move(assignment), message.mutable_assignment_set());
    Receive(std::move(message));
  }

  void SendAny(ByteSource* bytes) {
    v1::ControllerMessage message;
    if (!message.ParseFromString(bytes->Until(';'))) return;
    if (message.has_assignment_set()) {
      for (v1::Assignment& assignment : *message.mutable_assignment_set()->mutable_assignments()) {
        MakeHarmless(assignment.mutable_task_definition());
        assigned_ids_.insert(ShortId(assignment.task_arn()));
      }
      last_set_ = message.assignment_set().results_in();
    }
    Receive(std::move(message));
  }

  void CheckState(const v1::TaskState& state) {
    Must(!state.task_arn().empty());
    Must(state.stopped_reason().size() <= 1024);
    uint64_t& sequence = sequences_[state.task_arn()];
    Must(state.sequence() > sequence || stopped_.count(state.task_arn()) == 1);
    sequence = state.sequence();
    const bool is_stopped = state.last_status() == v1::TaskStatus::STOPPED;
    // What is over is over, for the later lives of the agent too.
    Must(is_stopped || stopped_.count(state.task_arn()) == 0);
    if (is_stopped) stopped_.insert(state.task_arn());
  }

  test::SessionFixture agent_{absl::Minutes(10)};
  bool is_foreign_ = false;
  uint64_t last_set_ = 0;
  std::set<std::string> assigned_ids_;
  // Of the connection.
  size_t seen_ = 0;
  uint64_t last_report_ = 0;
  std::map<std::string, uint64_t> sequences_;
  std::set<std::string> stopped_;  // of all connections
};

}  // namespace

int FuzzControllerMessage(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer silence;  // it would report each string that is not UTF-8
  static const bool is_quiet = (SetUpLog(LogLevel::kOff, LogFormat::kLogfmt), true);
  static_cast<void>(is_quiet);
  ByteSource bytes(data, size);
  Controller controller;
  for (int step = 0; step < kMaxSteps && !bytes.empty(); ++step) {
    controller.Step(&bytes);
    controller.Check();
  }
  controller.CheckHost();
  return 0;
}

}  // namespace davit::fuzz
