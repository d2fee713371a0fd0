#include "agent/image/layer_jobs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::image {
namespace {

// For writing one piece of a blob, and for making a whole blob durable.
constexpr absl::Duration kContentTimeout = absl::Minutes(2);
constexpr absl::Duration kUnpackTimeout = absl::Minutes(30);

containerd::CallOptions ContentCall(const PullLease& lease) {
  return {.lease = lease.id(), .timeout = kContentTimeout};
}

std::string IngestRef(const std::string& digest) { return absl::StrCat("davit-", digest); }

// Opens a writer for a blob; null if the blob exists. Waits until another writer of it has ended.
absl::StatusOr<std::unique_ptr<containerd::ContentWriter>> OpenWriter(
    const LayerDeps& deps, const PullLease& lease, const Descriptor& blob,
    const CancelCheck& is_cancelled) {
  Retrier retrier(deps.retry, is_cancelled);
  while (true) {
    auto writer = deps.content->OpenWriter(IngestRef(blob.digest), blob.digest, blob.size,
                                           ContentCall(lease));
    if (writer.ok() || writer.status().code() == absl::StatusCode::kAlreadyExists) {
      return writer.ok() ? *std::move(writer) : nullptr;
    }
    const absl::Status verdict = retrier.WaitAfter({writer.status(), std::nullopt});
    RETURN_IF_ERROR(verdict, "writing blob ", blob.digest);
  }
}

// Commits a blob. If containerd refuses the commit, drops the bytes and says what that means for
// the user.
absl::Status CommitBlob(containerd::ContentWriter* writer, const ImageReference& repository,
                        const Descriptor& blob) {
  const absl::Status committed = writer->Commit();
  if (committed.code() != absl::StatusCode::kFailedPrecondition) {
    return Annotate(committed, absl::StrCat("storing blob ", blob.digest));
  }
  RETURN_IF_ERROR(writer->Abort(), "dropping blob ", blob.digest);
  return absl::DataLossError(absl::StrCat("blob ", blob.digest, " from ", repository.RegistryHost(),
                                          " does not match its digest: ", committed.message()));
}

// Removes a failed extraction. If that fails, it goes with the lease.
void DropExtraction(const LayerDeps& deps, const std::string& key) {
  const absl::Status removed = OkIfNotFound(deps.snapshots->Remove(key));
  if (!removed.ok()) {
    LogDebug("cannot remove extraction snapshot, it stays until its lease ends",
             {{"snapshot_key", key}, {"error", removed}});
  }
}

// Fills the prepared snapshot and commits it under its final name.
absl::Status Extract(const LayerDeps& deps, const containerd::CallOptions& call,
                     const LayerPlace& place, const std::string& key,
                     const std::vector<containerd::Mount>& mounts) {
  Descriptor layer = place.layer;
  layer.media_type = DifferLayerType(layer.media_type);
  ASSIGN_OR_RETURN(const Descriptor applied, deps.diffs->Apply(layer, mounts, call),
                   "unpacking layer ", layer.digest);
  if (applied.digest != place.diff_id) {
    return absl::DataLossError(absl::StrCat("layer ", layer.digest, " unpacks to ", applied.digest,
                                            ", but the image's configuration says ",
                                            place.diff_id));
  }
  return deps.snapshots->Commit(place.chain_id, key, {}, call);
}

}  // namespace

absl::Status DownloadBlob(const LayerDeps& deps, const PullLease& lease,
                          const ImageReference& repository, const Descriptor& blob,
                          const CancelCheck& is_cancelled) {
  while (true) {
    ASSIGN_OR_RETURN(const auto writer, OpenWriter(deps, lease, blob, is_cancelled));
    if (writer == nullptr) return absl::OkStatus();
    const int64_t resumed_at = writer->offset();
    if (resumed_at > blob.size) {
      RETURN_IF_ERROR(writer->Abort(), "dropping blob ", blob.digest);
      continue;
    }
    RETURN_IF_ERROR(deps.registry->FetchBlob(
        repository, blob, resumed_at,
        [&writer, &blob](absl::string_view bytes) {
          return Annotate(writer->Write(bytes), absl::StrCat("writing blob ", blob.digest));
        },
        is_cancelled));
    const absl::Status status = CommitBlob(writer.get(), repository, blob);
    // Bytes of the earlier attempt may be damaged: start again from byte 0.
    if (status.code() != absl::StatusCode::kDataLoss || resumed_at == 0) return status;
  }
}

absl::Status StoreBlob(const LayerDeps& deps, const PullLease& lease, const std::string& digest,
                       const std::string& body, const containerd::Labels& labels) {
  const Descriptor blob{"", digest, static_cast<int64_t>(body.size()), {}};
  ASSIGN_OR_RETURN(const auto writer, OpenWriter(deps, lease, blob, nullptr));
  if (writer == nullptr) {
    if (labels.empty()) return absl::OkStatus();
    return Annotate(deps.content->UpdateLabels(digest, labels), absl::StrCat("labelling ", digest));
  }
  if (writer->offset() > blob.size) return writer->Abort();
  RETURN_IF_ERROR(
      writer->Write(absl::string_view(body).substr(static_cast<size_t>(writer->offset()))),
      "writing ", digest);
  return Annotate(writer->Commit(labels), absl::StrCat("storing ", digest));
}

absl::Status UnpackLayer(const LayerDeps& deps, PullLease* lease, const LayerPlace& place) {
  const containerd::CallOptions call{.lease = lease->id(), .timeout = kUnpackTimeout};
  const std::string key = absl::StrCat("extract-", RandomHex32(), " ", place.chain_id);
  const auto mounts = deps.snapshots->Prepare(key, place.parent, {}, call);
  RETURN_IF_ERROR(mounts.status(), "preparing a snapshot for layer ", place.layer.digest);
  const absl::Status extracted = Extract(deps, call, place, key, *mounts);
  if (extracted.ok()) return absl::OkStatus();
  DropExtraction(deps, key);
  if (extracted.code() != absl::StatusCode::kAlreadyExists) return extracted;
  // Somebody else unpacked it meanwhile, under a lease of theirs.
  RETURN_IF_ERROR(
      lease->Hold(absl::StrCat("snapshots/", deps.snapshots->snapshotter()), place.chain_id));
  return deps.snapshots->Stat(place.chain_id).status();
}

}  // namespace davit::image
