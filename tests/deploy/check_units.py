#!/usr/bin/python3
"""Checks systemd/*.service with systemd-analyze, with the programs of a build in place of the installed ones.

  check_units.py ROOT BIN
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def main():
    root, programs = sys.argv[1:]
    if not shutil.which("systemd-analyze"):
        print("DAVIT-SKIPPED: deploy: units: systemd-analyze is not installed (package systemd)")
        sys.exit(77)
    units = sorted(glob.glob(f"{root}/systemd/*.service"))
    assert units, f"no units in {root}/systemd"
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for unit in units:
            with open(unit, encoding="utf-8") as file:
                text = file.read()
            program = re.search(r"^ExecStart=/usr/bin/(\S+)", text, re.MULTILINE)
            assert program, f"{unit}: no ExecStart=/usr/bin/..."
            assert os.access(f"{programs}/{program.group(1)}", os.X_OK), f"{program.group(1)} was not built"
            copies.append(f"{folder}/{os.path.basename(unit)}")
            with open(copies[-1], "w", encoding="utf-8") as file:
                file.write(text.replace("ExecStart=/usr/bin/", f"ExecStart={programs}/"))
        # It also looks at units of the host that ours want; only complaints about ours count.
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True,
                                check=False)
        ours = [line for line in result.stderr.splitlines() if "davit" in line]
        assert not ours, "\n".join(ours)
        assert result.returncode == 0, result.stderr
    print(f"{len(units)} units are well-formed")


if __name__ == "__main__":
    main()
