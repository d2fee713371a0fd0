"""Builds the example's image with buildah and pushes it to a cluster's registry."""

import os
import shutil
import subprocess
import tempfile

from davitdev import host
from davitdev.cluster import ROOT


def build_and_push_web(registry):
    """examples/web as REGISTRY/web:1; returns that name. Leaves nothing in the host's own image storage."""
    name = f"{registry}/web:1"
    with tempfile.TemporaryDirectory(prefix="davit-image-") as work:
        context = f"{work}/context"
        shutil.copytree(f"{ROOT}/examples/web", context)
        shutil.copy("/bin/busybox", context)
        # Own storage, and no mounts or user namespaces of buildah's: works as root in a container, too.
        storage = ["--root", f"{work}/root", "--runroot", f"{work}/run", "--storage-driver", "vfs"]
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": work}
        try:
            for command in (["bud", "--isolation", "chroot", "--tag", name, context],
                            ["push", "--tls-verify=false", name]):
                result = subprocess.run(["buildah", *storage, *command], stdin=subprocess.DEVNULL, text=True,
                                        capture_output=True, env=environment, check=False)
                if result.returncode != 0:
                    raise OSError(f"buildah {command[0]}: {result.stderr.strip()}")
        finally:
            host.unmount_below(work)
    return name
