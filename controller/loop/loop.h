#ifndef DAVIT_CONTROLLER_LOOP_LOOP_H_
#define DAVIT_CONTROLLER_LOOP_LOOP_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/timers.h"
#include "controller/cluster/model.h"
#include "controller/store/store.h"

namespace davit::loop {

using Answer = std::shared_ptr<const google::protobuf::Message>;
using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;
using Query = absl::AnyInvocable<absl::StatusOr<Answer>(const cluster::Model&)>;

// Who carries out what the model wants done outside (agent_sessions.h). Called on the writer only;
// must not block.
class EffectListener {
 public:
  virtual ~EffectListener() = default;
  virtual void OnEffect(const cluster::Effect& effect) = 0;
  // The model was rebuilt from the store: what the sessions believe is void, and all of them must
  // be ended.
  virtual void OnModelReloaded() = 0;
};

// What the loop has done so far, for metrics. Read on the writer.
struct LoopCounts {
  uint64_t commands = 0;
  uint64_t commits = 0;
  uint64_t failed_commits = 0;
  absl::Duration commit_time;  // of all commits together
};

// The one writer of the cluster's state: commands and queries go into one queue; a batch of them is
// applied in order, what they changed is committed in one transaction, and only then they are
// answered and their effects carried out. So nothing that anybody has seen is ever lost, and a
// query sees every command that was answered before it was asked. A commit that fails answers the
// whole batch with Unavailable and reloads the model from the store.
//
// Submit() and Ask() are thread-safe and never block. All else runs as work on `writer`, which must
// run one piece at a time. In simulations `writer`, `clock`, `timers` and `store` are fakes.
class Loop {
 public:
  struct Deps {
    cluster::ModelOptions model;
    cluster_store::Store* store;
    const Clock* clock;
    Executor* writer;
    Timers* timers;
  };
  // Borrowed: all of Deps.
  explicit Loop(Deps deps) : deps_(std::move(deps)) {}

  // Loads the model from the store and raises the epoch. Blocks on the disk; call once, before
  // anything else and before work runs on `writer`. DataLoss, ...: the store's rows cannot be used.
  absl::Status Start(EffectListener* listener);

  // `done` is called on the writer, after the commit.
  void Submit(cluster::Command command, Done done);
  void Submit(cluster::Command command) { Submit(std::move(command), nullptr); }
  void Ask(Query query, Done done);
  // How many commands and queries wait. Thread-safe.
  size_t Depth() const;
  // On the writer only (inside a Query).
  const LoopCounts& counts() const { return counts_; }

 private:
  struct Item {
    std::variant<cluster::Command, Query> work;
    Done done;
  };
  struct Result {
    Done done;
    absl::StatusOr<Answer> answer;
    std::vector<cluster::Effect> effects;
  };

  void Enqueue(Item item);
  void RunBatch();
  Result RunOne(Item* item, std::vector<cluster::Mutation>* mutations);
  absl::Status Commit(const std::vector<cluster::Mutation>& mutations);
  absl::Status Reload();
  void ArmTick();
  cluster::Instant Now() const { return {deps_.clock->Now(), deps_.clock->Monotonic()}; }

  const Deps deps_;
  EffectListener* listener_ = nullptr;     // constant after Start()
  std::unique_ptr<cluster::Model> model_;  // writer only; null: the store could not be read again
  LoopCounts counts_;                      // writer only
  mutable Mutex mu_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mu_);
  bool is_scheduled_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace davit::loop

#endif  // DAVIT_CONTROLLER_LOOP_LOOP_H_
