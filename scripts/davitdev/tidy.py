"""clang-tidy over C++ files of ours: scripts/tidy [--base COMMIT] [FILE...]."""

import argparse
import json
import os
import re
import subprocess
import sys

from davitdev.cluster import ROOT

PROGRAM = "clang-tidy-14"
# What gcc was told and clang does not know, with the precompiled header of gcc's that clang cannot read.
GCC_ONLY = re.compile(r" (-fpch-preprocess|-Winvalid-pch|-include \S*cmake_pch\.hxx)(?= )")


def git(*arguments):
    return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout


def default_base():
    """The commit that "changed since" is about: where this branch left origin's, else the parent of HEAD."""
    for name in (os.environ.get("DAVIT_TIDY_BASE"), "origin/main", "origin/HEAD"):
        try:
            base = name and git("merge-base", "HEAD", name).strip()
        except subprocess.CalledProcessError:
            continue
        if base and base != git("rev-parse", "HEAD").strip():
            return base
    return git("rev-parse", "HEAD~1").strip()


def changed_files(base):
    """C++ files that are there and differ from `base`, committed or not."""
    names = git("diff", "--name-only", "--diff-filter=d", base, "--", "*.cc", "*.h").split("\n")
    return sorted({name for name in names if name})


def compile_commands(build):
    """File below ROOT -> its command, without what only gcc understands."""
    path = f"{ROOT}/build/{build}/compile_commands.json"
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    except OSError:
        sys.exit(f"scripts/tidy: {path} is missing: run scripts/build first")
    commands = {}
    for entry in entries:
        name = os.path.relpath(entry["file"], ROOT)
        if not name.startswith(("..", "build/")):
            commands[name] = {**entry, "command": GCC_ONLY.sub("", entry["command"])}
    return commands


def units_for(names, commands):
    """Translation units that check these files: sources themselves, for a header the source beside it or one that includes it."""
    units = set()
    for name in names:
        if name in commands:
            units.add(name)
            continue
        source = name[:-2] + ".cc"
        if name.endswith(".h") and source in commands:
            units.add(source)
        elif name.endswith(".h"):
            including = next((unit for unit in sorted(commands) if f'#include "{name}"' in _text(unit)), None)
            if including:
                units.add(including)
    return sorted(units)


def _text(name):
    try:
        with open(f"{ROOT}/{name}", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def main():
    parser = argparse.ArgumentParser(prog="scripts/tidy", description="Checks C++ files with clang-tidy (.clang-tidy).")
    parser.add_argument("--base", help="without FILE: those that changed since this commit; default: since this branch left "
                                       "origin/main, else the last commit")
    parser.add_argument("--build", default="release", help="the preset whose compile_commands.json is used")
    parser.add_argument("files", nargs="*", metavar="FILE", help="relative to the root")
    arguments = parser.parse_args()
    commands = compile_commands(arguments.build)
    names = arguments.files or changed_files(arguments.base or default_base())
    missing = [name for name in names if not os.path.exists(f"{ROOT}/{name}")]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    units = units_for(names, commands)
    if not units:
        print("nothing to check")
        return
    folder = f"{ROOT}/build/tidy-commands"
    os.makedirs(folder, exist_ok=True)
    # A name of its own each time: two may run at once.
    path = f"{folder}/{os.getpid()}"
    os.makedirs(path, exist_ok=True)
    try:
        with open(f"{path}/compile_commands.json", "w", encoding="utf-8") as file:
            json.dump([commands[unit] for unit in units], file)
        result = subprocess.run([PROGRAM, "--quiet", "-p", path, *(f"{ROOT}/{unit}" for unit in units)], cwd=ROOT,
                                capture_output=True, text=True, check=False)
    finally:
        os.unlink(f"{path}/compile_commands.json")
        os.rmdir(path)
    print(result.stdout, end="")
    if result.returncode != 0:
        print(re.sub(r"(?m)^\d+ warnings? generated\.\n", "", result.stderr), end="", file=sys.stderr)
        sys.exit(1)
    print(f"{len(units)} files checked")


if __name__ == "__main__":
    main()
