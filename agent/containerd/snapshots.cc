#include "agent/containerd/snapshots.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/containerd/connection.h"
#include "base/status.h"
#include "github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h"

namespace davit::containerd {
namespace {

namespace api = ::containerd::services::snapshots::v1;

constexpr int kMoreAttempts = 3;

SnapshotInfo FromProto(const api::Info& info) {
  SnapshotKind kind = SnapshotKind::kActive;
  if (info.kind() == api::VIEW) kind = SnapshotKind::kView;
  if (info.kind() == api::COMMITTED) kind = SnapshotKind::kCommitted;
  return {info.name(), info.parent(), kind, FromProtoMap(info.labels())};
}

// Whether a left-over folder made the call fail. containerd was killed after it had created a
// snapshot's folder and before it had recorded it. The next snapshot gets the same number, fails
// because the folder exists, and removes the folder. So a retry succeeds; when several snapshots
// are created at once, it may take several retries. Source: containerd 1.6,
// snapshots/overlay/overlay.go, createSnapshot().
bool WasInTheWay(const absl::Status& status) {
  return absl::StrContains(status.message(), "failed to rename") &&
         absl::StrContains(status.message(), "file exists");
}

}  // namespace

struct Snapshots::Stub {
  explicit Stub(const std::shared_ptr<grpc::Channel>& channel) : rpc(channel) {}
  api::Snapshots::Stub rpc;
};

Snapshots::Snapshots(Client* client, std::string snapshotter)
    : client_(client),
      snapshotter_(std::move(snapshotter)),
      stub_(std::make_unique<Stub>(client->connection().channel)) {}

Snapshots::~Snapshots() = default;

absl::StatusOr<SnapshotInfo> Snapshots::Stat(const std::string& key, const CallOptions& options) {
  api::StatSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  api::StatSnapshotResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Stat, request, &response));
  return FromProto(response.info());
}

absl::StatusOr<std::vector<Mount>> Snapshots::Prepare(const std::string& key,
                                                      const std::string& parent,
                                                      const Labels& labels,
                                                      const CallOptions& options) {
  api::PrepareSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  request.set_parent(parent);
  ToProtoMap(labels, request.mutable_labels());
  api::PrepareSnapshotResponse response;
  const auto call = [&] {
    return Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Prepare, request, &response);
  };
  absl::Status status = call();
  for (int i = 0; i < kMoreAttempts && WasInTheWay(status); ++i) status = call();
  RETURN_IF_ERROR(status);
  return FromProtoMounts(response.mounts());
}

absl::StatusOr<std::vector<Mount>> Snapshots::View(const std::string& key,
                                                   const std::string& parent, const Labels& labels,
                                                   const CallOptions& options) {
  api::ViewSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  request.set_parent(parent);
  ToProtoMap(labels, request.mutable_labels());
  api::ViewSnapshotResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::View, request, &response));
  return FromProtoMounts(response.mounts());
}

absl::StatusOr<std::vector<Mount>> Snapshots::Mounts(const std::string& key,
                                                     const CallOptions& options) {
  api::MountsRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  api::MountsResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Mounts, request, &response));
  return FromProtoMounts(response.mounts());
}

absl::Status Snapshots::Commit(const std::string& name, const std::string& key,
                               const Labels& labels, const CallOptions& options) {
  api::CommitSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_name(name);
  request.set_key(key);
  ToProtoMap(labels, request.mutable_labels());
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Commit, request, &response);
}

absl::Status Snapshots::Remove(const std::string& key, const CallOptions& options) {
  api::RemoveSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  google::protobuf::Empty response;
  return Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Remove, request, &response);
}

absl::Status Snapshots::UpdateLabels(const std::string& key, const Labels& labels,
                                     const CallOptions& options) {
  api::UpdateSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.mutable_info()->set_name(key);
  for (const auto& [label, value] : labels) {
    (*request.mutable_info()->mutable_labels())[label] = value;
    request.mutable_update_mask()->add_paths(absl::StrCat("labels.", label));
  }
  api::UpdateSnapshotResponse response;
  return Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Update, request, &response);
}

absl::StatusOr<std::vector<SnapshotInfo>> Snapshots::List(const std::vector<std::string>& filters,
                                                          const CallOptions& options) {
  api::ListSnapshotsRequest request;
  request.set_snapshotter(snapshotter_);
  for (const std::string& filter : filters) request.add_filters(filter);
  std::vector<SnapshotInfo> snapshots;
  const absl::Status status =
      CallForStream(*client_, options, &stub_->rpc, &api::Snapshots::Stub::List, request,
                    [&snapshots](const api::ListSnapshotsResponse& response) {
                      for (const api::Info& info : response.info())
                        snapshots.push_back(FromProto(info));
                    });
  if (!status.ok()) return status;
  return snapshots;
}

absl::StatusOr<SnapshotUsage> Snapshots::Usage(const std::string& key, const CallOptions& options) {
  api::UsageRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  api::UsageResponse response;
  RETURN_IF_ERROR(
      Call(*client_, options, &stub_->rpc, &api::Snapshots::Stub::Usage, request, &response));
  return SnapshotUsage{response.size(), response.inodes()};
}

}  // namespace davit::containerd
