"""Which test clusters share this host: gives each its own addresses and ports, and the last one tidies up.

The first cluster notes how the host was (kernel switches, CNI's shared chains, folders); the last to go restores that.
Kept in /run/davit-clusters, under a lock: several shells may bring clusters up at the same time.
"""

import contextlib
import fcntl
import json
import os
import socket

from davitdev import host

FOLDER = "/run/davit-clusters"
SHARED_FOLDERS = (host.SHIM_SOCKETS, host.RUNC_STATE, "/run/containerd", "/run/netns", "/var/lib/cni/networks",
                  "/var/lib/cni/results", "/var/lib/cni", "/opt/containerd")
SLOTS = 240
# Below the ephemeral range, so that no outgoing connection takes a port between our choice and its use.
FIRST_PORT, LAST_PORT = 20000, 32000


def run_id():
    """Names the run of tests (or the shell) that clusters belong to: others on this host may have theirs at the same time.

    scripts/test gives its run a name; without one, what shares a mount namespace belongs together.
    """
    return os.environ.get("DAVIT_RUN") or os.readlink("/proc/self/ns/mnt")


def _boot_id():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _state_now():
    rules = host.iptables_rules().get("nat", [])
    return {
        "sysctls": host.read_sysctls(),
        "shared_chains": any(f":{chain} -" in rules for chain in host.SHARED_CHAINS),
        "folders": [path for path in SHARED_FOLDERS if os.path.isdir(path)],
    }


@contextlib.contextmanager
def _locked_book():
    """The book of claims, saved when the block ends without an exception."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(f"{FOLDER}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = f"{FOLDER}/book.json"
        try:
            with open(path, encoding="utf-8") as file:
                book = json.load(file)
        except (OSError, ValueError):
            book = {}
        if book.get("boot_id") != _boot_id():
            book = {"boot_id": _boot_id(), "before": None, "clusters": {}}
        yield book
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(book, file, indent=1)
        os.replace(path + ".new", path)


def _port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def claim(folder, slots, ports):
    """Numbers for the cluster in `folder`: {"slots": [...], "ports": [...]}, unlike those of any other cluster.

    Asked again for the same folder, the same numbers. The claim lasts until release().
    """
    with _locked_book() as book:
        clusters = book["clusters"]
        # A folder that was deleted without `down` cannot be tidied any more.
        for gone in [path for path in clusters if path != folder and not os.path.isdir(path)]:
            del clusters[gone]
        if folder in clusters:
            return clusters[folder]
        if not clusters:
            book["before"] = _state_now()
        used_slots = {slot for cluster in clusters.values() for slot in cluster["slots"]}
        used_ports = {port for cluster in clusters.values() for port in cluster["ports"]}
        free_slots = [slot for slot in range(SLOTS) if slot not in used_slots][:slots]
        free_ports = []
        for port in range(FIRST_PORT, LAST_PORT):
            if len(free_ports) == ports:
                break
            if port not in used_ports and _port_is_free(port):
                free_ports.append(port)
        if len(free_slots) < slots or len(free_ports) < ports:
            raise OSError("no free addresses or ports are left for one more cluster")
        clusters[folder] = {"slots": free_slots, "ports": free_ports, "run": run_id()}
        return clusters[folder]


def find(folder):
    """The claim of the cluster in `folder`, or None."""
    with _locked_book() as book:
        return book["clusters"].get(folder)


def of_other_runs():
    """Folder -> claim of every cluster that does not belong to our run."""
    with _locked_book() as book:
        return {folder: claim for folder, claim in book["clusters"].items() if claim.get("run") != run_id()}


def release(folder):
    """Gives the claim up. The last one restores the host to what it was before the first. OK if there is none."""
    with _locked_book() as book:
        book["clusters"].pop(folder, None)
        if book["clusters"] or not book["before"]:
            return
        before = book["before"]
        book["before"] = None
        if not before["shared_chains"]:
            host.remove_shared_chains()
        host.restore_sysctls(before["sysctls"])
        host.remove_empty_folders(path for path in SHARED_FOLDERS if path not in before["folders"])
