#!/usr/bin/python3
"""scripts/cluster itself: several at once, and no trace after any kind of ending."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import e2e
from e2e import leaks, process

SCRIPTS = f"{e2e.ROOT}/scripts"


class ClusterScript(unittest.TestCase):

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="davit-e2e-")
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.names = {}  # folder -> what the things of its cluster are called

    def script(self, name, *arguments):
        """Runs a script that must succeed."""
        result = subprocess.run([f"{SCRIPTS}/{name}", *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def up(self, name, agents=1):
        folder = f"{self.work}/{name}"
        self.addCleanup(self.script, "cluster", "down", "--dir", folder)
        self.script("cluster", "up", "--dir", folder, "--agents", str(agents))
        self.names[folder] = leaks.Names(e2e.Cluster(folder))
        return folder

    def run_a_task(self, folder):
        """A running task with a mapped port, so that there is something of every kind on the host."""
        cluster = e2e.Cluster(folder)
        ecs = e2e.Ecs(cluster.endpoint)
        image = e2e.images.push_web(cluster.registry)
        arn, = ecs.run(ecs.register({"family": "web", "containerDefinitions": [
            {"name": "web", "image": image, "memory": 32, "portMappings": [{"containerPort": 8080}]}]}))
        task = ecs.wait_status(arn, "RUNNING")
        self.assertIn("It floats", e2e.get_page(e2e.host_port(task, "web", 8080)))

    def nothing_is_left(self):
        for names in self.names.values():
            leaks.check(names)

    def test_an_agents_number_may_stand_anywhere(self):
        for arguments in (("start-agent", "--dir", self.work, "1"), ("start-agent", "1", "--dir", self.work, "--no-wait")):
            result = subprocess.run([f"{SCRIPTS}/cluster", *arguments], capture_output=True, text=True, check=False)
            self.assertIn("there is no cluster in", result.stderr)

    def test_two_clusters_do_not_meet(self):
        folders = [self.up("one"), self.up("two", agents=2)]
        for folder in folders:
            self.run_a_task(folder)
            # The check below would say so if any of this stayed.
            kinds = {thing.partition(":")[0] for thing in leaks.left(self.names[folder])}
            self.assertEqual(kinds, {"process", "mount", "link", "iptables", "cgroup", "file"})
        for folder in folders:
            self.script("cluster", "down", "--dir", folder)
        self.nothing_is_left()

    def test_down_after_everything_was_killed(self):
        folder = self.up("killed")
        self.run_a_task(folder)
        with open(f"{folder}/cluster.json", encoding="utf-8") as file:
            for victim in json.load(file)["processes"].values():
                process.kill(victim, 9)
        self.script("cluster", "down", "--dir", folder)
        self.script("cluster", "down", "--dir", folder)
        self.nothing_is_left()

    def test_down_without_the_state_file(self):
        folder = self.up("forgotten")
        self.run_a_task(folder)
        os.unlink(f"{folder}/cluster.json")
        self.script("cluster", "down", "--dir", folder)
        self.nothing_is_left()

    def test_the_env_file_is_shell(self):
        folder = self.up("env")
        output = subprocess.run(["sh", "-euc", f'. "{folder}/env"; echo "$ECS_ENDPOINT $AGENT_1_PID $AGENT_1_HTTP"; '
                                               'kill -0 "$CONTROLLER_PID" "$CONTAINERD_PID" "$REGISTRY_PID"'],
                                capture_output=True, text=True, check=True).stdout
        self.assertRegex(output, r"^http://127\.0\.0\.1:\d+ \d+ 127\.0\.0\.1:\d+\n$")


if __name__ == "__main__":
    e2e.main()
