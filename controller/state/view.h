#ifndef DAVIT_CONTROLLER_STATE_VIEW_H_
#define DAVIT_CONTROLLER_STATE_VIEW_H_

#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "controller/state/state.h"

namespace davit::controller::state {

// The durable state, for reads on any thread. The writer brings it up to date when a commit has
// become durable, before it is answered. Thread-safe.
//
// A read collects Refs to records under the lock, which must be short, and renders them outside.
class View {
 public:
  explicit View(Place place) : place_(place), state_(std::make_unique<State>(std::move(place))) {}

  const Place& place() const { return place_; }
  // Runs `look` with the state as it is now; pointers into it are void afterwards, Refs are not.
  // `look` must not block, and should touch no more than some thousand objects.
  void Look(absl::FunctionRef<void(const State&)> look) const;

  // Applies them in order. Readers see all of one call or nothing of it.
  void Publish(absl::Span<const rows::Mutation> mutations);
  void Replace(std::unique_ptr<State> state);

 private:
  const Place place_;
  mutable Mutex mu_;
  std::unique_ptr<State> state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::controller::state

#endif  // DAVIT_CONTROLLER_STATE_VIEW_H_
