#include "agent/image/fake_image_puller.h"

#include <catch2/catch.hpp>
#include <thread>

namespace davit::image {
namespace {

TEST_CASE("the fake pulls images without a script", "[fake_image_puller]") {
  FakeImagePuller puller;
  const auto pulled = puller.Pull("busybox", "lease-1", nullptr);
  REQUIRE(pulled.ok());
  CHECK(pulled->name == "docker.io/library/busybox:latest");
  CHECK(pulled->chain_id == pulled->config.diff_ids[0]);
  CHECK(puller.requests() == std::vector<FakeImagePuller::Request>{{"busybox", "lease-1"}});
}

TEST_CASE("the fake fails as scripted, with the real puller's prefix", "[fake_image_puller]") {
  FakeImagePuller puller;
  puller.Fail("web", absl::NotFoundError("no such tag"));
  CHECK(puller.Pull("web", "", nullptr).status() ==
        absl::NotFoundError("CannotPullContainerError: no such tag"));
  PulledImage image = FakeImagePuller::Default("web");
  image.config.user = "www";
  puller.Succeed("web", image);
  puller.FailTimes("web", absl::UnavailableError("down"), 1);
  CHECK(puller.Pull("web", "", nullptr).status().code() == absl::StatusCode::kUnavailable);
  CHECK(puller.Pull("web", "", nullptr)->config.user == "www");
}

TEST_CASE("a held pull waits until it is released or its caller gives up", "[fake_image_puller]") {
  FakeImagePuller puller;
  puller.Hold("web");
  CHECK(puller.Pull("web", "", [&] { return puller.requests().size() == 1; }).status().code() ==
        absl::StatusCode::kCancelled);
  bool was_pulled = false;
  std::thread caller([&] { was_pulled = puller.Pull("web", "", nullptr).ok(); });
  while (puller.held() == 0) std::this_thread::yield();
  puller.Release("web");
  caller.join();
  CHECK(was_pulled);
}

}  // namespace
}  // namespace davit::image
