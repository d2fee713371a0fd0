"""What the end-to-end tests share: one cluster of real programs per test file, and ways to look at the host."""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, f"{ROOT}/scripts")
sys.dont_write_bytecode = True
from davitdev import host, images, leaks, process  # noqa: E402 (after the path is set)
from davitdev.cluster import Cluster, bin_folder  # noqa: E402
from davitdev.ecs import ApiError, Ecs, container, host_port, reasons  # noqa: E402,F401 (for the tests)
from davitdev.waiting import Timeout, wait_for  # noqa: E402,F401 (for the tests)

TOOLS = ("containerd", "runc", "docker-registry", "buildah", "iptables", "ip", "ctr")


SKIPPED = 77  # the exit code that ctest takes for "skipped" (tests/support/skip.h)


def skip(reason):
    """Ends the program as "skipped" in ctest's eyes."""
    print(f"DAVIT-SKIPPED: {os.path.basename(sys.argv[0])}: {reason}")
    sys.exit(SKIPPED)


def skip_unless_possible():
    """Skips the whole file when this host cannot run containers."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        skip(f"needs {', '.join(missing)}")


def run_tests(argv=None):
    """Runs the tests of the program, by this command line. Names what failed in the way that scripts/test collects."""
    result = unittest.main(module="__main__", argv=argv, verbosity=2, exit=False).result
    for test, _ in result.failures + result.errors:
        print(f"DAVIT-FAILED: {os.path.basename(sys.argv[0])}: {test}", flush=True)
    sys.exit(not result.wasSuccessful())


def main():
    """run_tests(), if this host can run containers."""
    skip_unless_possible()
    run_tests()


def task_id(arn):
    return arn.rpartition("/")[2]


def get(url, timeout=5):
    """(status, text) of a GET. OSError: nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except http.client.HTTPException as error:  # who answered died in the middle of it
        raise ConnectionError(f"{url}: {error!r}") from None


def get_page(port):
    """The page at a port of this host. A task is RUNNING when its process was started; its server listens a moment later."""
    def served():
        status, text = get(f"http://127.0.0.1:{port}/")
        return text if status == 200 else None
    return wait_for(f"a page on port {port}", served, 10)


class ClusterTest(unittest.TestCase):
    """A test on a cluster that all tests of the class share. AGENTS: how many hosts it has."""

    AGENTS = 1
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="davit-e2e-")
        cls.cluster = Cluster(cls.folder, cls.agent_config())
        cls.addClassCleanup(cls._take_down)
        cls.cluster.up(cls.AGENTS)
        cls.ecs = Ecs(cls.cluster.endpoint)
        cls.image = images.push_web(cls.cluster.registry)

    @classmethod
    def agent_config(cls):
        """More of the agents' configuration, as TOML tables. Called when the test's folder exists."""
        return ""

    @classmethod
    def _take_down(cls):
        names = leaks.Names(cls.cluster)
        try:
            cls.cluster.down()
            leaks.check(names)
        finally:
            shutil.rmtree(cls.folder, ignore_errors=True)

    def run(self, result=None):
        """As always; a test that fails also shows the ends of the programs' logs, which are about to be deleted."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for name in ("controller", *(f"agent-{index}" for index in range(1, self.AGENTS + 1))):
                print(f"---- end of {name}.log after {self.id()}", file=sys.stderr)
                print(subprocess.run(["tail", "-n", "30", self.cluster.log(name)], capture_output=True, text=True,
                                     check=False).stdout, file=sys.stderr)

    # ---- definitions

    def definition(self, family, *containers, **members):
        """A task definition of these containers. Those without a memory limit get 32 MiB, without an image the web's."""
        filled = [{"image": self.image, "memory": 32, "essential": True, "stopTimeout": 2, **one} for one in containers]
        return {"family": family, "networkMode": "bridge", "containerDefinitions": filled, **members}

    @staticmethod
    def shell(name, script, **members):
        """A container that runs a shell script."""
        return {"name": name, "entryPoint": ["/bin/sh", "-c"], "command": [script], **members}

    def start(self, definition, count=1):
        """Registers the definition, runs `count` tasks of it, and has them stopped at the end of the test."""
        arns = self.ecs.run(self.ecs.register(definition), count)
        for arn in arns:
            self.addCleanup(self.stop, arn)
        return arns

    def start_one(self, definition):
        return self.start(definition)[0]

    def stop(self, arn):
        """Stops a task, if it is not stopped, and waits for its end."""
        if self.ecs.task(arn)["lastStatus"] != "STOPPED":
            self.ecs.stop(arn)
        return self.ecs.wait_status(arn, "STOPPED")

    def run_to_end(self, definition, seconds=60):
        """Runs one task until it is STOPPED; returns it."""
        return self.ecs.wait_status(self.start_one(definition), "STOPPED", seconds)

    # ---- the host

    def container_pids(self, arn, name, agent=1):
        """Processes of a container, straight from its cgroup, the first one first."""
        path = f"{self.cluster.agent_cgroup(agent)}/{task_id(arn)}/{name}"
        return process.oldest_first(host.cgroup_processes(path))

    def container_processes(self, arn, name, agent=1):
        """The same with their start times: equal at two times only if they are the same processes."""
        return [(pid, process.start_time(pid)) for pid in self.container_pids(arn, name, agent)]

    def cgroup_value(self, arn, v1_file, v2_file, name="", agent=1):
        """A limit of a task, or of its container `name`, from the kernel: v1 "cpu/cpu.shares", v2 "cpu.weight"."""
        path = f"{self.cluster.agent_cgroup(agent)}/{task_id(arn)}" + (f"/{name}" if name else "")
        return host.cgroup_value(path, v1_file, v2_file)

    def agent_log(self, agent=1):
        with open(self.cluster.log(f"agent-{agent}"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def agent_health(self, agent=1):
        """(status, text) of the agent's /healthz."""
        return get(f"http://{self.cluster.agent_http(agent)}/healthz")

    def instance(self, agent=1):
        """The container instance as the API describes it."""
        return next(one for one in self.ecs.instances() if one["ec2InstanceId"] == self.cluster.instance_id(agent))
