"""How long a killed agent needs to have all its containers again, as a ratio to asking containerd for them with ctr."""

import argparse
import statistics
import time

from davitdev.waiting import wait_for
from fleet import fleet, spread, timed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with fleet() as one:
        arns = set(one.start(arguments.containers))
        recoveries, listings, ratios = [], [], []
        for _ in range(arguments.rounds):  # interleaved: what slows the host slows both
            one.kill_agent()
            listing = timed(lambda: (one.ctr("containers", "ls"), one.ctr("tasks", "ls")))
            begun = time.monotonic()
            one.cluster.start_agent(1, wait=False)
            wait_for("the agent to have them all", lambda: arns <= one.running(observed=True), 60, period=0.01)
            recovery = time.monotonic() - begun
            recoveries.append(recovery)
            listings.append(listing)
            ratios.append(recovery / listing)
            time.sleep(1)
        print(f"{arguments.containers} containers, {arguments.rounds} rounds")
        print(f"kill -9 to all adopted (from the start of the new agent): {spread(recoveries)}")
        print(f"ctr containers ls + ctr tasks ls:                         {spread(listings)}")
        print(f"ratio, round by round: median {statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
