#!/usr/bin/python3
"""The story that must always work, on two hosts: run, look, stop."""

import json

import e2e


class Story(e2e.ClusterTest):
    AGENTS = 2

    def web_definition(self):
        with open(f"{e2e.ROOT}/examples/web/taskdef.json", encoding="utf-8") as file:
            return json.loads(file.read().replace("REGISTRY", self.cluster.registry))

    def page(self, task):
        return e2e.get_page(e2e.host_port(task, "web", 8080))

    def test_a_web_task_serves_its_page_on_a_port_of_its_own(self):
        arns = self.start(self.web_definition(), count=3)
        tasks = [self.ecs.wait_status(arn, "RUNNING") for arn in arns]
        for task in tasks:
            self.assertIn("It floats", self.page(task))
            self.assertEqual({one["lastStatus"] for one in task["containers"]}, {"RUNNING"})
            self.assertRegex(e2e.container(task, "web")["imageDigest"], "^sha256:[0-9a-f]{64}$")
        ports = {e2e.host_port(task, "web", 8080) for task in tasks}
        self.assertEqual(len(ports), 3)

    def test_a_stopped_task_is_gone_from_the_host_and_says_why(self):
        arn = self.start_one(self.web_definition())
        self.ecs.wait_status(arn, "RUNNING")
        self.ecs.stop(arn, reason="the story is over")
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(task["stoppedReason"], "the story is over")
        self.assertEqual(task["stopCode"], "UserInitiated")
        self.assertEqual({one["lastStatus"] for one in task["containers"]}, {"STOPPED"})
        for agent in (1, 2):
            self.assertEqual(e2e.host.cgroup_folders(f"{self.cluster.agent_cgroup(agent)}/{e2e.task_id(arn)}"), [])
        self.assertIn(arn, self.ecs.call("ListTasks", desiredStatus="STOPPED")["taskArns"])

    def test_times_of_a_task_are_in_order(self):
        task = self.run_to_end(self.definition("short", self.shell("main", "exit 0")))
        names = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "executionStoppedAt", "stoppedAt")
        times = [task[name] for name in names]
        self.assertEqual(times, sorted(times), dict(zip(names, times)))

    def test_a_task_gets_its_environment_overrides_and_metadata(self):
        definition = self.definition("env", self.shell("main", 'test "$A" = over && test "$B" = kept',
                                                       environment=[{"name": "A", "value": "under"},
                                                                    {"name": "B", "value": "kept"}]))
        overrides = {"containerOverrides": [{"name": "main", "environment": [{"name": "A", "value": "over"}]}]}
        arn, = self.ecs.run(self.ecs.register(definition), overrides=overrides)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main").get("exitCode"), 0, e2e.reasons(task))

    def test_metrics_count_the_running_tasks(self):
        arns = self.start(self.definition("idle", self.shell("main", "exec sleep 1000")), count=2)
        for arn in arns:
            self.ecs.wait_status(arn, "RUNNING")

        def running_by_agents():
            total = 0
            for agent in (1, 2):
                _, text = e2e.get(f"http://{self.cluster.agent_http(agent)}/metrics")
                total += sum(float(line.split()[-1]) for line in text.splitlines()
                             if line.startswith('davit_agent_tasks{status="RUNNING"}'))
            return total == 2
        e2e.wait_for("the agents' metrics to count two running tasks", running_by_agents, 10)
        _, text = e2e.get(f"{self.cluster.endpoint}/metrics")
        self.assertRegex(text, r'davit_controller_tasks\{status="RUNNING"\} 2')

    def test_memory_of_stopped_tasks_is_given_back(self):
        before = self.remaining_memory()
        arn = self.start_one(self.definition("room", self.shell("main", "exec sleep 1000", memory=64)))
        self.ecs.wait_status(arn, "RUNNING")
        self.assertEqual(self.remaining_memory(), before - 64)
        self.stop(arn)
        e2e.wait_for("the memory to be given back", lambda: self.remaining_memory() == before, 10)

    def remaining_memory(self):
        return sum(resource["integerValue"] for instance in self.ecs.instances()
                   for resource in instance["remainingResources"] if resource["name"] == "MEMORY")


if __name__ == "__main__":
    e2e.main()
