#include "agent/supervisor/task_files.h"

#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/log/logger_state.h"
#include "agent/supervisor/provisioning.h"
#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit::supervisor {
namespace {

constexpr char kTask[] = "0123";

v1::TaskDefinition Parse(const std::string& json) {
  v1::TaskDefinition definition;
  REQUIRE(google::protobuf::util::JsonStringToMessage(json, &definition).ok());
  return definition;
}

struct Host {
  test::ScratchFolder scratch;
  TaskFiles files{scratch.path()};
  absl::StatusOr<std::map<std::string, std::string>> MakeVolumes(const std::string& json) const {
    return files.MakeVolumes(kTask, Parse(json));
  }
};

TEST_CASE("a shared Docker volume outlives the task, the task's own does not", "[task_files]") {
  const Host host;
  const auto folders = host.MakeVolumes(R"({"volumes": [
      {"name": "own", "dockerVolumeConfiguration": {"scope": "task"}},
      {"name": "shared", "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": true}}]})");
  REQUIRE(folders.ok());
  REQUIRE(WriteFileAtomically(folders->at("own") + "/x", "x").ok());
  REQUIRE(WriteFileAtomically(folders->at("shared") + "/x", "x").ok());
  REQUIRE(host.files.RemoveTask(kTask).ok());
  CHECK_FALSE(FileExists(folders->at("own")));
  CHECK(FileExists(folders->at("shared") + "/x"));
  CHECK(folders->at("shared") == host.scratch.File("volumes/shared"));
}

TEST_CASE("a shared Docker volume without autoprovision must exist", "[task_files]") {
  const Host host;
  const std::string json =
      R"({"volumes": [{"name": "v", "dockerVolumeConfiguration": {"scope": "shared"}}]})";
  const absl::Status status = host.MakeVolumes(json).status();
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Catch::Contains("volume 'v'") &&
                                                Catch::Contains("autoprovision") &&
                                                Catch::Contains(host.scratch.File("volumes/v")));
  REQUIRE(MakeDirectories(host.scratch.File("volumes/v")).ok());
  CHECK(host.MakeVolumes(json).ok());
}

TEST_CASE("a volume's name cannot lead out of the agent's folder", "[task_files]") {
  const Host host;
  const std::string name = GENERATE("..", ".", "", "a/../../b");
  CHECK(host.MakeVolumes(R"({"volumes": [{"name": ")" + name + R"("}]})").status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("no two names lead to one folder, whatever their kinds", "[task_files]") {
  const Host host;
  std::set<std::string> folders;
  // A folder in another's is as bad as the same.
  const auto add = [&folders](const std::string& folder) {
    for (const std::string& other : folders) {
      CAPTURE(folder, other);
      CHECK_FALSE(absl::StartsWith(folder + "/", other + "/"));
      CHECK_FALSE(absl::StartsWith(other + "/", folder + "/"));
    }
    folders.insert(folder);
  };
  std::vector<std::string> names;
  for (const char* name : {"volumes", "secrets", "image-volumes", "hosts", "container", "volume"})
    names.emplace_back(name);
  for (const size_t length : {200, 201, 254, 255}) names.emplace_back(length, 'a');
  names.push_back(names.back());
  names.back().back() = 'b';
  for (const std::string& name : names) {
    add(host.MakeVolumes(absl::StrCat(R"({"volumes": [{"name": ")", name, R"("}]})"))->at(name));
    add(host.files.WriteEtc(kTask, name, "host", "").value());
  }
}

TEST_CASE("a log's name has room for the numbers behind it", "[task_files]") {
  const Host host;
  REQUIRE(host.files.MakeLogFolder(kTask).ok());
  std::set<std::string> files;
  for (const size_t length : {1, 200, 201, 252, 255}) {
    const std::string file = host.files.LogFile(kTask, std::string(length, 'a'));
    CHECK(files.insert(file).second);
    CHECK(WriteFileAtomically(file + ".100", "x").ok());
    CHECK(WriteFileAtomically(log::LoggerStatePath(file), "x").ok());
  }
}

TEST_CASE("what an older agent made for a task is found", "[task_files]") {
  const Host host;
  const std::string task = host.scratch.File(absl::StrCat("tasks/", kTask));
  const std::string long_name(201, 'a');
  const std::string old_log =
      host.scratch.File(absl::StrCat("logs/", kTask, "/", long_name, ".log"));
  REQUIRE(MakeDirectories(task + "/volumes/data").ok());
  REQUIRE(MakeDirectories(task + "/web/image-volumes/0").ok());
  REQUIRE(host.files.MakeLogFolder(kTask).ok());
  REQUIRE(WriteFileAtomically(old_log, "").ok());
  CHECK(host.MakeVolumes(R"({"volumes": [{"name": "data"}]})")->at("data") ==
        task + "/volumes/data");
  v1::ContainerDefinition web;
  web.set_name("web");
  CHECK(host.files.MakeImageVolumes(kTask, web, {"/data"})->at("/data") ==
        task + "/web/image-volumes/0");
  CHECK(host.files.WriteEtc(kTask, "web", "host", "").value() == task + "/web");
  CHECK(host.files.LogFile(kTask, long_name) == old_log);
}

TEST_CASE("volumes of the image get folders unless the definition covers them", "[task_files]") {
  const Host host;
  v1::ContainerDefinition container;
  container.set_name("web");
  container.add_mount_points()->set_container_path("/covered");
  const auto folders = host.files.MakeImageVolumes(kTask, container, {"/covered", "/data", "/log"});
  REQUIRE(folders.ok());
  REQUIRE(folders->size() == 2);
  CHECK(FileExists(folders->at("/data")));
  CHECK(folders->at("/data") != folders->at("/log"));
  CHECK(*host.files.MakeImageVolumes(kTask, container, {"/covered", "/data", "/log"}) == *folders);
}

TEST_CASE("new volumes start with the image's content at their path", "[task_files]") {
  const Host host;
  const std::string layer = host.scratch.File("layer");
  REQUIRE(MakeDirectories(layer + "/data", 0700).ok());
  REQUIRE(WriteFileAtomically(layer + "/data/seed", "of the image").ok());
  const v1::TaskDefinition task = Parse(R"({
      "volumes": [{"name": "own"}, {"name": "host", "host": {"sourcePath": ")" +
                                        host.scratch.File("host") + R"("}}],
      "containerDefinitions": [{"name": "web", "mountPoints": [
          {"sourceVolume": "own", "containerPath": "/data"}, {"sourceVolume": "host", "containerPath": "/data"}]}]})");
  const v1::ContainerDefinition& web = task.container_definitions(0);
  spec::ContainerPlace place;
  place.volumes = host.files.MakeVolumes(kTask, task).value();
  place.image_volumes = host.files.MakeImageVolumes(kTask, web, {"/data/", "/none"}).value();
  const runtime::Rootfs rootfs{"key", {layer}};
  REQUIRE(FillNewVolumes(task, web, rootfs, place) == absl::OkStatus());
  CHECK(ReadFile(place.volumes["own"] + "/seed").value() == "of the image");
  CHECK(ReadFile(place.image_volumes["/data/"] + "/seed").value() == "of the image");
  CHECK(std::filesystem::is_empty(place.volumes["host"]));
  // Files that a container has written in between stay.
  REQUIRE(WriteFileAtomically(place.volumes["own"] + "/seed", "changed").ok());
  REQUIRE(FillNewVolumes(task, web, rootfs, place) == absl::OkStatus());
  CHECK(ReadFile(place.volumes["own"] + "/seed").value() == "changed");
}

}  // namespace
}  // namespace davit::supervisor
