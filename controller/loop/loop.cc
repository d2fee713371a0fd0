#include "controller/loop/loop.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "controller/agents/agents.h"
#include "controller/rows/migration.h"

namespace davit::controller::loop {
namespace {

// Bounds how long the first of a batch waits for the last, and how much one transaction holds.
constexpr size_t kMaxCommands = 1000;
constexpr size_t kMaxRows = 10'000;
// Of API requests. Beyond it, an error at once helps a client more than a late answer.
constexpr size_t kMaxWaiting = 10'000;
// A read waits for at most so many mutations.
constexpr size_t kMutationsPerLock = 200;
constexpr absl::Duration kTickPeriod = absl::Seconds(1);
constexpr absl::Duration kMaxReloadDelay = absl::Seconds(30);
constexpr absl::Duration kSlowCommit = absl::Seconds(10);

absl::Status StoreFailed(const absl::Status& failure) {
  return absl::UnavailableError(absl::StrCat("the store failed: ", failure.message()));
}

}  // namespace

absl::Status Loop::Start(EffectListener* listener) {
  listener_ = listener;
  RETURN_IF_ERROR(Load());
  deps_.writer->Post([this] {
    BeginLoaded();
    ArmTick();
  });
  return absl::OkStatus();
}

absl::Status Loop::Load() {
  ASSIGN_OR_RETURN(rows::Rows rows, deps_.store->LoadAll());
  RETURN_IF_ERROR(MigrateRows(&rows));
  ASSIGN_OR_RETURN(const std::vector<rows::Mutation> mutations, rows::DecodeAll(rows));
  auto model = std::make_unique<model::Model>(deps_.options);
  RETURN_IF_ERROR(model->Load(mutations));
  auto durable = std::make_unique<state::State>(deps_.options.place);
  RETURN_IF_ERROR(durable->Load(mutations));
  const auto meta = std::find_if(rows.begin(), rows.end(),
                                 [](const auto& row) { return row.first == rows::kMetaKey; });
  fence_ = {rows::kMetaKey,
            meta == rows.end() ? std::nullopt : std::optional<std::string>(meta->second)};
  view_.Replace(std::move(durable));
  model_ = std::move(model);
  MutexLock lock(&mu_);
  health_ = absl::OkStatus();
  return absl::OkStatus();
}

// The first command of a model that was loaded.
void Loop::BeginLoaded() {
  Run({[](change::Change* change) -> absl::StatusOr<Answer> {
         agents::OnLoaded(change);
         return Answer();
       },
       nullptr});
  Seal();
}

absl::Status Loop::MigrateRows(rows::Rows* rows) {
  ASSIGN_OR_RETURN(const int format, rows::FormatOf(*rows));
  if (format == rows::kFormat) return absl::OkStatus();
  const auto meta = std::find_if(rows->begin(), rows->end(),
                                 [](const auto& row) { return row.first == rows::kMetaKey; });
  const store::Fence fence = {rows::kMetaKey, meta == rows->end()
                                                  ? std::nullopt
                                                  : std::optional<std::string>(meta->second)};
  ASSIGN_OR_RETURN(*rows, rows::Migrate(*rows), "migrating the store's rows from format ", format);
  ASSIGN_OR_RETURN(store::CommandRows mutations, rows::DecodeAll(*rows));
  LogInfo("migrating the store", {{"from_format", absl::StrCat(format)},
                                  {"to_format", absl::StrCat(rows::kFormat)},
                                  {"rows", absl::StrCat(rows->size())}});
  std::promise<absl::Status> written;
  std::future<absl::Status> status = written.get_future();
  deps_.store->Commit({std::move(mutations)}, fence,
                      [&written](absl::Status result) { written.set_value(std::move(result)); });
  return Annotate(status.get(), "writing the migrated rows");
}

void Loop::ArmTick() {
  deps_.timers->After(kTickPeriod, deps_.writer, [this] {
    Tick();
    ArmTick();
  });
}

void Loop::Submit(Command command, Done done) {
  if (absl::Status health = Health(); !health.ok()) return done(StoreFailed(health));
  if (Depth() >= kMaxWaiting) {
    ++counts_.refused;
    done(absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMaxWaiting, " requests are waiting: try again later")));
    return;
  }
  Enqueue({std::move(command), std::move(done)});
}

