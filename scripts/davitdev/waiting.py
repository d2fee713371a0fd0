"""Waiting without guessing: poll a condition until a deadline."""

import os
import time

# How many times slower than usual this machine is (tests/vm: a processor without its hardware).
SLOWNESS = float(os.environ.get("DAVIT_SLOWNESS", "1"))

# Deadlines are for what hangs: a test that waits three times as long fails no later for a bug, and passes on a busy machine.
PATIENCE = float(os.environ.get("DAVIT_PATIENCE", "3"))


class Timeout(Exception):
    """What was awaited did not come true in time. The text says what it was, and how things stood at the end."""


def wait_for(what, condition, seconds, period=0.05, patience=PATIENCE):
    """Returns the first true value of `condition()`.

    `what` completes the sentence "waited N s for ...". Raises Timeout after `seconds` (what it may take on a machine that
    does nothing else; times SLOWNESS and `patience`), with the last exception of `condition` (which counts as "not yet") in
    its text. Times are of the monotonic clock. patience=1: the time itself matters, as in a grace period.
    """
    seconds *= SLOWNESS * patience
    deadline = time.monotonic() + seconds
    while True:
        problem = None
        try:
            value = condition()
            if value:
                return value
        except (OSError, LookupError, ValueError) as error:
            problem = error
        if time.monotonic() >= deadline:
            detail = f" (last: {problem})" if problem else ""
            raise Timeout(f"waited {seconds:g} s for {what}{detail}")
        time.sleep(period * SLOWNESS)  # looking costs a slow machine more, too
