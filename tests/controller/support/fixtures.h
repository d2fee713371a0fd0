#ifndef DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_
#define DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/timers.h"
#include "controller/cluster/model.h"
#include "controller/placement/placement.h"

namespace davit::test {

inline const absl::Time kStart = absl::FromUnixSeconds(1700000000);

// Ids 0000...0001, 0000...0002, ...
inline cluster::ModelOptions ModelOptions() {
  cluster::ModelOptions options;
  options.place_tasks = placement::Place;
  options.new_id = [next = std::make_shared<int>(0)] { return absl::StrFormat("%032x", ++*next); };
  return options;
}

inline void AddResource(const std::string& name, int value, v1::Hello* hello) {
  v1::Resource* resource = hello->add_resources();
  resource->set_name(name);
  resource->set_type("INTEGER");
  resource->set_integer_value(value);
}

// A host of 2 cores and 2000 MiB in cluster "default".
inline v1::Hello MakeHello(const std::string& ec2_instance_id) {
  v1::Hello hello;
  hello.set_protocol_version(1);
  hello.set_cluster("default");
  hello.set_ec2_instance_id(ec2_instance_id);
  hello.set_agent_instance_id("agent-of-" + ec2_instance_id);
  hello.set_runtime_available(true);
  hello.mutable_version_info()->set_agent_version("0.1.0");
  AddResource("CPU", 2048, &hello);
  AddResource("MEMORY", 2000, &hello);
  v1::Resource* ports = hello.add_resources();
  ports->set_name("PORTS");
  ports->set_type("STRINGSET");
  ports->add_string_set_value("22");
  v1::Attribute* attribute = hello.add_attributes();
  attribute->set_name("ecs.cpu-architecture");
  attribute->set_value("x86_64");
  return hello;
}

inline v1::RegisterTaskDefinitionRequest MakeDefinition(const std::string& family,
                                                        int memory = 100) {
  v1::RegisterTaskDefinitionRequest request;
  request.set_family(family);
  v1::ContainerDefinition* container = request.add_container_definitions();
  container->set_name("web");
  container->set_image("busybox");
  container->set_cpu(10);
  container->set_memory(memory);
  return request;
}

inline v1::AgentMessage WithSession(const std::string& session_id) {
  v1::AgentMessage message;
  message.set_session_id(session_id);
  return message;
}

inline v1::AgentMessage ReportOf(const std::string& session_id, const std::string& task_arn,
                                 v1::TaskStatus::Value status, uint64_t sequence) {
  v1::AgentMessage message = WithSession(session_id);
  message.mutable_status_report()->set_report_id(sequence);
  v1::TaskState* task = message.mutable_status_report()->add_tasks();
  task->set_task_arn(task_arn);
  task->set_last_status(status);
  task->set_sequence(sequence);
  return message;
}

// A clock that moves when it is told to.
class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return kStart + elapsed_; }
  absl::Duration Monotonic() const override { return absl::Seconds(100) + elapsed_; }
  void Advance(absl::Duration time) { elapsed_ += time; }

 private:
  absl::Duration elapsed_;
};

// Runs what was posted when it is told to. Single-threaded.
class FakeExecutor final : public Executor {
 public:
  void Post(Work work) override { queue_.push_back(std::move(work)); }
  void RunAll() {
    while (!queue_.empty()) {
      Work work = std::move(queue_.front());
      queue_.pop_front();
      work();
    }
  }

 private:
  std::deque<Work> queue_;
};

// Timers that fire when they are told to.
class FakeTimers final : public Timers {
 public:
  TimerId After(absl::Duration /*delay*/, Executor* executor, Work work) override {
    waiting_.emplace(++last_, std::make_pair(executor, std::move(work)));
    return last_;
  }
  void Cancel(TimerId id) override { waiting_.erase(id); }
  void FireAll() {
    std::map<TimerId, std::pair<Executor*, Work>> due;
    due.swap(waiting_);
    for (auto& [id, entry] : due) entry.first->Post(std::move(entry.second));
  }

 private:
  TimerId last_ = 0;
  std::map<TimerId, std::pair<Executor*, Work>> waiting_;
};

// A model with a clock, and words for what tests do most.
class TestCluster {
 public:
  explicit TestCluster(cluster::ModelOptions options = ModelOptions()) : model(std::move(options)) {
    Apply(cluster::Started());
  }

  cluster::Outcome Apply(cluster::Command command) {
    cluster::Outcome outcome = model.Apply(command, {clock.Now(), clock.Monotonic()});
    for (const cluster::Mutation& mutation : outcome.mutations) {
      if (mutation.value) {
        rows[mutation.key] = *mutation.value;
      } else {
        rows.erase(mutation.key);
      }
    }
    return outcome;
  }
  cluster::Outcome Say(const std::string& session_id, v1::AgentMessage message) {
    return Apply(cluster::AgentSaid{session_id, std::move(message)});
  }
  cluster::Outcome Connect(const std::string& session_id, const v1::Hello& hello) {
    v1::AgentMessage message;
    *message.mutable_hello() = hello;
    return Say(session_id, std::move(message));
  }
  cluster::Outcome Report(const std::string& session_id, const std::string& arn,
                          v1::TaskStatus::Value status, uint64_t sequence) {
    return Say(session_id, ReportOf(session_id, arn, status, sequence));
  }
  // The answer of a command that must succeed.
  template <typename Response>
  Response Call(cluster::Command command) {
    const cluster::Outcome outcome = Apply(std::move(command));
    if (!outcome.status.ok()) throw std::runtime_error(outcome.status.ToString());
    return dynamic_cast<const Response&>(*outcome.answer);
  }
  v1::RunTaskResponse Run(const std::string& definition, int count = 1) {
    v1::RunTaskRequest request;
    request.set_task_definition(definition);
    request.set_count(count);
    return Call<v1::RunTaskResponse>(request);
  }
  void Register(const v1::RegisterTaskDefinitionRequest& request) {
    Call<v1::RegisterTaskDefinitionResponse>(request);
  }

  FakeClock clock;
  cluster::Model model;
  std::map<std::string, std::string> rows;  // what a store would hold
};

// Messages to a session, in order.
inline std::vector<v1::ControllerMessage> SentTo(const std::string& session_id,
                                                 const cluster::Outcome& outcome) {
  std::vector<v1::ControllerMessage> messages;
  for (const cluster::Effect& effect : outcome.effects) {
    const auto* send = std::get_if<cluster::SendToAgent>(&effect);
    if (send != nullptr && send->session_id == session_id) messages.push_back(send->message);
  }
  return messages;
}

inline bool IsEnded(const std::string& session_id, const cluster::Outcome& outcome) {
  for (const cluster::Effect& effect : outcome.effects) {
    const auto* end = std::get_if<cluster::EndSession>(&effect);
    if (end != nullptr && end->session_id == session_id) return true;
  }
  return false;
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_
