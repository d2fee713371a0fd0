"""Memory and CPU of an agent that has nothing to do: without tasks, and with many idle ones."""

import argparse
import time
import urllib.request

from fleet import fleet

SCRAPE_SECONDS = 15


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    with fleet() as one:
        time.sleep(2)
        print(f"resident memory, no tasks:  {one.agent_rss_mib():.1f} MiB")
        one.start(arguments.tasks)
        time.sleep(10)
        print(f"resident memory, {arguments.tasks} tasks: {one.agent_rss_mib():.1f} MiB")
        metrics = f"http://{one.cluster.agent_http(1)}/metrics"
        before, begun = one.agent_cpu_seconds(), time.monotonic()
        while time.monotonic() - begun < arguments.seconds:
            urllib.request.urlopen(metrics, timeout=10).read()
            time.sleep(SCRAPE_SECONDS)
        used, took = one.agent_cpu_seconds() - before, time.monotonic() - begun
        print(f"CPU, {arguments.tasks} idle tasks, scraped each {SCRAPE_SECONDS} s, for {took:.0f} s: "
              f"{100 * used / took:.2f} % of a core")


if __name__ == "__main__":
    main()
