#include "agent/endpoint/endpoint.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace davit::endpoint {
namespace {

using Json = nlohmann::json;

constexpr int kMaxWaiting = 100;  // far more than scrapers and people need at a time
constexpr size_t kMaxNamedCalls = 8;

HttpServerResponse Answer(int status, const Json& json) {
  // Invalid UTF-8 is replaced: an image's words shall not break the answer.
  return {status,
          "application/json",
          json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
          {}};
}

HttpServerResponse NotNow(const absl::Status& status) {
  return Answer(503, {{"error", std::string(status.message())}});
}

// The last output where ECS has it, and the last few checks beside it.
void AddProbe(task::ProbeKind kind, const task::Probe& probe, Json* container) {
  Json checks = Json::array();
  for (const task::CheckResult& result : probe.results) {
    Json& one = checks.emplace_back();
    one["at"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", result.at, absl::UTCTimeZone());
    one["exitCode"] = result.exit_code ? Json(*result.exit_code) : Json(nullptr);
    one["output"] = result.output;
  }
  const bool is_liveness = kind == task::ProbeKind::kLiveness;
  Json& json = (*container)[is_liveness ? "Health" : "Readiness"];
  if (is_liveness) json["status"] = std::string(task::ToString(probe.health));
  if (!is_liveness) json["ready"] = probe.health == task::Health::kHealthy;
  json["output"] = probe.results.empty() ? "" : probe.results.back().output;
  json["checks"] = checks;
}

// Of the latest end; after a restart in place the container runs again.
Json PostMortemJson(const v1::ContainerState& container, const task::PostMortem& facts) {
  Json json = {{"CpuSeconds", absl::ToDoubleSeconds(facts.cpu_time)},
               {"MemoryPeakBytes", facts.memory_peak_bytes},
               {"MemoryLimitBytes", facts.memory_limit_bytes},
               {"MemoryIsOfTask", facts.is_memory_of_task},
               {"OomKills", facts.oom_kills},
               {"LastLines", facts.last_lines}};
  if (!facts.killed_process.empty()) json["KilledProcess"] = facts.killed_process;
  if (!facts.log_trouble.empty()) json["LogTrouble"] = facts.log_trouble;
  if (const std::string signal = task::SignalOfExitCode(container.exit_code()); !signal.empty())
    json["Signal"] = signal;
  return json;
}

Json ContainerJson(const supervisor::TaskView& view, int index) {
  const v1::ContainerState& container = view.state.containers(index);
  const supervisor::TaskView::Container& more = view.containers[static_cast<size_t>(index)];
  Json ports = Json::array();
  for (const v1::NetworkBinding& binding : container.network_bindings()) {
    ports.push_back({{"ContainerPort", binding.container_port()},
                     {"HostPort", binding.host_port()},
                     {"Protocol", binding.protocol()},
                     {"BindIP", binding.bind_ip()}});
  }
  Json json = {{"Name", container.name()},
               {"RuntimeId", container.runtime_id()},
               {"Image", more.image},
               {"ImageID", container.image_digest()},
               {"KnownStatus", v1::ContainerStatus::Value_Name(container.last_status())},
               {"Pid", more.pid},
               {"Ports", ports}};
  if (container.restart_count() > 0) json["RestartCount"] = container.restart_count();
  for (const auto& [kind, probe] : more.probes) AddProbe(kind, probe, &json);
  if (container.has_exit_code()) json["ExitCode"] = container.exit_code();
  if (!container.reason().empty()) json["Reason"] = container.reason();
  if (more.post_mortem) json["PostMortem"] = PostMortemJson(container, *more.post_mortem);
  return json;
}

Json TaskJson(const supervisor::TaskView& view) {
  Json containers = Json::array();
  for (int i = 0; i < view.state.containers_size(); ++i)
    containers.push_back(ContainerJson(view, i));
  Json json = {{"Arn", view.state.task_arn()},
               {"DesiredStatus", view.desired_status},
               {"KnownStatus", v1::TaskStatus::Value_Name(view.state.last_status())},
               {"Family", view.family},
               {"Version", absl::StrCat(view.revision)},
               {"Observed", view.observed},
               {"Containers", containers}};
  if (!view.state.waiting_reason().empty()) json["WaitingReason"] = view.state.waiting_reason();
  if (!view.state.stopped_reason().empty()) json["StoppedReason"] = view.state.stopped_reason();
  return json;
}

// ECS's names for a filter: the container id is Docker's there.
bool IsWanted(const supervisor::TaskView& view, const std::map<std::string, std::string>& query) {
  if (const auto arn = query.find("taskarn"); arn != query.end()) {
    return arn->second == view.state.task_arn();
  }
  const auto id = query.find("dockerid");
  for (const v1::ContainerState& container : view.state.containers()) {
    if (id != query.end() && !id->second.empty() && container.runtime_id() == id->second)
      return true;
  }
  return false;
}

}  // namespace

std::string ImpairmentOf(const supervisor::Supervisor& supervisor, const store::Store& store) {
  std::string impairment;
  if (!supervisor.runtime_available()) {
    impairment = "containerd cannot be reached: containers are left alone, their state is unknown";
  }
  if (const absl::Status health = store.Health(); !health.ok()) {
    absl::StrAppend(&impairment, impairment.empty() ? "" : "; ",
                    "state cannot be stored: ", health.message());
  }
  const std::vector<StuckCall> stuck = supervisor.stuck_calls();
  for (size_t i = 0; i < stuck.size() && i < kMaxNamedCalls; ++i) {
    absl::StrAppend(&impairment, impairment.empty() ? "" : "; ", "a call hangs since ",
                    absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", stuck[i].since, absl::UTCTimeZone()),
                    ": ", stuck[i].lane, ": ", stuck[i].what);
  }
  if (stuck.size() > kMaxNamedCalls)
    absl::StrAppend(&impairment, "; and ", stuck.size() - kMaxNamedCalls, " more calls");
  return impairment;
}

HttpServerResponse Endpoint::Health() const {
  const supervisor::SessionState session = sources_.session();
  const std::string impairment = ImpairmentOf(*sources_.supervisor, *sources_.store);
  Json json = {{"status", impairment.empty() ? "ok" : "impaired"},
               {"controller", {{"connected", session.connected}, {"endpoint", session.controller}}},
               {"runtime_available", sources_.supervisor->runtime_available()}};
  if (!impairment.empty()) json["reason"] = impairment;
  if (!session.connected) json["controller"]["waiting_for"] = session.last_error;
  return Answer(impairment.empty() ? 200 : 503, json);
}

HttpServerResponse Endpoint::Metadata() const {
  const supervisor::SessionState session = sources_.session();
  return Answer(200, {{"Cluster", cluster_},
                      {"ContainerInstanceArn", session.container_instance_arn.empty()
                                                   ? Json(nullptr)
                                                   : Json(session.container_instance_arn)},
                      {"Version", absl::StrCat("Davit Agent - v", sources_.version)}});
}

HttpServerResponse Endpoint::Tasks(const HttpServerRequest& request) const {
  const absl::StatusOr<std::vector<supervisor::TaskView>> views = sources_.supervisor->View();
  if (!views.ok()) return NotNow(views.status());
  if (request.query.count("taskarn") != 0 || request.query.count("dockerid") != 0) {
    for (const supervisor::TaskView& view : *views) {
      if (IsWanted(view, request.query)) return Answer(200, TaskJson(view));
    }
    return Answer(404, {{"error", "no such task"}});
  }
  Json tasks = Json::array();
  for (const supervisor::TaskView& view : *views) tasks.push_back(TaskJson(view));
  return Answer(200, {{"Tasks", tasks}});
}

HttpServerResponse Endpoint::Metrics(const HttpServerRequest&) const {
  absl::StatusOr<std::string> metrics = RenderMetrics(sources_);
  if (!metrics.ok()) return NotNow(metrics.status());
  return {200, "text/plain; version=0.0.4; charset=utf-8", *std::move(metrics), {}};
}

void Endpoint::RespondLater(const HttpServerRequest& request, Render render,
                            HttpResponder respond) {
  if (++waiting_ > kMaxWaiting) {
    --waiting_;
    return respond(
        Answer(503, {{"error", "the tasks do not answer, and other requests wait for them"}}));
  }
  renderers_->Post([this, request, render, respond = std::move(respond)]() mutable {
    respond((this->*render)(request));
    --waiting_;
  });
}

void Endpoint::Handle(const HttpServerRequest& request, HttpResponder respond) {
  if (request.method != "GET" && request.method != "HEAD")
    return respond(Answer(405, {{"error", "only GET is answered here"}}));
  if (request.path == "/healthz") return respond(Health());
  if (request.path == "/metrics")
    return RespondLater(request, &Endpoint::Metrics, std::move(respond));
  if (request.path == "/v1/metadata") return respond(Metadata());
  if (request.path == "/v1/tasks")
    return RespondLater(request, &Endpoint::Tasks, std::move(respond));
  if (request.path == "/") {
    return respond(Answer(
        200, {{"AvailableCommands", {"/healthz", "/metrics", "/v1/metadata", "/v1/tasks"}}}));
  }
  respond(Answer(404, {{"error", "no such path"}}));
}

}  // namespace davit::endpoint
