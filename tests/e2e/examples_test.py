#!/usr/bin/python3
"""The definitions in examples/ run as they are, with the registry's name put in, and do what they are examples of."""

import json
import os

import e2e

FOLDER = f"{e2e.ROOT}/examples"


class Examples(e2e.ClusterTest):

    def example(self, name):
        with open(f"{FOLDER}/{name}/taskdef.json", encoding="utf-8") as file:
            return json.loads(file.read().replace("REGISTRY", self.cluster.registry))

    def running(self, name):
        return self.ecs.wait_status(self.start_one(self.example(name)), "RUNNING")

    def ended(self, name, container):
        """The example's task and container after both have ended."""
        task = self.run_to_end(self.example(name))
        return task, e2e.container(task, container)

    def succeeds(self, name, container):
        task, main = self.ended(name, container)
        self.assertEqual(main.get("exitCode"), 0, e2e.reasons(task))
        return task

    def test_each_example_is_tested(self):
        folders = {name for name in os.listdir(FOLDER) if os.path.exists(f"{FOLDER}/{name}/taskdef.json")}
        tested = {name.removeprefix("test_").replace("_", "-") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(folders - tested, {"web"})  # the demo's

    def test_web_server(self):
        task = self.running("web-server")
        self.assertIn("<html", e2e.get_page(e2e.host_port(task, "web", 8080)))
        e2e.wait_for("the web server to be healthy",
                     lambda: self.ecs.task(task["taskArn"])["healthStatus"] == "HEALTHY", 20)

    def test_sleep360(self):
        task = self.running("sleep360")
        pid, = self.container_pids(task["taskArn"], "sleep")
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            self.assertEqual(file.read(), b"sleep\x00360\x00")
        self.stop(task["taskArn"])

    def test_ping_and_exit(self):
        self.succeeds("ping-and-exit", "ping")

    def test_sidecar(self):
        task = self.running("sidecar")
        self.assertEqual(e2e.container(task, "proxy")["healthStatus"], "HEALTHY")
        self.assertNotEqual(self.container_pids(task["taskArn"], "app"), [])

    def test_two_tier(self):
        self.succeeds("two-tier", "app")

    def test_batch(self):
        task = self.succeeds("batch", "load")
        self.assertEqual([e2e.container(task, name)["exitCode"] for name in ("extract", "transform")], [0, 0])

    def test_shared_volume(self):
        self.succeeds("shared-volume", "reader")

    def test_hardened(self):
        self.succeeds("hardened", "app")

    def test_log_heavy(self):
        task = self.succeeds("log-heavy", "talker")
        folder = f"{self.cluster.agent_state(1)}/logs/{e2e.task_id(task['taskArn'])}"
        text = ""
        for name in os.listdir(folder):
            with open(f"{folder}/{name}", encoding="utf-8") as file:
                text += file.read()
        self.assertEqual(text.count("of a program that talks a lot"), 20000)

    def test_memory_hog(self):
        _, hog = self.ended("memory-hog", "hog")
        self.assertEqual(hog["exitCode"], 137)
        self.assertIn("OutOfMemoryError", hog["reason"])

    def test_zombie_maker(self):
        self.succeeds("zombie-maker", "maker")

    def test_restarting_worker(self):
        task = self.running("restarting-worker")
        lives = f"{self.cluster.agent_state(1)}/tasks/{e2e.task_id(task['taskArn'])}/volume.work/lives"

        def lived_twice():
            with open(lives, encoding="utf-8") as file:
                return file.read() == "life\nlife\n"
        e2e.wait_for("the worker to live again", lived_twice, 90)  # it lives for 61 s: restartAttemptPeriod is 60 s
        self.assertEqual(self.ecs.task(task["taskArn"])["lastStatus"], "RUNNING")


if __name__ == "__main__":
    e2e.main()
