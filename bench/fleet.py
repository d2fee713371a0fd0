"""What the benchmarks share: a throw-away cluster of one host with many idle tasks on it."""

import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import tempfile
import time
import urllib.request

from davitdev import host, images, process
from davitdev.cluster import Cluster
from davitdev.ecs import Ecs
from davitdev.waiting import wait_for

BATCH = 10  # RunTask's limit


class Fleet:
    """One agent, and tasks of one idle container each, on the host's network (CNI is not what is measured)."""

    def __init__(self, folder):
        self.folder = folder
        self.cluster = Cluster(folder)
        self.cluster.up(1)
        self.ecs = Ecs(self.cluster.endpoint)
        image = images.build_and_push_web(self.cluster.registry)
        self.ecs.register({"family": "idle", "networkMode": "host", "containerDefinitions": [
            {"name": "main", "image": image, "memory": 16, "essential": True, "stopTimeout": 2,
             "entryPoint": ["/bin/sh", "-c"], "command": ["exec sleep 100000"]}]})

    def start(self, count):
        """ARNs of `count` new tasks, all RUNNING on the agent."""
        arns = []
        while len(arns) < count:
            arns += self.ecs.run("idle", min(BATCH, count - len(arns)))
        wanted = set(arns)
        wait_for(f"{count} tasks to run", lambda: wanted <= self.running(), 300, period=0.1)
        return arns

    def stop(self, arns):
        for arn in arns:
            self.ecs.stop(arn)
        wanted = set(arns)
        wait_for("the tasks to stop", lambda: not wanted & self.running(), 300, period=0.2)
        for arn in arns:
            self.ecs.wait_status(arn, "STOPPED", 60)

    def running(self, observed=False):
        """ARNs that the agent says are RUNNING; `observed`: of those that it has seen to run since its own start."""
        with urllib.request.urlopen(f"http://{self.cluster.agent_http(1)}/v1/tasks", timeout=5) as answer:
            tasks = json.load(answer)["Tasks"]
        return {task["Arn"] for task in tasks if task["KnownStatus"] == "RUNNING" and (task["Observed"] or not observed)}

    def kill_agent(self):
        victim = self.cluster.process("agent-1")
        process.kill(victim, 9)
        wait_for("the agent to end", lambda: process.is_gone(victim), 10, period=0.001)

    def ctr(self, *arguments):
        return host.run(["ctr", "--address", self.cluster.containerd_address, "--namespace",
                         self.cluster.agent_namespace(1), *arguments])

    def agent_rss_mib(self):
        with open(f"/proc/{self.cluster.pid('agent-1')}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def agent_cpu_seconds(self):
        with open(f"/proc/{self.cluster.pid('agent-1')}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def fleet():
    if os.geteuid() != 0:
        raise SystemExit("benchmarks need root (containers, cgroups)")
    folder = tempfile.mkdtemp(prefix="davit-bench-")
    try:
        yield Fleet(folder)
    finally:
        cluster = Cluster(folder)
        for name in ("agent-1", "containerd"):
            process.stop(cluster.process(name))
        # All at once: down() is patient with each logger and shim, one after the other.
        host.remove_cgroup(cluster.agent_cgroup(1))
        for shim in host.shims_of(cluster.containerd_address):
            process.kill(shim, signal.SIGKILL)
        cluster.down()
        shutil.rmtree(folder, ignore_errors=True)


def spread(values, unit="ms", scale=1000):
    """"median 12.3 ms (10.1 .. 15.0)"."""
    values = sorted(value * scale for value in values)
    return f"median {statistics.median(values):.1f} {unit} ({values[0]:.1f} .. {values[-1]:.1f})"


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def timed(action):
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
