#!/usr/bin/python3
"""Programs die and come back. Containers do not notice, and nobody lies about them."""

import json
import os
import signal

import e2e
from e2e import process


class Outages(e2e.ClusterTest):

    def kill(self, name, number=signal.SIGKILL):
        """Ends "agent-1", "controller" or "containerd" and waits until it has ended."""
        victim = self.cluster.process(name)
        process.kill(victim, number)
        e2e.wait_for(f"{name} to end", lambda: process.is_gone(victim), 20)

    def start_idle(self, script="exec sleep 1000"):
        """A running task, and its container's processes."""
        arn = self.start_one(self.definition("idle", self.shell("main", script)))
        self.ecs.wait_status(arn, "RUNNING")
        return arn, self.container_processes(arn, "main")

    def same_as_before(self, arn, processes):
        self.assertEqual(self.container_processes(arn, "main"), processes)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")

    def test_a_killed_agent_finds_its_containers_again(self):
        arn, processes = self.start_idle()
        self.kill("agent-1")
        self.assertEqual(self.container_processes(arn, "main"), processes)
        self.cluster.start_agent(1)
        self.same_as_before(arn, processes)
        self.stop(arn)
        self.assertEqual(self.container_pids(arn, "main"), [])

    def test_an_agent_that_is_told_to_stop_leaves_its_containers_alone(self):
        arn, processes = self.start_idle()
        self.kill("agent-1", signal.SIGTERM)
        self.assertEqual(self.container_processes(arn, "main"), processes)
        e2e.wait_for("the controller to see it go", lambda: not self.instance()["agentConnected"], 30)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        self.cluster.start_agent(1)
        self.same_as_before(arn, processes)

    def test_what_ended_while_the_agent_was_away_is_reported_with_its_exit_code(self):
        arn, _ = self.start_idle("trap 'exit 7' TERM; while :; do sleep 0.1; done")
        self.kill("agent-1")
        os.kill(self.container_pids(arn, "main")[0], signal.SIGTERM)
        e2e.wait_for("the container to end", lambda: not self.container_pids(arn, "main"), 10)
        self.cluster.start_agent(1)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main")["exitCode"], 7)

    def test_a_task_that_is_stopped_while_the_agent_is_away_is_stopped_when_it_returns(self):
        arn, _ = self.start_idle()
        self.kill("agent-1")
        self.ecs.stop(arn)
        self.assertNotEqual(self.container_pids(arn, "main"), [])
        self.cluster.start_agent(1)
        self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(self.container_pids(arn, "main"), [])

    def test_a_restarted_controller_knows_everything(self):
        arn, processes = self.start_idle()
        definition = self.ecs.task(arn)["taskDefinitionArn"]
        self.kill("controller")
        self.assertEqual(self.container_processes(arn, "main"), processes)
        self.cluster.start_controller()
        e2e.wait_for("the agent to connect again", lambda: self.instance()["agentConnected"], 40)
        self.same_as_before(arn, processes)
        found = self.ecs.call("DescribeTaskDefinition", taskDefinition=definition)["taskDefinition"]
        self.assertEqual(found["taskDefinitionArn"], definition)
        self.stop(arn)

    def test_what_ended_while_the_controller_was_away_is_reported_when_it_returns(self):
        arn, _ = self.start_idle("trap 'exit 6' TERM; while :; do sleep 0.1; done")
        self.kill("controller")
        os.kill(self.container_pids(arn, "main")[0], signal.SIGTERM)
        e2e.wait_for("the container to end", lambda: not self.container_pids(arn, "main"), 10)
        self.cluster.start_controller()
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main")["exitCode"], 6)

    def test_an_agent_without_a_controller_waits_and_says_so(self):
        arn, processes = self.start_idle()
        self.kill("agent-1")
        self.kill("controller")
        self.cluster.start_agent(1, wait=False)

        def says_so():
            status, text = self.agent_health()
            return status == 200 and not json.loads(text)["controller"]["connected"]
        e2e.wait_for("the agent to say that it has no controller", says_so, 20)
        self.assertEqual(self.container_processes(arn, "main"), processes)
        self.cluster.start_controller()
        e2e.wait_for("the agent to be healthy", lambda: self.agent_health()[0] == 200, 40)
        self.same_as_before(arn, processes)

    def test_without_containerd_the_host_is_impaired_and_containers_run_on(self):
        arn, processes = self.start_idle()
        self.kill("containerd")

        def impaired():
            status, text = self.agent_health()
            return status == 503 and "containerd" in text
        e2e.wait_for("the agent to say that containerd is away", impaired, 30)
        self.same_as_before(arn, processes)
        self.cluster.start_containerd()
        e2e.wait_for("the agent to be healthy", lambda: self.agent_health()[0] == 200, 60)
        self.same_as_before(arn, processes)
        self.stop(arn)
        self.start_idle()

    def test_what_ended_while_containerd_was_away_is_reported_when_it_returns(self):
        arn, _ = self.start_idle("trap 'exit 5' TERM; while :; do sleep 0.1; done")
        self.kill("containerd")
        os.kill(self.container_pids(arn, "main")[0], signal.SIGTERM)
        e2e.wait_for("the container to end", lambda: not self.container_pids(arn, "main"), 10)
        self.cluster.start_containerd()
        task = self.ecs.wait_status(arn, "STOPPED", 90)
        self.assertEqual(e2e.container(task, "main")["exitCode"], 5)

    def tearDown(self):
        """Whatever a failed test left dead is started again for the next."""
        self.cluster.start_containerd()
        self.cluster.start_controller()
        self.cluster.start_agent(1)


if __name__ == "__main__":
    e2e.main()
