// What agents may say to the controller, in any order and with any content, among calls of the API
// and the passing of time. The input is a script (byte_source.h):
//   H s i      Hello on stream s of host i    E s    stream s ends
//   R s n (t v q){n}   StatusReport: task t has come to status 100 v, sequence q
//   B s a      Heartbeat; a even: the runtime is available
//   C s n t{n} StopCandidates                 Q s    ResyncRequest
//   M s BYTES; any AgentMessage, as its bytes
//   T n c      RunTask of n tasks with c MiB in hundreds
//   X t        StopTask                       P n    2^n tenths of a second pass, then a tick
#include <google/protobuf/stubs/logging.h>

#include <map>

#include "base/log.h"
#include "tests/controller/support/fixtures.h"
#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {
namespace {

constexpr int kMaxSteps = 80;

using controller::state::Cluster;
using controller::state::Instance;
using controller::state::State;

class Script {
 public:
  Script() {
    v1::CreateClusterRequest request;
    request.set_cluster_name("default");
    cluster_.Apply(request);
    cluster_.Register(test::MakeDefinition("web"));
  }

  void Step(ByteSource* bytes) {
    switch (bytes->Letter("HERBCQMTXP")) {
      case 'H': {
        const std::string session = Session(bytes);
        cluster_.Connect(session, test::MakeHello(absl::StrCat("i-", bytes->Number() % 4)));
        return;
      }
      case 'E':
        cluster_.EndStream(Session(bytes));
        return;
      case 'R':
        return Report(bytes);
      case 'B': {
        v1::AgentMessage message = From(bytes);
        message.mutable_heartbeat()->set_runtime_available(bytes->Number() % 2 == 0);
        return Say(message);
      }
      case 'C': {
        v1::AgentMessage message = From(bytes);
        for (int left = bytes->Number(); left > 0; --left) {
          message.mutable_stop_candidates()->add_task_arns(TaskArn(bytes));
        }
        return Say(message);
      }
      case 'Q': {
        v1::AgentMessage message = From(bytes);
        message.mutable_resync_request();
        return Say(message);
      }
      case 'M': {
        const std::string session = Session(bytes);
        v1::AgentMessage message;
        if (message.ParseFromString(bytes->Until(';'))) cluster_.Say(session, message);
        return;
      }
      case 'T':
        return RunTask(bytes);
      case 'X': {
        v1::StopTaskRequest request;
        request.set_task(TaskArn(bytes));
        cluster_.Apply(request);
        return;
      }
      case 'P':
        cluster_.clock.Advance(absl::Milliseconds(100) * (1 << bytes->Number()));
        cluster_.Tick();
        return;
    }
  }

  // What holds after each step.
  void Check() {
    const State& state = cluster_.model.state();
    std::map<int, int64_t> by_status;
    for (const auto& [name, cluster] : state.clusters()) {
      int running = 0, pending = 0;
      std::map<std::string, int> groups;
      for (const auto& [id, task] : cluster.tasks) {
        const v1::TaskStatus::Value status = task->record->last_status();
        Must(v1::TaskStatus::Value_IsValid(status) && status != v1::TaskStatus::UNSPECIFIED);
        int& furthest = furthest_[absl::StrCat(name, "/", id)];
        Must(status >= furthest);  // never goes back
        furthest = status;
        ++by_status[status];
        running += status == v1::TaskStatus::RUNNING;
        pending += status < v1::TaskStatus::RUNNING;
        groups[task->record->group()] += !task->is_stopped();
      }
      Must(cluster.running_count == running && cluster.pending_count == pending);
      for (const auto& [group, count] : groups) {
        const auto found = cluster.groups.find(group);
        Must(count == (found == cluster.groups.end() ? 0 : found->second.task_count));
      }
      for (const auto& [id, instance] : cluster.instances) CheckInstance(*instance);
    }
    for (const auto& [status, count] : by_status) {
      Must(state.CountTasks(static_cast<v1::TaskStatus::Value>(status)) == count);
    }
    for (const auto& [session, instance] : state.sessions()) {
      Must(instance->session != nullptr && instance->session->id == session);
    }
  }

