#include "agent/image/fake_image_puller.h"

#include <utility>

#include "agent/image/digest.h"
#include "agent/image/image_reference.h"
#include "agent/image/pull_error.h"

namespace davit::image {
namespace {

constexpr absl::Duration kCancelPeriod = absl::Milliseconds(10);

}  // namespace

PulledImage FakeImagePuller::Default(const std::string& image) {
  const auto reference = ParseImageReference(image);
  PulledImage pulled;
  pulled.name = reference.ok() ? reference->ToString() : image;
  pulled.manifest_digest = Sha256Digest(pulled.name);
  pulled.config.command = {"/bin/sh"};
  pulled.config.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  pulled.config.os = "linux";
  pulled.config.architecture = "amd64";
  pulled.config.diff_ids = {Sha256Digest(pulled.manifest_digest)};
  pulled.chain_id = ChainIds(pulled.config.diff_ids).back();
  return pulled;
}

void FakeImagePuller::Succeed(const std::string& image, PulledImage pulled) {
  MutexLock lock(&mu_);
  results_.insert_or_assign(image, std::move(pulled));
}

void FakeImagePuller::Fail(const std::string& image, absl::Status status) {
  MutexLock lock(&mu_);
  results_.insert_or_assign(image, PullError(status));
}

void FakeImagePuller::FailTimes(const std::string& image, absl::Status status, int count) {
  MutexLock lock(&mu_);
  failures_[image] = {PullError(status), count};
}

void FakeImagePuller::Hold(const std::string& image) {
  MutexLock lock(&mu_);
  on_hold_.insert(image);
}

void FakeImagePuller::Release(const std::string& image) {
  MutexLock lock(&mu_);
  on_hold_.erase(image);
  released_.NotifyAll();
}

std::vector<FakeImagePuller::Request> FakeImagePuller::requests() const {
  MutexLock lock(&mu_);
  return requests_;
}

int FakeImagePuller::held() const {
  MutexLock lock(&mu_);
  return held_;
}

absl::StatusOr<PulledImage> FakeImagePuller::Answer(const std::string& image) {
  const auto failures = failures_.find(image);
  if (failures != failures_.end() && failures->second.left > 0) {
    --failures->second.left;
    return failures->second.status;
  }
  const auto result = results_.find(image);
  return result == results_.end() ? Default(image) : result->second;
}

absl::StatusOr<PulledImage> FakeImagePuller::Pull(const std::string& image,
                                                  const std::string& lease,
                                                  const std::function<bool()>& is_cancelled) {
  bool is_first = true;
  while (!is_cancelled || !is_cancelled()) {  // called without the lock: it is foreign code
    MutexLock lock(&mu_);
    if (is_first) requests_.push_back({image, lease});
    is_first = false;
    if (!on_hold_.contains(image)) return Answer(image);
    ++held_;
    released_.WaitFor(&mu_, kCancelPeriod);
    --held_;
  }
  return PullError(absl::CancelledError("cancelled"));
}

}  // namespace davit::image
