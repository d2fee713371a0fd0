#include "agent/image/pull_lease.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/status.h"

namespace davit::image {
namespace {

// Longer than any pull, but short enough to clean up after a crashed agent.
constexpr absl::Duration kLifetime = absl::Hours(24);

}  // namespace

PullLease::PullLease(containerd::Leases* leases, std::string id)
    : leases_(leases), id_(std::move(id)) {}

absl::StatusOr<std::shared_ptr<PullLease>> PullLease::Create(containerd::Leases* leases) {
  const std::string id = absl::StrCat("pull-", RandomHex32());
  // Source of the label: containerd's docs/garbage-collection.md.
  const std::string expires =
      absl::FormatTime(absl::RFC3339_sec, absl::Now() + kLifetime, absl::UTCTimeZone());
  RETURN_IF_ERROR(leases->Create(id, {{"containerd.io/gc.expire", expires}}),
                  "creating a lease for the pull");
  return std::shared_ptr<PullLease>(new PullLease(leases, id));
}

PullLease::~PullLease() {
  const absl::Status removed = OkIfNotFound(leases_->Delete(id_));
  if (!removed.ok())
    LogDebug("cannot remove pull lease, it will expire", {{"lease", id_}, {"error", removed}});
}

absl::Status PullLease::Hold(const std::string& type, const std::string& id) {
  return Annotate(OkIfAlreadyExists(leases_->AddResource(id_, {type, id})),
                  absl::StrCat("holding ", id));
}

}  // namespace davit::image
