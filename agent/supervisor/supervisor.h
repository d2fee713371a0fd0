#ifndef DAVIT_AGENT_SUPERVISOR_SUPERVISOR_H_
#define DAVIT_AGENT_SUPERVISOR_SUPERVISOR_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/supervisor/lookout.h"
#include "agent/supervisor/orphans.h"
#include "agent/supervisor/report_sink.h"
#include "agent/supervisor/task_effects.h"
#include "agent/supervisor/task_view.h"
#include "agent/task/admission_ledger.h"

namespace davit::supervisor {

// Owns all tasks of this host: passes events to them, counts them in the admission ledger, observes
// the runtime for them, and removes their records in time. Thread-safe; nothing blocks. Its own
// work runs only on `control`.
class Supervisor final : public TaskEffects::Host {
 public:
  struct Options {
    absl::Duration stop_timeout = absl::Seconds(30);
    absl::Duration cleanup_after = absl::Hours(3);
    task::ResourceNeeds capacity;  // CPU units, MiB, reserved ports
    std::string boot_id;
    std::string ec2_instance_id;
    std::set<std::string> agent_ids;  // Orphans
    absl::Duration orphan_grace = absl::Minutes(5);
    absl::Duration reconcile_interval =
        absl::Minutes(2);  // period of inventories of the whole host
  };
  struct Deps {
    Pools pools;
    Timers* timers;
    const Clock* clock;
    store::Store* store;
    runtime::Runtime* runtime;
    resource::TaskCgroups* cgroups;
    network::Network* network;
    const TaskFiles* files;
    BlockingCalls* calls;  // those that run on the pools
    const PostMortems* post_mortems;
  };
  Supervisor(Options options, const Deps& deps);

  // Call before Start(). `effects` performs the actions, `sink` receives the states. Both must
  // outlive the supervisor's work.
  void Connect(Effects* effects, ReportSink* sink);
  // Takes over the stored tasks and starts to watch the runtime. Call once.
  void Start(const std::vector<v1::TaskRecord>& records);

  // Starts, changes or (with desired status STOPPED) stops a task on behalf of the controller. An
  // invalid assignment is reported STOPPED with the reason.
  void Assign(const v1::Assignment& assignment);
  // Stops tasks; the controller has confirmed it.
  void Stop(const std::vector<std::string>& task_arns, const std::string& reason);
  // The controller has acknowledged this task's terminal status.
  void NoteAcked(const std::string& task_arn);
  // Calls `done` with the ARNs of all known tasks that are not STOPPED and of all running orphans,
  // after the first inventory.
  void ListUnfinished(absl::AnyInvocable<void(std::set<std::string>)> done);
  // Reports every task's state to the sink again, after a reconnect.
  void ReportAll();
  // All tasks as they are now. Waits for the mailboxes: not from `control`. DeadlineExceeded: they
  // do not move, or are very busy.
  absl::StatusOr<std::vector<TaskView>> View(absl::Duration timeout = absl::Seconds(10));

  bool runtime_available() const { return runtime_available_.load(); }
  // The last inventory, and its number of orphans.
  struct Owned {
    HostInventory inventory;
    size_t orphans = 0;
  };
  Owned owned() const;
  // What hangs now, and for which task; the oldest first.
  std::vector<StuckCall> stuck_calls() const { return deps_.calls->Stuck(); }
  // Runs `pong` on the supervisor's mailbox. Feeding the watchdog there proves that the mailbox
  // works.
  void Ping(Work pong);

  // TaskEffects::Host, for tasks.
  void Admit(const std::shared_ptr<Task>& task, bool is_on_host) override;
  void Release(const std::string& task_id) override;
  void Observe(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) override;
  void Report(const std::shared_ptr<Task>& task, const task::TaskSnapshot& snapshot) override;

 private:
  std::shared_ptr<Task> Add(const v1::Assignment& assignment, task::TaskSnapshot snapshot,
                            uint64_t stored_sequence);
  std::shared_ptr<Task> Find(const std::string& task_id) const;
  std::shared_ptr<Task> FindByContainer(const std::string& container_id) const;
  void Adopt(const v1::TaskRecord& record);
  void Refuse(const v1::Assignment& assignment, const absl::Status& why);
  void OnRuntimeEvent(const runtime::RuntimeEvent& event);
  void OnExit(const runtime::RuntimeEvent& event);
  void OnRuntimeConnected();
  void OnStuckCall(const StuckCall& call, bool is_stuck);
  // Has every task that is not STOPPED compared with the runtime, and the host with the tasks.
  void LookAtHost();
  void ScheduleLook(bool is_soon);
  void NoteInventory(const HostInventory& inventory);
  // Removes an orphan; stops it first if it runs.
  void RemoveOrphan(const std::string& task_id, const std::string& reason);
  void ScheduleCleanup(const std::string& task_id, absl::Duration delay);
  void CleanUp(const std::string& task_id);
  void RemoveLogs(const std::string& task_id);

  const Options options_;
  const Deps deps_;
  Effects* effects_ = nullptr;  // constant after Connect()
  ReportSink* sink_ = nullptr;
  std::atomic<bool> runtime_available_{false};
  Serial serial_;
  // Only on serial_.
  std::map<std::string, std::shared_ptr<Task>> tasks_;  // by task id
  std::set<std::string> finished_;  // ids of STOPPED tasks that are kept for a while
  std::set<std::string> acked_;     // ids of finished tasks whose status was acknowledged
  task::AdmissionLedger ledger_;
  Lookout lookout_;
  Orphans orphans_;
  bool has_looked_ = false;  // the first inventory is done
  bool is_looking_ = false;
  bool must_look_again_ = false;           // events may have been missed since the look began
  uint64_t look_timer_ = 0;                // tells the armed timer from late ones
  std::vector<v1::Assignment> too_early_;  // of unknown tasks, before the first inventory
  std::vector<absl::AnyInvocable<void(std::set<std::string>)>> too_early_lists_;

  mutable Mutex mu_;
  Owned owned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_SUPERVISOR_H_
