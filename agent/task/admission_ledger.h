#ifndef DAVIT_AGENT_TASK_ADMISSION_LEDGER_H_
#define DAVIT_AGENT_TASK_ADMISSION_LEDGER_H_

#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace davit::task {

struct ResourceNeeds {
  int cpu = 0;     // CPU units, 1024 = one core
  int memory = 0;  // MiB
  std::set<int> tcp_ports;
  std::set<int> udp_ports;
  std::set<std::string> gpus = {};  // ids
  friend bool operator==(const ResourceNeeds&, const ResourceNeeds&) = default;
};

// Admits tasks to the host as long as their resources fit. A task that does not fit waits. Every
// release examines all waiting tasks, so a task that fits may overtake one that does not. The task
// that waits longest is overtaken at most kMaxOvertakes times; then no other task is admitted
// before it. Pure; not thread-safe.
class AdmissionLedger {
 public:
  static constexpr int kMaxOvertakes = 64;

  enum class Verdict { kAdmitted, kWaits, kNever };
  struct Answer {
    Verdict verdict;
    std::string
        reason;  // kWaits, kNever: "RESOURCE:MEMORY: needs 512 MiB, 100 of 1024 MiB are free"
  };

  // `total`: what the host has for tasks. Its ports are those that tasks cannot use, its GPUs those
  // that they can use.
  explicit AdmissionLedger(ResourceNeeds total) : total_(std::move(total)) {}

  // Requests resources. Idempotent for an id that is admitted or waits.
  Answer Request(const std::string& id, const ResourceNeeds& needs);
  // Counts a task that is already on the host, whether it fits or not.
  void Adopt(const std::string& id, const ResourceNeeds& needs);
  // Returns a task's resources, or removes it from the queue. Returns the ids of waiting tasks that
  // this admits, in the order of their waiting.
  std::vector<std::string> Release(const std::string& id);

  ResourceNeeds Used() const;
  const ResourceNeeds& total() const { return total_; }
  size_t waiting() const { return queue_.size(); }

 private:
  struct Waiter {
    std::string id;
    ResourceNeeds needs;
    int overtaken = 0;
  };
  std::string WhatIsMissing(const ResourceNeeds& needs, const ResourceNeeds& used) const;

  const ResourceNeeds total_;
  std::map<std::string, ResourceNeeds> admitted_;
  std::list<Waiter> queue_;
};

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_ADMISSION_LEDGER_H_
