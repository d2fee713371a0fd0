#!/usr/bin/python3
"""Every way in which a task fails says what happened, in ECS's words."""

import json
import os
import signal

import e2e
import oci
from e2e import process

OOM = "OutOfMemoryError: Container killed due to memory usage"


def kernel_names_victims():
    """Whether the kernel's log tells of OOM kills, and us."""
    try:
        with open("/dev/kmsg", "rb", buffering=0) as log:
            os.set_blocking(log.fileno(), False)
            records = iter(lambda: log.read(8192), None)
            return any(b"oom-kill:constraint=" in record and b",task_memcg=" in record for record in records)
    except OSError:
        return False


class Reasons(e2e.ClusterTest):

    def failed_pull(self, image, seconds=120):
        """The reason of a container whose image cannot be had. Checks what is the same for all of those."""
        task = self.run_to_end(self.definition("pull", {"name": "main", "image": image}), seconds)
        self.assertEqual(task["stopCode"], "TaskFailedToStart", e2e.reasons(task))
        main = e2e.container(task, "main")
        self.assertNotIn("exitCode", main)
        self.assertRegex(main["reason"], "^CannotPull\\w+Error: ")
        self.assertLessEqual(len(main["reason"]), 1024)
        return main["reason"]

    def test_an_image_that_does_not_exist(self):
        reason = self.failed_pull(f"{self.cluster.registry}/absent:1")
        self.assertIn(self.cluster.registry, reason)
        self.assertIn("absent", reason)

    def test_a_tag_that_does_not_exist(self):
        reason = self.failed_pull(f"{self.cluster.registry}/web:absent")
        self.assertIn("web", reason)
        self.assertIn("absent", reason)

    def test_a_digest_that_the_registry_does_not_have(self):
        self.assertIn("0" * 64, self.failed_pull(f"{self.cluster.registry}/web@sha256:{'0' * 64}"))

    def test_a_layer_that_does_not_match_its_digest(self):
        layer = oci.push(self.cluster.registry, "corrupt", {"file": b"as it was pushed"})
        path = f"{self.folder}/registry/docker/registry/v2/blobs/sha256/{layer[7:9]}/{layer[7:]}/data"
        with open(path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        self.assertRegex(self.failed_pull(f"{self.cluster.registry}/corrupt:1"), "(?i)digest")

    def test_a_registry_that_nobody_serves(self):
        reason = self.failed_pull("127.0.0.1:9/web:1")
        self.assertIn("127.0.0.1:9", reason)

    def test_a_name_that_is_not_an_image(self):
        self.assertRegex(self.failed_pull(f"{self.cluster.registry}/UPPER CASE"), "(?i)name|reference")

    def test_a_command_that_does_not_exist(self):
        task = self.run_to_end(self.definition("command", {"name": "main", "entryPoint": ["/bin/absent"]}))
        main = e2e.container(task, "main")
        self.assertRegex(main["reason"], "^CannotStartContainerError: ")
        self.assertIn("/bin/absent", main["reason"])
        self.assertEqual(task["stopCode"], "TaskFailedToStart")

    def test_a_container_that_eats_more_memory_than_it_may(self):
        task = self.run_to_end(self.definition("hog", self.shell(
            "main", "echo hungry; exec tail /dev/zero", memory=16)))
        main = e2e.container(task, "main")
        victim = r", killed process \d+ \(tail\)" if kernel_names_victims() else ""
        self.assertRegex(main["reason"], f"^{OOM}: limit 16 MiB, peak 16 MiB{victim}; last output: hungry$")
        self.assertEqual(main["exitCode"], 137)
        self.assertEqual(task["stopCode"], "EssentialContainerExited")

    def test_containers_that_together_eat_more_memory_than_the_task_may(self):
        definition = self.definition("hogs", self.shell("main", "exec tail /dev/zero"), memory="16")
        del definition["containerDefinitions"][0]["memory"]
        main = e2e.container(self.run_to_end(definition), "main")
        self.assertRegex(main["reason"], f"^{OOM}: limit of the task 16 MiB, peak 16 MiB")

    def test_an_exit_code_and_the_last_lines_of_output(self):
        script = r"for i in 1 2 3 4 5 6 7; do echo line $i; done; printf '\033[31mred\tand bad \200' >&2; exit 3"
        task = self.run_to_end(self.definition("exit", self.shell("main", script)))
        main = e2e.container(task, "main")
        self.assertEqual(main["exitCode"], 3)
        # Of two streams nobody knows the order.
        self.assertRegex(main["reason"], r"^exit code 3; last output: (line \d|red and bad \ufffd)( \| .+){4}$")
        for words in ("line 7", "red and bad \ufffd"):
            self.assertIn(words, main["reason"])
        self.assertNotIn("line 1 ", main["reason"])
        self.assertEqual(task["stopCode"], "EssentialContainerExited")
        self.assertEqual(task["stoppedReason"], "Essential container in task exited")

    def test_words_of_the_last_moment_are_told(self):
        """More than a pipe holds: the logger still has to read when the container's end is heard of."""
        script = "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; echo the very end; exit 1"
        for _ in range(3):
            main = e2e.container(self.run_to_end(self.definition("words", self.shell("main", script))), "main")
            self.assertTrue(main["reason"].endswith(" | 19998 | 19999 | the very end"), main)

    def test_a_signal(self):
        # A container's first process is not killed by signals of its own.
        task = self.run_to_end(self.definition("segv", self.shell("main", "sh -c 'kill -SEGV $$'; exit $?")))
        main = e2e.container(task, "main")
        self.assertEqual(main["exitCode"], 139)
        self.assertRegex(main["reason"], r"^exit code 139 \(128 \+ SIGSEGV\)")

    def test_a_container_that_ends_as_asked_has_no_reason(self):
        arn = self.start_one(self.definition("asked", self.shell("main", "echo alive; exec sleep 1000")))
        self.ecs.wait_status(arn, "RUNNING")
        main = e2e.container(self.stop(arn), "main")
        self.assertEqual(main["exitCode"], 137)  # sleep as process 1 ignores SIGTERM
        self.assertNotIn("reason", main)
        self.assertNotIn("reason", e2e.container(self.run_to_end(self.definition("well", self.shell("main", "true"))),
                                                 "main"))

    def test_a_post_mortem_is_kept_on_the_host(self):
        arn = self.run_to_end(self.definition("kept", self.shell("main", "echo farewell; exit 4")))["taskArn"]

        def post_mortem():
            text = e2e.get(f"http://{self.cluster.agent_http(1)}/v1/tasks?taskarn={arn}")[1]
            return json.loads(text)["Containers"][0]["PostMortem"]
        before = post_mortem()
        self.assertEqual(before["LastLines"], ["farewell"])
        self.assertEqual(before["MemoryLimitBytes"], 32 << 20)
        self.assertEqual(before["OomKills"], 0)
        self.assertGreater(before["CpuSeconds"], 0)
        agent = self.cluster.process("agent-1")
        process.kill(agent, signal.SIGKILL)
        e2e.wait_for("the agent to end", lambda: process.is_gone(agent), 20)
        self.cluster.start_agent(1)
        self.assertEqual(post_mortem(), before)

    def test_a_kill_is_not_taken_for_a_lack_of_memory(self):
        arn = self.start_one(self.definition("killed", self.shell("main", "exec sleep 1000")))
        self.ecs.wait_status(arn, "RUNNING")
        os.kill(self.container_pids(arn, "main")[0], signal.SIGKILL)
        main = e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")
        self.assertEqual(main["exitCode"], 137)
        self.assertEqual(main["reason"], "exit code 137 (128 + SIGKILL)")

    def test_the_end_of_a_container_that_is_not_essential_ends_nothing(self):
        arn = self.start_one(self.definition("helper", self.shell("main", "exec sleep 1000"),
                                             self.shell("helper", "echo no; exit 4", essential=False)))
        self.ecs.wait_status(arn, "RUNNING")

        def helper_ended():
            return e2e.container(self.ecs.task(arn), "helper").get("exitCode") == 4
        e2e.wait_for("the helper's exit code", helper_ended, 20)
        self.assertTrue(e2e.container(self.ecs.task(arn), "helper")["reason"].startswith("exit code 4"))
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")


if __name__ == "__main__":
    e2e.main()
