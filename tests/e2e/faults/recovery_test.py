#!/usr/bin/python3
"""Memory that is lost, damaged, too new or somebody else's: containers outlive all of it, and others' are not touched."""

import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
import e2e  # noqa: E402 (after the path is set)
import remains  # noqa: E402
from e2e import host, process  # noqa: E402


class Recovery(e2e.ClusterTest):

    def setUp(self):
        self.database = f"{self.cluster.agent_state(1)}/agent.db"

    def tearDown(self):
        for name in ("containerd", "controller"):
            getattr(self.cluster, f"start_{name}")()
        self.cluster.start_agent(1)

    def kill(self, name, number=signal.SIGKILL):
        victim = self.cluster.process(name)
        process.kill(victim, number)
        e2e.wait_for(f"{name} to end", lambda: process.is_gone(victim), 20)

    def start_idle(self, code=7):
        """A running task that ends with the code when it gets SIGTERM; and its processes."""
        arn = self.start_one(self.definition("idle", self.shell(
            "main", f"trap 'exit {code}' TERM; while :; do sleep 1 & wait; done")))
        self.ecs.wait_status(arn, "RUNNING")
        return arn, self.container_processes(arn, "main")[:1]

    def main_process(self, arn):
        return self.container_processes(arn, "main")[:1]

    def is_connected(self):
        return any(one["agentConnected"] for one in self.ecs.instances()
                   if one["ec2InstanceId"] == self.cluster.instance_id(1))

    def start_other(self, name, changes):
        """An agent of a host of its own (namespace, cgroup, folders, port), configured as agent 1 but for `changes`."""
        with open(self.cluster.agent_config(1), encoding="utf-8") as file:
            config = file.read()
        changes = {self.cluster.agent_namespace(1): f"{self.cluster.agent_namespace(1)}-{name}",
                   self.cluster.agent_cgroup(1): f"{self.cluster.agent_cgroup(1)}/{name}",
                   f"{self.folder}/run-1": f"{self.folder}/run-{name}", **changes}
        for old, new in changes.items():
            config = config.replace(f'"{old}"', f'"{new}"')
        config = config.replace(f"port = {self.cluster.agent_http(1).rpartition(':')[2]}",
                                f"port = {self.cluster.prometheus_port}")
        path = f"{self.folder}/config/{name}.toml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        return process.start_detached([f"{e2e.bin_folder()}/davit-agent", "--config", path],
                                      f"{self.folder}/log/{name}.log")

    def known_to_agent(self, port=None):
        """arn -> status of the agent's own tasks."""
        address = f"127.0.0.1:{port}" if port else self.cluster.agent_http(1)
        _, text = e2e.get(f"http://{address}/v1/tasks")
        return {task["Arn"]: task["KnownStatus"] for task in json.loads(text)["Tasks"]}

    def adopted(self, arn, before):
        """The agent knows the task again, in the same process, and ends it properly."""
        e2e.wait_for("the task to be adopted", lambda: self.known_to_agent().get(arn) == "RUNNING", 20)
        self.assertEqual(self.main_process(arn), before)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        task = self.stop(arn)
        self.assertEqual(e2e.container(task, "main")["exitCode"], 7)
        self.assertEqual(remains.of_tasks(self.cluster, [e2e.task_id(arn)]), [])

    # ---- the agent's memory

    def test_a_lost_state_folder(self):
        arn, before = self.start_idle()
        self.kill("agent-1")
        shutil.rmtree(self.cluster.agent_state(1))
        self.assertEqual(self.main_process(arn), before)
        self.cluster.start_agent(1)
        self.adopted(arn, before)

    def test_a_task_that_ended_while_the_state_folder_was_lost_does_not_run_again(self):
        arn, before = self.start_idle()
        self.kill("agent-1")
        shutil.rmtree(self.cluster.agent_state(1))
        os.kill(before[0][0], signal.SIGTERM)
        e2e.wait_for("the container to end", lambda: not self.container_pids(arn, "main"), 10)
        self.cluster.start_agent(1)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main")["exitCode"], 7)

    def test_a_database_that_is_garbage_is_set_aside(self):
        arn, before = self.start_idle()
        self.kill("agent-1")
        for path in glob.glob(f"{self.database}*"):
            os.unlink(path)
        with open(self.database, "wb") as file:
            file.write(os.urandom(50000))
        self.cluster.start_agent(1)
        self.assertTrue(glob.glob(f"{self.database}.damaged-*"))
        self.adopted(arn, before)

    def test_a_database_of_a_newer_agent_is_refused_by_its_version_and_not_changed(self):
        arn, before = self.start_idle()
        self.kill("agent-1")
        connection = sqlite3.connect(self.database)
        version, = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("PRAGMA user_version = 4711")
        connection.close()
        refused = subprocess.run([f"{e2e.bin_folder()}/davit-agent", "--config", self.cluster.agent_config(1)],
                                 capture_output=True, text=True, timeout=20, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("4711", refused.stdout + refused.stderr)
        self.assertEqual(self.main_process(arn), before)
        connection = sqlite3.connect(self.database)
        self.assertEqual(connection.execute("PRAGMA user_version").fetchone(), (4711,))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        self.cluster.start_agent(1)
        self.adopted(arn, before)

    def test_a_cloned_disk_is_another_host(self):
        arn, before = self.start_idle()
        self.kill("agent-1")
        clone_id = "i-0000000000c10de00"
        shutil.copytree(self.cluster.agent_state(1), f"{self.folder}/clone-state")
        self.cluster.start_agent(1)
        clone = self.start_other("clone", {self.cluster.instance_id(1): clone_id,
                                           self.cluster.agent_state(1): f"{self.folder}/clone-state"})
        try:
            instance = e2e.wait_for("the clone to register", lambda: next(
                (one for one in self.ecs.instances() if one["ec2InstanceId"] == clone_id and one["agentConnected"]), None), 20)
            self.assertNotEqual(instance["containerInstanceArn"], self.instance()["containerInstanceArn"])
            self.assertEqual(self.known_to_agent(self.cluster.prometheus_port), {})
        finally:
            process.stop(clone)
        self.adopted(arn, before)

    # ---- the controller's memory

    def test_an_emptied_controller_store_kills_nothing(self):
        arn, before = self.start_idle()
        self.kill("controller")
        saved = f"{self.folder}/saved-controller"
        shutil.move(f"{self.folder}/controller", saved)
        self.cluster.start_controller()
        self.ecs.call("CreateCluster", clusterName="default")
        e2e.wait_for("the agent to be registered", self.is_connected, 40)
        time.sleep(3)
        self.assertEqual(self.main_process(arn), before)
        self.assertEqual(self.known_to_agent()[arn], "RUNNING")
        self.kill("controller")
        shutil.rmtree(f"{self.folder}/controller")
        shutil.move(saved, f"{self.folder}/controller")
        self.cluster.start_controller()
        e2e.wait_for("the agent to be registered", self.is_connected, 40)
        self.adopted(arn, before)

    # ---- others

    def test_two_agents_with_one_identity_are_told_apart_by_their_sessions(self):
        offset = len(self.agent_log())
        other = self.start_other("other", {self.cluster.agent_state(1): f"{self.folder}/other-state"})
        try:
            e2e.wait_for("the older session to end with its reason",
                         lambda: "SUPERSEDED" in self.agent_log()[offset:], 20)
            line = next(line for line in self.agent_log()[offset:].splitlines() if "SUPERSEDED" in line)
            self.assertRegex(line, "same identity|another agent")
        finally:
            process.stop(other)
        e2e.wait_for("the first to be connected again", lambda: self.agent_health()[0] == 200
                     and json.loads(self.agent_health()[1])["controller"]["connected"], 60)

    def test_containers_of_others_in_the_namespace_are_never_touched(self):
        ctr = ["ctr", "--address", self.cluster.containerd_address, "--namespace", self.cluster.agent_namespace(1)]
        arn, _ = self.start_idle()
        image = next(line.split()[0] for line in host.run([*ctr, "images", "ls"]).splitlines()[1:])
        theirs = {"plain": [], "labelled": ["--label", f"davit.task-arn={arn[:-32]}{'0' * 32}",
                                            "--label", "davit.agent=i-somebody-else"]}
        for name, labels in theirs.items():
            # Named like ours, so that only the label tells.
            container = f"{'0' * 32}-{name}" if labels else name
            host.run([*ctr, "run", "--detach", "--cgroup", f"{self.cluster.agent_cgroup(1)}/others/{name}",
                      *labels, image, container, "sleep", "1000"])
            self.addCleanup(host.run, [*ctr, "containers", "rm", container], check=False)
            self.addCleanup(host.run, [*ctr, "tasks", "rm", "--force", container], check=False)
        self.kill("agent-1")
        with open(self.cluster.agent_config(1), encoding="utf-8") as file:
            config = file.read()
        path = f"{self.folder}/config/eager.toml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.replace("[tasks]", '[tasks]\norphan_grace = "0s"\nreconcile_interval = "1s"'))
        eager = process.start_detached([f"{e2e.bin_folder()}/davit-agent", "--config", path], f"{self.folder}/log/eager.log")
        try:
            e2e.wait_for("it to know its own", lambda: self.known_to_agent().get(arn) == "RUNNING", 20)
            time.sleep(4)  # several looks at everything
        finally:
            process.stop(eager)
        running = host.run([*ctr, "tasks", "ls"])
        for name in ("plain", f"{'0' * 32}-labelled"):
            self.assertRegex(running, rf"(?m)^{name} .*RUNNING")


if __name__ == "__main__":
    e2e.main()
