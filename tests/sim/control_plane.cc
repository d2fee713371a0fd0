#include "tests/sim/control_plane.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "controller/loop/assignment_queue.h"
#include "controller/placement/placement.h"

namespace davit::sim {
// The disk as the process sees it: commits can fail, or be the last thing that the process does.
class ControlPlane::Disk final : public cluster_store::Store {
 public:
  explicit Disk(ControlPlane* plane) : plane_(plane) {}

  absl::StatusOr<cluster_store::Rows> LoadAll() override { return plane_->rows_.LoadAll(); }

  absl::Status Commit(absl::Span<const cluster::Mutation> mutations) override {
    if (plane_->fail_commits_) return absl::UnavailableError("the disk fails");
    if (absl::Status status = plane_->interference_.Before(); !status.ok()) return status;
    if (plane_->bug_ == Bug::kReportsLost && plane_->random_.Chance(0.05)) return absl::OkStatus();
    if (absl::Status status = plane_->rows_.Commit(mutations); !status.ok()) return status;
    for (const cluster::Mutation& mutation : mutations) Tell(mutation);
    return plane_->interference_.After();
  }

 private:
  void Tell(const cluster::Mutation& mutation) {
    if (absl::StartsWith(mutation.key, "task/") && !mutation.value.has_value()) {
      plane_->witness_->OnForgotten(mutation.key.substr(mutation.key.rfind('/') + 1));
    } else if (absl::StartsWith(mutation.key, "task/")) {
      plane_->witness_->OnCommit(Parse<v1::StoredTask>(*mutation.value));
    } else if (absl::StartsWith(mutation.key, "instance/")) {
      plane_->witness_->OnCommit(Parse<v1::StoredContainerInstance>(*mutation.value));
    }
  }

  template <typename Row>
  static Row Parse(const std::string& value) {
    Row row;
    if (!row.ParseFromString(value)) std::abort();
    return row;
  }

  ControlPlane* const plane_;
};

// The controller's half of a stream: what gateway/agent_stream.cc is over gRPC.
class ControlPlane::Sink final : public loop::AgentSink {
 public:
  Sink(std::shared_ptr<Connection> connection, Bug bug)
      : connection_(std::move(connection)), bug_(bug) {}

  void Send(v1::ControllerMessage message) override {
    if (is_ending_) return;
    if (bug_ != Bug::kNone && message.has_assignment_set()) Spoil(message.mutable_assignment_set());
    queue_.Push(std::move(message));
    Write();
  }
  void End() override {
    if (std::exchange(is_ending_, true)) return;
    Write();
  }
  void Write() {
    while (!queue_.empty() && connection_->has_room()) connection_->SendDown(queue_.Pop());
    if (queue_.empty() && is_ending_ && !std::exchange(is_finished_, true)) {
      connection_->SendDown(std::nullopt);
    }
  }

 private:
  void Spoil(v1::AssignmentSet* set) const {
    for (v1::Assignment& assignment : *set->mutable_assignments()) {
      for (v1::ContainerDefinition& container :
           *assignment.mutable_task_definition()->mutable_container_definitions()) {
        if (bug_ == Bug::kOrderForgotten) container.clear_depends_on();
        if (bug_ == Bug::kPolicyForgotten) container.clear_restart_policy();
        if (bug_ != Bug::kRestartsTooSoon || !container.has_restart_policy()) continue;
        container.mutable_restart_policy()->set_restart_attempt_period(1);
      }
    }
  }

  const std::shared_ptr<Connection> connection_;
  const Bug bug_;
  loop::AssignmentQueue queue_;
  bool is_ending_ = false;
  bool is_finished_ = false;
};

struct ControlPlane::Running {
  Running(ControlPlane* plane, Random* ids)
      : process(plane->world_clock_, {1}),
        disk(plane),
        loop({Options(ids), &disk, &plane->clock_, &process.pools[0], &process.timers}),
        sessions(&loop, [ids] { return ids->Hex32(); }) {}

  static cluster::ModelOptions Options(Random* ids) {
    cluster::ModelOptions options;
    options.stopped_retention = kStoppedRetention;
    options.place_tasks = placement::Place;
    options.new_id = [ids] { return ids->Hex32(); };
    return options;
  }

  Process process;
  Disk disk;
  loop::Loop loop;
  loop::AgentSessions sessions;
};

ControlPlane::ControlPlane(test::FakeClock* clock, Network* network, Witness* witness,
                           Random random, Bug bug)
    : world_clock_(clock),
      clock_(clock),
      network_(network),
      witness_(witness),
      bug_(bug),
      random_(random),
      interference_(random_.Fork()) {
  network_->Listen(
      [this](const std::shared_ptr<Connection>& connection) { return Accept(connection); });
}

ControlPlane::~ControlPlane() { network_->Listen(nullptr); }

bool ControlPlane::Start() {
  if (running_ != nullptr) return true;
  running_ = std::make_unique<Running>(this, &random_);
  try {
    if (running_->loop.Start(&running_->sessions).ok()) return true;
  } catch (const Killed&) {
  }
  running_ = nullptr;
  return false;
}

void ControlPlane::Crash() {
  if (running_ == nullptr) return;
  interference_.killed_in = 0;
  network_->DropController();
  running_ = nullptr;
}

Process* ControlPlane::process() { return running_ == nullptr ? nullptr : &running_->process; }

void ControlPlane::Submit(cluster::Command command, loop::Done done) {
  running_->loop.Submit(std::move(command), std::move(done));
}

std::optional<Connection::ControllerSide> ControlPlane::Accept(
    const std::shared_ptr<Connection>& connection) {
  if (running_ == nullptr) return std::nullopt;
  auto sink = std::make_shared<Sink>(connection, bug_);
  loop::AgentSessions* const sessions = &running_->sessions;
  const std::string id = sessions->Open(sink);
  return Connection::ControllerSide{
      [this, sessions, id](v1::AgentMessage message) {
        for (const v1::TaskState& state : message.status_report().tasks()) {
          witness_->OnReport(state);
        }
        sessions->Receive(id, std::move(message));
      },
      [sessions, id] { sessions->Close(id); }, [sink] { sink->Write(); }};
}

}  // namespace davit::sim
