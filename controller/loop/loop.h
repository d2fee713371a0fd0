#ifndef DAVIT_CONTROLLER_LOOP_LOOP_H_
#define DAVIT_CONTROLLER_LOOP_LOOP_H_

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/timers.h"
#include "controller/model/model.h"
#include "controller/state/view.h"
#include "controller/store/store.h"

namespace davit::controller::loop {

using model::Answer;
using model::Command;
using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

// Who carries out the effects of commands (agent_sessions.h). Called on the writer only; must not
// block.
class EffectListener {
 public:
  virtual ~EffectListener() = default;
  virtual void OnEffect(change::Effect effect) = 0;
  // After the effects of commands that became durable together.
  virtual void Flush() = 0;
  // The model is lost, and will be rebuilt from the store: what the sessions believe is void, and
  // all of them must be ended.
  virtual void OnModelLost() = 0;
};

// What the loop has done since the start, for metrics. Read on any thread.
struct LoopCounts {
  std::atomic<uint64_t> commands = 0;
  std::atomic<uint64_t> refused = 0;  // because too many were waiting
  std::atomic<uint64_t> commits = 0;
  std::atomic<uint64_t> failed_commits = 0;
  std::atomic<int64_t> commit_microseconds = 0;  // of all commits together
};

// The one writer of the cluster's state. Commands wait in one queue and are applied in order; what
// they change is committed in batches, in the background, while further commands are applied. A
// command is answered, its effects are carried out and reads see it once it and everything before
// it is durable: so nothing that anybody has seen is ever lost. Lazy mutations (rows::Durability)
// do not wait: they are written with the next commit, or at the next tick.
//
// A commit that fails answers every command that is not yet durable with Unavailable. The model is
// then loaded from the store again, and until that succeeds all commands are refused; reads go on
// with what was durable.
//
// Submit() and Ping() are thread-safe and never block. All else runs as work on `writer`, which
// must run one piece at a time. In simulations `writer`, `clock`, `timers` and `store` are fakes.
class Loop {
 public:
  struct Deps {
    change::Options options;
    store::Store* store;
    const Clock* clock;
    Executor* writer;
    Timers* timers;
  };
  // Borrowed: all of Deps. The store must have finished its commits before this is destroyed.
  explicit Loop(Deps deps) : deps_(std::move(deps)), view_(deps_.options.place) {}

  // Loads the model from the store, whose rows are migrated if an older version wrote them. Blocks
  // on the disk; call once, before anything else. DataLoss, FailedPrecondition, ...: the store's
  // rows cannot be used.
  absl::Status Start(EffectListener* listener);

  // `done` is called once. It is called on the writer when the command is durable or has failed; or
  // within this call, with ResourceExhausted, if too many commands wait already, or with
  // Unavailable, if Health() is bad.
  void Submit(Command command, Done done);
  // Of an agent, or of the controller itself: never refused. Whoever calls this bounds how many
  // commands it has under way.
  void SubmitAlways(Command command, Done done = nullptr);
  // Runs `pong` on the writer. It proves that the writer works, also while a commit hangs.
  void Ping(Work pong) { deps_.writer->Post(std::move(pong)); }

  // What is durable. Thread-safe.
  const state::View& view() const { return view_; }
  // Unavailable: the store cannot be read or written, or a commit has taken too long. Thread-safe.
  absl::Status Health() const;
  // How many commands wait to be applied. Thread-safe.
  size_t Depth() const;
  const LoopCounts& counts() const { return counts_; }

 private:
  struct Item {
    Command command;
    Done done;
  };
  // A command that was applied.
  struct Applied {
    Done done;
    model::Outcome outcome;
  };
  // Commands that are committed together.
  struct Batch {
    std::vector<Applied> commands;
    std::vector<store::CommandRows> rows;
    size_t row_count = 0;
    bool is_durable = false;
    absl::Duration begun;  // monotonic
  };

  void Enqueue(Item item);
  // All of these on the writer only.
  void RunQueue();
  void Run(Item item);
  void Add(Done done, model::Outcome outcome);
  void Refuse(Done done);
  void Seal();
  void BeginCommit();
  void OnCommitted(uint64_t generation, absl::Status status);
  void PublishDurable();
  void Publish(Batch batch);
  void Fail(const absl::Status& failure);
  absl::Status Load();
  void BeginLoaded();
  absl::Status MigrateRows(rows::Rows* rows);
  void TryToReload();
  void Tick();
  void ArmTick();
  bool IsFull() const;
  change::Instant Now() const { return {deps_.clock->Now(), deps_.clock->Monotonic()}; }

  const Deps deps_;
  EffectListener* listener_ = nullptr;  // constant after Start()
  state::View view_;
  LoopCounts counts_;

  // Writer only.
  std::unique_ptr<model::Model> model_;  // null: lost
  Batch open_;                           // applied, not yet given to the store
  std::deque<Batch> in_flight_;          // given to the store, the oldest first
  int commits_in_flight_ = 0;
  std::map<std::string, rows::Mutation> lazy_;  // the newest unwritten one of each key
  store::Fence fence_;
  uint64_t generation_ = 0;  // rises when the model is lost: late answers of the store are ignored
  int failed_loads_ = 0;     // in a row
  absl::Duration next_load_;

  mutable Mutex mu_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mu_);
  bool is_scheduled_ ABSL_GUARDED_BY(mu_) = false;  // RunQueue() is posted
  bool is_full_ ABSL_GUARDED_BY(mu_) = false;       // waits for a commit before it applies more
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  absl::Duration oldest_commit_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();  // since when
};

}  // namespace davit::controller::loop

#endif  // DAVIT_CONTROLLER_LOOP_LOOP_H_
