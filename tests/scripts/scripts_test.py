#!/usr/bin/python3
"""What scripts/ decides without a cluster: what is run again, which files are checked, what counts as left behind."""

import importlib.machinery
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, f"{ROOT}/scripts")
sys.dont_write_bytecode = True
from davitdev import claims, deep, ecs, host, leaks, process, sweep, tidy, waiting  # noqa: E402 (after the path is set)


def leak_check():
    """scripts/leak-check as a module."""
    loader = importlib.machinery.SourceFileLoader("leak_check", f"{ROOT}/scripts/leak-check")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("leak_check", loader))
    loader.exec_module(module)
    return module


class InFolder(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="davit-scripts-")
        self.addCleanup(shutil.rmtree, self.folder)

    def replace(self, module, name, value):
        patch = mock.patch.object(module, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def path(self, name):
        return f"{self.folder}/{name}"


class Deep(InFolder):

    def setUp(self):
        super().setUp()
        self.replace(deep, "FOLDER", self.folder)

    def count(self):
        """How often the step below ran."""
        try:
            with open(self.path("runs"), encoding="ascii") as file:
                return len(file.readlines())
        except OSError:
            return 0

    def step(self, code=0, first=False):
        return deep.Step("a step", ["sh", "-c", f"echo x >>{self.folder}/runs; exit {code}"], first=first)

    def run_part(self, key, *steps):
        self.replace(deep, "PARTS", {"part": lambda: list(steps)})
        with open(os.devnull, "w", encoding="ascii") as silence, mock.patch.object(sys, "stdout", silence):
            return deep.run_part("part", deep.State(key))[0]

    def test_what_passed_is_not_repeated_for_the_same_sources(self):
        for _ in range(2):
            self.assertEqual(self.run_part("commit 1", self.step()), "passed")
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.run_part("commit 2", self.step()), "passed")
        self.assertEqual(self.count(), 2)

    def test_what_failed_is_repeated(self):
        for _ in range(2):
            self.assertEqual(self.run_part("commit 1", self.step(code=1)), "FAILED")
        self.assertEqual(self.count(), 2)

    def test_a_failed_build_is_the_end_of_its_part(self):
        build = deep.Step("build", ["false"], first=True)
        self.assertEqual(self.run_part("commit 1", build, self.step()), "FAILED")
        self.assertEqual(self.count(), 0)

    def test_one_failed_step_does_not_stop_the_others(self):
        self.assertEqual(self.run_part("commit 1", deep.Step("bad", ["false"]), self.step()), "FAILED")
        self.assertEqual(self.count(), 1)

    def test_every_fuzzer_has_a_step(self):
        names = {step.name for step in deep.fuzz() if not step.first}
        self.assertIn("manifest", names)
        self.assertEqual(len(names), sum(name.startswith("fuzz_") and name.endswith(".cc")
                                         for name in os.listdir(f"{ROOT}/tests/fuzz")))

    def test_the_seeds_are_complete(self):
        ranges = [step.name.split("..") for step in deep.seeds() if not step.first]
        covered = [seed for first, last in ranges for seed in range(int(first), int(last) + 1)]
        self.assertEqual(covered, list(range(1, 30001)))


class Tidy(InFolder):

    def setUp(self):
        super().setUp()
        self.replace(tidy, "ROOT", self.folder)
        os.mkdir(self.path("a"))
        for name, text in (("a/one.cc", '#include "a/one.h"\n'), ("a/two.cc", '#include "a/only.h"\n')):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(text)
        self.commands = {"a/one.cc": {}, "a/two.cc": {}}

    def test_a_header_is_checked_by_the_source_beside_it_or_by_one_that_includes_it(self):
        self.assertEqual(tidy.units_for(["a/one.h"], self.commands), ["a/one.cc"])
        self.assertEqual(tidy.units_for(["a/only.h"], self.commands), ["a/two.cc"])
        self.assertEqual(tidy.units_for(["a/two.cc", "a/only.h", "README.md"], self.commands), ["a/two.cc"])

    def test_the_precompiled_header_of_gcc_is_left_out(self):
        command = "c++ -O2 -fpch-preprocess -Winvalid-pch -include /x/CMakeFiles/y.dir/cmake_pch.hxx -o z.o -c z.cc"
        self.assertEqual(tidy.GCC_ONLY.sub("", command), "c++ -O2 -o z.o -c z.cc")


