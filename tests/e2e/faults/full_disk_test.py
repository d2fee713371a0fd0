#!/usr/bin/python3
"""A disk that is full, under the agent's state and under the logs: what runs runs on, and nothing that was promised is lost."""

import json
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
import e2e  # noqa: E402 (after the path is set)
from e2e import host, process  # noqa: E402


class SmallDisk(e2e.ClusterTest):
    """The agent's state folder, or a folder below it, is a file system of a few MiB of its own."""

    DISK, MIB = "", 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        process.stop(cls.cluster.process("agent-1"))
        cls.disk = f"{cls.cluster.agent_state(1)}/{cls.DISK}".rstrip("/")
        cls.filler = f"{cls.disk}/filler"
        saved = f"{cls.folder}/saved"
        if os.path.isdir(cls.disk):
            shutil.move(cls.disk, saved)
        os.makedirs(cls.disk)
        host.run(["mount", "-t", "tmpfs", "-o", f"size={cls.MIB}m,mode=700", "davit-faults", cls.disk])
        cls.addClassCleanup(host.run, ["umount", "--lazy", cls.disk], check=False)
        if os.path.isdir(saved):
            shutil.copytree(saved, cls.disk, dirs_exist_ok=True)
        cls.cluster.start_agent(1)

    def tearDown(self):
        self.free()
        self.cluster.start_agent(1)

    def fill(self):
        """Until not one byte more is taken."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 16, 4096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    pass

    def free(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)


class StateOnAFullDisk(SmallDisk):

    MIB = 8

    def impaired(self):
        """Why the agent says that it is impaired; empty if it does not."""
        status, text = self.agent_health()
        return json.loads(text)["reason"] if status == 503 else ""

    def start_ending_with(self, code):
        """A running task that ends with the code when it gets SIGTERM, and its process."""
        arn = self.start_one(self.definition("ends", self.shell(
            "main", f"trap 'exit {code}' TERM; while :; do sleep 0.1; done")))
        self.ecs.wait_status(arn, "RUNNING")
        return arn, self.container_processes(arn, "main")[0]

    def test_what_runs_runs_on_and_what_is_new_waits(self):
        arn, first = self.start_ending_with(7)
        self.fill()
        new = self.start_one(self.definition("new", self.shell("main", "exec sleep 1000")))
        reason = e2e.wait_for("the agent to be impaired", self.impaired, 20)
        self.assertIn("disk is full", reason)
        self.assertTrue(process.is_alive({"pid": first[0], "start": first[1]}))
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        self.assertIn(self.ecs.task(new)["lastStatus"], ("PROVISIONING", "PENDING"))
        self.assertEqual(self.container_pids(new, "main"), [], "begun without a record of it")
        self.free()
        e2e.wait_for("the agent to be healthy", lambda: not self.impaired(), 30)
        self.ecs.wait_status(new, "RUNNING")
        self.assertTrue(process.is_alive({"pid": first[0], "start": first[1]}))

    def test_an_end_on_a_full_disk_is_told_once_it_is_durable(self):
        arn, first = self.start_ending_with(8)
        self.fill()
        os.kill(first[0], signal.SIGTERM)
        e2e.wait_for("the container to end", lambda: not self.container_pids(arn, "main"), 10)
        e2e.wait_for("the agent to be impaired", self.impaired, 20)
        time.sleep(1)
        self.assertNotEqual(self.ecs.task(arn)["lastStatus"], "STOPPED", "told before it was stored")
        self.free()
        self.assertEqual(e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")["exitCode"], 8)

    def test_an_agent_that_dies_on_a_full_disk_knows_everything_afterwards(self):
        arn, first = self.start_ending_with(9)
        self.fill()
        victim = self.cluster.process("agent-1")
        process.kill(victim, signal.SIGKILL)
        e2e.wait_for("the agent to end", lambda: process.is_gone(victim), 10)
        self.cluster.start_agent(1, wait=False)
        time.sleep(2)  # it may give up, to be started again by systemd, or wait
        self.assertTrue(process.is_alive({"pid": first[0], "start": first[1]}))
        os.kill(first[0], signal.SIGTERM)
        self.free()
        self.cluster.start_agent(1)
        self.assertEqual(e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")["exitCode"], 9)


class LogsOnAFullDisk(SmallDisk):

    DISK, MIB = "logs", 1

    def lines(self, arn):
        """Texts of the container's log, oldest first."""
        with open(f"{self.disk}/{e2e.task_id(arn)}/main.log", encoding="utf-8") as file:
            return [json.loads(line)["log"] for line in file]

    def test_a_container_is_never_blocked_and_its_log_says_what_is_missing(self):
        counts = f"{self.folder}/counts"
        os.makedirs(counts, exist_ok=True)
        # Far more than pipes and disk hold; each line has its number.
        script = ("while [ ! -e /counts/go ]; do sleep 0.1; done; n=0; while [ $n -lt 30000 ]; do n=$((n+1)); "
                  "echo line $n of many that are to fill a disk; done; touch /counts/done; "
                  "while [ ! -e /counts/more ]; do sleep 0.1; done; echo the last line")
        arn = self.start_one(self.definition(
            "chatty", self.shell("main", script, mountPoints=[{"sourceVolume": "counts", "containerPath": "/counts"}]),
            volumes=[{"name": "counts", "host": {"sourcePath": counts}}]))
        self.ecs.wait_status(arn, "RUNNING")
        self.fill()
        open(f"{counts}/go", "w", encoding="ascii").close()
        e2e.wait_for("the container to have written everything", lambda: os.path.exists(f"{counts}/done"), 30)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        self.free()
        open(f"{counts}/more", "w", encoding="ascii").close()
        self.assertEqual(e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")["exitCode"], 0)
        lines = self.lines(arn)
        lost = [line for line in lines if line.startswith("davit-logger: ") and " lost: No space left on device" in line]
        self.assertTrue(lost, lines[-3:])
        kept = sum(line.startswith("line ") for line in lines)
        self.assertEqual(kept + sum(int(line.split()[1]) for line in lost), 30000)
        self.assertEqual(lines[-1], "the last line\n")


if __name__ == "__main__":
    e2e.main()