  // A store with all that was written is the same cluster.
  void CheckStore() {
    const auto mutations = controller::rows::DecodeAll(cluster_.StoredRows());
    Must(mutations.ok());
    State loaded(options_.place);
    Must(loaded.Load(*mutations).ok());
    const State& state = cluster_.model.state();
    Must(loaded.clusters().size() == state.clusters().size());
    for (const auto& [name, cluster] : state.clusters()) {
      const Cluster* const other = loaded.FindCluster(name);
      Must(other != nullptr && other->tasks.size() == cluster.tasks.size());
      Must(other->running_count == cluster.running_count);
      for (const auto& [id, instance] : cluster.instances) {
        const Instance* const same = loaded.FindInstance(name, id);
        Must(same != nullptr && same->host.free_memory_mib == instance->host.free_memory_mib &&
             same->host.free_cpu_units == instance->host.free_cpu_units);
      }
    }
  }

 private:
  static void CheckInstance(const Instance& instance) {
    int64_t cpu = instance.host.cpu_units, memory = instance.host.memory_mib;
    int running = 0, tasks = 0;
    for (const auto& [id, task] : instance.tasks) {
      running += task->record->last_status() == v1::TaskStatus::RUNNING;
      if (task->is_stopped()) continue;
      ++tasks;
      cpu -= task->needs->cpu_units;
      memory -= task->needs->memory_mib;
    }
    Must(instance.running_count == running && instance.host.task_count == tasks);
    Must(instance.host.free_cpu_units == cpu && instance.host.free_memory_mib == memory);
  }

  static std::string Session(ByteSource* bytes) { return absl::StrCat("s", bytes->Number() % 6); }
  static v1::AgentMessage From(ByteSource* bytes) { return test::WithSession(Session(bytes)); }
  void Say(const v1::AgentMessage& message) { cluster_.Say(message.session_id(), message); }

  std::string TaskArn(ByteSource* bytes) {
    const auto number = static_cast<size_t>(bytes->Number());
    return arns_.empty() ? "arn:aws:ecs:us-east-1:000000000000:task/default/0"
                         : arns_[number % arns_.size()];
  }

  void Report(ByteSource* bytes) {
    v1::AgentMessage message = From(bytes);
    message.mutable_status_report()->set_report_id(1);
    for (int left = bytes->Number(); left > 0; --left) {
      v1::TaskState* task = message.mutable_status_report()->add_tasks();
      task->set_task_arn(TaskArn(bytes));
      task->set_last_status(static_cast<v1::TaskStatus::Value>(bytes->Number() * 100));
      task->set_sequence(static_cast<uint64_t>(bytes->Number()));
      v1::ContainerState* container = task->add_containers();
      container->set_name("web");
      container->set_last_status(static_cast<v1::ContainerStatus::Value>(task->last_status()));
    }
    Say(message);
  }

  void RunTask(ByteSource* bytes) {
    v1::RunTaskRequest request;
    request.set_task_definition("web");
    request.set_count(bytes->Number());
    v1::ContainerOverride* replaced = request.mutable_overrides()->add_container_overrides();
    replaced->set_name("web");
    replaced->set_memory((bytes->Number() + 1) * 100);
    const test::Outcome outcome = cluster_.Apply(request);
    if (!outcome.status.ok()) {
      Must(outcome.mutations.empty());  // a command that fails leaves nothing
      return;
    }
    for (const v1::Task& task : dynamic_cast<const v1::RunTaskResponse&>(*outcome.answer).tasks()) {
      arns_.push_back(task.task_arn());
    }
  }

  const controller::change::Options options_ = test::ModelOptions();
  test::TestCluster cluster_{options_};
  std::vector<std::string> arns_;
  std::map<std::string, int> furthest_;  // status of each task
};

}  // namespace

int FuzzAgentMessage(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer silence;  // it would report each string that is not UTF-8
  ByteSource bytes(data, size);
  Script script;
  for (int step = 0; step < kMaxSteps && !bytes.empty(); ++step) {
    script.Step(&bytes);
    script.Check();
  }
  script.CheckStore();
  return 0;
}

}  // namespace davit::fuzz
