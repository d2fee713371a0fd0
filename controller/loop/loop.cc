#include "controller/loop/loop.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/status.h"

namespace davit::loop {
namespace {

// Bounds how long the first of a batch waits for the last, and how much one transaction holds.
constexpr size_t kMaxBatch = 1000;
constexpr absl::Duration kTickPeriod = absl::Seconds(1);

}  // namespace

absl::Status Loop::Start(EffectListener* listener) {
  listener_ = listener;
  RETURN_IF_ERROR(Reload());
  std::vector<cluster::Mutation> mutations;
  Item start{cluster::Command(cluster::Started()), nullptr};
  RunOne(&start, &mutations);
  RETURN_IF_ERROR(Commit(mutations), "writing the controller's epoch");
  ArmTick();
  return absl::OkStatus();
}

absl::Status Loop::Reload() {
  model_.reset();
  ASSIGN_OR_RETURN(const cluster_store::Rows rows, deps_.store->LoadAll());
  auto model = std::make_unique<cluster::Model>(deps_.model);
  RETURN_IF_ERROR(model->Load(rows));
  model_ = std::move(model);
  return absl::OkStatus();
}

void Loop::ArmTick() {
  deps_.timers->After(kTickPeriod, deps_.writer, [this] {
    Submit(cluster::Tick());
    ArmTick();
  });
}

void Loop::Submit(cluster::Command command, Done done) {
  Enqueue({std::move(command), std::move(done)});
}

void Loop::Ask(Query query, Done done) { Enqueue({std::move(query), std::move(done)}); }

void Loop::Enqueue(Item item) {
  bool must_schedule = false;
  {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(item));
    must_schedule = !is_scheduled_;
    is_scheduled_ = true;
  }
  if (must_schedule) deps_.writer->Post([this] { RunBatch(); });
}

size_t Loop::Depth() const {
  MutexLock lock(&mu_);
  return queue_.size();
}

void Loop::RunBatch() {
  std::vector<Item> batch;
  {
    MutexLock lock(&mu_);
    const auto end =
        queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMaxBatch));
    std::move(queue_.begin(), end, std::back_inserter(batch));
    queue_.erase(queue_.begin(), end);
    is_scheduled_ = !queue_.empty();
    if (is_scheduled_) deps_.writer->Post([this] { RunBatch(); });
  }
  absl::Status failure;
  if (model_ == nullptr) failure = Reload();
  std::vector<cluster::Mutation> mutations;
  std::vector<Result> results;
  for (Item& item : batch) {
    if (!failure.ok()) {
      results.push_back({std::move(item.done), absl::StatusOr<Answer>(nullptr), {}});
    } else {
      results.push_back(RunOne(&item, &mutations));
    }
  }
  if (failure.ok()) failure = Commit(mutations);
  for (Result& result : results) {
    if (!failure.ok()) {
      if (result.done)
        result.done(absl::UnavailableError(absl::StrCat("the store failed: ", failure.message())));
      continue;
    }
    for (const cluster::Effect& effect : result.effects) listener_->OnEffect(effect);
    if (result.done) result.done(std::move(result.answer));
  }
  if (failure.ok()) return;
  // What was applied but not stored must be forgotten.
  LogError("commit failed; the cluster is loaded from the store again", {{"error", failure}});
  if (absl::Status reloaded = Reload(); !reloaded.ok())
    LogError("loading the cluster failed", {{"error", reloaded}});
  listener_->OnModelReloaded();
}

Loop::Result Loop::RunOne(Item* item, std::vector<cluster::Mutation>* mutations) {
  ++counts_.commands;
  if (Query* query = std::get_if<Query>(&item->work))
    return {std::move(item->done), (*query)(*model_), {}};
  cluster::Outcome outcome = model_->Apply(std::get<cluster::Command>(item->work), Now());
  std::move(outcome.mutations.begin(), outcome.mutations.end(), std::back_inserter(*mutations));
  Result result{std::move(item->done), absl::StatusOr<Answer>(std::move(outcome.answer)),
                std::move(outcome.effects)};
  if (!outcome.status.ok()) result.answer = outcome.status;
  return result;
}

absl::Status Loop::Commit(const std::vector<cluster::Mutation>& mutations) {
  if (mutations.empty()) return absl::OkStatus();
  const absl::Duration start = deps_.clock->Monotonic();
  absl::Status status = deps_.store->Commit(mutations);
  counts_.commit_time += deps_.clock->Monotonic() - start;
  ++(status.ok() ? counts_.commits : counts_.failed_commits);
  return status;
}

}  // namespace davit::loop
