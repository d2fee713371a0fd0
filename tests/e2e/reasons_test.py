#!/usr/bin/python3
"""Every way in which a task fails says what happened, in ECS's words."""

import os
import signal

import e2e
import oci


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
        self.assertRegex(main["reason"], "^Cannot(Create|Start)ContainerError: ")
        self.assertIn("/bin/absent", main["reason"])
        self.assertEqual(task["stopCode"], "TaskFailedToStart")

    def test_a_container_that_eats_more_memory_than_it_may(self):
        task = self.run_to_end(self.definition("hog", self.shell("main", "exec tail /dev/zero", memory=16)))
        main = e2e.container(task, "main")
        self.assertTrue(main["reason"].startswith("OutOfMemoryError: Container killed due to memory usage"), main)
        self.assertEqual(main["exitCode"], 137)
        self.assertEqual(task["stopCode"], "EssentialContainerExited")

    def test_an_exit_code(self):
        task = self.run_to_end(self.definition("exit", self.shell("main", "exit 3")))
        self.assertEqual(e2e.container(task, "main")["exitCode"], 3)
        self.assertEqual(task["stopCode"], "EssentialContainerExited")
        self.assertEqual(task["stoppedReason"], "Essential container in task exited")

    def test_a_kill_is_not_taken_for_a_lack_of_memory(self):
        arn = self.start_one(self.definition("killed", self.shell("main", "exec sleep 1000")))
        self.ecs.wait_status(arn, "RUNNING")
        os.kill(self.container_pids(arn, "main")[0], signal.SIGKILL)
        main = e2e.container(self.ecs.wait_status(arn, "STOPPED"), "main")
        self.assertEqual(main["exitCode"], 137)
        self.assertNotIn("OutOfMemory", main.get("reason", ""))

    def test_the_end_of_a_container_that_is_not_essential_ends_nothing(self):
        arn = self.start_one(self.definition("helper", self.shell("main", "exec sleep 1000"),
                                             self.shell("helper", "exit 4", essential=False)))
        self.ecs.wait_status(arn, "RUNNING")

        def helper_ended():
            return e2e.container(self.ecs.task(arn), "helper").get("exitCode") == 4
        e2e.wait_for("the helper's exit code", helper_ended, 20)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")


if __name__ == "__main__":
    e2e.main()