void Loop::SubmitAlways(Command command, Done done) {
  Enqueue({std::move(command), std::move(done)});
}

void Loop::Enqueue(Item item) {
  bool must_schedule = false;
  {
    MutexLock lock(&mu_);
    queue_.push_back(std::move(item));
    must_schedule = !is_scheduled_ && !is_full_;
    is_scheduled_ = is_scheduled_ || must_schedule;
  }
  if (must_schedule) deps_.writer->Post([this] { RunQueue(); });
}

size_t Loop::Depth() const {
  MutexLock lock(&mu_);
  return queue_.size();
}

absl::Status Loop::Health() const {
  MutexLock lock(&mu_);
  if (!health_.ok()) return health_;
  const absl::Duration age = deps_.clock->Monotonic() - oldest_commit_;
  if (age < kSlowCommit) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the store has not answered a commit for ", absl::FormatDuration(age)));
}

bool Loop::IsFull() const {
  return open_.commands.size() >= kMaxCommands || open_.row_count >= kMaxRows;
}

void Loop::RunQueue() {
  std::vector<Item> items;
  {
    MutexLock lock(&mu_);
    const size_t room = IsFull() ? 0 : kMaxCommands - open_.commands.size();
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), room));
    std::move(queue_.begin(), end, std::back_inserter(items));
    queue_.erase(queue_.begin(), end);
  }
  for (Item& item : items) Run(std::move(item));
  Seal();
  bool must_schedule = false;
  {
    MutexLock lock(&mu_);
    is_full_ = IsFull();
    is_scheduled_ = !queue_.empty() && !is_full_;
    must_schedule = is_scheduled_;
  }
  if (must_schedule) deps_.writer->Post([this] { RunQueue(); });
}

void Loop::Run(Item item) {
  ++counts_.commands;
  if (model_ == nullptr) return Refuse(std::move(item.done));
  Add(std::move(item.done),
      model_->Run(&item.command, Now(), deps_.store->limits().max_rows_per_command));
}

void Loop::Refuse(Done done) {
  if (!done) return;
  absl::Status health = Health();
  done(health.ok() ? absl::UnavailableError("the store is being loaded") : StoreFailed(health));
}

void Loop::Add(Done done, model::Outcome outcome) {
  store::CommandRows rows;
  for (const rows::Mutation& mutation : outcome.mutations) {
    if (mutation.durability == rows::Durability::kNow) {
      lazy_.erase(mutation.key);
      rows.push_back(mutation);
    } else if (mutation.durability == rows::Durability::kLazy) {
      lazy_.insert_or_assign(mutation.key, mutation);
    }
  }
  open_.row_count += rows.size();
  if (!rows.empty()) open_.rows.push_back(std::move(rows));
  open_.commands.push_back({std::move(done), std::move(outcome)});
}

// Gives what was applied to the store, as far as the store takes it.
void Loop::Seal() {
  if (open_.rows.empty()) {
    // Nothing to write: it only waits for what came before.
    if (!open_.commands.empty()) {
      in_flight_.push_back(std::exchange(open_, Batch()));
      in_flight_.back().is_durable = true;
    }
  } else if (commits_in_flight_ < deps_.store->limits().max_commits_in_flight) {
    BeginCommit();
  }
  PublishDurable();
}

void Loop::BeginCommit() {
  // Last, so that of two mutations of one key the newer one is written.
  for (auto& [key, mutation] : lazy_) open_.rows.push_back({std::move(mutation)});
  lazy_.clear();
  const store::Fence fence = fence_;
  for (const store::CommandRows& rows : open_.rows) {
    for (const rows::Mutation& mutation : rows) {
      if (mutation.key == fence_.key) fence_.value = rows::Encode(mutation);
    }
  }
  std::vector<store::CommandRows> rows = std::move(open_.rows);
  open_.begun = deps_.clock->Monotonic();
  {
    MutexLock lock(&mu_);
    oldest_commit_ = std::min(oldest_commit_, open_.begun);
  }
  in_flight_.push_back(std::exchange(open_, Batch()));
  ++commits_in_flight_;
  deps_.store->Commit(
      std::move(rows), fence, [this, generation = generation_](absl::Status status) {
        deps_.writer->Post(
            [this, generation, status = std::move(status)] { OnCommitted(generation, status); });
      });
}

