#include "controller/definition/operations.h"

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "controller/definition/render.h"
#include "controller/definition/rules.h"
#include "controller/ecs/ecs_error.h"
#include "controller/state/lookup.h"

namespace davit::controller::definition {

absl::StatusOr<v1::RegisterTaskDefinitionResponse> Apply(
    const v1::RegisterTaskDefinitionRequest& request, change::Change* change) {
  const std::vector<std::string> problems = FindProblems(request);
  if (!problems.empty()) return ecs::ClientException(absl::StrJoin(problems, "\n"));
  const auto& families = change->state().families();
  const auto family = families.find(request.family());
  v1::StoredFamily counter;
  counter.set_last_revision(family == families.end() ? 1 : family->second.last_revision() + 1);
  v1::StoredTaskDefinition record;
  *record.mutable_content() = Normalize(request);
  record.mutable_content()->set_revision(counter.last_revision());
  record.set_status(v1::ObjectStatus::ACTIVE);
  record.set_registered_at(change->now_ms());
  *record.mutable_tags() = request.tags();

  v1::RegisterTaskDefinitionResponse response;
  *response.mutable_task_definition() = Render(change->place(), record);
  *response.mutable_tags() = request.tags();
  change->PutFamily(request.family(), std::move(counter));
  change->Put(std::move(record));
  return response;
}

absl::StatusOr<v1::DeregisterTaskDefinitionResponse> Apply(
    const v1::DeregisterTaskDefinitionRequest& request, change::Change* change) {
  ASSIGN_OR_RETURN(const state::TaskDefinitionName name,
                   state::ParseTaskDefinitionName(request.task_definition()));
  if (!name.revision) return ecs::ClientException("Revision is missing.");
  const state::Revision* revision = state::FindRevision(change->state(), name);
  if (revision == nullptr)
    return ecs::ClientException("The specified task definition does not exist.");
  if (revision->record->status() == v1::ObjectStatus::ACTIVE) {
    v1::StoredTaskDefinition record = *revision->record;
    record.set_status(v1::ObjectStatus::INACTIVE);
    record.set_deregistered_at(change->now_ms());
    change->Put(std::move(record));
  }
  v1::DeregisterTaskDefinitionResponse response;
  *response.mutable_task_definition() = Render(change->place(), *revision->record);
  return response;
}

}  // namespace davit::controller::definition
