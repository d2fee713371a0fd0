#include "controller/state/view.h"

#include <utility>

namespace davit::controller::state {

void View::Look(absl::FunctionRef<void(const State&)> look) const {
  MutexLock lock(&mu_);
  look(*state_);
}

void View::Publish(absl::Span<const rows::Mutation> mutations) {
  MutexLock lock(&mu_);
  for (const rows::Mutation& mutation : mutations) state_->Apply(mutation);
}

void View::Replace(std::unique_ptr<State> state) {
  MutexLock lock(&mu_);
  state_.swap(state);
}

}  // namespace davit::controller::state
