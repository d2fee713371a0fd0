#ifndef DAVIT_TESTS_SIM_WITNESS_H_
#define DAVIT_TESTS_SIM_WITNESS_H_

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/v1/agent.pb.h"
#include "davit/v1/cluster_record.pb.h"
#include "davit/v1/ecs.pb.h"
#include "tests/support/fake_time.h"

namespace davit::sim {

// Sees what really happens to processes on all hosts, and every row that the controller makes
// durable. Compares the two with each other and with the task definitions. Shares no code with what
// it judges. Single-threaded.
class Witness {
 public:
  // Borrowed: the world's time.
  explicit Witness(const test::FakeClock* clock);

  // The world. Container ids are "<task id>-<name>".
  void OnStart(size_t host, const std::string& container_id);
  void OnEnd(const std::string& container_id, int exit_code);
  // The process has ended, and the runtime does not know how.
  void OnEvidenceLost(const std::string& container_id);
  void OnOutOfMemory(const std::string& container_id);
  // Every process of the host is gone, and the runtime has no record of any.
  void OnReboot(size_t host);
  // The wall clock of the host was set.
  void OnClockSet(size_t host);
  void OnControllerClockSet();
  // The agent of a host has forgotten these tasks. The arguments are what the runtime still knows:
  // which containers exist, and how they ended.
  struct Losses {
    std::set<std::string> tasks;
    std::set<std::string> records_kept;
    std::set<std::string> ends_kept;
  };
  void OnStoreLost(size_t host, const Losses& losses);
  // The host is another EC2 instance from now on, and the old one no longer exists.
  void OnInstanceGone(size_t host, const std::string& ec2_instance_id);

  // What agents do. The agent got the result of a health command in the container.
  void OnHealthChecked(const std::string& container_id, bool has_passed);
  // The agent sends a signal, or kills the process otherwise.
  void OnSignal(const std::string& container_id);
  void OnDial(size_t host);

  // Messages that the controller receives, and rows that it commits.
  void OnReport(const v1::TaskState& state);
  void OnCommit(const v1::StoredTask& row);
  void OnCommit(const v1::StoredContainerInstance& row) {
    instances_[row.id()] = row.ec2_instance_id();
  }
  // What DescribeTasks answers for a task of rows().
  void OnDescribed(const std::string& task_id, const v1::DescribeTasksResponse& answer);
  // The row of a task is gone.
  void OnForgotten(const std::string& task_id);

  // The first violation; empty: none.
  const std::string& violation() const { return violation_; }

  // The rows that the controller committed last, by task id.
  const std::map<std::string, v1::StoredTask>& rows() const { return rows_; }
  bool IsLive(const std::string& container_id) const;
  // For a container that ever ran.
  size_t HostOf(const std::string& container_id) const { return containers_.at(container_id).host; }
  std::set<std::string> LiveOn(size_t host) const;
  // All containers that ever ran there.
  std::set<std::string> ContainersOn(size_t host) const;
  // The EC2 instance that it was placed on; empty: not known.
  std::string InstanceOf(const v1::StoredTask& row) const;
  // Its EC2 instance no longer exists, so nobody can report how it ended.
  bool IsAbandoned(const v1::StoredTask& row) const;
  // Null: the workload has no such container.
  const v1::ContainerDefinition* DefinitionOf(const std::string& container_id) const;

 private:
  // The truth about one container: its current or last life, unless noted.
  struct Container {
    size_t host = 0;
    int lives = 0;
    bool is_live = false;
    absl::Duration started_at;
    absl::Duration ended_at;
    std::optional<int> exit_code;
    bool is_evidence_lost = false;
    bool is_out_of_memory = false;
    int checks_passed = 0;      // in all lives
    int checks_failed = 0;      // in all lives
    bool is_forgotten = false;  // nothing remembers that it ever ran
  };

  void Violate(const std::string& what);
  const v1::RegisterTaskDefinitionRequest* FamilyOf(const std::string& task_id) const;
  void CheckLifeAgain(const std::string& id, const Container& truth);
  void CheckOrderOfStarts(const std::string& id, const v1::ContainerDefinition& definition);
  bool IsComplete(const std::string& task_id,
                  const v1::RegisterTaskDefinitionRequest& family) const;
  void CheckOrder(const v1::StoredTask& before, const v1::StoredTask& after);
  void CheckHealth(const std::string& task_id, const v1::Task& task);
  void CheckTerminal(const std::string& task_id, const v1::StoredTask& task);
  void CheckEnd(const std::string& id, const v1::StoredContainer& told, const Container& truth);
  void CheckNotRestarted(const std::string& id, const v1::StoredTask& task, const Container& truth);
  bool IsStoreLostSince(size_t host, absl::Duration time) const;
  absl::Duration ClockSetAt(size_t host) const;

  const test::FakeClock* const clock_;
  const std::vector<v1::RegisterTaskDefinitionRequest> definitions_;
  std::map<std::string, Container> containers_;             // by container id
  std::map<std::string, v1::StoredTask> rows_;              // by task id
  std::map<std::string, v1::TaskStatus::Value> described_;  // task id -> the furthest ever shown
  std::map<std::string, absl::Duration> stopped_;           // task id -> when that was committed
  std::map<std::string, std::string> instances_;  // container instance id -> EC2 instance id
  std::set<std::string> gone_instances_;          // EC2 instance ids
  std::map<size_t, absl::Duration> clock_set_;    // by host: when its wall clock was set last
  std::optional<absl::Duration> controller_clock_set_;
  std::map<size_t, absl::Duration> store_lost_;         // by host: when its agent last lost records
  std::map<size_t, std::deque<absl::Duration>> dials_;  // by host: of the last minute
  std::string violation_;
};

// The 32 digits of a container's or task's id or ARN.
std::string TaskIdOf(absl::string_view container_id);
std::string ArnOf(const v1::StoredTask& row);

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_WITNESS_H_
