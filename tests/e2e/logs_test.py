#!/usr/bin/python3
"""The output of containers is kept, whatever happens to the agent."""

import glob

import e2e
from e2e import process


class Logs(e2e.ClusterTest):

    def output(self, arn, name):
        """All that container `name` has written so far: rotated files first, the current one last."""
        folder = f"{self.cluster.agent_state(1)}/logs/{e2e.task_id(arn)}"
        texts = []
        for path in sorted(glob.glob(f"{folder}/{name}.log*"), reverse=True):
            with open(path, encoding="utf-8", errors="replace") as file:
                texts.append(file.read())
        return "".join(texts)

    def test_both_outputs_of_a_container_are_kept_after_its_end(self):
        arn = self.start_one(self.definition("say", self.shell("main", "echo to-stdout; echo to-stderr >&2")))
        self.ecs.wait_status(arn, "STOPPED")
        text = self.output(arn, "main")
        self.assertIn("to-stdout", text)
        self.assertIn("to-stderr", text)

    def test_not_a_line_is_lost_while_the_agent_is_away(self):
        script = "i=0; while :; do echo line-$i.; i=$((i+1)); sleep 0.02; done"
        arn = self.start_one(self.definition("count", self.shell("main", script)))
        self.ecs.wait_status(arn, "RUNNING")

        def lines():
            return self.output(arn, "main").count("line-")

        victim = self.cluster.process("agent-1")
        process.kill(victim, 9)
        e2e.wait_for("the agent to end", lambda: process.is_gone(victim), 10)
        at_kill = lines()
        e2e.wait_for("50 more lines without an agent", lambda: lines() > at_kill + 50, 20)
        self.cluster.start_agent(1)
        at_return = lines()
        e2e.wait_for("50 more lines with the agent", lambda: lines() > at_return + 50, 20)
        self.stop(arn)
        text = self.output(arn, "main")
        missing = [number for number in range(lines()) if f"line-{number}." not in text]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    e2e.main()
