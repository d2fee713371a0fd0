#ifndef DAVIT_CONTROLLER_STATE_STATE_H_
#define DAVIT_CONTROLLER_STATE_STATE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "controller/capacity/host_index.h"
#include "controller/rows/record.h"
#include "controller/state/arn.h"

namespace davit::controller::state {

using rows::Ref;

struct Task;

// One task definition, FAMILY:REVISION.
struct Revision {
  Ref<v1::StoredTaskDefinition> record;
  Ref<Reservation> needs;  // of a task without overrides
};

struct Family {
  Ref<v1::StoredFamily> record;  // null: the store lacks it
  std::map<int, Revision> revisions;

  int last_revision() const { return record == nullptr ? 0 : record->last_revision(); }
};

// A container instance.
struct Instance {
  Ref<v1::StoredContainerInstance> record;
  Ref<rows::Session> session;  // null: its agent is not connected
  capacity::Host host;
  absl::btree_map<std::string, Task*> tasks;  // by id; all that are known, stopped ones too
  int running_count = 0;
  int pending_count = 0;

  bool is_connected() const { return session != nullptr; }
};

struct Task {
  Ref<v1::StoredTask> record;
  Ref<Reservation> needs;
  const Revision* revision = nullptr;  // null: the store lacks it
  Instance* instance = nullptr;        // null: there is none, or no longer

  bool is_stopped() const { return record->last_status() == v1::TaskStatus::STOPPED; }
};

// How many tasks of one group (ECS: "family:web", "service:api") are not STOPPED, and on which
// hosts.
struct Group {
  int task_count = 0;
  absl::flat_hash_map<const Instance*, int> by_instance;
};

struct Cluster {
  Ref<v1::StoredCluster> record;
  absl::btree_map<std::string, std::unique_ptr<Instance>> instances;  // by id
  absl::btree_map<std::string, std::unique_ptr<Task>> tasks;          // by id
  absl::flat_hash_map<std::string, Group> groups;
  capacity::HostIndex hosts;  // of `instances`
  int running_count = 0;
  int pending_count = 0;
};

// Everything that the controller knows, indexed for what is asked of it. It changes by Apply()
// only: the writer, the copy that reads see, a load from the store and tests all go the same way.
// Records are shared and immutable, so that two States of the same records cost one set of them.
// Pointers to objects stay valid until the object is erased. Not thread-safe.
class State {
 public:
  explicit State(Place place) : place_(std::move(place)) {}

  // Makes one object be as `mutation` says, and returns the mutation that undoes it. What belongs
  // to a cluster needs that cluster to exist: see Check(). An instance that is erased takes its
  // session with it; its tasks stay, without an instance.
  rows::Mutation Apply(const rows::Mutation& mutation);
  // DataLoss: Apply() cannot take this mutation, because its cluster is missing.
  absl::Status Check(const rows::Mutation& mutation) const;
  // On an empty State; `mutations` as rows::DecodeAll() returns them. DataLoss: see Check().
  absl::Status Load(const std::vector<rows::Mutation>& mutations);

  const Place& place() const { return place_; }
  uint64_t epoch() const { return meta_ == nullptr ? 0 : meta_->epoch(); }
  using Clusters = std::map<std::string, Cluster, std::less<>>;  // by name
  using Families = std::map<std::string, Family, std::less<>>;   // by name
  const Clusters& clusters() const { return clusters_; }
  const Families& families() const { return families_; }
  // Connected instances, by session id.
  const absl::flat_hash_map<std::string, Instance*>& sessions() const { return sessions_; }
  int64_t CountTasks(v1::TaskStatus::Value status) const;

  // Null: there is none.
  const Cluster* FindCluster(absl::string_view name) const;
  const Revision* FindRevision(absl::string_view family, int revision) const;
  const Instance* FindInstance(absl::string_view cluster, absl::string_view id) const;
  const Instance* FindInstanceByHost(absl::string_view cluster,
                                     absl::string_view ec2_instance_id) const;
  const Instance* FindInstanceBySession(absl::string_view session_id) const;
  const Task* FindTask(absl::string_view cluster, absl::string_view id) const;
  // By ARN; an ARN of another region or account finds nothing.
  const Instance* FindInstanceByArn(absl::string_view arn) const;
  const Task* FindTaskByArn(absl::string_view arn) const;
  // The tasks that a RunTask with this token made, by id.
  std::vector<const Task*> FindTasksByToken(absl::string_view cluster,
                                            absl::string_view token) const;
  // Up to `limit` tasks that are known to be stopped since before `time` (milliseconds since 1970),
  // the oldest first.
  std::vector<const Task*> StoppedBefore(int64_t time, size_t limit) const;

 private:
  static constexpr size_t kStatuses = 9;  // TaskStatus counts in hundreds, up to STOPPED

  // Each makes the object called `name` be as `record` says, and returns what it was before.
  Ref<v1::StoredMeta> Set(absl::string_view name, const Ref<v1::StoredMeta>& record);
  Ref<v1::StoredFamily> Set(absl::string_view name, const Ref<v1::StoredFamily>& record);
  Ref<v1::StoredTaskDefinition> Set(absl::string_view name,
                                    const Ref<v1::StoredTaskDefinition>& record);
  Ref<v1::StoredCluster> Set(absl::string_view name, const Ref<v1::StoredCluster>& record);
  Ref<v1::StoredContainerInstance> Set(absl::string_view name,
                                       const Ref<v1::StoredContainerInstance>& record);
  Ref<v1::StoredTask> Set(absl::string_view name, const Ref<v1::StoredTask>& record);
  Ref<rows::Session> Set(absl::string_view name, const Ref<rows::Session>& record);
  // What the host has in total and what its tasks hold, by the instance's new record.
  void RebuildHost(Cluster* cluster, Instance* instance);
  void EraseInstance(Cluster* cluster, const std::string& id, Instance* instance);
  // Enters a task into every index, or takes it out again. Its record is the same in both calls.
  void Enter(Cluster* cluster, Task* task);
  void Leave(Cluster* cluster, Task* task);
  // The part of it that any change of status changes.
  void Count(Cluster* cluster, const Task& task, int sign);
  void CountInGroup(Cluster* cluster, const Task& task, int sign);
  Ref<Reservation> NeedsOf(const Task& task) const;

  const Place place_;
  const std::string arn_prefix_ = MakeArn(place_, "");
  capacity::TraitsPool traits_;
  Ref<v1::StoredMeta> meta_;
  Clusters clusters_;
  Families families_;
  absl::flat_hash_map<std::string, Instance*> instances_by_host_;  // CLUSTER/EC2-INSTANCE-ID
  absl::flat_hash_map<std::string, Instance*> sessions_;
  absl::flat_hash_map<std::string, std::set<std::string>> tokens_;  // CLUSTER/TOKEN -> task ids
  std::set<std::pair<int64_t, std::string>> stopped_;               // since when, CLUSTER/ID
  // Tasks whose instance is missing, by CLUSTER/INSTANCE.
  absl::flat_hash_map<std::string, std::set<Task*>> homeless_;
  std::array<int64_t, kStatuses> counts_ = {};
};

}  // namespace davit::controller::state

#endif  // DAVIT_CONTROLLER_STATE_STATE_H_
