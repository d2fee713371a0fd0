#include "agent/image/image_pull.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/image/digest.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::image {
namespace {

// Labels that tell containerd's garbage collector what a blob refers to.
// Source: containerd's docs/garbage-collection.md and images.ChildGCLabels.
constexpr absl::string_view kContentLabel = "containerd.io/gc.ref.content.";
constexpr absl::string_view kSnapshotLabel = "containerd.io/gc.ref.snapshot.";
// Marks image records of the agent. It must not remove records without this label.
constexpr char kPulledFromLabel[] = "davit.pulled-from";
// A registry outage should not delay tasks whose image exists on this host.
constexpr int kAttemptsForKnownImage = 2;

containerd::Labels ManifestLabels(const Manifest& manifest) {
  containerd::Labels labels{{absl::StrCat(kContentLabel, "config"), manifest.config.digest}};
  for (size_t i = 0; i < manifest.layers.size(); ++i) {
    labels.emplace(absl::StrCat(kContentLabel, "l.", i), manifest.layers[i].digest);
  }
  return labels;
}

void Join(const Held& more, Held* held) { held->insert(held->end(), more.begin(), more.end()); }

}  // namespace

ImagePull::ImagePull(const PullDeps& deps, ImageReference reference,
                     std::optional<PulledImage> known, CancelCheck is_cancelled)
    : deps_(deps),
      reference_(std::move(reference)),
      known_(std::move(known)),
      is_cancelled_(std::move(is_cancelled)) {}

absl::StatusOr<FinishedPull> ImagePull::Run() {
  ASSIGN_OR_RETURN(target_, Resolve());
  if (known_ && known_->manifest_digest == target_.descriptor.digest &&
      recorded_digest_ == target_.descriptor.digest) {
    return FinishedPull{*known_, {}};
  }
  ASSIGN_OR_RETURN(manifest_, LoadManifestFor(target_), reference_.ToString());
  ASSIGN_OR_RETURN(layers_, ParseManifest(manifest_.body), reference_.ToString());
  ASSIGN_OR_RETURN(config_, LoadConfig(layers_.config), reference_.ToString());
  ASSIGN_OR_RETURN(image_config_, spec::ParseImageConfig(config_.body), reference_.ToString());
  RETURN_IF_ERROR(CheckConfig(image_config_), reference_.ToString());
  chain_ids_ = ChainIds(image_config_.diff_ids);
  if (!IsComplete()) {
    RETURN_IF_ERROR(Store());
    RETURN_IF_ERROR(FetchAndUnpackLayers());
    RETURN_IF_ERROR(Record());
  }
  return FinishedPull{{reference_.ToString(), target_.descriptor.digest,
                       chain_ids_.empty() ? "" : chain_ids_.back(), std::move(image_config_)},
                      std::move(held_)};
}

absl::StatusOr<ImagePull::Document> ImagePull::Resolve() {
  if (!reference_.digest.empty()) {
    auto stored = ReadStored({"", reference_.digest, 0, {}}, kMaxManifestBytes);
    if (stored.ok()) {
      ASSIGN_OR_RETURN(stored->descriptor.media_type, ManifestMediaType(stored->body, ""));
      return stored;
    }
    return FetchManifest(reference_);
  }
  const auto record = deps_.images->Get(reference_.ToString());
  if (record.ok()) recorded_digest_ = record->target.digest;
  auto fetched = FetchManifest(
      reference_, record.ok() ? kAttemptsForKnownImage : std::numeric_limits<int>::max());
  if (fetched.ok() || fetched.status().code() == absl::StatusCode::kCancelled ||
      fetched.status().code() == absl::StatusCode::kDataLoss) {
    return fetched;
  }
  return ResolveLocally(fetched.status());
}

// ECS's pull behaviour "default": if the pull fails, use the cached image.
absl::StatusOr<ImagePull::Document> ImagePull::ResolveLocally(absl::Status failure) {
  const auto image = deps_.images->Get(reference_.ToString());
  if (!image.ok()) return failure;
  auto stored = ReadStored(image->target, kMaxManifestBytes);
  if (!stored.ok()) return failure;
  LogWarning("cannot pull image, using the cached one", {{"image", reference_.ToString()},
                                                         {"image_digest", image->target.digest},
                                                         {"error", failure}});
  return stored;
}

