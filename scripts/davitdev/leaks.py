"""What a cluster has left on the host, found by the cluster's own names: other clusters may come and go meanwhile."""

import ipaddress
import os
import re

from davitdev import host, process
from davitdev.waiting import Timeout, wait_for

PROGRAMS = ("containerd", "runc", "davit-", "docker-registry", "prometheus", "buildah", "conmon")


class Names:
    """What the things of a cluster are called. Made while it is up; good for after its end."""

    def __init__(self, cluster):
        agents = range(1, cluster.state.get("agents", 0) + 1)
        self.folder = cluster.folder
        self.prefix = cluster.prefix  # of cgroups and containerd namespaces
        self.bridge_prefix = cluster.bridge_prefix
        self.networks = [ipaddress.ip_network(cluster.agent_subnet(index)) for index in agents]

    def owns_rule(self, rule):
        """Whether an iptables rule is about an address of the cluster."""
        return any(ipaddress.ip_address(address) in network for network in self.networks
                   for address in re.findall(r"\d+\.\d+\.\d+\.\d+", rule))


def _entries(folder, prefix):
    try:
        return [f"{folder}/{name}" for name in os.listdir(folder) if name.startswith(prefix)]
    except OSError:
        return []


def left(names):
    """["link: dv0123-1"]: everything of the cluster that is there now."""
    below = f"{names.folder}/"
    found = [f"process: {one['pid']} {' '.join(one['arguments'])[:150]}" for one in process.all_processes()
             if one["name"].startswith(PROGRAMS) and any(below in argument for argument in one["arguments"])]
    found += [f"mount: {path} ({kind})" for path, kind in host.mount_points() if path.startswith(below)]
    found += [f"link: {link}" for link, master in host.links().items()
              if link.startswith(names.bridge_prefix) or master.startswith(names.bridge_prefix)]
    found += [f"iptables: {table}: {rule}" for table, rules in host.iptables_rules().items() for rule in rules
              if names.owns_rule(rule)]
    found += [f"cgroup: {path}" for mount in host.cgroup_mounts() for path in _entries(mount, names.prefix)]
    found += [f"file: {path}" for path in _entries(host.RUNC_STATE, names.prefix)]
    return found


def check(names, seconds=10):
    """Raises AssertionError if anything of the cluster is left after what the kernel removes a moment later is gone."""
    try:
        wait_for("the cluster to be gone", lambda: not left(names), seconds, period=0.2)
    except Timeout:
        things = left(names)
        if things:
            raise AssertionError("left behind on this host:\n" + "\n".join(things)) from None
