#include "controller/agents/hello.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "controller/agents/assignments.h"
#include "controller/agents/sessions.h"
#include "controller/cluster/operations.h"
#include "controller/ecs/rules.h"

namespace davit::controller::agents {
namespace {

using change::Change;
using change::Note;
using state::Instance;

constexpr int kOldestProtocolVersion = 1;
constexpr int kProtocolVersion = 2;
constexpr size_t kMaxId = 255;
constexpr int kMaxAttributes = 1000;

// The first thing that is wrong with an identity; empty if it is acceptable.
std::string ProblemOfId(absl::string_view member, absl::string_view id) {
  if (id.empty()) return absl::StrCat(member, " is empty: without it a host has no identity");
  if (id.size() > kMaxId) return absl::StrCat(member, " is longer than ", kMaxId, " bytes");
  return "";
}

std::string ProblemOfResources(const v1::Hello& hello) {
  std::map<std::string, int> amounts;
  for (const v1::Resource& resource : hello.resources()) {
    if (resource.integer_value() < 0)
      return absl::StrCat("resources: ", resource.name(), " is negative");
    if (!amounts.try_emplace(resource.name(), resource.integer_value()).second)
      return absl::StrCat("resources: ", resource.name(), " is given twice");
  }
  for (const char* name : {"CPU", "MEMORY"}) {
    if (amounts.count(name) == 0) return absl::StrCat("resources lack ", name);
  }
  if (hello.attributes_size() > kMaxAttributes)
    return absl::StrCat("attributes: at most ", kMaxAttributes, ", got ", hello.attributes_size());
  return "";
}

// The first thing that is wrong with a Hello, naming its field; empty if it is acceptable.
std::string ProblemOf(const v1::Hello& hello) {
  if (hello.protocol_version() < kOldestProtocolVersion ||
      hello.protocol_version() > kProtocolVersion) {
    return absl::StrCat("protocol_version is ", hello.protocol_version(),
                        "; this controller speaks ", kOldestProtocolVersion, " to ",
                        kProtocolVersion);
  }
  if (!ecs::IsName(hello.cluster())) {
    return absl::StrCat("cluster: must be 1..255 letters, digits, hyphens and underscores, is '",
                        hello.cluster(), "'");
  }
  for (const auto& [member, id] :
       {std::pair<const char*, const std::string&>("ec2_instance_id", hello.ec2_instance_id()),
        {"agent_instance_id", hello.agent_instance_id()},
        {"boot_id", hello.boot_id()}}) {
    if (std::string problem = ProblemOfId(member, id); !problem.empty()) return problem;
  }
  return ProblemOfResources(hello);
}

template <typename List>
bool AreSame(const List& a, const List& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.SerializeAsString() == y.SerializeAsString();
         });
}

// The instance that a Hello is from; null: a new one. Makes the default cluster where it is
// missing.
absl::StatusOr<const Instance*> Identify(const v1::Hello& hello, Change* change) {
  const state::Cluster* cluster = change->state().FindCluster(hello.cluster());
  if (cluster == nullptr || cluster->record->status() != v1::ObjectStatus::ACTIVE) {
    // As with ECS: agents may make the cluster that is theirs when nobody named one.
    if (hello.cluster() != "default") {
      return absl::InvalidArgumentError(
          absl::StrCat("cluster '", hello.cluster(),
                       "' does not exist: create it, or fix `agent.cluster` in agent.toml"));
    }
    RETURN_IF_ERROR(cluster::Apply(v1::CreateClusterRequest(), change).status());
  }
  const Instance* by_arn = change->state().FindInstanceByArn(hello.container_instance_arn());
  // A known ARN from another host is a cloned disk: that host is somebody else.
  if (by_arn != nullptr && by_arn->record->ec2_instance_id() == hello.ec2_instance_id()) {
    if (by_arn->record->cluster() == hello.cluster()) return by_arn;
    return absl::InvalidArgumentError(absl::StrCat("cluster: this host is registered in cluster '",
                                                   by_arn->record->cluster(), "', not in '",
                                                   hello.cluster(), "'"));
  }
  return change->state().FindInstanceByHost(hello.cluster(), hello.ec2_instance_id());
}

