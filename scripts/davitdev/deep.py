"""The checks that take too long for every change: scripts/test --deep [PART...].

A part is a list of steps. What passed is noted in build/deep/state.json for the sources as they were, commit and local
changes, so that a run that was interrupted goes on where it was; the next commit begins anew.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
import threading
import time

from davitdev import tidy
from davitdev.cluster import ROOT

FOLDER = f"{ROOT}/build/deep"
JOBS = int(os.environ.get("DAVIT_JOBS", "2"))
SEEDS, SEEDS_A_STEP = 30000, 2500
FAULT_ROUNDS = 10
FUZZ_SECONDS = 120
FILES_A_STEP = 4  # of clang-tidy


class Step:
    """One command. `environment` is added to ours. Steps that are not `first` may run beside each other."""

    def __init__(self, name, command, environment=None, first=False):
        self.name, self.command, self.environment, self.first = name, command, environment or {}, first


def _shell(name):
    """A step's name as a file's."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _sanitized(preset, labels, **options):
    environment = {"DAVIT_PRESET": preset, "DAVIT_TEST_PER_CASE": "OFF"}
    # A report is a failure, in programs that tests start, too.
    return [Step("build", ["scripts/build"], environment, first=True),
            Step("tests", ["ctest", "--test-dir", f"build/{preset}", "--parallel", str(JOBS), "--output-on-failure",
                           "--no-tests=error", "--timeout", "1800", "--label-regex", labels], {**environment, **options})]