absl::StatusOr<ImagePull::Document> ImagePull::LoadManifestFor(const Document& target) {
  if (!IsIndexType(target.descriptor.media_type)) return target;
  ASSIGN_OR_RETURN(const Index index, ParseIndex(target.body));
  ASSIGN_OR_RETURN(const Descriptor chosen, SelectPlatform(index, deps_.platform));
  if (IsIndexType(chosen.media_type)) {
    return absl::InvalidArgumentError("an index inside an index is not supported");
  }
  auto stored = ReadStored(chosen, kMaxManifestBytes);
  if (stored.ok()) return stored;
  return FetchManifest({reference_.host, reference_.repository, "", chosen.digest});
}

absl::StatusOr<ImagePull::Document> ImagePull::LoadConfig(const Descriptor& descriptor) {
  auto stored = ReadStored(descriptor, kMaxConfigBytes);
  if (stored.ok()) return stored;
  Document config{descriptor, "", false};
  RETURN_IF_ERROR(deps_.layers.registry->FetchBlob(
      reference_, descriptor, 0,
      [&config](absl::string_view bytes) {
        config.body.append(bytes.data(), bytes.size());
        return absl::OkStatus();
      },
      is_cancelled_));
  if (Sha256Digest(config.body) != descriptor.digest) {
    return absl::DataLossError(absl::StrCat("the image configuration from ",
                                            reference_.RegistryHost(), " does not match digest ",
                                            descriptor.digest));
  }
  return config;
}

absl::StatusOr<ImagePull::Document> ImagePull::ReadStored(const Descriptor& descriptor,
                                                          int64_t max_bytes) {
  ASSIGN_OR_RETURN(std::string body, deps_.layers.content->Read(descriptor.digest, max_bytes));
  Document document{descriptor, std::move(body), true};
  document.descriptor.size = static_cast<int64_t>(document.body.size());
  return document;
}

absl::StatusOr<ImagePull::Document> ImagePull::FetchManifest(const ImageReference& reference,
                                                             int attempts) {
  ASSIGN_OR_RETURN(FetchedManifest fetched,
                   deps_.layers.registry->FetchManifest(reference, is_cancelled_, attempts));
  const auto size = static_cast<int64_t>(fetched.body.size());
  return Document{{fetched.media_type, fetched.digest, size, {}}, std::move(fetched.body), false};
}

absl::Status ImagePull::CheckConfig(const spec::ImageConfig& config) const {
  const Platform platform{config.os, config.architecture, ""};
  if (!Matches(platform, deps_.platform)) {
    return absl::NotFoundError(
        absl::StrCat("image Manifest does not contain descriptor matching platform '",
                     deps_.platform.ToString(), "'; it is for ", platform.ToString()));
  }
  if (config.diff_ids.size() != layers_.layers.size()) {
    return absl::InvalidArgumentError(absl::StrCat("malformed image: ", layers_.layers.size(),
                                                   " layers but ", config.diff_ids.size(),
                                                   " diff_ids in the configuration"));
  }
  for (const std::string& diff_id : config.diff_ids) {
    if (!IsSha256Digest(diff_id)) {
      return absl::InvalidArgumentError(
          absl::StrCat("malformed image: diff id '", Shorten(diff_id, 100), "'"));
    }
  }
  return absl::OkStatus();
}

std::string ImagePull::SnapshotLabel() const {
  return absl::StrCat(kSnapshotLabel, deps_.layers.snapshots->snapshotter());
}

bool ImagePull::IsComplete() const {
  const auto is_stored = [this](const Document& document) {
    return document.is_stored || deps_.layers.content->Info(document.descriptor.digest).ok();
  };
  if (!config_.is_stored || !is_stored(target_) || !is_stored(manifest_)) return false;
  const auto record = deps_.images->Get(reference_.ToString());
  if (!record.ok() || record->target.digest != target_.descriptor.digest) return false;
  if (chain_ids_.empty()) return true;
  const auto config = deps_.layers.content->Info(config_.descriptor.digest);
  if (!config.ok()) return false;
  const auto label = config->labels.find(SnapshotLabel());
  return label != config->labels.end() && label->second == chain_ids_.back() &&
         deps_.layers.snapshots->Stat(chain_ids_.back()).ok();
}

