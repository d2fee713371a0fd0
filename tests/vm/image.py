"""The guest's disk: Debian with the packages that docs/operations.md says a host needs. Kept below build/vm by a hash of
what it is made from, so that it is made once."""

import hashlib
import os
import re
import shutil
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
MAKE = f"{ROOT}/tests/vm/make_image"
SECONDS = 800  # about one minute on a machine that does nothing else
# What the tests need in it, besides. openssl: the docs' certificates.
OF_THE_TESTS = ["systemd-sysv", "udev", "kmod", "procps", "iproute2", "busybox-static", "python3-minimal",
                "libpython3-stdlib", "docker-registry", "openssl", "linux-image-cloud-amd64"]


def host_packages():
    """The packages of the `apt-get install` command in docs/operations.md."""
    with open(f"{ROOT}/docs/operations.md", encoding="utf-8") as file:
        command = re.search(r"^apt-get install (.*?)^```", file.read(), re.MULTILINE | re.DOTALL).group(1)
    return [word for word in command.split() if word != "\\" and not word.startswith("--")]


def key(packages):
    """Changes when the packages, their versions in apt's eyes, or the way in which the image is made do."""
    policy = subprocess.run(["apt-cache", "policy", *packages], capture_output=True, text=True, check=True).stdout
    with open(MAKE, "rb") as file:
        made_by = file.read()
    candidates = re.findall(r"^(\S+):\n(?:.*\n)*?  Candidate: (\S+)$", policy, re.MULTILINE)
    return hashlib.sha256(made_by + repr((packages, candidates)).encode()).hexdigest()[:16]


def image():
    """Folder with disk.img, vmlinuz and initrd.img; made if it is not there, which takes a minute or two."""
    packages = sorted(OF_THE_TESTS + host_packages())
    folder = f"{ROOT}/build/vm/{key(packages)}"
    if os.path.isdir(folder):
        return folder
    shutil.rmtree(f"{ROOT}/build/vm", ignore_errors=True)  # of older packages, or half made
    os.makedirs(f"{folder}.new")
    packages.remove("linux-image-cloud-amd64")  # unpacked by make_image, not installed
    try:
        subprocess.run(["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child",
                        "--mount-proc", MAKE, f"{folder}.new", *packages],
                       stdin=subprocess.DEVNULL, timeout=SECONDS, check=True)
    except BaseException:
        shutil.rmtree(f"{folder}.new", ignore_errors=True)
        raise
    os.rename(f"{folder}.new", folder)
    return folder
