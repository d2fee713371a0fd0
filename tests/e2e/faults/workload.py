"""Tasks that keep count of themselves: what each container did stands in a file of its own, which no fault can falsify."""

import dataclasses
import os

import e2e

# A container appends "start RUN" when it begins and "end RUN CODE" when it ends in any way but SIGKILL. RUN is another
# each time. The trap stands before the first line is written: who has a start line obeys (or ignores) SIGTERM.
SCRIPT = """
finish() { echo "end $run $1" >>/counts/$NAME; exit $1; }
if [ -n "$IGNORES_TERM" ]; then trap '' TERM; else trap 'finish $TERM_CODE' TERM; fi
read run </proc/sys/kernel/random/uuid
echo "start $run" >>/counts/$NAME
while [ $TICKS -gt 0 ]; do sleep 0.1 & wait $!; TICKS=$((TICKS - 1)); done
finish $CODE
"""
FOREVER = 100000  # ticks
KILLED = 128 + 9
PATIENCE = 30  # stopTimeout of those who obey, in seconds
RUNC_TERMINATED = 2  # Go's runtime, when SIGTERM cannot end a process that is number 1
# What runc's waiting process says, and ends with 1, when its `runc start` is killed: by the shim, when the containerd that
# asked for it dies.
START_KILLED = "write exec fifo"


@dataclasses.dataclass
class Plan:
    """What a container shall do. It runs for `ticks` tenths of a second, unless it is stopped before."""

    name: str
    ticks: int
    code: int  # if it ends by itself
    term_code: int  # if it is told to end
    ignores_term: bool = False
    may_be_absent: bool = False  # another container's end may come before its start

    def environment(self):
        values = {"NAME": self.name, "TICKS": self.ticks, "CODE": self.code, "TERM_CODE": self.term_code,
                  "IGNORES_TERM": "yes" if self.ignores_term else ""}
        return [{"name": name, "value": str(value)} for name, value in values.items()]


@dataclasses.dataclass
class TaskPlan:
    """A task: its family, its containers by name, and when somebody stops it (seconds after all were started)."""

    name: str
    family: str
    containers: dict
    stop_after: float = None
    arn: str = ""

    def overrides(self):
        return {"containerOverrides": [{"name": name, "environment": plan.environment()}
                                       for name, plan in self.containers.items()]}


def definitions(image, folder):
    """The families of task definitions that plans name."""
    main = {"name": "main", "image": image, "memory": 32, "essential": True, "entryPoint": ["/bin/sh", "-c"],
            "command": [SCRIPT], "mountPoints": [{"sourceVolume": "counts", "containerPath": "/counts"}]}
    volumes = [{"name": "counts", "host": {"sourcePath": folder}}]
    port = {"portMappings": [{"containerPort": 8080}]}
    # Long enough that nobody who obeys is killed.
    patient = {**main, "stopTimeout": PATIENCE}
    return [{"family": family, "networkMode": "bridge", "volumes": volumes, "containerDefinitions": containers}
            for family, containers in (
                ("worker", [{**patient, **port}]),
                ("stubborn", [{**main, "stopTimeout": 1}]),
                ("pair", [patient, {**patient, "name": "side", "essential": False}]))]


def plan_round(prefix, random):
    """The tasks of one round: two that end by themselves, a pair, one that is stopped, one that ignores SIGTERM."""
    codes = random.sample(range(1, 100), 12)

    def container(name, ticks, **members):
        return Plan(f"{prefix}-{name}", ticks, codes.pop(), codes.pop(), **members)

    return [
        TaskPlan(f"{prefix}-short", "worker", {"main": container("short", random.randrange(0, 4))}),
        TaskPlan(f"{prefix}-long", "worker", {"main": container("long", random.randrange(10, 25))}),
        TaskPlan(f"{prefix}-pair", "pair", {
            "main": container("pair", random.randrange(5, 20)),
            "side": container("side", random.choice([random.randrange(0, 4), FOREVER]), may_be_absent=True)}),
        TaskPlan(f"{prefix}-stopped", "worker", {"main": container("stopped", FOREVER)}, random.uniform(0, 2)),
        TaskPlan(f"{prefix}-stubborn", "stubborn", {"main": container("stubborn", FOREVER, ignores_term=True)},
                 random.uniform(0, 2)),
    ]


def read_counts(folder, name):
    """(runs begun, [(run, exit code)] ended) of a container, from its own file."""
    try:
        with open(f"{folder}/{name}", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except FileNotFoundError:
        return [], []
    return ([line[1] for line in lines if line[0] == "start"],
            [(line[1], int(line[2])) for line in lines if line[0] == "end"])


def untruths(folder, task, plan, shot):
    """What is wrong with a STOPPED task as the API describes it, compared with its containers' own words.

    `shot`: names of containers of this task whose shim was killed by the test: containerd then kills the container
    (exit code 137), and if it had just ended by itself nobody may know how.
    """
    found = []
    for name, expected in plan.containers.items():
        described = e2e.container(task, name)
        begun, ended = read_counts(folder, expected.name)
        problem = (_wrong_count(begun, ended)
                   or _wrong_code(described, task, begun, ended, expected, plan.stop_after is not None, name in shot))
        if problem:
            found.append(f"{expected.name}: {problem} (API: exit code {described.get('exitCode')}; "
                         f"{e2e.reasons(task)}; its own words: {len(begun)} starts, ends {ended})")
    return found


def _wrong_count(begun, ended):
    if len(begun) > 1:
        return "ran more than once"
    if [run for run, _ in ended] not in ([], begun):
        return "ended without, or more often than, it began"
    return None


def _wrong_code(described, task, begun, ended, expected, is_stopped, is_shot):
    code = described.get("exitCode")
    if code is None and not (described.get("reason") or task.get("stoppedReason")):
        return "has neither an exit code nor a reason"
    if is_shot and code in (None, KILLED):
        return None
    if ended:
        return None if code == ended[0][1] else "the exit code is not the container's"
    if begun:  # was killed
        # Process 1 does not notice a SIGTERM that comes before its trap stands (the kernel's rule): it is killed at the
        # end of its grace period, and not before.
        is_deaf = expected.ignores_term or (is_stopped or expected.may_be_absent) and _grace(task) >= PATIENCE - 1
        return None if is_deaf and code == KILLED else "was killed, and nobody was to kill it"
    if code == 1 and START_KILLED in described.get("reason", ""):
        return None
    if is_stopped or expected.may_be_absent or is_shot:
        # SIGTERM before the trap stands ends in SIGKILL; before runc has become the shell, in the end of runc.
        return None if code in (None, KILLED, RUNC_TERMINATED) else "has an exit code and did not run"
    return "never ran"


def _grace(task):
    """Seconds between the task's first stop signals and the end of its last container."""
    return task.get("executionStoppedAt", 0) - task.get("stoppingAt", 0)


def unknown_counts(folder, plans):
    """Files of containers that nobody planned."""
    known = {container.name for plan in plans for container in plan.containers.values()}
    return sorted(set(os.listdir(folder)) - known)
