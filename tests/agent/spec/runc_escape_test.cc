// Tries the usual ways to escape from inside a container with the default spec on this host.
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/agent/spec/runc_bundle.h"

namespace davit::spec {
namespace {

TEST_CASE("system calls that reach beyond the container are blocked", "[spec]") {
  struct Row {
    long number;
    std::string arguments;
    std::string error;  // 1: EPERM, 38: ENOSYS
  };
  const std::vector<Row> rows = {
      {SYS_unshare, "0x10000000", "1"},  // a new user namespace: the kernel alone would allow it
      {SYS_clone, absl::StrCat(0x10000000 | SIGCHLD), "1"},
      {SYS_clone, absl::StrCat(0x00020000 | SIGCHLD), "1"},
      {SYS_clone3, "0 0", "38"},
      {SYS_setns, "0 0", "1"},
      {SYS_mount, "0 0 0 0 0", "1"},
      {SYS_umount2, "0 0", "1"},
      {SYS_pivot_root, "0 0", "1"},
      {SYS_keyctl, "0 -3 0", "1"},  // the session keyring: the kernel alone would allow it
      {SYS_add_key, "0 0 0 0 0", "1"},
      {SYS_request_key, "0 0 0 0", "1"},
      {SYS_bpf, "0 0 0", "1"},
      {SYS_perf_event_open, "0 0 0 0 0", "1"},
      {SYS_userfaultfd, "0", "1"},
      {SYS_open_by_handle_at, "0 0 0", "1"},
      {SYS_init_module, "0 0 0", "1"},
      {SYS_finit_module, "0 0 0", "1"},
      {SYS_delete_module, "0 0", "1"},
      {SYS_kexec_load, "0 0 0 0", "1"},
      {SYS_reboot, "0 0 0 0", "1"},  // with wrong magic numbers: harmless if it got through
      {SYS_swapoff, "0", "1"},
      {SYS_settimeofday, "0 0", "1"},
      {SYS_clock_settime, "0 0", "1"},
      {SYS_syslog, "10 0 0", "1"},
      {SYS_acct, "0", "1"},
      {SYS_io_uring_setup, "0 0", "38"},
      {SYS_getpid, "", "0"},
      {SYS_ptrace, "0 0 0 0", "0"},  // PTRACE_TRACEME is for debuggers: allowed, as in Docker
  };
  const RuncBundle bundle;
  std::string script;
  std::string expected;
  for (const Row& row : rows) {
    absl::StrAppend(&script, "echo ", row.number, " $(probe ", row.number, " ", row.arguments,
                    ")\n");
    absl::StrAppend(&expected, expected.empty() ? "" : "\n", row.number, " ", row.error);
  }
  CHECK(bundle.Output(bundle.MakeFixture(), script) == expected);
}

TEST_CASE("the kernel's memory, keys and settings are hidden or read-only", "[spec]") {
  const RuncBundle bundle;
  const Fixture fixture = bundle.MakeFixture();
  // /dev/null is mounted over those that exist.
  CHECK(bundle.Output(fixture,
                      "cd /proc; for f in kcore keys interrupts timer_list sched_debug; do "
                      "[ ! -e $f ] || stat -c %t:%T $f; done | sort -u") == "1:3");
  CHECK(bundle.Output(fixture, "ls /sys/firmware | wc -l") == "0");
  for (const char* write :
       {"echo h > /proc/sysrq-trigger", "echo x > /proc/sys/kernel/core_pattern",
        "echo 1 > /proc/sys/kernel/panic", "mount -t tmpfs none /mnt", "mount -o remount,rw /sys",
        "mkdir /sys/fs/cgroup/memory/x", "mkdir /sys/fs/cgroup/devices/x", "hostname other",
        "chroot / unshare -m true", "nsenter -t 1 -m true", "ip link add x type dummy"}) {
    CAPTURE(write);
    CHECK(bundle.Run(fixture, write).exit_code != 0);
  }
}

TEST_CASE("a raw device can be created but not opened", "[spec]") {
  const RuncBundle bundle;
  const CommandResult result = bundle.Run(
      bundle.MakeFixture(), "mknod /tmp/disk b 7 0 && echo made; dd if=/tmp/disk count=1");
  CHECK(result.output == "made\n");
  CHECK(result.exit_code != 0);
  CHECK(result.error_output.find("Operation not permitted") != std::string::npos);
}

}  // namespace
}  // namespace davit::spec
