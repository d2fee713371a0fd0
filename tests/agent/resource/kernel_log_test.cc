#include "agent/resource/kernel_log.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "tests/support/scratch_folder.h"

namespace davit::resource {
namespace {

// The format of /dev/kmsg: priority, sequence number, time, flags; message.
std::string Kill(const std::string& cgroup, const std::string& name, int pid) {
  return absl::StrCat(
      "6,1234,98765432,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=web,",
      "mems_allowed=0,oom_memcg=/davit/t1,task_memcg=", cgroup, ",task=", name, ",pid=", pid,
      ",uid=1000\n");
}

TEST_CASE("the OOM killer's last victim in a cgroup is named", "[kernel_log]") {
  const std::string text =
      absl::StrCat("4,1,2,-;stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n",
                   Kill("/davit/t1/web", "first", 41), Kill("/davit/t1/web", "stress", 42),
                   Kill("/davit/t1/website", "other", 43), Kill("/davit/t2/web", "other", 44));
  CHECK(FindOomVictim(text, "/davit/t1/web") == "42 (stress)");
  CHECK(FindOomVictim(text, "/davit/t1") == "43 (other)");
  CHECK(FindOomVictim(text, "/davit/t3/web").empty());
  CHECK(FindOomVictim(Kill("/davit/t1/web/nested", "deep", 7), "/davit/t1/web") == "7 (deep)");
}

TEST_CASE("a process cannot impersonate another by its name", "[kernel_log]") {
  CHECK(FindOomVictim(Kill("/davit/t1/web", "a,pid=1,uid=0", 42), "/davit/t1/web") ==
        "42 (a,pid=1,uid=0)");
  CHECK(FindOomVictim(Kill("/davit/t1/web", ",task=x", 42), "/davit/t1/web") == "42 (,task=x)");
}

TEST_CASE("truncated lines name no process", "[kernel_log]") {
  const std::string whole = Kill("/davit/t1/web", "stress", 42);
  for (size_t size = 0; size + 6 < whole.size(); ++size) {
    const std::string victim = FindOomVictim(whole.substr(0, size), "/davit/t1/web");
    INFO(whole.substr(0, size));
    CHECK((victim.empty() || victim == "42 (stress)"));
  }
}

TEST_CASE("a missing or forbidden kernel log is empty", "[kernel_log]") {
  const test::ScratchFolder folder;
  CHECK(ReadKernelLog(folder.File("absent")).empty());
  CHECK(ReadKernelLog(folder.path()).empty());  // cannot be read
  const std::string long_text(100000, 'x');
  REQUIRE(WriteFileAtomically(folder.File("kmsg"), long_text).ok());
  CHECK(ReadKernelLog(folder.File("kmsg")) == long_text);
}

}  // namespace
}  // namespace davit::resource
