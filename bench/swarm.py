"""Starting N containers through Davit, against `docker service create --replicas N` on a swarm of one node.

Both from an API client's point of view: from the first request until the API says that all N run. The same program from an
image that is there already, on the host's network, with no restarts. Docker's engine has a folder, a network namespace and
a mount namespace of its own; its API is asked directly, as Davit's is, so that no command line client is timed.

Needs dockerd (Debian: docker.io). It need not be installed: --docker FOLDER names one into which the package was unpacked
(apt-get download docker.io; dpkg -x docker.io_*.deb FOLDER).
"""

import argparse
import http.client
import io
import json
import os
import shutil
import socket
import statistics
import tarfile
import time

from davitdev import host, process
from davitdev.waiting import wait_for
from fleet import BATCH, fleet, spread

PERIOD = 0.02  # between two looks, on either side
OWN_FOLDERS = ("/etc/docker", "/run/docker")  # which dockerd writes to, whatever it is told
HIDE = "".join(f"mount -t tmpfs none {folder} && " for folder in OWN_FOLDERS)
PROGRAM = ["/bin/sh", "-c", "exec sleep 100000"]


class Docker(http.client.HTTPConnection):
    """One request of the engine's API. Source: Docker Engine API 1.41."""

    def __init__(self, path):
        super().__init__("localhost")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def call(self, method, path, body=None):
        is_json = not isinstance(body, bytes)
        self.request(method, "/v1.41" + path, json.dumps(body) if is_json and body is not None else body,
                     {"Content-Type": "application/json" if is_json else "application/x-tar"})
        answer = self.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise OSError(f"docker: {method} {path}: {answer.status} {text}")
        return json.loads(text) if is_json and text else None


class Swarm:
    """A swarm of one node. remove() ends it."""

    def __init__(self, folder, docker):
        self._folder = folder
        self._socket = f"{folder}/docker.sock"
        self._cgroup = f"/davit-bench-{os.getpid()}"
        os.makedirs(folder)
        dockerd = f"{docker}/usr/sbin/dockerd" if docker else "dockerd"
        command = [dockerd, "--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid",
                   "--host", f"unix://{self._socket}", "--cgroup-parent", self._cgroup, "--bridge", "none", "--iptables=false",
                   "--storage-driver", "overlay2"]
        self._new_folders = [path for path in OWN_FOLDERS if not os.path.isdir(path)]
        for path in OWN_FOLDERS:
            os.makedirs(path, exist_ok=True)
        self.process = process.start_detached(
            ["unshare", "--net", "--mount", "sh", "-c", HIDE + 'ip link set lo up && exec "$@"', "dockerd", *command],
            f"{folder}/log")
        wait_for(f"dockerd to answer ({folder}/log)", self._answers, 60)
        self.call("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
        self.call("POST", "/images/create?fromSrc=-&repo=bench&tag=1", self._image())

    def call(self, *request):
        return Docker(self._socket).call(*request)

    def _answers(self):
        if not process.is_alive(self.process):
            with open(f"{self._folder}/log", encoding="utf-8", errors="replace") as log:
                raise SystemExit(f"dockerd ended: {log.read()[-500:]}")
        return self.call("GET", "/version")

    @staticmethod
    def _image():
        """The file system of examples/web's image as far as it is used: busybox, by the names of its applets."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add("/bin/busybox", "bin/busybox")
            for applet in ("sh", "sleep"):
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        return archive.getvalue()

    def start(self, count):
        """Seconds until all of a new service's containers run. The service is removed."""
        begun = time.monotonic()
        container = {"Image": "bench:1", "Command": PROGRAM, "StopGracePeriod": 10 ** 9}
        service = self.call("POST", "/services/create", {
            "Name": "bench", "Mode": {"Replicated": {"Replicas": count}},
            "TaskTemplate": {"ContainerSpec": container, "Networks": [{"Target": "host"}],
                             "RestartPolicy": {"Condition": "none"},
                             "Resources": {"Limits": {"MemoryBytes": 16 << 20}}}})["ID"]
        wait_for(f"{count} replicas to run", lambda: self._running() == count, 300, period=PERIOD)
        took = time.monotonic() - begun
        self.call("DELETE", f"/services/{service}")
        wait_for("the replicas to be gone", lambda: not self.call("GET", "/containers/json?all=1"), 300, period=0.2)
        return took

    def _running(self):
        return sum(task["Status"]["State"] == "running" for task in self.call("GET", "/tasks"))

    def rss_mib(self):
        """Resident memory of the engine, and of the containerd that it starts for itself."""
        mine = [one for one in process.all_processes() if one["name"] in ("dockerd", "containerd")
                and any(self._folder in argument for argument in one["arguments"])]
        return {one["name"]: _rss_mib(one["pid"]) for one in mine}

    def remove(self):
        process.stop(self.process, 60)
        host.remove_processes_below(self._folder, ("containerd",))
        host.remove_cgroup(self._cgroup)
        host.remove_shims(f"{self._folder}/exec/containerd/containerd.sock", f"{self._folder}/exec/containerd/daemon")
        host.unmount_below(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)
        host.remove_empty_folders(self._new_folders)


def _rss_mib(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20


def davit_start(one, count):
    """Seconds until all of `count` new tasks run. They are stopped."""
    begun = time.monotonic()
    arns = []
    while len(arns) < count:
        arns += one.ecs.run("idle", min(BATCH, count - len(arns)))

    def all_run():
        for first in range(0, count, 100):  # DescribeTasks' limit
            tasks = one.ecs.call("DescribeTasks", tasks=arns[first:first + 100])["tasks"]
            if any(task["lastStatus"] != "RUNNING" for task in tasks):
                return False
        return True
    wait_for(f"{count} tasks to run", all_run, 300, period=PERIOD)
    took = time.monotonic() - begun
    one.stop(arns)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--docker", default="", metavar="FOLDER", help="docker.io, unpacked and not installed")
    arguments = parser.parse_args()
    with fleet() as one:
        swarm = Swarm(f"{one.folder}/docker", arguments.docker)
        try:
            memory = {"davit-agent": one.agent_rss_mib(), **swarm.rss_mib()}
            print("resident memory before the first container: "
                  + ", ".join(f"{name} {value:.1f} MiB" for name, value in memory.items()))
            rounds = []
            for _ in range(arguments.rounds):  # interleaved
                rounds.append((swarm.start(arguments.containers), davit_start(one, arguments.containers)))
        finally:
            swarm.remove()
    ratios = [docker / davit for docker, davit in rounds]
    print(f"{arguments.containers} containers, {arguments.rounds} rounds")
    print(f"  docker service create: {spread([docker for docker, _ in rounds])}")
    print(f"  aws ecs run-task:      {spread([davit for _, davit in rounds])}")
    print(f"  ratio, round by round: median {statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
