#include "agent/image/containerd_image_puller.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/image/digest.h"
#include "base/file.h"
#include "tests/agent/image/oci_layout.h"
#include "tests/support/containerd_server.h"
#include "tests/support/registry_server.h"
#include "tests/support/skip.h"

namespace davit::image {
namespace {

using Catch::Contains;
using Layers = std::vector<OciLayout::Layer>;

template <typename T>
T Need(absl::StatusOr<T> value) {
  if (value.status().code() == absl::StatusCode::kNotFound ||
      value.status().code() == absl::StatusCode::kPermissionDenied) {
    test::Skip(std::string(value.status().message()));
  }
  INFO(value.status());
  REQUIRE(value.ok());
  return *std::move(value);
}

// A registry, a containerd and a puller between them.
struct World {
  std::unique_ptr<test::RegistryServer> registry = Need(test::RegistryServer::Start());
  std::unique_ptr<test::ContainerdServer> server = Need(test::ContainerdServer::Start());
  containerd::Client client{{.address = server->address()}};
  containerd::ContentStore content{&client};
  containerd::Snapshots snapshots{&client, "overlayfs"};
  containerd::Images images{&client};
  containerd::Leases leases{&client};
  OciLayout layout{server->folder() + "/layout"};
  std::unique_ptr<ContainerdImagePuller> puller = NewPuller();

  World() { REQUIRE(leases.Create("task").ok()); }

