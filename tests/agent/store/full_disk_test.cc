#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "tests/agent/store/store_fixture.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/skip.h"

namespace davit::store {
namespace {

// A disk of 1 MiB, which only this process sees.
class SmallDisk {
 public:
  SmallDisk() {
    if (geteuid() != 0) test::Skip("needs root to mount a small disk");
    REQUIRE(unshare(CLONE_NEWNS) == 0);
    REQUIRE(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    REQUIRE(mount("davit-test", folder_.path().c_str(), "tmpfs", 0, "size=1m") == 0);
  }
  ~SmallDisk() { umount2(folder_.path().c_str(), MNT_DETACH); }
  std::string File(const std::string& name) const { return folder_.File(name); }
  // Leaves no byte free.
  void Fill() const {
    const int file = open(File("filler").c_str(), O_CREAT | O_WRONLY, 0600);
    const std::string page(4096, 'x');
    while (write(file, page.data(), page.size()) > 0) {
    }
    close(file);
  }
  void Free() const { REQUIRE(RemoveAll(File("filler")).ok()); }

 private:
  test::ScratchFolder folder_;
};

TEST_CASE("on a full disk saves wait and Health() says why; with space they continue", "[store]") {
  const SmallDisk disk;
  const auto store = test::OpenSqlite(disk.File("agent.db"));
  test::SaveNow(store.get(), "before");
  disk.Fill();
  std::atomic<int> done{0};
  for (int i = 0; i < 20; ++i) {
    store->SaveTask("waiting",
                    test::MakeRecord("waiting", std::string(10000, static_cast<char>('a' + i))),
                    [&] { ++done; });
  }
  while (store->Health().ok()) std::this_thread::yield();
  CHECK(absl::IsUnavailable(store->Health()));
  CHECK_THAT(std::string(store->Health().message()), Catch::Contains("full"));
  CHECK(done == 0);
  disk.Free();
  test::SaveNow(store.get(), "after");  // in order: after those that waited
  CHECK(done == 20);
  CHECK(store->Health().ok());
  CHECK(test::Tasks(store.get()) ==
        std::vector<std::string>{"after", "before", "waiting:" + std::string(10000, 't')});
}

TEST_CASE("a store that is closed on a full disk keeps what was durable", "[store]") {
  const SmallDisk disk;
  {
    const auto store = test::OpenSqlite(disk.File("agent.db"));
    test::SaveNow(store.get(), "durable");
    disk.Fill();
    store->SaveTask("lost", test::MakeRecord("lost", std::string(100000, 'x')),
                    [] { FAIL("not durable"); });
    while (store->Health().ok()) std::this_thread::yield();
  }
  disk.Free();
  CHECK(test::Tasks(test::OpenSqlite(disk.File("agent.db")).get()) ==
        std::vector<std::string>{"durable"});
}

TEST_CASE("a damaged database stays in place while the disk has no space for a new one",
          "[store]") {
  const SmallDisk disk;
  {
    const auto store = test::OpenSqlite(disk.File("agent.db"));
    for (int i = 0; i < 100; ++i)
      store->SaveTask(std::to_string(i),
                      test::MakeRecord(std::to_string(i), std::string(1000, 'r')), nullptr);
  }
  std::string bytes = *ReadFile(disk.File("agent.db"));
  std::fill_n(bytes.begin() + 5 * 4096, 4096, '\xa5');
  REQUIRE(WriteFileAtomically(disk.File("agent.db"), bytes).ok());
  disk.Fill();
  CHECK(absl::IsUnavailable(
      SqliteStore::OpenOrSetAside(disk.File("agent.db"), absl::UnixEpoch()).status()));
  CHECK(*ReadFile(disk.File("agent.db")) == bytes);
  disk.Free();
  const auto opened = SqliteStore::OpenOrSetAside(disk.File("agent.db"), absl::UnixEpoch());
  REQUIRE(opened.ok());
  CHECK(opened->damage->records_kept > 80);
}

}  // namespace
}  // namespace davit::store
