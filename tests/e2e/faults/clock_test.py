#!/usr/bin/python3
"""The wall clock jumps. Timeouts are not fooled, tasks run on, and what the agent says stays consistent.

The host's own clock is left alone: the agent alone sees another time, through libfaketime (Debian: faketime). Its
monotonic clock is the kernel's, as it is when a real wall clock jumps.
"""

import glob
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
import e2e  # noqa: E402 (after the path is set)
import remains  # noqa: E402
from e2e import process  # noqa: E402

HOUR = 3600


class Clock(e2e.ClusterTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.offset_file = f"{cls.folder}/clock"
        cls.jump(0)

    def setUp(self):
        self.jump(0)
        self.start_agent()

    @classmethod
    def jump(cls, seconds):
        """From now on the agent's wall clock is off by this much."""
        with open(f"{cls.offset_file}.new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}")
        os.replace(f"{cls.offset_file}.new", cls.offset_file)

    def start_agent(self):
        process.stop(self.cluster.process("agent-1"))
        # Not so that davit-logger and the rest inherit it: only the agent reads this environment.
        changes = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": self.offset_file, "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        os.environ.update(changes)
        try:
            self.cluster.start_agent(1, wait=False)
        finally:
            for name in changes:
                del os.environ[name]
        self.cluster.start_agent(1)  # waits until it is connected

    def start_idle(self, **members):
        arn = self.start_one(self.definition("idle", self.shell(
            "main", "trap 'exit 7' TERM; while :; do sleep 1 & wait; done", **members)))
        self.ecs.wait_status(arn, "RUNNING")
        return arn

    def test_the_test_itself_moves_the_clock_of_the_agent(self):
        self.jump(10 * HOUR)
        begun = time.time()
        arn = self.start_idle()
        self.assertGreater(self.ecs.task(arn)["startedAt"], begun + 9 * HOUR)

    def test_what_runs_runs_on_and_ends_with_its_exit_code(self):
        for seconds in (HOUR, -HOUR):
            with self.subTest(seconds=seconds):
                self.jump(0)
                arn = self.start_idle()
                before = self.container_processes(arn, "main")[:1]
                self.jump(seconds)
                time.sleep(7)  # more than a heartbeat
                self.assertTrue(self.instance()["agentConnected"])
                self.assertEqual(self.container_processes(arn, "main")[:1], before)
                self.assertEqual(e2e.container(self.stop(arn), "main")["exitCode"], 7)
                self.assertEqual(remains.of_tasks(self.cluster, [e2e.task_id(arn)]), [])

    def test_a_stop_timeout_is_counted_by_the_monotonic_clock(self):
        for seconds in (HOUR, -HOUR):
            with self.subTest(seconds=seconds):
                self.jump(0)
                arn = self.start_one(self.definition("deaf", self.shell(
                    "main", "trap '' TERM; while :; do sleep 1 & wait; done", stopTimeout=4)))
                self.ecs.wait_status(arn, "RUNNING")
                begun = time.monotonic()
                self.ecs.stop(arn)
                time.sleep(1)
                self.jump(seconds)
                self.ecs.wait_status(arn, "STOPPED", 60)  # and not an hour later
                self.assertGreaterEqual(time.monotonic() - begun, 4, "killed before its time")

    def test_a_restart_an_hour_earlier_takes_nothing_back(self):
        arn = self.start_idle()
        self.jump(-HOUR)
        self.start_agent()
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        self.ecs.stop(arn)
        self.assertEqual(e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")["exitCode"], 7)


def library():
    """libfaketime's path, or None."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


if __name__ == "__main__":
    if not library():
        e2e.skip("needs faketime")
    e2e.main()
