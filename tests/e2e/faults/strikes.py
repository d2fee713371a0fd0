"""Faults: what is struck, how, and at which moment of a task's life."""

import json
import signal
import time

import e2e
from e2e import host, process

VICTIMS = ("agent", "containerd", "shim", "controller")
WAYS = ("kill", "pause")
KINDS = tuple(f"{way}-{victim}" for way in WAYS for victim in VICTIMS)
# A strike comes when a task was first seen to be as far as this, a moment later. ASKED: RunTask was answered.
MOMENTS = ("ASKED", "PENDING", "ACTIVATING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED")
ORDER = ("ASKED", "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING",
         "STOPPED")


def plan_strike(kind, number, plans, random):
    """Everything about round `number`'s strike, from `random` only: rounds walk through all moments."""
    way, _, victim = kind.partition("-")
    moment = MOMENTS[number % len(MOMENTS)]
    if victim == "shim":  # must still be there
        moment = ("ACTIVATING", "RUNNING", "RUNNING", "STOPPING")[number % 4]
    # Only those that somebody stops are STOPPING for a while.
    candidates = [plan for plan in plans if plan.stop_after is not None] if moment == "STOPPING" else plans
    return {"way": way, "victim": victim, "moment": moment, "task": random.choice(candidates),
            "delay": random.choice([0, random.uniform(0, 0.05), random.uniform(0, 0.5)]),
            "outage": random.choice([0, random.uniform(0, 1), random.uniform(1, 4)]),
            "kill_after_pause": random.random() < 0.5}


def describe(strike):
    after = " and killed" if strike["way"] == "pause" and strike["kill_after_pause"] else ""
    return (f"{strike['way']} {strike['victim']} {strike['delay'] * 1000:.0f} ms after {strike['task'].name} was "
            f"{strike['moment']}, back{after} {strike['outage']:.1f} s later")


class Striker:
    """Carries out strikes on a cluster of one agent, and makes it whole again."""

    def __init__(self, cluster):
        self._cluster = cluster

    def strike(self, strike):
        """Waits for the moment, strikes, restores. Returns (task name, container name) of a killed shim, else None."""
        self._await(strike["task"], strike["moment"])
        time.sleep(strike["delay"])
        name = "agent-1" if strike["victim"] == "agent" else strike["victim"]
        shim = self._shim_of(strike["task"]) if name == "shim" else None
        if name == "shim" and shim is None:
            print(" (its shim was not there)", end="")
            return None
        victim = shim[0] if shim else self._cluster.process(name)
        is_killed = strike["way"] == "kill"
        if not is_killed:
            process.kill(victim, signal.SIGSTOP)
            time.sleep(max(0.5, strike["outage"]))
            is_killed = strike["kill_after_pause"]
            process.kill(victim, signal.SIGKILL if is_killed else signal.SIGCONT)
        else:
            process.kill(victim, signal.SIGKILL)
        if not is_killed:
            return None
        e2e.wait_for(f"{name} to end", lambda: process.is_gone(victim), 10)
        if name == "shim":
            return strike["task"].name, shim[1]
        if strike["way"] == "kill":
            time.sleep(strike["outage"])
        self.restore()
        return None

    def restore(self):
        """Starts whatever is dead, and lets go on whatever is paused."""
        for name in ("containerd", "controller", "agent-1"):
            if process.is_alive(self._cluster.process(name)):
                process.kill(self._cluster.process(name), signal.SIGCONT)
        self._cluster.start_containerd()
        self._cluster.start_controller()
        self._cluster.start_agent(1, wait=False)

    def _shim_of(self, plan):
        """(process, container name) of a shim of the task, or None."""
        for shim in host.shims_of(self._cluster.containerd_address):
            arguments = shim["arguments"]
            container_id = arguments[arguments.index("-id") + 1] if "-id" in arguments else ""
            # "start" and "delete" are short-lived errands of containerd, not shims.
            if plan.arn and container_id.startswith(e2e.task_id(plan.arn)) and arguments[-1] not in ("start", "delete"):
                return shim, container_id.partition("-")[2]
        return None

    def _await(self, plan, moment):
        def reached():
            if not plan.arn:
                return False
            if moment == "ASKED":
                return True
            _, text = e2e.get(f"http://{self._cluster.agent_http(1)}/v1/tasks", timeout=1)
            known = {task["Arn"]: task["KnownStatus"] for task in json.loads(text)["Tasks"]}
            return ORDER.index(known.get(plan.arn, "ASKED")) >= ORDER.index(moment)
        e2e.wait_for(f"{plan.name} to be {moment}", reached, 40, period=0.005)
