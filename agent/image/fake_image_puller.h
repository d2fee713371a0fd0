#ifndef DAVIT_AGENT_IMAGE_FAKE_IMAGE_PULLER_H_
#define DAVIT_AGENT_IMAGE_FAKE_IMAGE_PULLER_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/image/image_puller.h"
#include "base/mutex.h"

namespace davit::image {

// An image puller that a test scripts. An image without a script is pulled at once, with a result
// made from its name. Thread-safe.
class FakeImagePuller final : public ImagePuller {
 public:
  struct Request {
    std::string image;
    std::string lease;
    friend bool operator==(const Request&, const Request&) = default;
  };

  // The result of Pull() for an image without a script.
  static PulledImage Default(const std::string& image);

  // Sets the result of future pulls of `image`. Failures get the same prefix as the real puller's.
  void Succeed(const std::string& image, PulledImage pulled);
  void Fail(const std::string& image, absl::Status status);
  // The next `count` pulls of `image` fail; later ones behave as before.
  void FailTimes(const std::string& image, absl::Status status, int count);
  // Pulls of `image` wait until Release(), or return Cancelled when their caller gives up.
  void Hold(const std::string& image);
  void Release(const std::string& image);

  // All requested pulls, in order.
  std::vector<Request> requests() const;
  // The number of pulls that wait for Release().
  int held() const;

  absl::StatusOr<PulledImage> Pull(const std::string& image, const std::string& lease,
                                   const std::function<bool()>& is_cancelled) override;

 private:
  struct Failures {
    absl::Status status;
    int left = 0;
  };
  absl::StatusOr<PulledImage> Answer(const std::string& image) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  CondVar released_;
  std::map<std::string, absl::StatusOr<PulledImage>> results_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Failures> failures_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> on_hold_ ABSL_GUARDED_BY(mu_);
  std::vector<Request> requests_ ABSL_GUARDED_BY(mu_);
  int held_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_FAKE_IMAGE_PULLER_H_
