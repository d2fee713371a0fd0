#ifndef DAVIT_AGENT_STORE_MEMORY_STORE_H_
#define DAVIT_AGENT_STORE_MEMORY_STORE_H_

#include <deque>
#include <functional>
#include <map>

#include "agent/store/store.h"
#include "base/mutex.h"

namespace davit::store {

// A store for tests. Writes are durable at once, unless they are held. A simulated power loss loses
// held writes.
class MemoryStore final : public Store {
 public:
  absl::StatusOr<StoredState> Load() override;
  void SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) override;
  void RemoveTask(const std::string& task_id) override;
  void SaveRegistration(v1::RegistrationRecord record) override;
  absl::Status Health() const override;

  // While held, no write becomes durable. Hold(false) makes the waiting writes durable, in order.
  void Hold(bool held);
  // Drops the writes that are not durable yet; their `done` never runs.
  void LosePower();
  // Damages the disk: removes the task records for which `is_lost` is true, and the registration if
  // is_lost(""). Not to be called while writes are in progress.
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
  std::map<std::string, v1::TaskRecord> tasks_;  // only writes access it, one at a time
  v1::RegistrationRecord registration_;
};

}  // namespace davit::store

#endif  // DAVIT_AGENT_STORE_MEMORY_STORE_H_
