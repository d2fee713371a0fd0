"""Starting containers through the agent, against the agent's own containerd calls without an agent around them.

Two ways: N at once (eight at a time, as many as the agent's runtime pool has threads), compared by total time; and one
after the other, where the difference of the times is what the agent adds between assignment and RUNNING.
"""

import argparse
import datetime
import json
import os
import re
import statistics
import subprocess

from davitdev.cluster import bin_folder
from fleet import fleet, percentile

CONCURRENCY = 8  # kRuntimeThreads in agent/main.cc


class Direct:
    """The baseline: bench/direct_start with the spec of a container that the agent made."""

    def __init__(self, one, arn):
        task_id = arn.rpartition("/")[2]
        info = json.loads(one.ctr("containers", "info", f"{task_id}-main"))
        snapshot = json.loads(one.ctr("snapshots", "info", info["SnapshotKey"]))
        spec = f"{one.folder}/spec.json"
        with open(spec, "w", encoding="utf-8") as file:
            json.dump(info["Spec"], file)
        logs = f"{one.folder}/direct-logs"
        os.makedirs(logs, exist_ok=True)
        self.command = [f"{bin_folder()}/direct_start", "--address", one.cluster.containerd_address, "--namespace",
                        one.cluster.agent_namespace(1), "--spec", spec, "--task-id", task_id, "--chain-id",
                        snapshot["Parent"], "--image", info["Image"], "--logger", f"{bin_folder()}/davit-logger",
                        "--log-folder", logs]

    def run(self, count, concurrency):
        """(milliseconds of each, milliseconds of all)"""
        output = subprocess.run([*self.command, "--count", str(count), "--concurrency", str(concurrency)],
                                capture_output=True, text=True, check=True).stdout
        return ([float(value) for value in re.findall(r"^each (.*)$", output, re.MULTILINE)],
                float(re.search(r"^total (.*)$", output, re.MULTILINE).group(1)))


def through_agent(one, count):
    """The same of `count` new tasks, from the agent's log: assignment to RUNNING. The tasks are stopped."""
    log = one.cluster.log("agent-1")
    offset = os.path.getsize(log)
    one.stop(one.start(count))
    with open(log, encoding="utf-8", errors="replace") as file:
        file.seek(offset)
        text = file.read()

    def times(pattern):
        return {arn: datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000
                for at, arn in re.findall(rf"^time=(\S+) .*{pattern}", text, re.MULTILINE)}
    assigned = times(r'msg="task assigned" task_arn=(\S+)')
    running = times(r'msg="task status changed" task_arn=(\S+) from=\S+ to=RUNNING')
    return [running[arn] - assigned[arn] for arn in running], max(running.values()) - min(assigned.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--singles", type=int, default=20)
    arguments = parser.parse_args()
    with fleet() as one:
        arn, = one.start(1)
        direct = Direct(one, arn)
        totals = []
        for _ in range(arguments.rounds):  # interleaved
            baseline = direct.run(arguments.containers, CONCURRENCY)[1]
            totals.append((through_agent(one, arguments.containers)[1], baseline))
        print(f"{arguments.containers} containers at once, {CONCURRENCY} at a time, {arguments.rounds} rounds")
        print(f"  through the agent:    median {statistics.median(a for a, _ in totals):.0f} ms")
        print(f"  the calls directly:   median {statistics.median(b for _, b in totals):.0f} ms")
        ratios = [a / b for a, b in totals]
        print(f"  ratio, round by round: median {statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})")
        agent, baseline = [], []
        for _ in range(arguments.singles):
            baseline += direct.run(1, 1)[0]
            agent += through_agent(one, 1)[0]
        print(f"one at a time, {arguments.singles} times")
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            a, b = percentile(agent, share), percentile(baseline, share)
            print(f"  {name}: assignment to RUNNING {a:.1f} ms, the calls directly {b:.1f} ms, added {a - b:+.1f} ms")


if __name__ == "__main__":
    main()
