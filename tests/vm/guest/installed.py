"""A Davit that was installed on this machine as docs/operations.md says, for tests in the manner of tests/e2e."""

import subprocess
import sys
import unittest

sys.path.insert(0, "/opt/davit/tests/e2e")
import e2e  # noqa: E402 (after the path is set)
from davitdev import host  # noqa: E402
from davitdev.ecs import Ecs  # noqa: E402

UNITS = ("davit-controller", "davit-agent")
REGISTRY = "127.0.0.1:5000"
TASK_OF_FIRST_BOOT = "/var/lib/davit-vm/task.json"


class Installed:
    """What Cluster says of a throw-away cluster, said of the installed programs: config/*.toml unchanged."""

    endpoint = "http://127.0.0.1:51670"
    registry = REGISTRY

    def agent_cgroup(self, _index):
        return "/davit"

    def agent_http(self, _index):
        return "127.0.0.1:51678"


def show(unit, name):
    """A property of a unit, as systemd has it."""
    return host.run(["systemctl", "show", "--property", name, "--value", unit]).strip()


def systemctl(*arguments):
    return host.run(["systemctl", *arguments])


def main_process(unit):
    """The unit's main process as (pid, start time); None when it has none."""
    pid = int(show(unit, "MainPID"))
    return (pid, e2e.process.start_time(pid)) if pid else None


def connected_instance():
    """The container instance, if its agent is well and connected."""
    status, _ = e2e.get("http://127.0.0.1:51678/healthz")
    instances = [one for one in Ecs(Installed.endpoint).instances() if one["agentConnected"]]
    return instances[0] if status == 200 and instances else None


def wait_until_connected():
    return e2e.wait_for("the agent to be well and connected", connected_instance, 60)


class InstalledTest(e2e.ClusterTest):
    """A test on the installed Davit."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Installed()
        cls.ecs = Ecs(cls.cluster.endpoint)
        cls.image = f"{REGISTRY}/busybox:1"

    def run(self, result=None):
        unittest.TestCase.run(self, result)  # the logs are in the journal, which is shown when anything has failed

    def instance(self, agent=1):
        return self.ecs.instances()[agent - 1]

    def idle(self, is_left=False):
        """A running task with a container that ends when it is told to, and that container's process. It is stopped at
        the end of the test, or left."""
        script = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
        definition = self.definition("idle", self.shell("main", script))
        arn = self.ecs.run(self.ecs.register(definition))[0] if is_left else self.start_one(definition)
        self.ecs.wait_status(arn, "RUNNING")
        return arn, self.first_process(arn)

    def first_process(self, arn):
        """The container's first process and its start time: the same at two times only if it is the same process."""
        pids = self.container_pids(arn, "main")
        self.assertNotEqual(pids, [])
        return pids[0], e2e.process.start_time(pids[0])

    def same_as_before(self, arn, process):
        self.assertEqual(self.first_process(arn), process)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")


def journal(unit, *arguments):
    return host.run(["journalctl", "--no-pager", "--output=cat", "--unit", unit, *arguments])


def leftovers():
    """What Davit's tasks have on this host: empty when no task is there. Lines with the kind of each thing."""
    ctr = ["ctr", "--namespace", "davit"]
    found = [f"cgroup {path}" for path in host.cgroup_folders("/davit") if path != "/sys/fs/cgroup/davit"]
    found += [f"mount {path}" for path, _ in host.mount_points() if path.startswith(("/run/davit/", "/var/lib/davit/"))
              or "/davit/" in path and path.startswith("/run/containerd/")]
    found += [f"link {name}" for name in host.links() if name.startswith("veth")]
    found += [f"iptables {rule}" for rule in host.iptables_rules().get("nat", []) if "10.213." in rule]
    found += [f"{kind} {line}" for kind, command in {
        "container": ["containers", "list", "--quiet"], "process": ["tasks", "list", "--quiet"],
        "lease": ["leases", "list", "--quiet"]}.items() for line in host.run(ctr + command).splitlines()]
    found += [f"snapshot {line}" for line in host.run(ctr + ["snapshots", "list"]).splitlines() if " Active" in line]
    for folder, pattern in {"/run/davit/netns": "*", "/run/davit/cni": "*", "/run/davit/exec": "*",
                            "/var/lib/davit/ipam/davit0": "10.*"}.items():
        found += host.run(["find", folder, "-mindepth", "1", "-name", pattern], check=False).splitlines()
    return found


def main():
    e2e.run_tests()


def install(folder="/opt/davit"):
    """Runs the commands of the docs' section "Installing", all of them, as they stand."""
    with open(f"{folder}/docs/operations.md", encoding="utf-8") as file:
        section = file.read().partition("## Installing\n")[2].partition("\n## ")[0]
    blocks = [part.partition("```")[0] for part in section.split("```sh\n")[1:]]
    # There is no network here: the image was made with the packages that this command names (image.py).
    script = "apt-get() { dpkg --status \"${@:3}\" >/dev/null; }\n" + "".join(blocks)
    subprocess.run(["bash", "-euxo", "pipefail", "-c", script], cwd=folder, stdin=subprocess.DEVNULL, check=True)
