#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/scratch_folder.h"

namespace davit {
namespace {

using test::ScratchFolder;

TEST_CASE("a written file is read back with any bytes", "[file]") {
  const ScratchFolder folder;
  const std::string text = std::string(100000, 'x') + std::string("\0\n\xff", 3);
  REQUIRE(WriteFileAtomically(folder.File("a"), text).ok());
  CHECK(*ReadFile(folder.File("a")) == text);
}

TEST_CASE("a kernel file without a size is read completely", "[file]") {
  const auto status = ReadFile("/proc/self/status");
  REQUIRE(status.ok());
  CHECK_THAT(*status, Catch::Contains("VmRSS"));
}

TEST_CASE("writing replaces the old text and leaves nothing else behind", "[file]") {
  const auto write = GENERATE(&WriteFileAtomically, &WriteFileUntilReboot);
  const ScratchFolder folder;
  REQUIRE(write(folder.File("a"), "a long old text", 0644).ok());
  REQUIRE(write(folder.File("a"), "new", 0600).ok());
  CHECK(*ReadFile(folder.File("a")) == "new");
  CHECK_FALSE(FileExists(folder.File("a.new")));
  struct stat info {};
  REQUIRE(stat(folder.File("a").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("a failed write keeps the old text", "[file]") {
  const auto write = GENERATE(&WriteFileAtomically, &WriteFileUntilReboot);
  const ScratchFolder folder;
  REQUIRE(
      MakeDirectories(folder.File("a/b")).ok());  // a folder that is not empty cannot be replaced
  CHECK_FALSE(write(folder.File("a"), "new", 0644).ok());
  CHECK(FileExists(folder.File("a/b")));
  CHECK_FALSE(FileExists(folder.File("a.new")));
}

TEST_CASE("errors name the path and have a matching code", "[file]") {
  const ScratchFolder folder;
  const auto missing = ReadFile(folder.File("missing"));
  CHECK(absl::IsNotFound(missing.status()));
  CHECK_THAT(std::string(missing.status().message()), Catch::Contains(folder.File("missing")));
  const absl::Status no_folder = WriteFileAtomically(folder.File("no/a"), "x");
  CHECK(absl::IsNotFound(no_folder));
  CHECK_THAT(std::string(no_folder.message()), Catch::Contains(folder.File("no/a")));
  CHECK_FALSE(ReadFile(folder.path()).ok());
}

TEST_CASE("folders are created with their parents, idempotently", "[file]") {
  const ScratchFolder folder;
  REQUIRE(MakeDirectories(folder.File("a/b/c"), 0700).ok());
  REQUIRE(MakeDirectories(folder.File("a/b/c"), 0755).ok());
  struct stat info {};
  REQUIRE(stat(folder.File("a/b/c").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);  // one that is there stays as it is
  REQUIRE(WriteFileAtomically(folder.File("file"), "x").ok());
  CHECK_FALSE(MakeDirectories(folder.File("file/sub")).ok());
}

TEST_CASE("a folder is removed with its content, but not the targets of links", "[file]") {
  const ScratchFolder folder;
  REQUIRE(MakeDirectories(folder.File("gone/below")).ok());
  REQUIRE(WriteFileAtomically(folder.File("kept"), "x").ok());
  REQUIRE(symlink(folder.File("kept").c_str(), folder.File("gone/link").c_str()) == 0);
  REQUIRE(RemoveAll(folder.File("gone")).ok());
  REQUIRE(RemoveAll(folder.File("gone")).ok());
  CHECK_FALSE(FileExists(folder.File("gone")));
  CHECK(FileExists(folder.File("kept")));
}

}  // namespace
}  // namespace davit
