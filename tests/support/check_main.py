#!/usr/bin/python3
"""check_main.py PROBE: the main() of all test programs tells passed, failed and skipped test cases apart.

PROBE is main_probe.cc as a program. A skipped case must never hide a failure of another one.
"""

import subprocess
import sys
import unittest

PROBE = sys.argv.pop()


def run(cases):
    """(exit code, the DAVIT- lines of the output) of the probe with these test cases."""
    result = subprocess.run([PROBE, cases], capture_output=True, text=True, timeout=30, check=False)
    return result.returncode, [line for line in result.stdout.splitlines() if line.startswith("DAVIT-")]


class Main(unittest.TestCase):

    def test_what_passes_is_silent(self):
        self.assertEqual(run("passes"), (0, []))

    def test_a_skipped_case_has_its_reason_and_the_exit_code_of_skipped_programs(self):
        code, lines = run("passes,skips in a section,skips in its fixture")
        self.assertEqual(code, 77)
        self.assertEqual(lines, ["DAVIT-SKIPPED: main_probe: skips in a section: needs the moon",
                                 "DAVIT-SKIPPED: main_probe: skips in its fixture: the fixture needs the moon"])

    def test_a_failed_case_is_named_and_not_hidden_by_a_skipped_one(self):
        code, lines = run("passes,skips in a section,fails")
        self.assertEqual(code, 1)
        self.assertEqual(lines, ["DAVIT-SKIPPED: main_probe: skips in a section: needs the moon",
                                 "DAVIT-FAILED: main_probe: fails"])

    def test_a_case_that_fails_before_it_skips_has_failed(self):
        code, lines = run("fails\\, then skips")
        self.assertEqual(code, 1)
        self.assertIn("DAVIT-FAILED: main_probe: fails, then skips", lines)

    def test_a_case_that_ends_the_process_is_named(self):
        code, lines = run("crashes")
        self.assertNotIn(code, (0, 77))
        self.assertEqual(lines, ["DAVIT-FAILED: main_probe: crashes"])


if __name__ == "__main__":
    unittest.main()
