"""What is left on the host of tasks that are over."""

import json
import os

from e2e import host, process


def _ctr(cluster, namespace, *arguments):
    return host.run(["ctr", "--address", cluster.containerd_address, "--namespace", namespace, *arguments])


def container_ids(cluster, agent=1):
    return _ctr(cluster, cluster.agent_namespace(agent), "containers", "ls", "-q").split()


def _listed(cluster, agent):
    """kind -> text that holds the ids of everything of that kind that is there now."""
    namespace, run, state = cluster.agent_namespace(agent), f"{cluster.folder}/run-{agent}", cluster.agent_state(agent)
    kinds = {kind: _ctr(cluster, namespace, kind, "ls") for kind in ("containers", "tasks", "leases", "snapshots")}
    kinds["cgroup"] = "\n".join(host.cgroup_folders(cluster.agent_cgroup(agent)))
    kinds["iptables rule"] = json.dumps(host.iptables_rules())
    kinds["mount"] = "\n".join(path for path, _ in host.mount_points())
    kinds["process"] = "\n".join(" ".join(one["arguments"]) for one in process.all_processes()
                                 if one["name"].startswith(("containerd-shim", "davit-log", "runc")))
    for kind, folder in (("network namespace", f"{run}/netns"), ("network record", f"{run}/cni"),
                         ("task folder", f"{state}/tasks"), ("runc state", f"{host.RUNC_STATE}/{namespace}")):
        kinds[kind] = "\n".join(_names(folder))
    kinds["address"] = "\n".join(_leases(f"{state}/ipam"))
    return kinds


def _names(folder):
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _leases(folder):
    """Contents of the files that CNI's host-local plugin keeps, one for each address in use."""
    texts = []
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                with open(f"{parent}/{name}", encoding="utf-8", errors="replace") as file:
                    texts.append(file.read())
            except FileNotFoundError:
                pass
    return texts


def of_tasks(cluster, task_ids, agent=1):
    """["containers of 0123..."]: each kind of thing that still names one of the tasks. Empty: nothing is left."""
    listed = _listed(cluster, agent)
    return [f"{kind} of {task_id}" for kind, text in listed.items() for task_id in task_ids if task_id in text]


def veths(cluster, agent=1):
    """Links on the agent's bridge."""
    return [name for name, master in host.links().items() if master == cluster.agent_bridge(agent)]


def shim_sockets(cluster, container_ids, agent=1):
    """Sockets that shims of these containers have left."""
    paths = [host.shim_socket(cluster.containerd_address, cluster.agent_namespace(agent), one) for one in container_ids]
    return [path for path in paths if os.path.exists(path)]