const Instance* Register(const v1::Hello& hello, const Instance* known, Change* change) {
  v1::StoredContainerInstance record;
  if (known != nullptr) record = *known->record;
  if (known != nullptr && AreSame(record.registered_resources(), hello.resources()) &&
      AreSame(record.attributes(), hello.attributes()) &&
      record.version_info().SerializeAsString() == hello.version_info().SerializeAsString()) {
    return known;
  }
  if (known == nullptr) {
    record.set_cluster(hello.cluster());
    record.set_id(change->NewId());
    record.set_ec2_instance_id(hello.ec2_instance_id());
    record.set_status(v1::ContainerInstanceStatus::ACTIVE);
    record.set_registered_at(change->now_ms());
  }
  record.set_version(record.version() + 1);
  *record.mutable_registered_resources() = hello.resources();
  *record.mutable_attributes() = hello.attributes();
  *record.mutable_version_info() = hello.version_info();
  const std::string id = record.id();
  change->Put(std::move(record));
  return change->state().FindInstance(hello.cluster(), id);
}

void Refuse(const std::string& session_id, const v1::Hello& hello, absl::string_view problem,
            Change* change) {
  change->EndSession(session_id, v1::Goodbye::REFUSED, problem);
  change->AddNote(Note::Level::kWarning, "agent refused",
                  {{"ec2_instance_id", hello.ec2_instance_id()},
                   {"cluster", hello.cluster()},
                   {"reason", std::string(problem)}});
}

// Two machines with one identity: each would run what the other runs. If it is the same machine
// after a restart, its former session will soon be silent.
bool IsTwin(const v1::Hello& hello, const Instance* known) {
  return known != nullptr && known->is_connected() && known->session->boot_id != hello.boot_id();
}

void TurnAway(const std::string& session_id, const v1::Hello& hello, const Instance& known,
              Change* change) {
  change->EndSession(session_id, v1::Goodbye::STALE,
                     absl::StrCat("ec2_instance_id: a host with another boot id is connected as ",
                                  hello.ec2_instance_id()));
  change->AddNote(Note::Level::kWarning, "two hosts have one identity, or one was restarted",
                  {{"container_instance_arn", state::ArnOf(change->place(), *known.record)},
                   {"ec2_instance_id", hello.ec2_instance_id()},
                   {"connected_boot_id", known.session->boot_id},
                   {"boot_id", hello.boot_id()}});
}

void Welcome(const std::string& session_id, const v1::Hello& hello, const Instance& instance,
             Change* change) {
  const std::string arn = state::ArnOf(change->place(), *instance.record);
  v1::ControllerMessage message;
  v1::Welcome* welcome = message.mutable_welcome();
  welcome->set_container_instance_arn(arn);
  welcome->set_controller_epoch(change->state().epoch());
  welcome->set_heartbeat_period_ms(static_cast<int32_t>(absl::ToInt64Milliseconds(
      HeartbeatPeriod(change->state().sessions().size(), instance.record->id(), 0))));
  change->Send(session_id, std::move(message));
  SendComplete(instance, change);
  change->AddNote(Note::Level::kInfo, "agent connected",
                  {{"container_instance_arn", arn},
                   {"ec2_instance_id", hello.ec2_instance_id()},
                   {"agent_version", hello.version_info().agent_version()}});
}

}  // namespace

void OnHello(const std::string& session_id, const std::string& bound_host, const v1::Hello& hello,
             Change* change) {
  if (const std::string problem = ProblemOf(hello); !problem.empty())
    return Refuse(session_id, hello, problem, change);
  if (const std::string host = absl::StrCat(hello.cluster(), "/", hello.ec2_instance_id());
      !bound_host.empty() && host != bound_host) {
    return Refuse(session_id, hello,
                  absl::StrCat("ec2_instance_id: the certificate is for the host ", bound_host,
                               ", not for ", host),
                  change);
  }
  const absl::StatusOr<const Instance*> known = Identify(hello, change);
  if (!known.ok()) return Refuse(session_id, hello, known.status().message(), change);
  if (IsTwin(hello, *known)) return TurnAway(session_id, hello, **known, change);
  const Instance* instance = Register(hello, *known, change);
  if (instance->is_connected()) {
    change->EndSession(instance->session->id, v1::Goodbye::SUPERSEDED,
                       "another agent with the same identity has connected");
    Disconnect(*instance, "superseded", change);
  }
  rows::Session session;
  session.cluster = instance->record->cluster();
  session.instance_id = instance->record->id();
  session.id = session_id;
  session.boot_id = hello.boot_id();
  session.protocol_version = hello.protocol_version();
  session.is_runtime_available = hello.runtime_available();
  change->PutSession(std::move(session));
  NoteConnected(*instance, change);
  Welcome(session_id, hello, *instance, change);
}

}  // namespace davit::controller::agents
