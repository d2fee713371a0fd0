// Task definitions: register and deregister.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/status.h"
#include "controller/cluster/ecs_error.h"
#include "controller/cluster/model.h"
#include "controller/cluster/task_definition_rules.h"

namespace davit::cluster {

Model::Result Model::On(const v1::RegisterTaskDefinitionRequest& request) {
  const std::vector<std::string> problems = FindProblems(request);
  if (!problems.empty()) return ClientException(absl::StrJoin(problems, "\n"));
  v1::StoredTaskDefinition record;
  v1::TaskDefinition* definition = record.mutable_task_definition();
  *definition = Normalize(request);
  const auto family = state_.families().find(request.family());
  definition->set_revision(family == state_.families().end() ? 1
                                                             : family->second.last_revision + 1);
  definition->set_task_definition_arn(
      MakeArn(options_.place,
              absl::StrCat("task-definition/", request.family(), ":", definition->revision())));
  definition->set_status("ACTIVE");
  definition->set_registered_at(ToEpochSeconds(now_.wall));
  definition->set_registered_by(absl::StrCat("arn:aws:iam::", options_.place.account, ":root"));
  *record.mutable_tags() = request.tags();

  auto response = std::make_shared<v1::RegisterTaskDefinitionResponse>();
  *response->mutable_task_definition() = *definition;
  *response->mutable_tags() = request.tags();
  state_.PutRevision(std::move(record));
  return response;
}

Model::Result Model::On(const v1::DeregisterTaskDefinitionRequest& request) {
  ASSIGN_OR_RETURN(const TaskDefinitionName name,
                   ParseTaskDefinitionName(request.task_definition()));
  if (!name.revision) return ClientException("Revision is missing.");
  const Revision* revision = FindRevision(state_, name);
  if (revision == nullptr) return ClientException("The specified task definition does not exist.");
  if (revision->record.task_definition().status() == "ACTIVE") {
    v1::StoredTaskDefinition record = revision->record;
    record.mutable_task_definition()->set_status("INACTIVE");
    record.mutable_task_definition()->set_deregistered_at(ToEpochSeconds(now_.wall));
    revision = state_.PutRevision(std::move(record));
  }
  auto response = std::make_shared<v1::DeregisterTaskDefinitionResponse>();
  *response->mutable_task_definition() = revision->record.task_definition();
  return response;
}

}  // namespace davit::cluster
