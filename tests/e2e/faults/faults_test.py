#!/usr/bin/python3
"""Whatever is killed or paused, whenever: no container runs twice, none is lost, every exit code is right, nothing stays.

  tests/e2e/faults/faults_test.py [--kind KIND]... [--rounds N] [--seed S] [--first N]

Each kind of fault (kill-agent, pause-shim, ...) has N rounds. In each a handful of tasks run while the fault strikes at
a moment of their life; then the files that the containers wrote are compared with what the API says. All choices come
from the seed: a failure prints the command that makes them again. DAVIT_FAULT_ROUNDS: N when it is not given.
"""

import argparse
import concurrent.futures
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
import e2e  # noqa: E402 (after the path is set)
import remains  # noqa: E402
import strikes  # noqa: E402
import workload  # noqa: E402

OPTIONS = argparse.Namespace(kind=None, rounds=5, seed=0, first=0)
ROUND_SECONDS = 90


class Faults(e2e.ClusterTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.counts = f"{cls.folder}/counts"
        os.mkdir(cls.counts)
        for definition in workload.definitions(cls.image, cls.counts):
            cls.ecs.register(definition)
        cls.striker = strikes.Striker(cls.cluster)

    def setUp(self):
        self.addCleanup(self.striker.restore)

    def rounds(self, kind):
        for number in range(OPTIONS.first, OPTIONS.first + OPTIONS.rounds):
            begun = time.monotonic()
            logs = {name: os.path.getsize(self.cluster.log(name)) for name in ("agent-1", "controller", "containerd")}
            source = random.Random(f"{kind} {OPTIONS.seed} {number}")
            plans = workload.plan_round(f"{kind}-{number}", source)
            strike = strikes.plan_strike(kind, number, plans, source)
            print(f"  {kind} round {number}: {strikes.describe(strike)} ...", end="", flush=True)
            try:
                self.round(plans, strike)
            except BaseException:
                print(" FAILED")
                print(f"again: {os.path.relpath(__file__)} --kind {kind} --seed {OPTIONS.seed} --first {number} --rounds 1")
                self.show_logs(logs)
                raise
            print(f" {time.monotonic() - begun:.1f} s")

    def round(self, plans, strike):
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            struck = pool.submit(self.striker.strike, strike)
            for plan in plans:
                self.run_task(plan)
            stops = [pool.submit(self.stop_later, plan) for plan in plans if plan.stop_after is not None]
            shot = struck.result()
            for stop in stops:
                stop.result()
        ended = self.await_end(plans)
        found = []
        for plan in plans:
            names = {shot[1]} if shot and shot[0] == plan.name else set()
            found += workload.untruths(self.counts, ended[plan.arn], plan, names)
        self.assertEqual(found, [])
        known = {container.name for plan in plans for container in plan.containers.values()}
        strangers = [name for name in os.listdir(self.counts) if name not in known]
        self.assertEqual(strangers, [], "files of containers that nobody asked for")
        self.nothing_is_left(plans)
        for name in os.listdir(self.counts):
            os.unlink(f"{self.counts}/{name}")

    def run_task(self, plan):
        """RunTask, once: when its answer is lost, looks whether it was heard."""
        def run():
            arns = [arn for status in ("RUNNING", "STOPPED") for arn in
                    self.ecs.call("ListTasks", startedBy=plan.name, desiredStatus=status)["taskArns"]]
            if arns:
                return arns
            answer = self.ecs.call("RunTask", taskDefinition=plan.family, overrides=plan.overrides(),
                                   startedBy=plan.name)
            # A host whose agent or containerd is away gets no new tasks: that is a user's "try again later".
            self.assertIn([failure["reason"] for failure in answer["failures"]], ([], ["AGENT"]))
            return [task["taskArn"] for task in answer["tasks"]]
        plan.arn, = e2e.wait_for(f"RunTask of {plan.name}", run, 40, period=0.2)

    def stop_later(self, plan):
        time.sleep(plan.stop_after)
        e2e.wait_for(f"StopTask of {plan.name}", lambda: self.ecs.stop(plan.arn), 40)

    def await_end(self, plans):
        """arn -> described task, once all are STOPPED. Meanwhile nothing that was said may be taken back."""
        seen = {}

        def look():
            answer = self.ecs.call("DescribeTasks", tasks=[plan.arn for plan in plans])
            self.assertEqual(answer["failures"], [])
            for task in answer["tasks"]:
                before = seen.get(task["taskArn"], task)
                self.assertGreaterEqual(strikes.ORDER.index(task["lastStatus"]), strikes.ORDER.index(before["lastStatus"]))
                for old, new in zip(before["containers"], task["containers"]):
                    if "exitCode" in old:
                        self.assertEqual(new.get("exitCode"), old["exitCode"])
                seen[task["taskArn"]] = task
            return all(task["lastStatus"] == "STOPPED" for task in answer["tasks"])
        try:
            e2e.wait_for("all tasks to be STOPPED", look, ROUND_SECONDS)
        except e2e.Timeout:
            self.fail("not STOPPED: " + "; ".join(
                f"{task['startedBy']} is {task['lastStatus']}" for task in seen.values() if task["lastStatus"] != "STOPPED"))
        return seen

    def nothing_is_left(self, plans):
        def left():
            return (remains.of_tasks(self.cluster, [e2e.task_id(plan.arn) for plan in plans])
                    + remains.veths(self.cluster)
                    + remains.shim_sockets(self.cluster, [f"{e2e.task_id(plan.arn)}-{name}" for plan in plans
                                                          for name in plan.containers]))
        try:
            e2e.wait_for("the host to be clean", lambda: not left(), 20)
        except e2e.Timeout:
            self.assertEqual(left(), [])

    def show_logs(self, offsets):
        """What the programs wrote since the round began."""
        for name, offset in offsets.items():
            with open(self.cluster.log(name), encoding="utf-8", errors="replace") as file:
                file.seek(offset)
                lines = file.readlines()
            print(f"---- {name}.log of this round, {len(lines)} lines")
            print("".join(lines[:150] + ["...\n"] * (len(lines) > 300) + lines[150:][-150:]))


def add_tests(kinds):
    """One test for each kind of fault."""
    for kind in kinds:
        way, _, victim = kind.partition("-")
        ended = {"kill": "killed", "pause": "paused"}[way]
        setattr(Faults, f"test_a_{victim}_that_is_{ended}", lambda self, kind=kind: self.rounds(kind))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=strikes.KINDS)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("DAVIT_FAULT_ROUNDS", "5")))
    parser.add_argument("--seed", type=int, default=random.randrange(1000000))
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.parse_args(namespace=OPTIONS)
    e2e.skip_unless_possible()
    print(f"seed {OPTIONS.seed}")
    add_tests(OPTIONS.kind or strikes.KINDS)
    e2e.run_tests(sys.argv[:1])


if __name__ == "__main__":
    main()
