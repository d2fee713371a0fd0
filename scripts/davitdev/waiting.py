"""Waiting without guessing: poll a condition until a deadline."""

import os
import time

# How many times slower than usual this machine is (tests/vm: a processor without its hardware).
SLOWNESS = float(os.environ.get("DAVIT_SLOWNESS", "1"))


class Timeout(Exception):
    """What was awaited did not come true in time. The text says what it was, and how things stood at the end."""


def wait_for(what, condition, seconds, period=0.05):
    """Returns the first true value of `condition()`.

    `what` completes the sentence "waited N s for ...". Raises Timeout after `seconds` (times SLOWNESS), with the last
    exception of `condition` (which counts as "not yet") in its text. Times are of the monotonic clock.
    """
    seconds *= SLOWNESS
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
