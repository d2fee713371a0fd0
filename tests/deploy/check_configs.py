#!/usr/bin/python3
"""Checks that the programs accept config/*.toml, and what they say about keys and values that are wrong.

  check_configs.py ROOT BIN
"""

import re
import subprocess
import sys
import tempfile

PROGRAMS = ("agent", "controller")
SECTION = re.compile(r"^\[([\w.]+)\]")
SETTING = re.compile(r"^(\w+) = (.+?)(?:\s{2,}#.*)?$")
READ = re.compile(r'Read\("(\w+)", "(\w+)"')


def settings(text):
    """(section, key, value as written) of each key of one of our files: one a line, below its [section]. The key of a
    sub-table, [section.key], has the value "{}"."""
    section = ""
    for line in text.splitlines():
        if header := SECTION.match(line):
            section, _, key = header.group(1).partition(".")
            if key:
                yield section, key, "{}"
        elif match := SETTING.match(line):
            yield section, match.group(1), match.group(2)


def check(program, text, options=()):
    """(exit code, what it printed) of `davit-PROGRAM --check-config` with this configuration."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        result = subprocess.run([program, "--config", file.name, "--check-config", *options], capture_output=True,
                                text=True, timeout=20, check=False)
    return result.returncode, result.stdout + result.stderr


def wrong_value(value):
    """A value of another TOML type than `value`."""
    return '"x"' if value.isdigit() else "7"


def check_program(program, source, text):
    # The file as it is shipped: it has no TLS files, which only dev mode allows.
    code, output = check(program, text, ["--dev"])
    assert code == 0, f"config file refused: exit {code}: {output}"
    known = list(settings(text))
    # No more and no less than what the program reads. (That the values are the defaults is for config_test.cc.)
    with open(source, encoding="utf-8") as file:
        read = set(READ.findall(file.read()))
    assert read and read == {(section, key) for section, key, _ in known}, f"keys differ: {read} {known}"
    # Each key is known under this very name: with a value of another type, all are complained about by name.
    sections = {}
    for section, key, value in known:
        sections.setdefault(section, []).append(f"{key} = {wrong_value(value)}")
    broken = "".join(f"[{section}]\n" + "\n".join(lines) + "\n" for section, lines in sections.items())
    code, output = check(program, broken + "\n[nonsense]\ncolour = 1\n", ["--dev"])
    assert code == 5, f"exit {code} for wrong values, not 5: {output}"
    missing = [f"{section}.{key}" for section, key, _ in known if f"{section}.{key}" not in output]
    assert not missing, f"wrong values that were not complained about: {missing}\n{output}"
    assert "nonsense" in output, f"an unknown section was not complained about: {output}"


def check_options(programs):
    """Wrong options are a wrong configuration: systemd must not try again."""
    for name, options in (("agent", ["--confg", "x"]), ("agent", ["extra"]), ("agent", ["--config"]),
                          ("controller", ["--confg", "x"]), ("logger", ["--confg", "x"]), ("logger", [])):
        result = subprocess.run([f"{programs}/davit-{name}", *options], capture_output=True, text=True, timeout=20,
                                check=False)
        assert result.returncode == 5, f"davit-{name} {options}: exit {result.returncode}, not 5: {result.stderr}"
        assert result.stderr, f"davit-{name} {options}: no reason"
    for name in ("agent", "controller", "logger"):
        for option in ("--help", "--version"):
            result = subprocess.run([f"{programs}/davit-{name}", option], capture_output=True, text=True, timeout=20,
                                    check=False)
            assert result.returncode == 0 and f"davit-{name}" in result.stdout, f"davit-{name} {option}: {result}"


def main():
    root, programs = sys.argv[1:]
    check_options(programs)
    for name in PROGRAMS:
        with open(f"{root}/config/{name}.toml", encoding="utf-8") as file:
            check_program(f"{programs}/davit-{name}", f"{root}/{name}/config.cc", file.read())
        code, output = check(f"{programs}/davit-{name}", "[broken\n")
        assert code == 5, f"exit {code} for a file that is not TOML: {output}"
        print(f"davit-{name} accepts config/{name}.toml and names every wrong key")


if __name__ == "__main__":
    main()