class Leaks(InFolder):

    def setUp(self):
        super().setUp()
        self.replace(host, "iptables_rules", lambda: {})
        self.replace(claims, "of_other_runs", lambda: {"/tmp/theirs": {"slots": [7], "ports": list(range(9)), "run": "other"}})
        self.check = leak_check()
        self.theirs = leaks.Names(self.check.Cluster("/tmp/theirs", claim={"slots": [7], "ports": list(range(9))}))

    def found(self, *things):
        return self.check.without_other_runs(list(things))

    def test_what_belongs_to_a_cluster_of_another_run_is_not_ours(self):
        theirs = [f"link: {self.theirs.bridge_prefix}1", f"cgroup: /sys/fs/cgroup/{self.theirs.prefix}1",
                  "process: 12 containerd --config /tmp/theirs/config/containerd.toml",
                  "iptables: nat: -A POSTROUTING -s 10.214.7.2/32 -j CNI-1", "sysctl: net/ipv4/ip_forward = 1",
                  "iptables: nat: :CNI-HOSTPORT-DNAT -"]
        self.assertEqual(self.found(*theirs), [])

    def test_everything_else_is(self):
        ours = ["link: dv01234567-1", "cgroup: /sys/fs/cgroup/davit-01234567-1",
                "process: 12 containerd --config /tmp/ours/config/containerd.toml",
                "iptables: nat: -A POSTROUTING -s 10.214.8.2/32 -j CNI-2", "file: /run/netns/x"]
        self.assertEqual(self.found(*ours), ours)

    def test_alone_on_the_host_even_kernel_switches_are_ours(self):
        self.replace(claims, "of_other_runs", lambda: {})
        self.assertEqual(self.found("sysctl: net/ipv4/ip_forward = 1"), ["sysctl: net/ipv4/ip_forward = 1"])


class Sweep(InFolder):

    def leave(self, name, age):
        """A folder that was left `age` seconds ago."""
        os.makedirs(self.path(f"{name}/inside"))
        for path in (f"{name}/inside", name):
            os.utime(self.path(path), (time.time() - age,) * 2)
        return self.path(name)

    def test_only_old_folders_of_ours_that_nobody_uses_are_leftovers(self):
        old = self.leave("davit-e2e-old", sweep.AGE + 60)
        self.leave("davit-e2e-young", 60)
        self.leave("other-old", sweep.AGE + 60)
        used = self.leave("davit-e2e-used", sweep.AGE + 60)
        user = subprocess.Popen(["sh", "-c", "read line", f"{used}/config"], stdin=subprocess.PIPE)
        try:
            self.assertEqual(sweep.leftovers(self.folder), [old])
        finally:
            user.communicate(b"\n")
        self.assertEqual(sweep.leftovers(self.folder), [old, used])

    def test_a_leftover_is_removed_with_all_that_is_in_it(self):
        path = self.leave("davit-e2e-old", sweep.AGE + 60)
        sweep.remove(path)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_link_is_removed_and_not_what_it_names(self):
        kept = self.leave("kept", 0)
        os.symlink(kept, self.path("davit-link"))
        sweep.remove(self.path("davit-link"))
        self.assertEqual(os.listdir(self.folder), ["kept"])


class Processes(unittest.TestCase):

    def test_the_oldest_process_comes_first_whatever_its_number(self):
        with open("/proc/self/stat", encoding="ascii") as file:
            rest = file.read().rpartition(")")[2].split()
        stats = {12: ("S", 31000, 500), 31000: ("S", 1, 500), 40: ("S", 1, 700), 41: ("Z", 1, 100)}

        def fields(pid):
            state, parent, start = stats[pid]
            return None if state == "Z" else [state, str(parent), *rest[2:19], str(start)]
        with mock.patch.object(process, "_fields", fields):
            self.assertEqual(process.oldest_first(set(stats)), [31000, 12, 40])

    def test_a_process_of_ours_has_a_start(self):
        self.assertEqual(process.oldest_first({os.getpid()}), [os.getpid()])
        self.assertGreater(process.start_time(os.getpid()), 0)


class Answers(unittest.TestCase):

    def test_an_answer_that_breaks_off_is_no_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def answer():
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n")
            thread = threading.Thread(target=answer)
            thread.start()
            with self.assertRaises(OSError):
                ecs.Ecs(f"http://127.0.0.1:{server.getsockname()[1]}").call("ListTasks")
            thread.join()


class Waiting(unittest.TestCase):

    def test_the_text_of_a_timeout_says_what_was_awaited_and_how_things_stood(self):
        def never():
            raise OSError("no such luck")
        with self.assertRaisesRegex(waiting.Timeout, r"waited 0 s for the moon \(last: no such luck\)"):
            waiting.wait_for("the moon", never, 0)


if __name__ == "__main__":
    unittest.main()
