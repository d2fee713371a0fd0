#include "agent/supervisor/tmpfs.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "agent/supervisor/task_files.h"
#include "base/file.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/skip.h"

namespace davit::supervisor {
namespace {

bool IsInMemory(const std::string& path) {
  struct statfs info = {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

void SkipUnlessRoot() {
  if (geteuid() != 0) test::Skip("mounting needs root");
}

TEST_CASE("a tmpfs is mounted once and unmounted with everything below", "[tmpfs]") {
  SkipUnlessRoot();
  const test::ScratchFolder scratch;
  const std::string outer = scratch.File("outer");
  REQUIRE(MakeDirectories(outer).ok());
  REQUIRE(MountTmpfs(outer, "size=1m,mode=700") == absl::OkStatus());
  REQUIRE(MountTmpfs(outer, "size=1m,mode=700") == absl::OkStatus());
  REQUIRE(MakeDirectories(outer + "/inner").ok());
  REQUIRE(MountTmpfs(outer + "/inner", "size=1m") == absl::OkStatus());
  CHECK(UnmountBelow(scratch.path()) == absl::OkStatus());
  CHECK(UnmountBelow(scratch.path()) == absl::OkStatus());
  CHECK_FALSE(FileExists(outer + "/inner"));
}

TEST_CASE("secret files are only in memory and are removed with the task", "[tmpfs]") {
  SkipUnlessRoot();
  const test::ScratchFolder scratch;
  const TaskFiles files(scratch.path());
  const auto paths =
      files.WriteSecrets("0123", "web", {{"/run/secrets/a", "hunter2"}, {"/b", "x"}});
  REQUIRE(paths.status() == absl::OkStatus());
  const std::string& file = paths->at("/run/secrets/a");
  CHECK(ReadFile(file).value() == "hunter2");
  CHECK(IsInMemory(file));
  struct stat info = {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0444);
  REQUIRE(files.RemoveTask("0123") == absl::OkStatus());
  CHECK_FALSE(FileExists(scratch.File("tasks/0123")));
}

TEST_CASE("a Docker volume of type tmpfs is in memory", "[tmpfs]") {
  SkipUnlessRoot();
  const test::ScratchFolder scratch;
  const TaskFiles files(scratch.path());
  v1::TaskDefinition task;
  v1::Volume* volume = task.add_volumes();
  volume->set_name("v");
  auto& options = *volume->mutable_docker_volume_configuration()->mutable_driver_opts();
  options["type"] = "tmpfs";
  options["o"] = "size=1m,mode=1777";
  const auto folders = files.MakeVolumes("0123", task);
  REQUIRE(folders.status() == absl::OkStatus());
  CHECK(IsInMemory(folders->at("v")));
  REQUIRE(files.RemoveTask("0123") == absl::OkStatus());
}

}  // namespace
}  // namespace davit::supervisor
