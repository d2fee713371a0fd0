#!/usr/bin/python3
"""The lives of a task's containers: their order, their health, and their restarts in place."""

import json
import os
import signal

import e2e
from e2e import process

# A container that the marks below can tell about.
MARKS = {"mountPoints": [{"sourceVolume": "marks", "containerPath": "/marks"}]}


class Life(e2e.ClusterTest):

    def setUp(self):
        self.marks = f"{self.folder}/{self.id().rpartition('.')[2]}"
        os.makedirs(self.marks)

    def ordered(self, family, *containers):
        """A definition whose containers share the folder self.marks as /marks."""
        return self.definition(family, *({**one, **MARKS} for one in containers),
                               volumes=[{"name": "marks", "host": {"sourcePath": self.marks}}])

    def marked_at(self, name):
        """When a container did `touch /marks/NAME`, in ns. FileNotFoundError: it has not."""
        return os.stat(f"{self.marks}/{name}").st_mtime_ns

    def mark(self, name):
        with open(f"{self.marks}/{name}", "w", encoding="utf-8"):
            pass

    def kill_agent(self):
        victim = self.cluster.process("agent-1")
        process.kill(victim, signal.SIGKILL)
        e2e.wait_for("the agent to end", lambda: process.is_gone(victim), 10)

    def agents_view(self, arn, name):
        """A container as the agent's own /v1/tasks shows it."""
        _, text = e2e.get(f"http://{self.cluster.agent_http(1)}/v1/tasks?taskarn={arn}")
        return next(one for one in json.loads(text)["Containers"] if one["Name"] == name)

    def wait_health(self, arn, name, health, seconds=30):
        """The task once the API says so of this container."""
        def look():
            task = self.ecs.task(arn)
            return task if e2e.container(task, name)["healthStatus"] == health else None
        return e2e.wait_for(f"{name} to be {health}", look, seconds)

    # ---- order

    def test_a_container_waits_until_another_is_healthy(self):
        db = self.shell("db", "sleep 2; touch /marks/db-ready; exec sleep 1000", healthCheck={
            "command": ["CMD-SHELL", "test -e /marks/db-ready && touch /marks/db-checked"], "interval": 5})
        app = self.shell("app", "touch /marks/app-started; exec sleep 1000",
                         dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
        arn = self.start_one(self.ordered("wait", app, db))
        e2e.wait_for("db to run", lambda: e2e.container(self.ecs.task(arn), "db")["lastStatus"] == "RUNNING", 20)
        self.assertEqual(self.container_pids(arn, "app"), [])
        self.ecs.wait_status(arn, "RUNNING")
        e2e.wait_for("app's mark", lambda: self.marked_at("app-started"), 5)
        self.assertLess(self.marked_at("db-ready"), self.marked_at("app-started"))
        self.assertEqual(e2e.container(self.ecs.task(arn), "db")["healthStatus"], "HEALTHY")

    def test_a_batch_runs_step_by_step(self):
        setup = self.shell("setup", "sleep 1; echo ahoy >/marks/word", essential=False)
        failing = self.shell("failing", "sleep 1; touch /marks/failed; exit 9", essential=False)
        work = self.shell("work", "test -e /marks/failed && grep ahoy /marks/word", dependsOn=[
            {"containerName": "setup", "condition": "SUCCESS"}, {"containerName": "failing", "condition": "COMPLETE"}])
        task = self.run_to_end(self.ordered("batch", work, setup, failing))
        self.assertEqual(e2e.container(task, "work")["exitCode"], 0, e2e.reasons(task))
        self.assertEqual(e2e.container(task, "failing")["exitCode"], 9)

    def test_a_step_that_fails_ends_the_batch_with_the_reason(self):
        setup = self.shell("setup", "exit 4", essential=False)
        work = self.shell("work", "touch /marks/worked",
                          dependsOn=[{"containerName": "setup", "condition": "SUCCESS"}])
        task = self.run_to_end(self.ordered("failing", setup, work))
        self.assertIn("TaskDependencyError: container setup did not end with exit code 0 but with 4",
                      e2e.reasons(task))
        self.assertEqual(task["stopCode"], "TaskFailedToStart")
        self.assertEqual(e2e.container(task, "setup")["exitCode"], 4)
        self.assertEqual(os.listdir(self.marks), [])

    def test_containers_stop_in_the_reverse_order(self):
        def until_term(name, before_end):
            script = f"trap '{before_end}; touch /marks/{name}-ended; exit 0' TERM; touch /marks/{name}-ready; " \
                     "while :; do sleep 0.1; done"
            return self.shell(name, script, stopTimeout=10)
        db = until_term("db", "touch /marks/db-told")
        app = {**until_term("app", "sleep 1"), "dependsOn": [{"containerName": "db", "condition": "START"}]}
        arn = self.start_one(self.ordered("reverse", db, app))
        for name in ("db", "app"):
            e2e.wait_for(f"{name} to be ready", lambda name=name: self.marked_at(f"{name}-ready"), 30)
        task = self.stop(arn)
        self.assertLess(self.marked_at("app-ended"), self.marked_at("db-told"))
        self.assertEqual([e2e.container(task, name)["exitCode"] for name in ("db", "app")], [0, 0])

    # ---- health

    def test_health_follows_the_check_also_over_a_kill_of_the_agent(self):
        check = {"command": ["CMD-SHELL", "test -e /marks/alive || { echo it is gone; exit 1; }"],
                 "interval": 5, "timeout": 2, "retries": 2}
        arn = self.start_one(self.ordered("health", self.shell("main", "touch /marks/alive; exec sleep 1000",
                                                               healthCheck=check)))
        self.assertEqual(self.ecs.wait_status(arn, "RUNNING")["healthStatus"], "UNKNOWN")
        self.assertEqual(self.wait_health(arn, "main", "HEALTHY")["healthStatus"], "HEALTHY")
        os.unlink(f"{self.marks}/alive")
        task = self.wait_health(arn, "main", "UNHEALTHY")
        self.assertEqual((task["healthStatus"], task["lastStatus"]), ("UNHEALTHY", "RUNNING"))
        before = self.agents_view(arn, "main")["Health"]
        self.assertEqual((before["status"], before["output"]), ("UNHEALTHY", "it is gone\n"))
        self.assertEqual([check["exitCode"] for check in before["checks"]][-2:], [1, 1])
        self.kill_agent()
        self.cluster.start_agent(1)
        after = self.agents_view(arn, "main")["Health"]
        self.assertEqual((after["status"], after["output"]), ("UNHEALTHY", "it is gone\n"))
        self.assertIn(before["checks"][-2], after["checks"])
        self.mark("alive")
        self.wait_health(arn, "main", "HEALTHY")

    def test_a_check_that_hangs_makes_unhealthy_and_leaves_nothing_behind(self):
        check = {"command": ["CMD-SHELL", "echo x >>/marks/checks; sleep 1001 & sleep 1002; true"],
                 "interval": 5, "timeout": 2, "retries": 1}
        arn = self.start_one(self.ordered("hang", self.shell("main", "exec sleep 1000", healthCheck=check)))
        self.ecs.wait_status(arn, "RUNNING")
        before = self.container_pids(arn, "main")
        self.wait_health(arn, "main", "UNHEALTHY")
        self.assertIn("timed out", self.agents_view(arn, "main")["Health"]["output"])

        def checked_three_times():
            with open(f"{self.marks}/checks", encoding="utf-8") as file:
                return len(file.readlines()) >= 3
        e2e.wait_for("three checks", checked_three_times, 30)
        e2e.wait_for("what the checks began to be gone", lambda: self.container_pids(arn, "main") == before, 10)

    def test_many_checks_at_once_make_few_processes(self):
        def check(mark):
            return {"command": ["CMD-SHELL", f"echo x >>/marks/{mark}; exec sleep 1003"], "interval": 5, "timeout": 2}
        names = [f"c{i}" for i in range(10)]
        probes = [f"{name}-{probe}" for name in names for probe in ("alive", "ready")]
        arn = self.start_one(self.ordered("many", *(
            self.shell(name, "exec sleep 1000", memory=8, healthCheck=check(f"{name}-alive"),
                       dockerLabels={"davit.readiness-check": json.dumps(check(f"{name}-ready"))})
            for name in names)))
        self.ecs.wait_status(arn, "RUNNING")
        most = {"one container": 0, "all": 0}

        def look():
            return {name: set(self.container_processes(arn, name)) for name in names}

        def all_checked_twice():
            before, after = look(), look()
            # What both have was there at one time: while one container is read, another's check begins or ends.
            counts = [len(before[name] & after[name]) - 1 for name in names]
            most["one container"] = max(most["one container"], *counts)
            most["all"] = max(most["all"], sum(counts))
            return all(self.lines_of(probe) >= 2 for probe in probes)
        e2e.wait_for("two checks of each kind in each container", all_checked_twice, 90)
        self.assertLessEqual(most["one container"], 2)  # one of each kind
        self.assertLessEqual(most["all"], 8)            # the agent's health pool
        self.assertGreater(most["all"], 2)              # or the look at the host saw nothing

    def lines_of(self, mark):
        try:
            with open(f"{self.marks}/{mark}", encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    # ---- readiness

    def test_readiness_comes_and_goes_and_ends_nothing(self):
        ready = {"command": ["CMD-SHELL", "test -e /marks/ready || { echo warming up; exit 1; }"], "timeout": 2}
        db = self.shell("db", "exec sleep 1000", healthCheck={"command": ["CMD", "true"], "interval": 5},
                        dockerLabels={"davit.readiness-check": json.dumps(ready)})
        app = self.shell("app", "touch /marks/app-started; exec sleep 1000",
                         dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
        arn = self.start_one(self.ordered("ready", app, db))

        def view():
            return self.agents_view(arn, "db")

        def main_processes():
            pids = [self.agents_view(arn, name)["Pid"] for name in ("db", "app")]
            return [(pid, process.start_time(pid)) for pid in pids]
        # Alive, not ready: whoever needs it waits.
        e2e.wait_for("db to be alive", lambda: view()["Health"]["status"] == "HEALTHY", 40)
        e2e.wait_for("db to be asked whether it is ready", lambda: view()["Readiness"]["checks"], 20)
        self.assertEqual((view()["Readiness"]["ready"], view()["Readiness"]["output"]), (False, "warming up\n"))
        self.assertEqual(e2e.container(self.ecs.task(arn), "db")["healthStatus"], "UNKNOWN")
        self.assertEqual(self.container_pids(arn, "app"), [])
        self.assertEqual(self.ready_counts(), (0, 1))
        self.mark("ready")
        self.assertEqual(self.wait_health(arn, "db", "HEALTHY")["healthStatus"], "HEALTHY")
        self.ecs.wait_status(arn, "RUNNING")
        e2e.wait_for("app's mark", lambda: os.path.exists(f"{self.marks}/app-started"), 5)
        self.assertLess(self.marked_at("ready"), self.marked_at("app-started"))
        self.assertEqual(self.ready_counts(), (1, 0))
        # It goes away while no agent looks: the next one knows what the last one knew, and asks.
        before = main_processes()
        self.kill_agent()
        os.unlink(f"{self.marks}/ready")
        self.cluster.start_agent(1)
        self.assertTrue(view()["Readiness"]["ready"])
        self.assertEqual(self.wait_health(arn, "db", "UNKNOWN")["healthStatus"], "UNKNOWN")
        # For as long as it likes: neither the container nor the task ends of it.
        e2e.wait_for("three checks that failed", lambda: [check["exitCode"] for check in view()["Readiness"]["checks"]][
            -3:] == [1, 1, 1], 40)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        self.assertEqual(main_processes(), before)
        self.mark("ready")
        self.wait_health(arn, "db", "HEALTHY")

    def ready_counts(self):
        """How many running containers are ready, and how many are not, by the agent's metrics."""
        _, text = e2e.get(f"http://{self.cluster.agent_http(1)}/metrics")
        return tuple(int(next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(
            f'davit_agent_container_readiness{{ready="{ready}"}}'))) for ready in ("true", "false"))

    def test_a_readiness_check_that_cannot_be_is_refused_by_the_api(self):
        wrong = {"command": ["CMD", "/ready"], "interval": 1}
        with self.assertRaises(e2e.ApiError) as raised:
            self.ecs.register(self.definition("wrong", self.shell(
                "main", "exec sleep 1000", dockerLabels={"davit.readiness-check": json.dumps(wrong)})))
        self.assertIn("containerDefinitions[0].dockerLabels['davit.readiness-check'].interval: must be in 5..300, is 1.",
                      str(raised.exception))

    # ---- restarts

    def test_a_container_is_restarted_in_place(self):
        # A life has to last for the attempt period, and the API allows none below a minute.
        policy = {"enabled": True, "restartAttemptPeriod": 60, "ignoredExitCodes": [7]}
        main = self.shell("main", "echo x >>/lives; echo life-$(wc -l </lives).; touch /marks/ready-$(wc -l </lives); "
                                  "exec sleep 1000", restartPolicy=policy, portMappings=[{"containerPort": 80}])
        ignored = self.shell("ignored", "echo x >>/marks/ignored; sleep 61; exit 7", essential=False,
                             restartPolicy=policy)
        arn = self.start_one(self.ordered("restart", main, ignored))
        before = e2e.container(self.ecs.wait_status(arn, "RUNNING"), "main")
        e2e.wait_for("the exit code that is ignored",
                     lambda: e2e.container(self.ecs.task(arn), "ignored").get("exitCode") == 7, 90)
        os.kill(self.container_pids(arn, "main")[0], signal.SIGKILL)
        # The writable layer knows of the first life.
        e2e.wait_for("the second life", lambda: self.marked_at("ready-2"), 20)
        self.assertEqual(self.agents_view(arn, "main")["RestartCount"], 1)
        task = self.ecs.task(arn)
        after = e2e.container(task, "main")
        self.assertEqual((task["lastStatus"], after["lastStatus"]), ("RUNNING", "RUNNING"))
        for same in ("runtimeId", "networkBindings"):
            self.assertEqual(after[same], before[same])
        e2e.wait_for("the second life in the same log", lambda: self.log_has(arn, "life-2."), 5)
        self.assertTrue(self.log_has(arn, "life-1."))
        self.assertEqual(e2e.container(task, "ignored")["lastStatus"], "STOPPED")
        with open(f"{self.marks}/ignored", encoding="utf-8") as file:
            self.assertEqual(file.read(), "x\n")
        # The second life is too short for a third.
        os.kill(self.container_pids(arn, "main")[0], signal.SIGKILL)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main")["exitCode"], 137)
        self.assertEqual(task["stopCode"], "EssentialContainerExited")

    def log_has(self, arn, text):
        with open(f"{self.cluster.agent_state(1)}/logs/{e2e.task_id(arn)}/main.log", encoding="utf-8") as file:
            return text in file.read()

    def tearDown(self):
        """Whatever a failed test left dead is started again for the next."""
        self.cluster.start_agent(1)


if __name__ == "__main__":
    e2e.main()
