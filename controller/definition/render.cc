#include "controller/definition/render.h"

#include "absl/strings/str_cat.h"

namespace davit::controller::definition {

v1::TaskDefinition Render(const state::Place& place, const v1::StoredTaskDefinition& record) {
  v1::TaskDefinition out = record.content();
  out.set_task_definition_arn(state::ArnOf(place, record));
  out.set_status(v1::ObjectStatus::Value_Name(record.status()));
  out.set_registered_at(static_cast<double>(record.registered_at()) / 1000);
  if (record.deregistered_at() != 0)
    out.set_deregistered_at(static_cast<double>(record.deregistered_at()) / 1000);
  out.set_registered_by(absl::StrCat("arn:aws:iam::", place.account, ":root"));
  return out;
}

}  // namespace davit::controller::definition
