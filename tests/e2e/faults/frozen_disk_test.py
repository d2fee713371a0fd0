#!/usr/bin/python3
"""A file system that hangs under the tasks of one user: those tasks wait and say for what, and nobody else notices."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
import e2e  # noqa: E402 (after the path is set)
import frozen_disk  # noqa: E402

HUNG = 9  # more than a pool of the agent has threads


class FrozenDisk(e2e.ClusterTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.makedirs(f"{cls.folder}/frozen")
        cls.disk = frozen_disk.FrozenDisk(f"{cls.folder}/frozen")
        cls.addClassCleanup(cls.disk.close)

    def tearDown(self):
        self.disk.thaw()

    def sleeper(self, **members):
        return self.definition("innocent", self.shell("main", "exec sleep 1000"), **members)

    def on_disk(self, folder, **container):
        """A task that notes each of its starts in a folder of the disk, which the agent has to make."""
        main = self.shell("main", "echo started >>/data/starts; exec sleep 1000", **container,
                          mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}])
        return self.definition("hung", main, volumes=[
            {"name": "data", "host": {"sourcePath": f"{self.disk.path}/{folder}"}}])

    def shown(self, arn):
        """The task as the agent shows it."""
        status, text = e2e.get(f"http://{self.cluster.agent_http(1)}/v1/tasks?taskarn={arn}")
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def stuck_calls(self):
        text = e2e.get(f"http://{self.cluster.agent_http(1)}/metrics")[1]
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("davit_agent_stuck_calls "))

    def check_innocents(self, older):
        """While the disk hangs: the older task can be stopped, and a new one runs."""
        self.ecs.stop(older)
        new = self.start_one(self.sleeper())
        self.ecs.wait_status(older, "STOPPED", 20)
        self.ecs.wait_status(new, "RUNNING", 20)
        self.stop(new)

    def check_started_once(self, folder):
        def starts():
            try:
                with open(f"{self.disk.path}/{folder}/starts", encoding="utf-8") as file:
                    return file.read()
            except FileNotFoundError:
                return ""
        self.assertEqual(e2e.wait_for("the first words of the container", starts, 10), "started\n")

    def test_host_volumes_on_a_hung_file_system(self):
        older = self.start_one(self.sleeper())
        self.ecs.wait_status(older, "RUNNING")
        self.disk.freeze()
        hung = [self.start_one(self.on_disk(f"volume-{number}")) for number in range(HUNG)]
        self.check_innocents(older)

        e2e.wait_for("all that hangs to be counted", lambda: self.stuck_calls() == HUNG, 30)
        status, text = self.agent_health()
        self.assertEqual(status, 503)
        for number in (0, 1):
            self.assertIn(f"making folder {self.disk.path}/volume-{number}", json.loads(text)["reason"])
        self.assertIn(f"making folder {self.disk.path}/volume-2", self.agent_log())

        self.ecs.stop(hung[0])
        e2e.wait_for("the stop to reach the task", lambda: self.shown(hung[0])["DesiredStatus"] == "STOPPED", 20)
        shown = self.shown(hung[0])
        self.assertNotEqual(shown["KnownStatus"], "STOPPED")
        self.assertIn(f"making folder {self.disk.path}/volume-0", shown["WaitingReason"])

        self.disk.thaw()
        self.ecs.wait_status(hung[0], "STOPPED")
        for number, arn in enumerate(hung[1:], start=1):
            self.ecs.wait_status(arn, "RUNNING")
            self.check_started_once(f"volume-{number}")
        e2e.wait_for("nothing to hang", lambda: self.stuck_calls() == 0, 10)
        self.assertEqual(self.agent_health()[0], 200)
        for arn in hung[1:]:
            self.stop(arn)

    def test_working_directories_on_a_hung_file_system(self):
        """runc makes them, and hangs: the agent knows only that containerd does not answer."""
        older = self.start_one(self.sleeper())
        self.ecs.wait_status(older, "RUNNING")
        for number in range(HUNG):
            os.makedirs(f"{self.disk.path}/work-{number}")
        self.disk.freeze()
        hung = [self.start_one(self.on_disk(f"work-{number}", workingDirectory="/data/made/here"))
                for number in range(HUNG)]
        self.check_innocents(older)
        e2e.wait_for("all that hangs to be counted", lambda: self.stuck_calls() == HUNG, 30)
        self.assertIn("creating container main", self.shown(hung[0])["WaitingReason"])
        self.disk.thaw()
        for number, arn in enumerate(hung):
            self.ecs.wait_status(arn, "RUNNING", 120)
            self.check_started_once(f"work-{number}")
        for arn in hung:
            self.stop(arn)


if __name__ == "__main__":
    if reason := frozen_disk.missing():
        print(f"DAVIT-SKIPPED: {reason}")
        sys.exit(0)
    e2e.main()
