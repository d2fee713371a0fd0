#include "agent/runtime/call_faults.h"

namespace davit::runtime {

void CallFaults::FailNext(RuntimeVerb verb, const absl::Status& status, int count) {
  const MutexLock lock(&mu_);
  failures_[verb].insert(failures_[verb].end(), static_cast<size_t>(count), status);
}

void CallFaults::LoseNextAnswer(RuntimeVerb verb) {
  const MutexLock lock(&mu_);
  lost_answers_.insert(verb);
}

void CallFaults::Hold(RuntimeVerb verb, int count) {
  const MutexLock lock(&mu_);
  held_[verb] = count;
}

void CallFaults::Release(RuntimeVerb verb) {
  {
    const MutexLock lock(&mu_);
    held_.erase(verb);
  }
  released_.NotifyAll();
}

int CallFaults::HeldCalls() const {
  const MutexLock lock(&mu_);
  return held_calls_;
}

int CallFaults::CallCount(RuntimeVerb verb) const {
  const MutexLock lock(&mu_);
  const auto found = calls_.find(verb);
  return found == calls_.end() ? 0 : found->second;
}

absl::Status CallFaults::Enter(RuntimeVerb verb) {
  const MutexLock lock(&mu_);
  ++calls_[verb];
  if (const auto held = held_.find(verb); held != held_.end() && held->second > 0) {
    --held->second;
    ++held_calls_;
    while (held_.contains(verb)) released_.Wait(&mu_);
    --held_calls_;
  }
  std::deque<absl::Status>& failures = failures_[verb];
  if (failures.empty()) return absl::OkStatus();
  const absl::Status failure = failures.front();
  failures.pop_front();
  return failure;
}

absl::Status CallFaults::Leave(RuntimeVerb verb) {
  const MutexLock lock(&mu_);
  if (lost_answers_.erase(verb) == 0) return absl::OkStatus();
  return absl::UnavailableError("the answer was lost");
}

}  // namespace davit::runtime
