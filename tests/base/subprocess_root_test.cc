#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/subprocess.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/skip.h"

namespace davit {
namespace {

void Run(const std::vector<std::string>& arguments) {
  const auto result =
      RunCommand({arguments, {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}, "", absl::Seconds(30)});
  INFO(arguments[0]);
  REQUIRE(result.ok());
  INFO(result->error_output);
  REQUIRE(result->exit_code == 0);
}

// A small file system of its own that answers no write any more. Gone with the object.
class FrozenFileSystem {
 public:
  FrozenFileSystem() {
    if (geteuid() != 0) test::Skip("needs root");
    Run({"/usr/bin/truncate", "-s", "16M", folder_.File("image")});
    Run({"/usr/sbin/mkfs.ext4", "-q", folder_.File("image")});
    Run({"/usr/bin/mkdir", path()});
    Run({"/usr/bin/mount", "-o", "loop", folder_.File("image"), path()});
    fd_ = open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(ioctl(fd_, FIFREEZE, 0) == 0);
  }
  ~FrozenFileSystem() {
    ioctl(fd_, FITHAW, 0);
    close(fd_);
    // What hung on it may still be about to end.
    static_cast<void>(
        RunCommand({{"/usr/bin/umount", "--lazy", path()}, {}, "", absl::Seconds(30)}));
  }
  FrozenFileSystem(const FrozenFileSystem&) = delete;
  FrozenFileSystem& operator=(const FrozenFileSystem&) = delete;
  std::string path() const { return folder_.File("mnt"); }

 private:
  const test::ScratchFolder folder_;
  int fd_ = -1;
};

TEST_CASE("a program that hangs in the kernel, even when killed, does not hold its caller",
          "[subprocess]") {
  const FrozenFileSystem frozen;
  const absl::Duration start = Clock::Real()->Monotonic();
  const auto result = RunCommand(
      {{"/bin/sh", "-c", "echo x > '" + frozen.path() + "/file'"}, {}, "", absl::Milliseconds(50)});
  CHECK(absl::IsDeadlineExceeded(result.status()));
  CHECK(Clock::Real()->Monotonic() - start < absl::Seconds(20));
}

}  // namespace
}  // namespace davit
