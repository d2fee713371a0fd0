"""Removes what interrupted tests have left in temporary folders: python3 -m davitdev.sweep, which scripts/test runs first."""

import glob
import os
import shutil
import tempfile
import time

from davitdev import claims, host, process
from davitdev.cluster import Cluster, ClusterError

PREFIX = "davit-"  # of every temporary folder and file of ours
AGE = 3 * 3600  # seconds; no test takes as long


def _last_change(path):
    """When the folder, or something directly in it, was changed last."""
    paths = [path, *(entry.path for entry in os.scandir(path))] if os.path.isdir(path) else [path]
    return max(os.lstat(one).st_mtime for one in paths)


def leftovers(folder):
    """Files and folders of interrupted tests: old, and not named by any process."""
    words = [argument for one in process.all_processes() for argument in one["arguments"]]
    found = []
    for path in sorted(glob.glob(f"{folder}/{PREFIX}*")):
        try:
            is_old = time.time() - _last_change(path) > AGE
        except OSError:
            continue  # somebody is removing it
        if is_old and not any(path in word for word in words):
            found.append(path)
    return found


def remove(path):
    """Removes one leftover, with the cluster in it if there is one. OSError or ClusterError: could not."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    if os.geteuid() == 0:
        if os.path.exists(f"{path}/cluster.json") or claims.find(path):
            Cluster(path).down()
        host.unmount_below(path)
    if any(point.startswith(f"{path}/") for point, _ in host.mount_points()):
        raise OSError(f"{path}: something is still mounted below it")
    shutil.rmtree(path)


def main():
    for path in leftovers(tempfile.gettempdir()) + leftovers("/dev/shm"):  # the second: simulations
        try:
            remove(path)
            print(f"removed {path}, which an interrupted test had left")
        except (OSError, ClusterError) as error:
            print(f"cannot remove {path}, which an interrupted test had left: {error}")


if __name__ == "__main__":
    main()
