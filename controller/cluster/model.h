#ifndef DAVIT_CONTROLLER_CLUSTER_MODEL_H_
#define DAVIT_CONTROLLER_CLUSTER_MODEL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "controller/capacity/host.h"
#include "controller/cluster/command.h"
#include "controller/cluster/names.h"
#include "controller/cluster/state.h"

namespace davit::cluster {

struct ModelOptions {
  Place place;
  absl::Duration stopped_retention = absl::Hours(1);  // how long a STOPPED task can be described
  absl::Duration grace = absl::Seconds(60);  // how long an agent may be away before that is noted
  capacity::PlaceFunction place_tasks;       // required
  std::function<std::string()> new_id;  // 32 hexadecimal digits, never the same twice; required
};

// The cluster as one value that changes by commands only: the same commands at the same instants
// always have the same outcomes (given the same ids). Not thread-safe; never blocks.
class Model {
 public:
  explicit Model(ModelOptions options) : options_(std::move(options)), state_(options_.place) {}

  // From the rows of a store; on an empty model only. DataLoss: a row cannot be understood.
  absl::Status Load(const std::vector<std::pair<std::string, std::string>>& rows) {
    return state_.Load(rows);
  }

  Outcome Apply(const Command& command, const Instant& now);

  const State& state() const { return state_; }
  const ModelOptions& options() const { return options_; }

 private:
  using Answer = std::shared_ptr<const google::protobuf::Message>;
  using Result = absl::StatusOr<Answer>;

  // API operations (cluster_operations.cc, task_definition_operations.cc, task_operations.cc).
  Result On(const v1::CreateClusterRequest& request);
  Result On(const v1::DeleteClusterRequest& request);
  Result On(const v1::RegisterTaskDefinitionRequest& request);
  Result On(const v1::DeregisterTaskDefinitionRequest& request);
  Result On(const v1::RunTaskRequest& request);
  Result On(const v1::StopTaskRequest& request);
  // The rest (agent_commands.cc).
  Result On(const Started& started);
  Result On(const AgentSaid& said);
  Result On(const AgentGone& gone);
  Result On(const Tick& tick);
  Result On(const Stopping& stopping);

  void OnHello(const std::string& session_id, const v1::Hello& hello);
  void OnHeartbeat(Instance* instance, const v1::Heartbeat& heartbeat);
  void OnReport(Instance* instance, const v1::StatusReport& report);
  void OnStopCandidates(Instance* instance, const v1::StopCandidates& candidates);
  void SendComplete(Instance* instance);
  absl::StatusOr<Instance*> Identify(const v1::Hello& hello);
  Instance* Register(const v1::Hello& hello, Instance* known);
  void EndSession(const std::string& session_id, v1::Goodbye::Code code, absl::string_view reason);
  void Disconnect(Instance* instance, absl::string_view why);
  void NoteAbsences();
  void ForgetStoppedTasks();
  bool MergeTaskState(const v1::TaskState& seen, const Instance& instance);
  void ObserveRuntime(Instance* instance, bool is_available, absl::string_view impairment);
  Cluster* MakeCluster(const std::string& name, const v1::CreateClusterRequest& request);

  v1::StoredTask MakeTask(const v1::RunTaskRequest& request, const Cluster& cluster,
                          const Revision& revision, const Instance& instance) const;
  // Tells the task's agent, if it is connected, what is wanted of the task now.
  void SendAssignment(Task* task);
  // Tells it that a stopped task need not be remembered.
  void SendRemoval(Instance* instance, const std::vector<std::string>& task_arns);
  v1::AssignmentSet* NextSet(Instance* instance, v1::ControllerMessage* message);
  void Send(const std::string& session_id, v1::ControllerMessage message);
  void AddNote(Note::Level level, absl::string_view message,
               std::vector<std::pair<std::string, std::string>> fields);

  const ModelOptions options_;
  State state_;
  // Of the command that is being applied.
  Instant now_;
  std::vector<Effect> effects_;
};

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_MODEL_H_
