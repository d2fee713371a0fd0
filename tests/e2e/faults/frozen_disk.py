"""A file system of its own that can be frozen (fsfreeze): every write to it then hangs until it is thawed."""

import os
import shutil
import subprocess

from davitdev import host

TOOLS = ("mkfs.ext4", "fsfreeze", "losetup")


def missing():
    """Why this host cannot make one; empty if it can."""
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return f"needs {', '.join(lacking)}"
    free = subprocess.run(["losetup", "--find"], capture_output=True, text=True, check=False)
    return "" if free.returncode == 0 else f"no loop device: {free.stderr.strip()}"


class FrozenDisk:
    """An ext4 image, mounted at `path` below `folder`.

    A guard, which is a process of its own, thaws and unmounts it when this one ends, however it ends: nobody else could
    end the processes that wait for the disk."""

    def __init__(self, folder):
        self.path = f"{folder}/mount"
        image = f"{folder}/image"
        os.makedirs(self.path)
        host.run(["truncate", "--size=16M", image])
        host.run(["mkfs.ext4", "-q", image])
        host.run(["mount", "-o", "loop", image, self.path])
        end = f"fsfreeze --unfreeze '{self.path}' 2>/dev/null; umount --lazy '{self.path}'"
        self._guard = subprocess.Popen(["sh", "-c", f"cat; {end}"], stdin=subprocess.PIPE, start_new_session=True)
        self._is_frozen = False

    def freeze(self):
        host.run(["fsfreeze", "--freeze", self.path])
        self._is_frozen = True

    def thaw(self):
        """Nothing happens if it is not frozen."""
        if self._is_frozen:
            host.run(["fsfreeze", "--unfreeze", self.path])
            self._is_frozen = False

    def close(self):
        """Thaws and unmounts."""
        self._guard.stdin.close()
        self._guard.wait()
