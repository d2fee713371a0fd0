#!/usr/bin/python3
"""What a task definition promises about resources, the kernel holds."""

import e2e

MIB = 1 << 20


class Limits(e2e.ClusterTest):

    def running(self, *containers, **members):
        arn = self.start_one(self.definition("limits", *containers, **members))
        self.ecs.wait_status(arn, "RUNNING")
        return arn

    def cpu_share_of_a_period(self, arn, name=""):
        """CPU time that the task, or its container, may have, as a part of the time that passes."""
        try:
            quota = self.cgroup_value(arn, "cpu/cpu.cfs_quota_us", "", name=name)
            period = self.cgroup_value(arn, "cpu/cpu.cfs_period_us", "", name=name)
        except OSError:
            quota, period = self.cgroup_value(arn, "", "cpu.max", name=name).split()
        return int(quota.replace("max", "-1")) / int(period)

    def test_cpu_and_memory_of_a_task(self):
        arn = self.running(self.shell("main", "exec sleep 1000", memory=64), cpu="256", memory="128")
        self.assertEqual(self.cpu_share_of_a_period(arn), 0.25)
        self.assertEqual(self.cgroup_value(arn, "memory/memory.limit_in_bytes", "memory.max"), str(128 * MIB))
        self.assertEqual(self.cgroup_value(arn, "memory/memory.limit_in_bytes", "memory.max", name="main"),
                         str(64 * MIB))

    def test_a_task_without_cpu_is_weighed_but_not_capped(self):
        arn = self.running(self.shell("main", "exec sleep 1000", cpu=512))
        try:
            self.assertEqual(self.cgroup_value(arn, "cpu/cpu.cfs_quota_us", ""), "-1")
            self.assertEqual(self.cgroup_value(arn, "cpu/cpu.shares", ""), "512")
            self.assertEqual(self.cgroup_value(arn, "cpu/cpu.shares", "", name="main"), "512")
        except FileNotFoundError:
            self.assertTrue(self.cgroup_value(arn, "", "cpu.max").startswith("max "))

    def test_a_cpu_limit_of_one_container(self):
        label = {"davit.cpu-limit": "256"}
        arn = self.running(self.shell("main", "exec sleep 1000", cpu=512, dockerLabels=label),
                           self.shell("other", "exec sleep 1000"), cpu="512")
        self.assertEqual(self.cpu_share_of_a_period(arn, "main"), 0.25)
        self.assertLessEqual(self.cpu_share_of_a_period(arn, "other"), 0)  # none
        self.assertEqual(self.cpu_share_of_a_period(arn), 0.5)
        task = self.run_to_end(self.definition("limits", self.shell("main", "true", dockerLabels=label), cpu="128"))
        self.assertIn("dockerLabels 'davit.cpu-limit': '256' is not a number of CPU units from 11 (the kernel's "
                      "minimum) to 128 (the task's cpu)", e2e.reasons(task))

    def test_what_is_in_the_cgroup_is_the_container(self):
        arn = self.running(self.shell("main", "sleep 1000 & exec sleep 1000"))
        self.assertEqual(len(self.container_pids(arn, "main")), 2)

    def test_ulimits(self):
        arn = self.running(self.shell("main", "exec sleep 1000",
                                      ulimits=[{"name": "nofile", "softLimit": 500, "hardLimit": 600}]))
        with open(f"/proc/{self.container_pids(arn, 'main')[0]}/limits", encoding="ascii") as file:
            self.assertRegex(file.read(), r"Max open files +500 +600")

    def test_a_task_that_does_not_fit_now_runs_when_there_is_room(self):
        total = next(one["integerValue"] for one in self.instance()["registeredResources"] if one["name"] == "MEMORY")
        half = total // 2 + 1
        first = self.running({**self.shell("main", "exec sleep 1000"), "memory": half})
        answer = self.ecs.call("RunTask", taskDefinition="limits")
        self.assertEqual([one["reason"] for one in answer["failures"]], ["RESOURCE:MEMORY"])
        self.stop(first)
        second, = self.ecs.run("limits")
        self.addCleanup(self.stop, second)
        self.ecs.wait_status(second, "RUNNING")


if __name__ == "__main__":
    e2e.main()
