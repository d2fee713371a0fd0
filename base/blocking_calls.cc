#include "base/blocking_calls.h"

#include <algorithm>
#include <utility>

namespace davit {
namespace {

thread_local BlockingCalls::Scope* current_scope = nullptr;

}  // namespace

StuckCall BlockingCalls::Entry::ToStuckCall(uint64_t id) const {
  return {id, call.lane, step.empty() ? call.what : absl::StrCat(call.what, ": ", step),
          step_began_at};
}

BlockingCalls::BlockingCalls(const Clock* clock, Timers* timers, Executor* control)
    : clock_(clock), timers_(timers), serial_(control) {}

BlockingCalls::~BlockingCalls() = default;

void BlockingCalls::Observe(Observer observer) {
  auto shared = observer ? std::make_shared<const Observer>(std::move(observer)) : nullptr;
  MutexLock lock(&mu_);
  observer_ = std::move(shared);
}

std::vector<StuckCall> BlockingCalls::Stuck() const {
  std::vector<StuckCall> stuck;
  MutexLock lock(&mu_);
  for (const auto& [id, entry] : entries_) {
    if (entry.is_stuck) stuck.push_back(entry.ToStuckCall(id));
  }
  std::stable_sort(stuck.begin(), stuck.end(),
                   [](const StuckCall& a, const StuckCall& b) { return a.since < b.since; });
  return stuck;
}

uint64_t BlockingCalls::Begin(const BlockingCall& call) {
  const absl::Duration now = clock_->Monotonic();
  absl::Duration timer;
  uint64_t id = 0;
  {
    MutexLock lock(&mu_);
    id = next_id_++;
    entries_.emplace(id, Entry{.call = call, .step_began = now, .step_began_at = clock_->Now()});
    timer = NextTimer(now + call.patience);
  }
  ArmTimer(timer);
  return id;
}

void BlockingCalls::End(uint64_t id) { NoteProgress(id, /*is_over=*/true, nullptr); }

std::string BlockingCalls::BeginStep(uint64_t id, std::string step) {
  NoteProgress(id, /*is_over=*/false, &step);
  return step;
}

void BlockingCalls::NoteProgress(uint64_t id, bool is_over, std::string* step) {
  const absl::Duration now = clock_->Monotonic();
  absl::Duration timer = absl::InfiniteDuration();
  StuckCall call;
  bool was_stuck = false;
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(id);
    Entry& entry = found->second;
    was_stuck = entry.is_stuck;
    if (was_stuck) call = entry.ToStuckCall(id);
    if (is_over) {
      entries_.erase(found);
    } else {
      std::swap(entry.step, *step);
      entry.step_began = now;
      entry.step_began_at = clock_->Now();
      entry.is_stuck = false;
      timer = NextTimer(now + entry.call.patience);
    }
  }
  ArmTimer(timer);
  if (!was_stuck) return;
  // Behind the Check() that told of it.
  serial_.Post([this, call = std::move(call)] {
    if (const auto observer = observer_copy()) (*observer)(call, /*is_stuck=*/false);
  });
}

absl::Duration BlockingCalls::NextTimer(absl::Duration due) {
  if (due >= timer_due_) return absl::InfiniteDuration();
  timer_due_ = due;
  return std::max(due - clock_->Monotonic(), absl::ZeroDuration());
}

void BlockingCalls::ArmTimer(absl::Duration delay) {
  if (delay != absl::InfiniteDuration()) timers_->After(delay, &serial_, [this] { Check(); });
}

void BlockingCalls::Check() {
  const absl::Duration now = clock_->Monotonic();
  absl::Duration timer;
  std::vector<StuckCall> stuck;
  {
    MutexLock lock(&mu_);
    if (timer_due_ <= now) timer_due_ = absl::InfiniteDuration();
    absl::Duration next = absl::InfiniteDuration();
    for (auto& [id, entry] : entries_) {
      if (entry.is_stuck) continue;
      const absl::Duration due = entry.step_began + entry.call.patience;
      if (due > now) {
        next = std::min(next, due);
        continue;
      }
      entry.is_stuck = true;
      stuck.push_back(entry.ToStuckCall(id));
    }
    timer = NextTimer(next);
  }
  ArmTimer(timer);
  const auto observer = observer_copy();
  if (observer == nullptr) return;
  for (const StuckCall& call : stuck) (*observer)(call, /*is_stuck=*/true);
}

std::shared_ptr<const BlockingCalls::Observer> BlockingCalls::observer_copy() const {
  MutexLock lock(&mu_);
  return observer_;
}

BlockingCalls::Scope::Scope(BlockingCalls* calls, const BlockingCall& call)
    : calls_(calls), id_(calls->Begin(call)), outer_(current_scope) {
  current_scope = this;
}

BlockingCalls::Scope::~Scope() {
  current_scope = outer_;
  calls_->End(id_);
}

bool Doing::IsWatched() { return current_scope != nullptr; }

void Doing::Begin(std::string step) {
  scope_ = current_scope;
  outer_step_ = scope_->calls_->BeginStep(scope_->id_, std::move(step));
}

Doing::~Doing() {
  if (scope_ != nullptr) scope_->calls_->BeginStep(scope_->id_, std::move(outer_step_));
}

}  // namespace davit
