#ifndef DAVIT_CONTROLLER_CLUSTER_STATE_H_
#define DAVIT_CONTROLLER_CLUSTER_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "controller/capacity/host.h"
#include "controller/cluster/mutation.h"
#include "davit/v1/cluster_record.pb.h"

namespace davit::cluster {

struct Task;

// Where this controller is in ECS's world: both stand in every ARN.
struct Place {
  std::string region = "us-east-1";
  std::string account = "000000000000";
};

struct Revision {
  v1::StoredTaskDefinition record;
};

struct Family {
  int last_revision = 0;
  std::map<int, std::unique_ptr<Revision>> revisions;
};

// What an agent's connection has brought. Not stored: after a start, nobody is connected.
struct Session {
  std::string id;  // empty: not connected
  std::string boot_id;
  bool is_runtime_available = true;
  std::string impairment;
  uint64_t last_set = 0;                     // results_in of the newest assignment set
  absl::Duration last_heard;                 // monotonic
  absl::Duration period = absl::Seconds(5);  // between heartbeats, as last told to the agent
  absl::Duration away_since;                 // monotonic; meaningful while not connected
  bool is_absence_noted = false;             // the grace period has passed and was noted
};

struct Instance {
  v1::StoredContainerInstance record;
  capacity::Host host;
  Session session;
  std::map<std::string, Task*> tasks;  // by ARN; all that are still known, the stopped ones too
  int running_count = 0;
  int pending_count = 0;

  const std::string& arn() const { return record.instance().container_instance_arn(); }
};

struct Task {
  v1::StoredTask record;
  v1::TaskStatus::Value last_status = v1::TaskStatus::UNSPECIFIED;
  Reservation needs;
  const Revision* revision = nullptr;  // null if the store lacks it
  Instance* instance = nullptr;        // null if the store lacks it
  std::string heard_in;  // session of the newest observation: sequences are compared within one

  const std::string& arn() const { return record.task().task_arn(); }
  bool is_stopped() const { return last_status == v1::TaskStatus::STOPPED; }
};

struct Cluster {
  v1::StoredCluster record;
  std::map<std::string, std::unique_ptr<Instance>> instances;  // by id
  std::vector<const capacity::Host*> hosts;                    // of `instances`
  std::vector<Instance*> host_owners;                          // of `hosts`, in the same order
  std::map<std::string, std::unique_ptr<Task>> tasks;          // by id
  int running_count = 0;
  int pending_count = 0;
};

// Everything the controller knows, indexed for what is asked of it. Changes go through the Put and
// Update calls, which keep the indexes and remember what the store must be told. Pointers stay
// valid until the object is erased. Not thread-safe.
class State {
 public:
  explicit State(Place place) : place_(std::move(place)) {}

  // From the rows of a store. DataLoss: a row cannot be understood (the text names it).
  absl::Status Load(const std::vector<std::pair<std::string, std::string>>& rows);

  const Place& place() const { return place_; }
  const std::map<std::string, Cluster>& clusters() const { return clusters_; }
  const std::map<std::string, Family>& families() const { return families_; }
  const absl::flat_hash_map<std::string, Instance*>& sessions() const { return sessions_; }
  uint64_t epoch() const { return epoch_; }
  int64_t CountTasks(v1::TaskStatus::Value status) const;

  // By name or id. Null if there is none.
  Cluster* FindCluster(absl::string_view name);
  const Cluster* FindCluster(absl::string_view name) const;
  const Revision* FindRevision(absl::string_view family, int revision) const;
  Instance* FindInstance(absl::string_view arn);
  Instance* FindInstanceByHost(absl::string_view cluster, absl::string_view ec2_instance_id);
  Instance* FindInstanceBySession(absl::string_view session_id);
  Task* FindTask(absl::string_view arn);
  // The tasks that a RunTask with this token made.
  std::vector<Task*> FindTasksByToken(absl::string_view cluster, absl::string_view token);
  // Up to `limit` tasks that are known to be stopped since before `time` (epoch seconds), oldest
  // first.
  std::vector<Task*> StoppedBefore(double time, size_t limit);

  void PutEpoch(uint64_t epoch);
  Cluster* PutCluster(v1::StoredCluster record);
  // A new revision, or one that has changed.
  Revision* PutRevision(v1::StoredTaskDefinition record);
  // A new instance, or one that has registered again: reservations of its tasks are kept.
  Instance* PutInstance(v1::StoredContainerInstance record);
  // A new task, or one that has changed.
  Task* PutTask(v1::StoredTask record);
  void EraseTask(Task* task);
  void SetSession(Instance* instance, const std::string& session_id);  // empty: disconnected
  void SetRuntimeAvailable(Instance* instance, bool is_available);

  // What has changed since the last call, each key once.
  std::vector<Mutation> TakeMutations();

 private:
  absl::Status LoadRow(const std::string& key, const std::string& value);
  void Index(Task* task, int sign);
  void RebuildHosts(Cluster* cluster);

  const Place place_;
  uint64_t epoch_ = 0;
  std::map<std::string, Cluster> clusters_;  // by name
  std::map<std::string, Family> families_;
  absl::flat_hash_map<std::string, Instance*> instances_;           // by ARN
  absl::flat_hash_map<std::string, Instance*> instances_by_host_;   // by cluster/ec2 instance id
  absl::flat_hash_map<std::string, Instance*> sessions_;            // by session id
  absl::flat_hash_map<std::string, Task*> tasks_;                   // by ARN
  absl::flat_hash_map<std::string, std::set<std::string>> tokens_;  // cluster/token -> task ARNs
  std::set<std::pair<double, std::string>> stopped_;                // since when, task ARN
  std::map<v1::TaskStatus::Value, int64_t> counts_;
  std::map<std::string, std::optional<std::string>> changes_;
};

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_STATE_H_