absl::Status ImagePull::Store() {
  ASSIGN_OR_RETURN(lease_, PullLease::Create(deps_.leases));
  held_.push_back(lease_);
  containerd::Labels snapshot_labels;
  if (!chain_ids_.empty()) snapshot_labels.emplace(SnapshotLabel(), chain_ids_.back());
  RETURN_IF_ERROR(
      StoreBlob(deps_.layers, *lease_, config_.descriptor.digest, config_.body, snapshot_labels));
  RETURN_IF_ERROR(StoreBlob(deps_.layers, *lease_, manifest_.descriptor.digest, manifest_.body,
                            ManifestLabels(layers_)));
  if (target_.descriptor.digest == manifest_.descriptor.digest) return absl::OkStatus();
  // Only the manifest of this platform: the host does not have the others.
  return StoreBlob(deps_.layers, *lease_, target_.descriptor.digest, target_.body,
                   {{absl::StrCat(kContentLabel, "m.0"), manifest_.descriptor.digest}});
}

// The number of layers, from the lowest, that have snapshots. The lease holds these from now on.
absl::StatusOr<size_t> ImagePull::CountUnpackedLayers() {
  containerd::Snapshots* const snapshots = deps_.layers.snapshots;
  for (size_t count = chain_ids_.size(); count > 0; --count) {
    const std::string& chain_id = chain_ids_[count - 1];
    if (!snapshots->Stat(chain_id).ok()) continue;
    RETURN_IF_ERROR(lease_->Hold(absl::StrCat("snapshots/", snapshots->snapshotter()), chain_id));
    if (snapshots->Stat(chain_id).ok()) return count;  // not garbage-collected in between
  }
  return 0;
}

absl::Status ImagePull::FetchAndUnpackLayers() {
  ASSIGN_OR_RETURN(const size_t first, CountUnpackedLayers());
  std::vector<SingleFlight<Held>::Ticket> downloads;
  for (size_t i = first; i < layers_.layers.size(); ++i) {
    const Descriptor& layer = layers_.layers[i];
    downloads.push_back(deps_.downloads->Join(
        layer.digest,
        [deps = deps_.layers, lease = lease_, reference = reference_,
         layer](const CancelCheck& is_cancelled) -> absl::StatusOr<Held> {
          RETURN_IF_ERROR(DownloadBlob(deps, *lease, reference, layer, is_cancelled));
          return Held{lease};
        }));
  }
  return UnpackInOrder(first, &downloads);
}

absl::Status ImagePull::UnpackInOrder(size_t first,
                                      std::vector<SingleFlight<Held>::Ticket>* downloads) {
  for (size_t i = first; i < layers_.layers.size(); ++i) {
    ASSIGN_OR_RETURN(const Held blob, (*downloads)[i - first].Wait(is_cancelled_));
    Join(blob, &held_);
    const LayerPlace place{layers_.layers[i], image_config_.diff_ids[i], chain_ids_[i],
                           i == 0 ? "" : chain_ids_[i - 1]};
    auto unpack = deps_.unpacks->Join(place.chain_id,
                                      [deps = deps_.layers, lease = lease_, blob,
                                       place](const CancelCheck&) -> absl::StatusOr<Held> {
                                        RETURN_IF_ERROR(UnpackLayer(deps, lease.get(), place));
                                        return Held{lease};
                                      });
    ASSIGN_OR_RETURN(const Held snapshot, unpack.Wait(is_cancelled_));
    Join(snapshot, &held_);
  }
  return absl::OkStatus();
}

absl::Status ImagePull::Record() {
  const containerd::Image record{.name = reference_.ToString(),
                                 .target = target_.descriptor,
                                 .labels = {{kPulledFromLabel, reference_.RegistryHost()}}};
  return Annotate(deps_.images->Put(record), absl::StrCat("recording image ", record.name));
}

}  // namespace davit::image
