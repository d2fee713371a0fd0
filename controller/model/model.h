#ifndef DAVIT_CONTROLLER_MODEL_MODEL_H_
#define DAVIT_CONTROLLER_MODEL_MODEL_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "controller/change/change.h"
#include "controller/model/operation.h"

namespace davit::controller::model {

// Something that changes the cluster: an operation with its request, an agent's message, a
// deadline.
using Command = absl::AnyInvocable<absl::StatusOr<Answer>(change::Change*)>;

Command CommandOf(const Operation* operation,
                  std::shared_ptr<const google::protobuf::Message> request);

// The result of a command. With an error nothing was changed, and there are no mutations.
struct Outcome {
  absl::StatusOr<Answer> answer;  // of an operation: the response message
  std::vector<rows::Mutation> mutations;
  std::vector<change::Effect> effects;
};

// The cluster as one value that changes by commands only: the same commands at the same instants
// always have the same outcomes (given the same ids). Not thread-safe; never blocks.
class Model {
 public:
  explicit Model(change::Options options) : options_(std::move(options)), state_(options_.place) {}

  // From the mutations of all rows of a store; on an empty model only. DataLoss: see State::Load().
  absl::Status Load(const std::vector<rows::Mutation>& mutations) { return state_.Load(mutations); }

  // `max_rows`: a command that writes more rows than this is refused with InvalidArgument. 0: no
  // limit.
  Outcome Run(Command* command, const change::Instant& now, size_t max_rows = 0);
  // What the passing of time demands; costs nothing if nothing is due. Due every second.
  Outcome Tick(const change::Instant& now);

  const state::State& state() const { return state_; }
  const change::Options& options() const { return options_; }

 private:
  const change::Options options_;
  state::State state_;
  change::Deadlines deadlines_;
};

}  // namespace davit::controller::model

#endif  // DAVIT_CONTROLLER_MODEL_MODEL_H_
