#include "agent/store/memory_store.h"

#include <utility>

namespace davit::store {

absl::StatusOr<StoredState> MemoryStore::Load() {
  StoredState state;
  for (const auto& [id, record] : tasks_) state.tasks.push_back(record);
  state.registration = registration_;
  return state;
}

void MemoryStore::Add(Work apply, Work done) {
  {
    MutexLock lock(&mu_);
    if (held_) {
      waiting_.push_back(Write{std::move(apply), std::move(done)});
      return;
    }
  }
  std::move(apply)();
  if (done) std::move(done)();
}

void MemoryStore::SaveTask(const std::string& task_id, v1::TaskRecord record, Work done) {
  Add([this, task_id, record = std::move(record)] { tasks_[task_id] = record; }, std::move(done));
}

void MemoryStore::RemoveTask(const std::string& task_id) {
  Add([this, task_id] { tasks_.erase(task_id); }, nullptr);
}

void MemoryStore::SaveRegistration(v1::RegistrationRecord record) {
  Add([this, record = std::move(record)] { registration_ = record; }, nullptr);
}

absl::Status MemoryStore::Health() const {
  MutexLock lock(&mu_);
  return held_ ? absl::UnavailableError("writes are held") : absl::OkStatus();
}

void MemoryStore::Hold(bool held) {
  std::deque<Write> ready;
  {
    MutexLock lock(&mu_);
    held_ = held;
    if (!held) ready.swap(waiting_);
  }
  for (Write& write : ready) {
    std::move(write.apply)();
    if (write.done) std::move(write.done)();
  }
}

void MemoryStore::LosePower() {
  MutexLock lock(&mu_);
  waiting_.clear();
}

void MemoryStore::Damage(const std::function<bool(const std::string& task_id)>& is_lost) {
  std::erase_if(tasks_, [&is_lost](const auto& entry) { return is_lost(entry.first); });
  if (is_lost("")) registration_.Clear();
}

}  // namespace davit::store
