#!/usr/bin/python3
"""Davit as services of a machine with systemd and cgroup v2 only, which a host of tests seldom is: a virtual one.

QEMU plays the machine, with KVM where the host has it (else it emulates the processor), and without a network. All tests
share one run of it: the guest takes tests/vm/guest, installs Davit as docs/operations.md says, runs the tests of the first
boot, reboots, runs those of the second, and turns itself off. What it prints comes through its second serial port.

  vm_test.py              makes the guest's disk, if it is not there, and runs the guest
  vm_test.py --make-disk  only makes the disk
"""

import fcntl
import glob
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

import image

ROOT = image.ROOT
TOOLS = ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "depmod", "cpio", "unshare", "setpriv")
# What the guest sees of the sources, with the programs where a build has them.
FILES = ("config", "systemd", "docs/operations.md", "scripts/davitdev", "tests/e2e", "tests/vm/guest")
PROGRAMS = ("davit-agent", "davit-controller", "davit-logger", "davit-pause", "davit-runc")
SECONDS = 2200  # three minutes on a machine that does nothing else


def skip_unless_possible():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if os.geteuid() != 0:
        missing.append("root")
    if platform.machine() != "x86_64":
        missing.append("an x86_64 processor")
    if missing:
        print(f"DAVIT-SKIPPED: vm: needs {', '.join(missing)}")
        sys.exit(77)  # "skipped" in ctest's eyes


def pack(path):
    """The sources and programs as a tape, which is the guest's second disk."""
    programs = os.environ.get("DAVIT_BIN") or f"{ROOT}/build/release/bin"
    with tarfile.open(path, "w") as tape:
        for name in FILES:
            tape.add(f"{ROOT}/{name}", name)
        for name in PROGRAMS:
            tape.add(f"{programs}/{name}", f"build/release/bin/{name}")


def has_kvm():
    """Whether the kernel can run a machine on this processor. /dev/kvm alone says little: inside a virtual machine it may be
    there for guests of another kind, and one of ours would never start."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = set(file.read().split())
    return bool(flags & {"vmx", "svm"}) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def qemu(folder, work):
    kernel_options = "console=ttyS0 root=/dev/vda panic=0 mitigations=off audit=0 random.trust_cpu=on quiet"
    return ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
            *(["-accel", "kvm"] if has_kvm() else []), "-accel", "tcg,thread=multi",  # the second if the first cannot start
            "-cpu", "max", "-machine", "pc", "-m", "1536", "-smp", "2",
            "-nodefaults", "-display", "none", "-nic", "none",
            "-serial", f"file:{work}/console", "-serial", f"file:{work}/report",
            "-kernel", f"{folder}/vmlinuz", "-initrd", f"{folder}/initrd.img", "-append", kernel_options,
            # What the guest writes is forgotten; the image stays as it was made.
            "-drive", f"if=virtio,format=raw,file={folder}/disk.img,snapshot=on,cache=unsafe",
            "-drive", f"if=virtio,format=raw,file={work}/tape,readonly=on"]


def run_guest(folder, work):
    """Runs the guest to its end, showing what it prints. True if its last line says that all went well."""
    open(f"{work}/report", "w", encoding="utf-8").close()
    guest = subprocess.Popen(qemu(folder, work), stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": work})
    deadline = time.monotonic() + SECONDS
    text = ""
    try:
        with open(f"{work}/report", encoding="utf-8", errors="replace", newline="") as report:
            while True:
                has_ended = guest.poll() is not None
                news = report.read().replace("\r", "")
                print(news, end="", flush=True)
                text += news
                if has_ended:
                    break
                if time.monotonic() > deadline:
                    print(f"\n---- the guest is not done after {SECONDS} s")
                    return False
                time.sleep(0.2)
    finally:
        guest.kill()
        guest.wait()
    return text.rstrip().endswith("DAVIT-VM: passed")


def main():
    skip_unless_possible()
    os.makedirs(f"{ROOT}/build", exist_ok=True)
    with open(f"{ROOT}/build/vm.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = time.monotonic()
        folder = image.image()
        print(f"---- image {os.path.basename(folder)} after {time.monotonic() - started:.0f} s", flush=True)
        if sys.argv[1:] == ["--make-disk"]:
            return
        for killed in glob.glob(f"{os.path.dirname(folder)}/run-*"):
            shutil.rmtree(killed, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=os.path.dirname(folder)) as work:
            pack(f"{work}/tape")
            passed = run_guest(folder, work)
            print(f"---- {time.monotonic() - started:.0f} s in all")
            if not passed:
                print("---- the guest's console")
                with open(f"{work}/console", encoding="utf-8", errors="replace") as file:
                    print(file.read())
    sys.exit(not passed)


if __name__ == "__main__":
    main()