  std::unique_ptr<ContainerdImagePuller> NewPuller() {
    ImagePullerOptions options;
    options.registry.retry = {.attempts = 2,
                              .first_delay = absl::Milliseconds(10),
                              .max_delay = absl::Milliseconds(10),
                              .max_retry_after = absl::Seconds(1)};
    options.platform = {"linux", "amd64", ""};
    return std::make_unique<ContainerdImagePuller>(&client, options);
  }
  std::string Name(const std::string& rest) const { return registry->host() + "/" + rest; }
  Layers ThreeLayers() {
    return {Need(layout.AddLayer({{"bin/busybox", ReadFile("/bin/busybox").value_or("")},
                                  {"etc/a", "first"},
                                  {"etc/gone", "x"}})),
            Need(layout.AddLayer({{"etc/a", "second"}, {"etc/.wh.gone", ""}})),
            Need(layout.AddLayer({{"srv/top", "third"}}))};
  }
  Descriptor PushThreeLayers(const std::string& rest) {
    const Descriptor image = Need(layout.AddImage(ThreeLayers(), {"linux", "amd64", ""}, "/run"));
    REQUIRE(layout.Push(image, Name(rest)).ok());
    return image;
  }
  absl::StatusOr<PulledImage> Pull(const std::string& rest) {
    return puller->Pull(Name(rest), "task", nullptr);
  }
  // A file as a container on top of `chain_id` would see it.
  std::optional<std::string> FileOf(const std::string& chain_id, const std::string& path);
  // Runs containerd's garbage collector and waits for it.
  void CollectGarbage() {
    REQUIRE(leases.Create("garbage").ok());
    REQUIRE(leases.Delete("garbage", /*is_synchronous=*/true).ok());
  }
};

std::optional<std::string> World::FileOf(const std::string& chain_id, const std::string& path) {
  const std::string key = absl::StrCat("view-", chain_id, path);
  const auto mounts = snapshots.Prepare(key, chain_id, {}, {.lease = "task"});
  REQUIRE(mounts.ok());
  REQUIRE(mounts->size() == 1);
  REQUIRE(snapshots.Remove(key).ok());
  for (absl::string_view option : mounts->front().options) {
    if (!absl::ConsumePrefix(&option, "lowerdir=")) continue;
    for (const absl::string_view layer : absl::StrSplit(option, ':')) {
      const std::string file = absl::StrCat(layer, "/", path);
      struct stat facts {};
      if (lstat(file.c_str(), &facts) != 0) continue;
      if (S_ISCHR(facts.st_mode)) return std::nullopt;  // overlayfs's whiteout: a removed file
      return ReadFile(file).value_or("");
    }
  }
  return std::nullopt;
}

TEST_CASE("an image is pulled from a registry and unpacked layer upon layer", "[puller]") {
  World world;
  const Descriptor image = world.PushThreeLayers("team/web:v1");
  const auto pulled = world.Pull("team/web:v1");
  INFO(pulled.status());
  REQUIRE(pulled.ok());
  CHECK(pulled->name == world.Name("team/web:v1"));
  CHECK(pulled->manifest_digest == image.digest);
  CHECK(pulled->config.command == std::vector<std::string>{"/run"});
  CHECK(pulled->chain_id == ChainIds(pulled->config.diff_ids).back());
  CHECK(world.FileOf(pulled->chain_id, "etc/a") == "second");
  CHECK(world.FileOf(pulled->chain_id, "srv/top") == "third");
  CHECK(world.FileOf(pulled->chain_id, "bin/busybox") == ReadFile("/bin/busybox").value_or(""));
  CHECK_FALSE(world.FileOf(pulled->chain_id, "etc/gone").has_value());
  CHECK(world.images.Get(pulled->name)->target.digest == image.digest);
}

TEST_CASE("existing content is not fetched again", "[puller]") {
  World world;
  const Descriptor image = world.PushThreeLayers("web:v1");
  REQUIRE(world.Pull("web:v1").ok());
  const int manifests = world.registry->CountRequests("GET /v2/web/manifests/");
  const int blobs = world.registry->CountRequests("GET /v2/web/blobs/");
  CHECK(manifests == 1);
  CHECK(blobs == 4);  // the configuration and three layers
  REQUIRE(world.Pull("web:v1").ok());
  CHECK(world.registry->CountRequests("GET /v2/web/manifests/") == manifests + 1);
  REQUIRE(world.Pull("web@" + image.digest).ok());
  REQUIRE(world.Pull("web@" + image.digest).ok());
  CHECK(world.registry->CountRequests("GET /v2/web/manifests/") == manifests + 1);
  CHECK(world.registry->CountRequests("GET /v2/web/blobs/") == blobs);
}

TEST_CASE("an image that shares layers fetches only its own", "[puller]") {
  World world;
  Layers layers = world.ThreeLayers();
  const Platform amd64{"linux", "amd64", ""};
  REQUIRE(world.layout.Push(*world.layout.AddImage(layers, amd64, "/a"), world.Name("web:a")).ok());
  layers.push_back(Need(world.layout.AddLayer({{"srv/more", "fourth"}})));
  REQUIRE(world.layout.Push(*world.layout.AddImage(layers, amd64, "/b"), world.Name("web:b")).ok());
  REQUIRE(world.Pull("web:a").ok());
  const int blobs = world.registry->CountRequests("GET /v2/web/blobs/");
  const auto pulled = world.Pull("web:b");
  REQUIRE(pulled.ok());
  CHECK(world.registry->CountRequests("GET /v2/web/blobs/") == blobs + 2);
  CHECK(world.FileOf(pulled->chain_id, "srv/more") == "fourth");
  CHECK(world.FileOf(pulled->chain_id, "etc/a") == "second");
}

TEST_CASE("a Docker schema 2 image is pulled like an OCI image", "[puller]") {
  World world;
  const Descriptor image =
      Need(world.layout.AddImage(world.ThreeLayers(), {"linux", "amd64", ""}, "/run"));
  REQUIRE(world.layout.Push(image, world.Name("web:docker"), {"--format=v2s2"}).ok());
  const auto pulled = world.Pull("web:docker");
  INFO(pulled.status());
  REQUIRE(pulled.ok());
  CHECK(pulled->manifest_digest != image.digest);
  CHECK(world.FileOf(pulled->chain_id, "etc/a") == "second");
}

TEST_CASE("an index pulls the host's image under the index's digest", "[puller]") {
  World world;
  const Platform amd64{"linux", "amd64", ""};
  const Platform arm64{"linux", "arm64", ""};
  const Descriptor here =
      Need(world.layout.AddImage({Need(world.layout.AddLayer({{"here", "amd64"}}))}, amd64, "/x"));
  const Descriptor there =
      Need(world.layout.AddImage({Need(world.layout.AddLayer({{"here", "arm64"}}))}, arm64, "/y"));
  const Descriptor index = Need(world.layout.AddIndex({{there, arm64}, {here, amd64}}));
  const Descriptor foreign = Need(world.layout.AddIndex({{there, arm64}}));
  REQUIRE(world.layout.Push(index, world.Name("web:all")).ok());
  REQUIRE(world.layout.Push(foreign, world.Name("web:arm")).ok());
  const auto pulled = world.Pull("web:all");
  INFO(pulled.status());
  REQUIRE(pulled.ok());
  CHECK(pulled->manifest_digest == index.digest);
  CHECK(world.FileOf(pulled->chain_id, "here") == "amd64");
  world.CollectGarbage();
  CHECK(world.content.Info(here.digest).ok());
  const absl::Status refused = world.Pull("web:arm").status();
  CHECK(refused.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(refused.message()),
             Contains("does not contain descriptor matching platform 'linux/amd64'"));
}

TEST_CASE("an unknown tag and an unknown image are named as ECS does", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  const absl::Status tag = world.Pull("web:nope").status();
  CHECK(tag.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(tag.message()),
             Catch::StartsWith(absl::StrCat(
                 "CannotPullContainerError: pull image manifest has been retried 1 time(s): GET "
                 "http://",
                 world.registry->host(), "/v2/web/manifests/nope: 404 manifest unknown")));
  CHECK(world.Pull("other:v1").status().code() == absl::StatusCode::kNotFound);
  CHECK(world.puller->Pull("UPPER", "task", nullptr).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a layer that does not match its digest is refused and not kept", "[puller]") {
  World world;
  const Layers layers = world.ThreeLayers();
  const Descriptor image = Need(world.layout.AddImage(layers, {"linux", "amd64", ""}, "/run"));
  REQUIRE(world.layout.Push(image, world.Name("web:v1")).ok());
  const std::string& digest = layers[2].descriptor.digest;
  const std::string path = world.registry->BlobPath(digest);
  const std::string good = ReadFile(path).value();
  REQUIRE(WriteFileAtomically(path, std::string(good.size(), 'x')).ok());
  const absl::Status refused = world.Pull("web:v1").status();
  CHECK(refused.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(refused.message()), Contains(digest));
  CHECK_FALSE(world.content.Info(digest).ok());
  REQUIRE(WriteFileAtomically(path, good).ok());
  CHECK(world.Pull("web:v1").ok());
}

TEST_CASE("a layer that does not match its diff id is refused", "[puller]") {
  World world;
  Layers layers = world.ThreeLayers();
  layers[1].diff_id = Sha256Digest("something else");
  const Descriptor image = Need(world.layout.AddImage(layers, {"linux", "amd64", ""}, "/run"));
  REQUIRE(world.layout.Push(image, world.Name("web:v1")).ok());
  const absl::Status refused = world.Pull("web:v1").status();
  CHECK(refused.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(refused.message()), Contains("configuration says"));
}

TEST_CASE("without its registry a cached image is used, another is not", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  const auto first = world.Pull("web:v1");
  REQUIRE(first.ok());
  world.registry->Stop();
  const auto cached = world.Pull("web:v1");
  REQUIRE(cached.ok());
  CHECK(cached->chain_id == first->chain_id);
  const absl::Status unreachable = world.Pull("web:v2").status();
  CHECK(unreachable.code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(unreachable.message()),
             Contains("has been retried 2 time(s)") && Contains(world.registry->host()));
  REQUIRE(world.registry->Restart().ok());
  CHECK(world.Pull("web:v2").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a moved tag is pulled again while the old image stays for its task", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  const auto before = world.Pull("web:v1");
  REQUIRE(before.ok());
  const Descriptor next = Need(world.layout.AddImage(
      {Need(world.layout.AddLayer({{"new", "yes"}}))}, {"linux", "amd64", ""}, "/next"));
  REQUIRE(world.layout.Push(next, world.Name("web:v1")).ok());
  const auto after = world.Pull("web:v1");
  REQUIRE(after.ok());
  CHECK(after->manifest_digest == next.digest);
  CHECK(after->chain_id != before->chain_id);
  world.CollectGarbage();
  CHECK(world.snapshots.Stat(before->chain_id).ok());
  CHECK(world.snapshots.Stat(after->chain_id).ok());
}

TEST_CASE("an image outlives its record as long as a task's lease protects it", "[puller]") {
  World world;
  const Descriptor image = world.PushThreeLayers("web:v1");
  const auto pulled = world.Pull("web:v1");
  REQUIRE(pulled.ok());
  CHECK(world.leases.List()->size() == 1);  // the pull's own lease is gone
  world.CollectGarbage();
  REQUIRE(world.images.Delete(pulled->name, /*is_synchronous=*/true).ok());
  CHECK(world.snapshots.Stat(pulled->chain_id).ok());
  CHECK(world.content.Info(image.digest).ok());
  REQUIRE(world.leases.Delete("task", /*is_synchronous=*/true).ok());
  CHECK(world.snapshots.Stat(pulled->chain_id).status().code() == absl::StatusCode::kNotFound);
  CHECK(world.content.List()->empty());
}

TEST_CASE("an image that was removed since the last pull is pulled again", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  const auto first = world.Pull("web:v1");
  REQUIRE(first.ok());
  const bool keeps_record = GENERATE(false, true);
  if (keeps_record) {
    REQUIRE(world.leases.Delete("task", /*is_synchronous=*/true).ok());
    REQUIRE(world.snapshots.Remove(first->chain_id).ok());
    REQUIRE(world.leases.Create("task", {}).ok());
  } else {
    REQUIRE(world.images.Delete(first->name, /*is_synchronous=*/true).ok());
  }
  REQUIRE(world.Pull("web:v1").status() == absl::OkStatus());
  CHECK(world.images.Get(first->name).ok());
  CHECK(world.snapshots.Stat(first->chain_id).ok());
}

TEST_CASE("several callers of one image share one pull", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  std::vector<std::thread> callers;
  std::vector<absl::StatusOr<PulledImage>> results(6, absl::UnknownError("not run"));
  for (auto& result : results) {
    callers.emplace_back([&world, &result] { result = world.Pull("web:v1"); });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& result : results) CHECK(result.ok());
  CHECK(world.registry->CountRequests("GET /v2/web/blobs/") == 4);
  CHECK(world.leases.List()->size() == 1);
}

TEST_CASE("a caller that gives up returns at once", "[puller]") {
  World world;
  world.PushThreeLayers("web:v1");
  const absl::Status status =
      world.puller->Pull(world.Name("web:v1"), "task", [] { return true; }).status();
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(world.Pull("web:v1").ok());
}

TEST_CASE("bytes of an interrupted download are used if they are good and dropped if not",
          "[puller]") {
  World world;
  const Layers layers = world.ThreeLayers();
  const Descriptor image = Need(world.layout.AddImage(layers, {"linux", "amd64", ""}, "/run"));
  REQUIRE(world.layout.Push(image, world.Name("web:v1")).ok());
  const Descriptor& layer = layers[0].descriptor;
  const std::string good = ReadFile(world.registry->BlobPath(layer.digest)).value();
  const std::string half = good.substr(0, good.size() / 2);
  const bool is_damaged = GENERATE(false, true);
  {
    const auto writer = world.content.OpenWriter("davit-" + layer.digest, layer.digest, layer.size,
                                                 {.lease = "task"});
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(is_damaged ? std::string(half.size(), 'x') : half).ok());
  }
  const auto pulled = world.Pull("web:v1");
  INFO(pulled.status());
  REQUIRE(pulled.ok());
  CHECK(world.FileOf(pulled->chain_id, "bin/busybox") == ReadFile("/bin/busybox").value_or(""));
  const int requests = world.registry->CountRequests("GET /v2/web/blobs/" + layer.digest);
  CHECK(requests == (is_damaged ? 2 : 1));
}

TEST_CASE("two names of one image download and unpack its layers once", "[puller]") {
  World world;
  const Descriptor image = world.PushThreeLayers("web:v1");
  REQUIRE(world.layout.Push(image, world.Name("web:v2")).ok());
  absl::StatusOr<PulledImage> other = absl::UnknownError("not run");
  std::thread caller([&] { other = world.Pull("web:v2"); });
  const auto pulled = world.Pull("web:v1");
  caller.join();
  REQUIRE(pulled.ok());
  REQUIRE(other.ok());
  CHECK(other->chain_id == pulled->chain_id);
  CHECK(world.registry->CountRequests("GET /v2/web/blobs/") <=
        5);  // both may want the configuration
  CHECK(world.snapshots.List()->size() == 3);
}

}  // namespace
}  // namespace davit::image
