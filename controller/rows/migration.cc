#include "controller/rows/migration.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "base/status.h"
#include "davit/v1/cluster_record_v1.pb.h"

namespace davit::controller::rows {
namespace {

int64_t Milliseconds(double seconds) { return std::llround(seconds * 1000); }

v1::StoredMeta FromV1(const v1::StoredMetaV1& old) {
  v1::StoredMeta record;
  record.set_epoch(old.epoch());
  record.set_format(kFormat);
  return record;
}

v1::StoredFamily FromV1(const v1::StoredFamilyV1& old) {
  v1::StoredFamily record;
  record.set_last_revision(old.last_revision());
  return record;
}

v1::ObjectStatus::Value StatusOf(const std::string& name) {
  v1::ObjectStatus::Value status = v1::ObjectStatus::ACTIVE;
  v1::ObjectStatus::Value_Parse(name, &status);
  return status;
}

v1::StoredCluster FromV1(const v1::StoredClusterV1& old) {
  v1::StoredCluster record;
  record.set_name(old.cluster().cluster_name());
  record.set_status(StatusOf(old.cluster().status()));
  *record.mutable_settings() = old.cluster().settings();
  if (old.cluster().has_configuration())
    *record.mutable_configuration() = old.cluster().configuration();
  *record.mutable_tags() = old.cluster().tags();
  return record;
}

v1::StoredTaskDefinition FromV1(const v1::StoredTaskDefinitionV1& old) {
  v1::StoredTaskDefinition record;
  v1::TaskDefinition* content = record.mutable_content();
  *content = old.task_definition();
  record.set_status(StatusOf(content->status()));
  record.set_registered_at(Milliseconds(content->registered_at()));
  record.set_deregistered_at(Milliseconds(content->deregistered_at()));
  content->clear_task_definition_arn();
  content->clear_status();
  content->clear_registered_at();
  content->clear_deregistered_at();
  content->clear_registered_by();
  *record.mutable_tags() = old.tags();
  return record;
}

v1::StoredContainerInstance FromV1(const v1::StoredContainerInstanceV1& old) {
  v1::StoredContainerInstance record;
  record.set_cluster(old.cluster());
  record.set_id(ShortId(old.instance().container_instance_arn()));
  record.set_ec2_instance_id(old.instance().ec2_instance_id());
  v1::ContainerInstanceStatus::Value status = v1::ContainerInstanceStatus::ACTIVE;
  v1::ContainerInstanceStatus::Value_Parse(old.instance().status(), &status);
  record.set_status(status);
  record.set_registered_at(Milliseconds(old.instance().registered_at()));
  record.set_version(old.instance().version());
  *record.mutable_version_info() = old.instance().version_info();
  *record.mutable_registered_resources() = old.instance().registered_resources();
  *record.mutable_attributes() = old.instance().attributes();
  *record.mutable_tags() = old.instance().tags();
  return record;
}

v1::StoredContainer FromV1(const v1::Container& old) {
  v1::StoredContainer record;
  record.set_name(old.name());
  record.set_id(ShortId(old.container_arn()));
  v1::ContainerStatus::Value status = v1::ContainerStatus::PENDING;
  v1::ContainerStatus::Value_Parse(old.last_status(), &status);
  record.set_last_status(status);
  v1::HealthStatus::Value health = v1::HealthStatus::UNKNOWN;
  v1::HealthStatus::Value_Parse(old.health_status(), &health);
  record.set_health_status(health);
  record.set_runtime_id(old.runtime_id());
  record.set_image_digest(old.image_digest());
  if (old.has_exit_code()) record.set_exit_code(old.exit_code());
  record.set_reason(old.reason());
  *record.mutable_network_bindings() = old.network_bindings();
  *record.mutable_gpu_ids() = old.gpu_ids();
  return record;
}

void CopyTimes(const v1::Task& old, v1::StoredTask* record) {
  record->set_created_at(Milliseconds(old.created_at()));
  record->set_connectivity_at(Milliseconds(old.connectivity_at()));
  record->set_pull_started_at(Milliseconds(old.pull_started_at()));
  record->set_pull_stopped_at(Milliseconds(old.pull_stopped_at()));
  record->set_started_at(Milliseconds(old.started_at()));
  record->set_stopping_at(Milliseconds(old.stopping_at()));
  record->set_execution_stopped_at(Milliseconds(old.execution_stopped_at()));
  record->set_stopped_at(Milliseconds(old.stopped_at()));
}

v1::StoredTask FromV1(const v1::StoredTaskV1& row) {
  const v1::Task& old = row.task();
  v1::StoredTask record;
  record.set_cluster(row.cluster());
  record.set_id(ShortId(old.task_arn()));
  record.set_instance_id(ShortId(old.container_instance_arn()));
  const std::string definition = ShortId(old.task_definition_arn());  // family:revision
  const size_t colon = definition.rfind(':');
  record.set_family(definition.substr(0, colon));
  int revision = 0;
  if (colon != std::string::npos && absl::SimpleAtoi(definition.substr(colon + 1), &revision))
    record.set_revision(revision);
  v1::TaskStatus::Value status = v1::TaskStatus::PROVISIONING;
  v1::TaskStatus::Value_Parse(old.last_status(), &status);
  record.set_last_status(status);
  record.set_desired_status(old.desired_status() == "STOPPED" ? v1::TaskStatus::STOPPED
                                                              : v1::TaskStatus::RUNNING);
  record.set_version(old.version());
  record.set_assignment_version(row.assignment_version());
  record.set_sequence(row.sequence());
  record.set_group(old.group());
  record.set_started_by(old.started_by());
  *record.mutable_overrides() = old.overrides();
  *record.mutable_tags() = old.tags();
  record.set_client_token(row.client_token());
  record.set_request_digest(Sha256(row.request_fingerprint()));
  record.set_availability_zone(old.availability_zone());
  for (const v1::Attribute& attribute : old.attributes()) {
    if (attribute.name() == "ecs.cpu-architecture") record.set_cpu_architecture(attribute.value());
  }
  v1::StopCode::Value code = v1::StopCode::UNSPECIFIED;
  v1::StopCode::Value_Parse(old.stop_code(), &code);
  record.set_stop_code(code);
  record.set_stopped_reason(old.stopped_reason());
  record.set_waiting_reason(row.waiting_reason());
  CopyTimes(old, &record);
  record.set_stopped_noted_at(row.has_stopped_noted_at() ? Milliseconds(row.stopped_noted_at())
                                                         : record.stopped_at());
  for (const v1::Container& container : old.containers())
    *record.add_containers() = FromV1(container);
  return record;
}

template <typename Old>
absl::StatusOr<std::string> Convert(const std::string& key, const std::string& value) {
  Old old;
  if (!old.ParseFromString(value))
    return absl::DataLossError(absl::StrCat("row ", key, " is not a ", old.GetTypeName()));
  return FromV1(old).SerializeAsString();
}

absl::StatusOr<std::string> ConvertRow(const std::string& key, const std::string& value) {
  if (key == kMetaKey) return Convert<v1::StoredMetaV1>(key, value);
  if (absl::StartsWith(key, "family/")) return Convert<v1::StoredFamilyV1>(key, value);
  if (absl::StartsWith(key, "task-definition/"))
    return Convert<v1::StoredTaskDefinitionV1>(key, value);
  if (absl::StartsWith(key, "cluster/")) return Convert<v1::StoredClusterV1>(key, value);
  if (absl::StartsWith(key, "instance/")) return Convert<v1::StoredContainerInstanceV1>(key, value);
  if (absl::StartsWith(key, "task/")) return Convert<v1::StoredTaskV1>(key, value);
  return absl::DataLossError(absl::StrCat("row ", key, " is of no kind that this version knows"));
}

}  // namespace

absl::StatusOr<int> FormatOf(const Rows& rows) {
  const auto meta =
      std::lower_bound(rows.begin(), rows.end(), kMetaKey,
                       [](const auto& row, const char* key) { return row.first < key; });
  if (meta == rows.end() || meta->first != kMetaKey) return rows.empty() ? kFormat : 1;
  v1::StoredMeta record;
  if (!record.ParseFromString(meta->second))
    return absl::DataLossError("row meta is not a davit.v1.StoredMeta");
  return std::max(record.format(), 1);
}

absl::StatusOr<Rows> Migrate(const Rows& rows) {
  ASSIGN_OR_RETURN(const int format, FormatOf(rows));
  if (format > kFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store's rows have format ", format,
                     ", written by a newer davit-controller; this one knows ", kFormat));
  }
  if (format == kFormat) return rows;
  Rows migrated;
  migrated.reserve(rows.size());
  for (const auto& [key, value] : rows) {
    ASSIGN_OR_RETURN(std::string converted, ConvertRow(key, value));
    migrated.emplace_back(key, std::move(converted));
  }
  return migrated;
}

}  // namespace davit::controller::rows
