#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/runtime/runtime.h"

namespace davit::runtime {
namespace {

namespace fs = std::filesystem;

// Layers in a temporary folder: layer(0) is the uppermost.
class Layers {
 public:
  explicit Layers(int count) {
    char folder[] = "/tmp/davit-rootfs-XXXXXX";
    REQUIRE(mkdtemp(folder) != nullptr);
    folder_ = folder;
    for (int i = 0; i < count; ++i) {
      rootfs_.layers.push_back(folder_ / std::to_string(i));
      fs::create_directory(rootfs_.layers.back());
    }
  }
  ~Layers() { fs::remove_all(folder_); }

  fs::path Path(int layer, const std::string& path) {
    const fs::path result = folder_ / std::to_string(layer) / path;
    fs::create_directories(result.parent_path());
    return result;
  }
  void File(int layer, const std::string& path, const std::string& text) {
    std::ofstream(Path(layer, path)) << text;
  }
  void Link(int layer, const std::string& path, const std::string& target) {
    fs::create_symlink(target, Path(layer, path));
  }
  void Whiteout(int layer, const std::string& path) {
    // Linux 5.8 and later allow everybody to create this device.
    REQUIRE(mknod(Path(layer, path).c_str(), S_IFCHR, makedev(0, 0)) == 0);
  }
  absl::StatusOr<std::string> Read(const std::string& path) {
    return ReadFromRootfs(rootfs_, path);
  }
  absl::Status Copy(const std::string& path, const fs::path& destination) {
    return CopyFolderFromRootfs(rootfs_, path, destination);
  }

 private:
  fs::path folder_;
  Rootfs rootfs_;
};

TEST_CASE("the uppermost layer that has a file wins", "[rootfs]") {
  Layers layers(3);
  layers.File(2, "etc/passwd", "old");
  layers.File(1, "etc/passwd", "new");
  layers.File(2, "etc/group", "group");
  fs::create_directories(layers.Path(0, "etc/x").parent_path());
  CHECK(layers.Read("/etc/passwd").value() == "new");
  CHECK(layers.Read("etc/group").value() == "group");
  CHECK(layers.Read("/etc//./group").value() == "group");
  CHECK(layers.Read("/etc/shadow").status().code() == absl::StatusCode::kNotFound);
  CHECK(layers.Read("/none/shadow").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a whiteout hides what is below it", "[rootfs]") {
  Layers layers(2);
  layers.File(1, "etc/passwd", "old");
  layers.File(1, "var/lib/x", "x");
  layers.Whiteout(0, "etc/passwd");
  layers.Whiteout(0, "var");
  CHECK(layers.Read("/etc/passwd").status().code() == absl::StatusCode::kNotFound);
  CHECK(layers.Read("/var/lib/x").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("an opaque folder hides the folder below it", "[rootfs]") {
  Layers layers(2);
  layers.File(1, "etc/passwd", "old");
  layers.File(0, "etc/group", "group");
  const fs::path etc = layers.Path(0, "etc/group").parent_path();
  // "trusted." needs root, "user." a file system with user attributes.
  if (setxattr(etc.c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0 &&
      setxattr(etc.c_str(), "user.overlay.opaque", "y", 1, 0) != 0) {
    WARN("no extended attributes here");
    return;
  }
  CHECK(layers.Read("/etc/passwd").status().code() == absl::StatusCode::kNotFound);
  CHECK(layers.Read("/etc/group").value() == "group");
}

TEST_CASE("a file in place of a folder hides the folder below it", "[rootfs]") {
  Layers layers(2);
  layers.File(1, "etc/passwd", "old");
  layers.File(0, "etc", "a file");
  CHECK(layers.Read("/etc/passwd").status().code() == absl::StatusCode::kNotFound);
  CHECK(layers.Read("/etc").value() == "a file");
}

TEST_CASE("links are followed across layers and never leave the rootfs", "[rootfs]") {
  Layers layers(2);
  layers.File(1, "usr/etc/passwd", "inside");
  layers.Link(0, "etc", "usr/etc");
  layers.Link(0, "absolute", "/etc/passwd");
  layers.Link(0, "escape", "../../../../usr/etc/passwd");
  layers.Link(0, "host", "/proc/self/status");
  CHECK(layers.Read("/etc/passwd").value() == "inside");
  CHECK(layers.Read("/absolute").value() == "inside");
  CHECK(layers.Read("/escape").value() == "inside");
  CHECK(layers.Read("/../../usr/etc/passwd").value() == "inside");
  CHECK(layers.Read("/host").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a cycle of links is NotFound", "[rootfs]") {
  Layers layers(1);
  layers.Link(0, "a", "b");
  layers.Link(0, "b", "a");
  CHECK(layers.Read("/a").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("only regular files are read", "[rootfs]") {
  Layers layers(1);
  REQUIRE(mkfifo(layers.Path(0, "etc/fifo").c_str(), 0600) == 0);
  CHECK(layers.Read("/etc/fifo").status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(layers.Read("/etc").status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(layers.Read("/").status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a folder is copied as the merged layers show it", "[rootfs]") {
  Layers layers(2);
  layers.File(1, "data/kept", "below");
  layers.File(1, "data/gone", "x");
  layers.File(1, "data/sub/deep", "deep");
  layers.File(0, "data/kept-too", "above");
  layers.Link(0, "data/link", "/etc/passwd");
  layers.Whiteout(0, "data/gone");
  fs::permissions(layers.Path(0, "data"), fs::perms(0750));
  fs::permissions(layers.Path(1, "data/sub/deep"), fs::perms(0640));
  Layers destination(1);
  const fs::path to = destination.Path(0, "");
  REQUIRE(layers.Copy("/data", to) == absl::OkStatus());
  std::set<std::string> copied;
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    copied.insert(entry.path().lexically_relative(to));
  }
  CHECK(copied == std::set<std::string>{"kept", "kept-too", "link", "sub", "sub/deep"});
  CHECK(destination.Read("kept-too").value() == "above");
  CHECK(destination.Read("sub/deep").value() == "deep");
  CHECK(fs::read_symlink(to / "link") == "/etc/passwd");
  CHECK(fs::status(to).permissions() == fs::perms(0750));
  CHECK(fs::status(to / "sub/deep").permissions() == fs::perms(0640));
}

TEST_CASE("a copy keeps existing files, and a missing folder is not an error", "[rootfs]") {
  Layers layers(1);
  layers.File(0, "data/file", "of the image");
  Layers destination(1);
  destination.File(0, "file", "mine");
  CHECK(layers.Copy("/data", destination.Path(0, "")) == absl::OkStatus());
  CHECK(destination.Read("file").value() == "mine");
  CHECK(layers.Copy("/none", destination.Path(0, "")) == absl::OkStatus());
  CHECK(layers.Copy("/data/file", destination.Path(0, "")) == absl::OkStatus());
}

TEST_CASE("a copied folder never comes from outside the rootfs", "[rootfs]") {
  Layers layers(1);
  layers.Link(0, "data", "/etc");
  Layers destination(1);
  CHECK(layers.Copy("/data", destination.Path(0, "")) == absl::OkStatus());
  CHECK(fs::is_empty(destination.Path(0, "")));
}

}  // namespace
}  // namespace davit::runtime