def asan():
    return _sanitized("asan", "^(unit|sim)$", ASAN_OPTIONS="detect_leaks=1:halt_on_error=1",
                      UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")


def tsan():
    return _sanitized("tsan", "^unit$", TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:report_signal_unsafe=0")


def tidy_part():
    files = tidy.changed_files(tidy.default_base())
    parts = [files[first:first + FILES_A_STEP] for first in range(0, len(files), FILES_A_STEP)]
    return [Step("build", ["scripts/build"], first=True),
            *(Step(" ".join(part), ["scripts/tidy", *part]) for part in parts)]


def faults():
    build = Step("build", ["scripts/build"], first=True)
    if subprocess.run(build.command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0:
        return [build]  # it fails again, and is shown
    listed = subprocess.run(["ctest", "--test-dir", "build/release", "--show-only=json-v1", "--label-regex", "^faults$",
                             "--fixture-exclude-any", "."], cwd=ROOT, capture_output=True, text=True, check=True)
    # Not by ctest: two of it do not share a build folder.
    steps = []
    for test in json.loads(listed.stdout)["tests"]:
        properties = {one["name"]: one["value"] for one in test["properties"]}
        environment = dict(setting.split("=", 1) for setting in properties.get("ENVIRONMENT", []))
        steps.append(Step(test["name"], ["timeout", "--kill-after=60", "3600", *test["command"]],
                          {**environment, "DAVIT_FAULT_ROUNDS": str(FAULT_ROUNDS)}))
    return [build, *steps]


def seeds():
    ranges = [(first, min(first + SEEDS_A_STEP - 1, SEEDS)) for first in range(1, SEEDS + 1, SEEDS_A_STEP)]
    return [Step("build", ["scripts/build", "davit_sim"], first=True),
            *(Step(f"{first}..{last}", ["build/release/bin/davit_sim", "--seeds", f"{first}..{last}"])
              for first, last in ranges)]


def fuzz():
    names = sorted(name[len("fuzz_"):-len(".cc")] for name in os.listdir(f"{ROOT}/tests/fuzz")
                   if name.startswith("fuzz_") and name.endswith(".cc"))
    targets = [f"fuzz_{name}" for name in names]
    return [Step("build", ["scripts/build", *targets], {"DAVIT_PRESET": "fuzz"}, first=True),
            *(Step(name, ["scripts/fuzz", str(FUZZ_SECONDS), name]) for name in names)]


PARTS = {"asan": asan, "tsan": tsan, "tidy": tidy_part, "seeds": seeds, "fuzz": fuzz, "faults": faults}


def sources_key():
    """Names the sources as they are: the commit, and what was changed since."""
    def git(*arguments):
        return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
    changes = git("diff", "HEAD")
    for name in git("ls-files", "-z", "--others", "--exclude-standard").decode().split("\0"):
        if name:
            with open(f"{ROOT}/{name}", "rb") as file:
                changes += name.encode() + file.read()
    commit = git("rev-parse", "--short=12", "HEAD").decode().strip()
    return commit + (f"+{hashlib.sha256(changes).hexdigest()[:8]}" if changes else "")


class State:
    """Which steps passed, in a file that is written after each. Thread-safe."""

    def __init__(self, key):
        self._path, self._key, self._lock = f"{FOLDER}/state.json", key, threading.Lock()
        try:
            with open(self._path, encoding="utf-8") as file:
                kept = json.load(file)
        except (OSError, ValueError):
            kept = {}
        self._passed = kept.get("passed", {}) if kept.get("sources") == key else {}

    def seconds(self, part, step):
        """How long the step took when it passed; None: it did not."""
        with self._lock:
            return self._passed.get(f"{part}: {step.name}")

    def note(self, part, step, seconds):
        with self._lock:
            self._passed[f"{part}: {step.name}"] = seconds
            with open(f"{self._path}.new", "w", encoding="utf-8") as file:
                json.dump({"sources": self._key, "passed": self._passed}, file, indent=1)
            os.replace(f"{self._path}.new", self._path)


def run_step(part, step, state):
    """True if the step passed, now or earlier."""
    if state.seconds(part, step) is not None:
        return True
    log = f"{FOLDER}/{part}-{_shell(step.name)[:80]}.log"
    begin = time.monotonic()
    with open(log, "w", encoding="utf-8") as file:
        code = subprocess.run(step.command, cwd=ROOT, env={**os.environ, **step.environment}, stdin=subprocess.DEVNULL,
                              stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    seconds = time.monotonic() - begin
    print(f"  {part}: {step.name}: {'passed' if code == 0 else f'FAILED ({log})'} after {seconds:.0f} s", flush=True)
    if code != 0:
        with open(log, encoding="utf-8", errors="replace") as file:
            print("".join(f"    | {line}" for line in file.readlines()[-60:]), flush=True)
        return False
    state.note(part, step, seconds)
    return True


def run_part(part, state):
    """(result, detail, seconds of all its steps) of a part."""
    begin = time.monotonic()
    steps = PARTS[part]()
    failed = []
    for step in [one for one in steps if one.first]:
        if not run_step(part, step, state):
            return "FAILED", step.name, time.monotonic() - begin
    others = [one for one in steps if not one.first]
    workers = 1 if part in ("asan", "tsan") else JOBS  # ctest has its own
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for step, passed in zip(others, pool.map(lambda one: run_step(part, one, state), others)):
            if not passed:
                failed.append(step.name)
    seconds = time.monotonic() - begin
    if failed:
        return "FAILED", ", ".join(failed), seconds
    return "passed", f"{len(others)} step{'s' if len(others) != 1 else ''}", seconds


def main(arguments):
    unknown = [name for name in arguments if name not in PARTS]
    if unknown:
        sys.exit(f"scripts/test --deep: no such part: {', '.join(unknown)} ({', '.join(PARTS)})")
    os.makedirs(FOLDER, exist_ok=True)
    key = sources_key()
    state = State(key)
    rows = []
    print(f"sources {key}; logs in {FOLDER}", flush=True)
    for part in arguments or PARTS:
        print(f"== {part}", flush=True)
        rows.append((part, *run_part(part, state)))
    print(f"\n{'part':8} {'result':8} {'time':>8}  what")
    for part, result, detail, seconds in rows:
        print(f"{part:8} {result:8} {seconds / 60:4.1f} min  {detail}")
    print(f"{'in all':8} {'':8} {sum(row[3] for row in rows) / 60:4.1f} min")
    sys.exit(any(row[1] != "passed" for row in rows))


if __name__ == "__main__":
    main(sys.argv[1:])
