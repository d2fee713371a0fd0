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

    def loggers(self, arn):
        """The two processes that hold the pipes of container `main`, the keeper first."""
        path = f"{self.cluster.agent_state(1)}/logs/{e2e.task_id(arn)}/main.log"
        found = [one for one in process.all_processes() if path in one["arguments"]]
        return sorted(found, key=lambda one: one["name"] != "davit-logkeeper")

    def test_a_killed_logger_harms_nobody(self):
        script = "i=0; while :; do echo line-$i.; i=$((i+1)); sleep 0.02; done"
        arn = self.start_one(self.definition("kill", self.shell("main", script)))
        self.ecs.wait_status(arn, "RUNNING")
        before = self.container_processes(arn, "main")[0]

        def lines():
            return self.output(arn, "main").count("line-")

        for which in (0, 1, 1, 0):  # the keeper, the writer, ...
            e2e.wait_for("a keeper and a writer", lambda: len(self.loggers(arn)) == 2, 10)
            victim = self.loggers(arn)[which]
            process.kill(victim, 9)
            e2e.wait_for("the logger's end", lambda one=victim: process.is_gone(one), 10)
            at_kill = lines()
            e2e.wait_for("more lines", lambda so_far=at_kill: lines() > so_far + 20, 20)
        self.assertEqual(self.container_processes(arn, "main")[0], before)  # nobody died of SIGPIPE
        self.assertIn("davit-logger: killed, and started again", self.output(arn, "main"))
        metrics = e2e.get(f"http://{self.cluster.agent_http(1)}/metrics")[1]
        series = f'{{task_id="{e2e.task_id(arn)}",container_name="main",family="kill"}}'
        self.assertIn(f"davit_agent_container_log_writer_kills_total{series} 2", metrics)
        self.assertIn(f"davit_agent_container_logged{series} 1", metrics)
        main = e2e.container(self.stop(arn), "main")
        self.assertIn("log incomplete: its logger was killed 2 times", main["reason"])
        e2e.wait_for("the log line", lambda: "container's log is incomplete" in self.agent_log(), 10)
        e2e.wait_for("the end of its loggers", lambda: not self.loggers(arn), 10)

    def test_the_longest_name_has_a_log(self):
        name = "n" * 255
        task = self.run_to_end(self.definition("long", self.shell(name, "echo far away; exit 3")))
        self.assertEqual(e2e.container(task, name)["reason"], "exit code 3; last output: far away")


if __name__ == "__main__":
    e2e.main()
