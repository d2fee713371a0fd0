#ifndef DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_
#define DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "controller/agents/agents.h"
#include "controller/cluster/reads.h"
#include "controller/definition/reads.h"
#include "controller/instance/reads.h"
#include "controller/loop/assignment_queue.h"
#include "controller/model/model.h"
#include "controller/task/reads.h"
#include "tests/support/fake_time.h"

namespace davit::test {

using namespace controller;  // NOLINT(google-build-using-namespace): these are its tests

inline const int64_t kStartSeconds = absl::ToUnixSeconds(FakeClock().Now());

// Ids 0000...0001, 0000...0002, ...
inline change::Options ModelOptions() {
  change::Options options;
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
  hello.set_protocol_version(2);
  hello.set_cluster("default");
  hello.set_ec2_instance_id(ec2_instance_id);
  hello.set_agent_instance_id("agent-of-" + ec2_instance_id);
  hello.set_boot_id("boot-of-" + ec2_instance_id);
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

// The command of an operation, found in the table by its request.
template <typename Request>
model::Command CommandOf(const Request& request) {
  const std::string& type = request.GetDescriptor()->name();
  const model::Operation* operation = model::FindOperation(absl::StripSuffix(type, "Request"));
  return model::CommandOf(operation, std::make_shared<const Request>(request));
}

// The result of a command, with what each session would be sent.
struct Outcome {
  absl::Status status;
  model::Answer answer;
  std::vector<rows::Mutation> mutations;  // without sessions
  std::vector<change::Effect> effects;
  std::map<std::string, std::vector<v1::ControllerMessage>> sent;
};

// A model with a clock, and words for what tests do most.
class TestCluster {
 public:
  explicit TestCluster(change::Options options = ModelOptions())
      : model(std::move(options)), view(model.options().place) {
    Run([](change::Change* change) -> absl::StatusOr<model::Answer> {
      agents::OnLoaded(change);
      return model::Answer();
    });
  }

  Outcome Run(model::Command command) { return Take(model.Run(&command, now())); }
  template <typename Request>
  Outcome Apply(const Request& request) {
    return Run(CommandOf(request));
  }
  Outcome Tick() { return Take(model.Tick(now())); }
  Outcome Say(const std::string& session_id, const v1::AgentMessage& message) {
    return Run([&](change::Change* change) -> absl::StatusOr<model::Answer> {
      agents::OnMessage(session_id, bound_host, message, change);
      return model::Answer();
    });
  }
  Outcome EndStream(const std::string& session_id) {
    return Run([&](change::Change* change) -> absl::StatusOr<model::Answer> {
      agents::OnStreamEnded(session_id, change);
      return model::Answer();
    });
  }
  Outcome Connect(const std::string& session_id, const v1::Hello& hello) {
    v1::AgentMessage message;
    *message.mutable_hello() = hello;
    return Say(session_id, message);
  }
  Outcome Report(const std::string& session_id, const std::string& arn,
                 v1::TaskStatus::Value status, uint64_t sequence) {
    return Say(session_id, ReportOf(session_id, arn, status, sequence));
  }
  // The answer of a command that must succeed.
  template <typename Response, typename Request>
  Response Call(const Request& request) {
    const Outcome outcome = Apply(request);
    if (!outcome.status.ok()) throw std::runtime_error(outcome.status.ToString());
    return dynamic_cast<const Response&>(*outcome.answer);
  }
  template <typename Request>
  auto Read(const Request& request) const {
    using cluster::Read;
    using definition::Read;
    using instance::Read;
    using task::Read;
    return Read(request, view);
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
  rows::Rows StoredRows() const { return {rows.begin(), rows.end()}; }

  FakeClock clock;
  model::Model model;
  state::View view;                         // what reads see
  std::map<std::string, std::string> rows;  // what a store would hold, lazy rows included
  std::string bound_host;                   // that the certificate of every stream names

 private:
  change::Instant now() const { return {clock.Now(), clock.Monotonic()}; }
  Outcome Take(model::Outcome result) {
    view.Publish(result.mutations);
    Outcome outcome;
    outcome.status = result.answer.status();
    if (result.answer.ok()) outcome.answer = *result.answer;
    for (rows::Mutation& mutation : result.mutations) {
      if (mutation.durability == change::Durability::kNever) continue;
      if (const auto value = rows::Encode(mutation)) {
        rows[mutation.key] = *value;
      } else {
        rows.erase(mutation.key);
      }
      outcome.mutations.push_back(std::move(mutation));
    }
    for (const change::Effect& effect : result.effects) {
      if (const auto* send = std::get_if<change::SendToAgent>(&effect))
        queues_[send->session_id].Push(send->message);
      if (const auto* send = std::get_if<change::SendAssignments>(&effect))
        queues_[send->session_id].Push(send->session_id, send->assignments);
    }
    for (auto& [session_id, queue] : queues_) {
      while (auto message = queue.Pop()) outcome.sent[session_id].push_back(*std::move(message));
    }
    outcome.effects = std::move(result.effects);
    return outcome;
  }

  std::map<std::string, loop::AssignmentQueue> queues_;  // by session id
};

// Messages to a session, in order.
inline std::vector<v1::ControllerMessage> SentTo(const std::string& session_id,
                                                 const Outcome& outcome) {
  const auto sent = outcome.sent.find(session_id);
  return sent == outcome.sent.end() ? std::vector<v1::ControllerMessage>() : sent->second;
}

inline bool IsEnded(const std::string& session_id, const Outcome& outcome) {
  for (const change::Effect& effect : outcome.effects) {
    const auto* end = std::get_if<change::EndSession>(&effect);
    if (end != nullptr && end->session_id == session_id) return true;
  }
  return false;
}

}  // namespace davit::test

#endif  // DAVIT_TESTS_CONTROLLER_SUPPORT_FIXTURES_H_
