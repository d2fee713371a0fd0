#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/store/sqlite_store.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/fake_time.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/skip.h"

namespace davit::store {
namespace {

// A disk that can be frozen, which only this process sees. A child thaws it if this process dies:
// nobody else could end a thread that waits for it.
class FreezableDisk {
 public:
  FreezableDisk() {
    if (geteuid() != 0) test::Skip("needs root to mount a disk");
    REQUIRE(unshare(CLONE_NEWNS) == 0);
    REQUIRE(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    const std::string image = image_folder_.File("image");
    const std::string command =
        absl::StrCat("truncate --size=16M ", image, " && mkfs.ext4 -q ", image,
                     " && mount -o loop ", image, " ", folder_.path(), " 2>&1");
    if (std::system(command.c_str()) != 0) test::Skip("needs mkfs.ext4 and a loop device");
    root_ = open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(root_ >= 0);
    REQUIRE(pipe2(guard_pipe_, O_CLOEXEC) == 0);
    guard_ = fork();
    if (guard_ == 0) {
      close(guard_pipe_[1]);
      char byte = 0;
      while (read(guard_pipe_[0], &byte, 1) > 0) {
      }
      ioctl(root_, FITHAW, 0);
      _exit(0);
    }
    close(guard_pipe_[0]);
  }
  ~FreezableDisk() {
    close(guard_pipe_[1]);
    waitpid(guard_, nullptr, 0);
    close(root_);
    umount2(folder_.path().c_str(), MNT_DETACH);
  }
  FreezableDisk(const FreezableDisk&) = delete;
  FreezableDisk& operator=(const FreezableDisk&) = delete;
  std::string File(const std::string& name) const { return folder_.File(name); }
  void Freeze() const { REQUIRE(ioctl(root_, FIFREEZE, 0) == 0); }
  void Thaw() const { REQUIRE(ioctl(root_, FITHAW, 0) == 0); }

 private:
  test::ScratchFolder image_folder_;
  test::ScratchFolder folder_;
  int root_ = -1;
  int guard_pipe_[2] = {-1, -1};
  pid_t guard_ = -1;
};

TEST_CASE("a disk that hangs makes the store unhealthy, and saves go on when it is back",
          "[store]") {
  test::FakeClock clock;
  std::unique_ptr<SqliteStore> store;
  const FreezableDisk disk;
  store = *SqliteStore::Open(disk.File("agent.db"), AgentSchema(), &clock);
  test::SaveNow(store.get(), "before");
  disk.Freeze();
  std::atomic<int> done{0};
  store->SaveTask("waiting", test::MakeRecord("waiting", "x"), [&] { ++done; });
  // The commit hangs from some moment on: time passes until that is noticed.
  while (store->Health().ok()) {
    clock.Advance(absl::Seconds(1));
    std::this_thread::yield();
  }
  CHECK_THAT(std::string(store->Health().message()), Catch::Contains("its disk hangs"));
  CHECK(done == 0);
  disk.Thaw();
  test::SaveNow(store.get(), "after");
  CHECK(done == 1);
  CHECK(store->Health().ok());
  store = nullptr;  // before its disk
}

}  // namespace
}  // namespace davit::store
