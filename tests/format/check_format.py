#!/usr/bin/python3
"""Checks that every C++ file of ours is as clang-format writes it (.clang-format: Google, 100 columns).

  check_format.py ROOT         names each file that is not, with the first line that differs, and the command that fixes it
  check_format.py --self-test  checks that this finds what it must find, and nothing else
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = "clang-format-14"  # another version formats differently
BATCH = 100
SKIPPED = 77  # the exit code that ctest takes for "skipped"


def files_of(root):
    """Paths below `root` of the C++ files that git tracks; of all that are there when it is no git checkout."""
    result = subprocess.run(["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z", "*.h", "*.cc"],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return [name for name in result.stdout.split("\0") if name and os.path.exists(f"{root}/{name}")]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "build" and not name.startswith(".")]
        found += [os.path.relpath(f"{folder}/{name}", root) for name in names if name.endswith((".h", ".cc"))]
    return sorted(found)


def suspects(root, names):
    """Those of the files that clang-format would change, or cannot read. One process for many files: starting costs most."""
    result = subprocess.run([PROGRAM, "--style=file", "--dry-run", *names], cwd=root, capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        return names  # problem() tells which, and why
    named = set(re.findall(r"^(\S.*?):\d+:\d+: ", result.stderr, re.MULTILINE))
    return [name for name in names if name in named]


def problem(root, name):
    """The first line of the file that clang-format would change, or None."""
    with open(f"{root}/{name}", encoding="utf-8") as file:
        lines = file.read().split("\n")
    result = subprocess.run([PROGRAM, "--style=file", name], cwd=root, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return f"{name}: {PROGRAM}: {result.stderr.strip()}"
    formatted = result.stdout.split("\n")
    for number, line in enumerate(lines, start=1):
        wanted = formatted[number - 1] if number <= len(formatted) else None
        if line != wanted:
            return f"{name}:{number}: {line!r} is to be " + ("removed" if wanted is None else repr(wanted))
    return None if len(formatted) == len(lines) else f"{name}:{len(lines)}: lines are missing at the end"


def problems(root, names):
    batches = [names[first:first + BATCH] for first in range(0, len(names), BATCH)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [name for batch in pool.map(lambda batch: suspects(root, batch), batches) for name in batch]
    return [text for text in (problem(root, name) for name in found) if text]


def fix_command(found):
    """What to type, in the root."""
    names = [one.partition(":")[0] for one in found]
    if len(names) > 10:
        return f"git ls-files '*.h' '*.cc' | xargs {PROGRAM} -i"
    return f"{PROGRAM} -i {' '.join(names)}"


class SelfTest(unittest.TestCase):

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="davit-format-")
        self.addCleanup(shutil.rmtree, self.root)
        source = os.path.realpath(f"{os.path.dirname(os.path.realpath(__file__))}/../../.clang-format")
        shutil.copy(source, f"{self.root}/.clang-format")

    def write(self, name, text):
        os.makedirs(os.path.dirname(f"{self.root}/{name}"), exist_ok=True)
        with open(f"{self.root}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def check(self):
        return problems(self.root, files_of(self.root))

    def test_a_well_formatted_file_is_no_problem(self):
        self.write("a/good.cc", "int F() { return 1; }\n")
        self.assertEqual(self.check(), [])

    def test_a_badly_formatted_file_is_named_with_the_line_and_the_cure(self):
        self.write("a/good.cc", "int F() { return 1; }\n")
        self.write("a/bad.h", "int F();\n\nint  G( );\n")
        self.assertEqual(self.check(), ["a/bad.h:3: 'int  G( );' is to be 'int G();'"])
        self.assertEqual(fix_command(self.check()), f"{PROGRAM} -i a/bad.h")

    def test_a_line_of_more_than_100_columns_is_found(self):
        self.write("a/long.cc", f"// {'word ' * 30}\nint F();\n")
        self.assertEqual(len(self.check()), 1)

    def test_what_the_build_makes_is_not_ours(self):
        self.write("build/release/gen/x.pb.cc", "int  F( );\n")
        self.write(".cache/x.cc", "int  F( );\n")
        self.assertEqual(files_of(self.root), [])

    def test_in_a_checkout_only_tracked_files_count(self):
        self.write("a/tracked.cc", "int  F( );\n")
        self.write("a/scratch.cc", "int  F( );\n")
        for command in (["init", "-q"], ["add", "a/tracked.cc"]):
            subprocess.run(["git", "-C", self.root, *command], check=True)
        self.assertEqual(files_of(self.root), ["a/tracked.cc"])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which(PROGRAM):
        print(f"DAVIT-SKIPPED: format: {PROGRAM} is not installed; scripts/setup installs it")
        sys.exit(SKIPPED)
    if sys.argv[1] == "--self-test":
        unittest.main(argv=sys.argv[:1])
    root = sys.argv[1]
    names = files_of(root)
    if not names:
        sys.exit(f"no C++ files in {root}")
    found = problems(root, names)
    if found:
        print("\n".join(found))
        sys.exit(f"{len(found)} of {len(names)} files are not as {PROGRAM} writes them. To fix this:\n  {fix_command(found)}")
    print(f"{len(names)} files")


if __name__ == "__main__":
    main()