void Loop::OnCommitted(uint64_t generation, absl::Status status) {
  if (generation != generation_) return;
  ++(status.ok() ? counts_.commits : counts_.failed_commits);
  if (!status.ok()) return Fail(status);
  // Commits become durable in the order in which they were begun.
  const auto committed = std::find_if(in_flight_.begin(), in_flight_.end(),
                                      [](const Batch& batch) { return !batch.is_durable; });
  committed->is_durable = true;
  counts_.commit_microseconds +=
      absl::ToInt64Microseconds(deps_.clock->Monotonic() - committed->begun);
  --commits_in_flight_;
  Seal();
  RunQueue();
}

void Loop::PublishDurable() {
  if (in_flight_.empty()) return;
  while (!in_flight_.empty() && in_flight_.front().is_durable) {
    Batch batch = std::move(in_flight_.front());
    in_flight_.pop_front();
    Publish(std::move(batch));
  }
  listener_->Flush();
  MutexLock lock(&mu_);
  oldest_commit_ = in_flight_.empty() ? absl::InfiniteDuration() : in_flight_.front().begun;
}

void Loop::Publish(Batch batch) {
  // Readers see whole commands, and what they see first.
  std::vector<rows::Mutation> mutations;
  for (size_t i = 0; i < batch.commands.size(); ++i) {
    auto& own = batch.commands[i].outcome.mutations;
    std::move(own.begin(), own.end(), std::back_inserter(mutations));
    if (mutations.size() < kMutationsPerLock && i + 1 < batch.commands.size()) continue;
    view_.Publish(mutations);
    mutations.clear();
  }
  for (Applied& applied : batch.commands) {
    for (change::Effect& effect : applied.outcome.effects) listener_->OnEffect(std::move(effect));
    if (applied.done) applied.done(std::move(applied.outcome.answer));
  }
}

void Loop::Fail(const absl::Status& failure) {
  LogError("commit failed; the cluster is loaded from the store again", {{"error", failure}});
  std::vector<Batch> lost(std::make_move_iterator(in_flight_.begin()),
                          std::make_move_iterator(in_flight_.end()));
  lost.push_back(std::exchange(open_, Batch()));
  in_flight_.clear();
  commits_in_flight_ = 0;
  lazy_.clear();
  model_.reset();
  ++generation_;
  failed_loads_ = 0;
  next_load_ = deps_.clock->Monotonic();
  {
    MutexLock lock(&mu_);
    health_ = failure;
    oldest_commit_ = absl::InfiniteDuration();
  }
  for (Batch& batch : lost) {
    for (Applied& applied : batch.commands) {
      if (applied.done) applied.done(StoreFailed(failure));
    }
  }
  listener_->OnModelLost();
  TryToReload();
  RunQueue();
}

void Loop::TryToReload() {
  const absl::Status loaded = Load();
  if (loaded.ok()) return BeginLoaded();
  const absl::Duration delay =
      std::min(kMaxReloadDelay, kTickPeriod * (1 << std::min(failed_loads_, 10)));
  ++failed_loads_;
  next_load_ = deps_.clock->Monotonic() + delay;
  LogError("loading the cluster failed", {{"error", loaded}});
  MutexLock lock(&mu_);
  health_ = loaded;
}

void Loop::Tick() {
  if (model_ == nullptr) {
    if (deps_.clock->Monotonic() >= next_load_) TryToReload();
    return;
  }
  Add(nullptr, model_->Tick(Now()));
  // Lazy mutations that found no commit to go with.
  if (!lazy_.empty() && open_.rows.empty()) open_.rows.emplace_back();
  Seal();
}

}  // namespace davit::controller::loop
