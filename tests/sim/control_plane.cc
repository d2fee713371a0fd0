#include "tests/sim/control_plane.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "controller/loop/assignment_queue.h"

namespace davit::sim {
using namespace controller;  // NOLINT(google-build-using-namespace): it is all about the controller

// The disk as the process sees it: commits can fail, or be the last thing that the process does.
class ControlPlane::Disk final : public store::Store {
 public:
  explicit Disk(ControlPlane* plane) : plane_(plane) {}

  absl::StatusOr<rows::Rows> LoadAll() override {
    if (plane_->fail_commits_) return absl::UnavailableError("the disk fails");
    return plane_->rows_.LoadAll();
  }

  void Commit(std::vector<store::CommandRows> commands, store::Fence fence, Done done) override {
    if (plane_->fail_commits_) return done(absl::UnavailableError("the disk fails"));
    if (absl::Status status = plane_->interference_.Before(); !status.ok()) return done(status);
    if (plane_->bug_ == Bug::kReportsLost && plane_->random_.Chance(0.05))
      return done(absl::OkStatus());
    absl::Status status;
    const std::vector<store::CommandRows> written = commands;
    plane_->rows_.Commit(std::move(commands), std::move(fence),
                         [&status](absl::Status result) { status = std::move(result); });
    if (!status.ok()) return done(status);
    for (const rows::Mutation* mutation : store::LastOfEachKey(written)) Tell(*mutation);
    done(plane_->interference_.After());
  }
  store::Limits limits() const override { return {}; }
  void Watch(Watcher /*watcher*/) override {}

 private:
  void Tell(const rows::Mutation& mutation) {
    if (const auto* task = std::get_if<rows::Ref<v1::StoredTask>>(&mutation.record)) {
      if (*task != nullptr) return plane_->witness_->OnCommit(**task);
      plane_->witness_->OnForgotten(mutation.key.substr(mutation.key.rfind('/') + 1));
    } else if (const auto* instance =
                   std::get_if<rows::Ref<v1::StoredContainerInstance>>(&mutation.record)) {
      plane_->witness_->OnCommit(**instance);
    }
  }

  ControlPlane* const plane_;
};

// The controller's half of a stream: what gateway/agent_stream.cc is over gRPC.
class ControlPlane::Sink final : public loop::AgentSink {
 public:
  Sink(std::shared_ptr<Connection> connection, Bug bug)
      : connection_(std::move(connection)), bug_(bug) {}

  void Queue(v1::ControllerMessage message) override {
    if (!is_ending_) queue_.Push(std::move(message));
  }
  void Queue(const std::string& session_id, change::Assignments assignments) override {
    if (!is_ending_) queue_.Push(session_id, std::move(assignments));
  }
  void QueueEnd() override { is_ending_ = true; }
  void Flush() override {
    while (!queue_.empty() && connection_->has_room()) {
      v1::ControllerMessage message = *queue_.Pop();
      if (bug_ != Bug::kNone && message.has_assignment_set())
        Spoil(message.mutable_assignment_set());
      connection_->SendDown(std::move(message));
    }
    if (queue_.empty() && is_ending_ && !std::exchange(is_finished_, true)) {
      connection_->SendDown(std::nullopt);
    }
  }

 private:
  void Spoil(v1::AssignmentSet* set) const {
    for (v1::TaskDefinition& definition : *set->mutable_task_definitions()) {
      for (v1::ContainerDefinition& container : *definition.mutable_container_definitions()) {
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
        sessions(&loop, nullptr, [ids] { return ids->Hex32(); }) {}

  static change::Options Options(Random* ids) {
    change::Options options;
    options.stopped_retention = kStoppedRetention;
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

void ControlPlane::Submit(const std::string& operation,
                          std::shared_ptr<const google::protobuf::Message> request,
                          loop::Done done) {
  running_->loop.Submit(model::CommandOf(model::FindOperation(operation), std::move(request)),
                        std::move(done));
}

const state::View& ControlPlane::view() const { return running_->loop.view(); }

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
      [sessions, id] { sessions->Close(id); }, [sink] { sink->Flush(); }};
}

}  // namespace davit::sim
