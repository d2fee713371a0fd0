#ifndef DAVIT_AGENT_IMAGE_SINGLE_FLIGHT_H_
#define DAVIT_AGENT_IMAGE_SINGLE_FLIGHT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agent/image/retry.h"
#include "base/executor.h"
#include "base/mutex.h"

namespace davit::image {

// Runs a job once for all callers that want it at the same time. Jobs run on an executor, so that a
// caller that gives up returns at once. The job is cancelled only when its last caller has left.
// Thread-safe. Join() does not block, Wait() does. May be destroyed while a job is running.
// `Result` is copied to every caller.
template <typename Result>
class SingleFlight {
 public:
  using Job = std::function<absl::StatusOr<Result>(const CancelCheck& is_cancelled)>;

  // `executor` outlives it.
  explicit SingleFlight(Executor* executor) : executor_(executor), state_(new State) {}

  // One caller's interest in a job; it ends with this object. Not thread-safe.
  class Ticket {
   public:
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (flight_ != nullptr) Leave(state_, flight_);
    }
    // The job's result, or Cancelled if this caller gave up or the executor was stopped.
    absl::StatusOr<Result> Wait(const CancelCheck& is_cancelled) {
      while (!is_cancelled || !is_cancelled()) {  // called without the lock: it is foreign code
        MutexLock lock(&state_->mu);
        if (!flight_->result.has_value()) flight_->done.WaitFor(&state_->mu, kCancelPeriod);
        if (flight_->result.has_value()) return *flight_->result;
      }
      return absl::CancelledError("cancelled");
    }

   private:
    friend class SingleFlight;
    Ticket(std::shared_ptr<typename SingleFlight::State> state,
           std::shared_ptr<typename SingleFlight::Flight> flight)
        : state_(std::move(state)), flight_(std::move(flight)) {}
    std::shared_ptr<typename SingleFlight::State> state_;
    std::shared_ptr<typename SingleFlight::Flight> flight_;
  };

  // Joins the running job named `key`, or starts `job`. A job must not wait for work on the same
  // executor.
  Ticket Join(const std::string& key, Job job) {
    std::shared_ptr<Flight> flight;
    {
      MutexLock lock(&state_->mu);
      std::shared_ptr<Flight>& entry = state_->flights[key];
      if (entry != nullptr) {
        ++entry->callers;
        return Ticket(state_, entry);
      }
      entry = flight = std::make_shared<Flight>();
      flight->key = key;
    }
    executor_->Post([run = std::make_unique<Run>(state_, flight, std::move(job))] { run->Now(); });
    return Ticket(state_, flight);
  }

 private:
  static constexpr absl::Duration kCancelPeriod = absl::Milliseconds(200);

  struct Flight {
    std::string key;  // constant
    CondVar done;
    int callers = 1;                               // guarded by State::mu
    std::optional<absl::StatusOr<Result>> result;  // guarded by State::mu
  };
  struct State {
    Mutex mu;
    // Jobs that more callers can join: neither done nor abandoned.
    absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights ABSL_GUARDED_BY(mu);

    void Forget(const std::shared_ptr<Flight>& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      const auto found = flights.find(flight->key);
      if (found != flights.end() && found->second == flight) flights.erase(found);
    }
  };

  // A job in the executor's queue. If it is dropped without running, its callers still get an
  // answer.
  class Run {
   public:
    Run(std::shared_ptr<State> state, std::shared_ptr<Flight> flight, Job job)
        : state_(std::move(state)), flight_(std::move(flight)), job_(std::move(job)) {}
    ~Run() { Finish(absl::CancelledError("the agent is stopping")); }
    void Now() {
      if (IsAbandoned()) return;
      Finish(job_([this] { return IsAbandoned(); }));
    }

   private:
    bool IsAbandoned() {
      MutexLock lock(&state_->mu);
      return flight_->callers == 0;
    }
    void Finish(absl::StatusOr<Result> result) {
      MutexLock lock(&state_->mu);
      if (flight_->result.has_value()) return;
      flight_->result = std::move(result);
      state_->Forget(flight_);
      flight_->done.NotifyAll();
    }
    const std::shared_ptr<State> state_;
    const std::shared_ptr<Flight> flight_;
    const Job job_;
  };

  static void Leave(const std::shared_ptr<State>& state, const std::shared_ptr<Flight>& flight) {
    MutexLock lock(&state->mu);
    if (--flight->callers == 0) state->Forget(flight);
  }

  Executor* const executor_;
  const std::shared_ptr<State> state_;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_SINGLE_FLIGHT_H_
