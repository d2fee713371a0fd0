// Images, snapshots and leases: the parts of an unpacked image.

#include <algorithm>
#include <filesystem>

#include "agent/containerd/images.h"
#include "agent/containerd/snapshots.h"
#include "tests/agent/containerd/server_fixture.h"
#include "tests/support/busybox_image.h"

namespace davit::containerd {
namespace {

using Code = absl::StatusCode;

struct Fixture : test::ServerFixture {
  Fixture() : images(client.get()), snapshots(client.get(), "overlayfs") {}
  Images images;
  Snapshots snapshots;
};

TEST_CASE_METHOD(Fixture, "an image record is created, replaced, listed and deleted", "[images]") {
  CHECK(images.Get("r/a:1").status().code() == Code::kNotFound);
  Image image;
  image.name = "r/a:1";
  image.target = {"application/vnd.oci.image.manifest.v1+json", test::Sha256("1"), 1, {}};
  image.labels = {{"old", "yes"}};
  REQUIRE(images.Put(image) == absl::OkStatus());
  image.target.digest = test::Sha256("2");
  image.labels = {{"new", "yes"}};
  REQUIRE(images.Put(image) == absl::OkStatus());
  const auto found = images.Get("r/a:1");
  REQUIRE(found.ok());
  CHECK(found->target == image.target);
  CHECK(found->labels == image.labels);
  CHECK(found->created_at > absl::UnixEpoch());
  CHECK(images.List()->size() == 1);
  CHECK(images.Delete("r/a:1", /*is_synchronous=*/true) == absl::OkStatus());
  CHECK(images.Delete("r/a:1").code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture,
                 "a snapshot folder that a killed containerd left does not block later snapshots",
                 "[images]") {
  REQUIRE(snapshots.Prepare("c1", "", {}, leased).ok());
  const std::filesystem::path folder =
      server->folder() + "/root/io.containerd.snapshotter.v1.overlayfs/snapshots";
  int newest = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    newest = std::max(newest, std::stoi(entry.path().filename()));
  }
  std::filesystem::create_directories(folder / std::to_string(newest + 1) / "fs");
  CHECK(snapshots.Prepare("c2", "", {}, leased).status() == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "a layer is unpacked into a snapshot that is a parent of others",
                 "[images]") {
  const auto chain_id = test::ImportBusybox(client.get());
  REQUIRE(chain_id.status() == absl::OkStatus());
  const auto layer = snapshots.Stat(*chain_id);
  REQUIRE(layer.ok());
  CHECK(layer->kind == SnapshotKind::kCommitted);
  CHECK(layer->parent.empty());
  CHECK(snapshots.Usage(*chain_id)->size > 1000000);

  const auto mounts = snapshots.Prepare("c1", *chain_id, {{"who", "test"}}, leased);
  REQUIRE(mounts.status() == absl::OkStatus());
  REQUIRE(mounts->size() == 1);
  CHECK(mounts->front().type == "overlay");
  CHECK(snapshots.Mounts("c1").value() == *mounts);
  CHECK(snapshots.Prepare("c1", *chain_id, {}, leased).status().code() == Code::kAlreadyExists);
  CHECK(snapshots.Stat("c1")->parent == *chain_id);
  CHECK(snapshots.Remove(*chain_id).code() == Code::kFailedPrecondition);
  CHECK(snapshots.List()->size() == 2);
  REQUIRE(snapshots.UpdateLabels("c1", {{"more", "yes"}}) == absl::OkStatus());
  CHECK(snapshots.Stat("c1")->labels == Labels{{"more", "yes"}, {"who", "test"}});
  CHECK(snapshots.Remove("c1") == absl::OkStatus());
  CHECK(snapshots.Remove("c1").code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a view is read-only", "[images]") {
  const auto chain_id = test::ImportBusybox(client.get());
  REQUIRE(chain_id.status() == absl::OkStatus());
  const auto mounts = snapshots.View("v1", *chain_id, {}, leased);
  REQUIRE(mounts.ok());
  CHECK(snapshots.Stat("v1")->kind == SnapshotKind::kView);
  const std::vector<std::string>& options = mounts->front().options;
  CHECK(std::count(options.begin(), options.end(), "ro") == 1);
}

TEST_CASE_METHOD(Fixture, "a snapshot is removed with the last lease that protects it",
                 "[leases]") {
  Leases leases(client.get());
  REQUIRE(snapshots.Prepare("c1", "", {}, leased).ok());
  const auto resources = leases.ListResources("lease");
  REQUIRE(resources.ok());
  CHECK(*resources == std::vector<LeaseResource>{{"snapshots/overlayfs", "c1"}});
  REQUIRE(leases.Create("second") == absl::OkStatus());
  REQUIRE(leases.AddResource("second", {"snapshots/overlayfs", "c1"}) == absl::OkStatus());
  REQUIRE(leases.Delete("lease", /*is_synchronous=*/true) == absl::OkStatus());
  CHECK(snapshots.Stat("c1").ok());
  REQUIRE(leases.Delete("second", /*is_synchronous=*/true) == absl::OkStatus());
  CHECK(snapshots.Stat("c1").status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "leases keep their labels and are created once", "[leases]") {
  Leases leases(client.get());
  CHECK(leases.Create("lease").code() == Code::kAlreadyExists);
  const auto list = leases.List({"labels.who==test"});
  REQUIRE(list.ok());
  REQUIRE(list->size() == 1);
  CHECK(list->front().labels == Labels{{"who", "test"}});
  CHECK(leases.Delete("none").code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "the client answers its version and knows when it is connected",
                 "[containerd]") {
  CHECK_THAT(client->Version().value(), Catch::StartsWith("1."));
  CHECK(client->IsConnected());
}

}  // namespace
}  // namespace davit::containerd
