#ifndef DAVIT_TESTS_SIM_WITNESS_H_
#define DAVIT_TESTS_SIM_WITNESS_H_

#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "davit/v1/cluster_record.pb.h"

namespace davit::sim {

// Sees what truly happens to processes on all hosts, and every row that the controller makes
// durable, and holds the two against each other. It uses nothing of what it judges. Knows no
// restart policy: a container is started once. Single-threaded.
class Witness {
 public:
  // The world. Container ids are "<task id>-<name>".
  void OnStart(size_t host, const std::string& container_id);
  void OnEnd(const std::string& container_id, int exit_code);
  // The process is gone, or has ended, and the runtime no longer knows how.
  void OnEvidenceLost(const std::string& container_id);
  void OnOutOfMemory(const std::string& container_id);
  // Every process of the host is gone, and the runtime knows of none.
  void OnReboot(size_t host);

  // The controller has committed a task.
  void OnCommit(const v1::StoredTask& row);

  // The first thing that must not be; empty: all is well.
  const std::string& violation() const { return violation_; }

  // What the controller has committed last, by task id.
  const std::map<std::string, v1::StoredTask>& rows() const { return rows_; }
  bool IsLive(const std::string& container_id) const;
  std::set<std::string> LiveOn(size_t host) const;

 private:
  struct Life {
    size_t host = 0;
    bool is_live = false;
    std::optional<int> exit_code;
    bool is_evidence_lost = false;
    bool is_out_of_memory = false;
  };

  void Violate(const std::string& what);
  void CheckOrder(const v1::StoredTask& before, const v1::StoredTask& after);
  void CheckTerminal(const std::string& task_id, const v1::Task& task);

  std::map<std::string, Life> lives_;           // by container id
  std::map<std::string, v1::StoredTask> rows_;  // by task id
  std::string violation_;
};

// The 32 digits of a container's or task's id or ARN.
std::string TaskIdOf(absl::string_view container_id);
v1::TaskStatus::Value LastStatusOf(const v1::StoredTask& row);

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_WITNESS_H_
