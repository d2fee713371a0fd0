#ifndef DAVIT_AGENT_STORE_MEMORY_STORE_H_
#define DAVIT_AGENT_STORE_MEMORY_STORE_H_

#include <deque>
#include <functional>
#include <map>

#include "agent/store/store.h"
#include "base/mutex.h"

namespace davit::store {

// A store for tests: durable at once, unless writes are held; what is held when the "machine" loses
// power is lost.
class MemoryStore final : public Store {
 public:
  absl::StatusOr<StoredState> Load() override;
  void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) override;
  void RemoveTask(const std::string& task_id) override;
  void SaveRegistration(v1::RegistrationRecord record) override;
  absl::Status Health() const override;

  // While held, nothing becomes durable. Releasing makes all that waits durable, in order.
  void Hold(bool held);
  // Forgets what is not durable yet; its `done` never runs.
  void LosePower();
  // The disk forgets: the records of tasks that `is_lost` says so of, and the registration, asked
  // for as "". Not while writes are under way.
  void Damage(const std::function<bool(const std::string& task_id)>& is_lost);

 private:
  struct Write {
    Work apply;
    Work done;
  };
  void Add(Work apply, Work done);

  mutable Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<Write> waiting_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, v1::TaskRecord> tasks_;  // touched by the writes only, one at a time
  v1::RegistrationRecord registration_;
};

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_MEMORY_STORE_H_
