"""What a cluster leaves on a host: mounts, cgroups, links, iptables rules, kernel switches; and their removal.

Every remove_... takes what is its own by a name or an address, changes nothing else, and is content when it is gone.
"""

import hashlib
import ipaddress
import os
import re
import shutil
import signal
import subprocess

from davitdev import process
from davitdev.waiting import Timeout, wait_for

SYSCTLS = ("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/ipv4/conf/default/route_localnet",
           "net/ipv4/conf/lo/route_localnet")
# Made by CNI's portmap plugin for all its users, and never removed by it.
SHARED_CHAINS = ("CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK")
# containerd's shims put their sockets and runc's state below /run/containerd, wherever containerd's own state is
# (containerd 1.6: defaults.DefaultStateDir in the shim).
SHIM_SOCKETS = "/run/containerd/s"
RUNC_STATE = "/run/containerd/runc"


def run(command, check=True):
    """The output of a command. Raises OSError with the command's own words when `check` and it fails."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and result.returncode != 0:
        raise OSError(f"{' '.join(command)}: exit {result.returncode}: {result.stderr.strip()}")
    return result.stdout


# ---- kernel switches

def read_sysctls():
    values = {}
    for name in SYSCTLS:
        try:
            with open(f"/proc/sys/{name}", encoding="ascii") as file:
                values[name] = file.read().strip()
        except OSError:
            pass
    return values


def restore_sysctls(values):
    now = read_sysctls()
    for name, value in values.items():
        if now.get(name) != value:
            with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
                file.write(value)


# ---- mounts

def mount_points():
    """(mount point, file system type) of this mount namespace, in the order of mounting."""
    points = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            path = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), left.split()[4])
            points.append((path, right.split()[0]))
    return points


def unmount_below(folder):
    """Unmounts all that is mounted below `folder`, last first."""
    prefix = os.path.realpath(folder) + "/"
    for path, _ in reversed(mount_points()):
        if path.startswith(prefix):
            run(["umount", "--lazy", path], check=False)


# ---- cgroups

def cgroup_mounts():
    return [path for path, kind in mount_points() if kind in ("cgroup", "cgroup2")]


def cgroup_folders(parent):
    """All folders of the cgroup `parent` ("/davit-x") in every hierarchy, deepest first."""
    folders = []
    for mount in cgroup_mounts():
        for folder, _, _ in os.walk(mount + parent, topdown=False):
            folders.append(folder)
    return folders


def cgroup_processes(path):
    """Processes in the cgroup `path` and below it, in any hierarchy."""
    found = set()
    for folder in cgroup_folders(path):
        try:
            with open(f"{folder}/cgroup.procs", encoding="ascii") as file:
                found.update(int(line) for line in file)
        except OSError:
            pass
    return found


def cgroup_value(path, v1_file, v2_file):
    """What the kernel holds for the cgroup `path`: of v1's "cpu/cpu.shares" if that hierarchy is mounted, else of v2."""
    controller, _, name = v1_file.partition("/")
    for mount, kind in mount_points():
        if kind == "cgroup" and controller in os.path.basename(mount).split(","):
            with open(f"{mount}{path}/{name}", encoding="ascii") as file:
                return file.read().strip()
    with open(f"/sys/fs/cgroup{path}/{v2_file}", encoding="ascii") as file:
        return file.read().strip()


def _kill_if_inside(pid, parent):
    """Held first (pidfd) and looked for again: the number may have passed to a stranger in between."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid in cgroup_processes(parent):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def remove_cgroup(parent):
    """Kills every process in the cgroup and below it, then removes it from every hierarchy."""
    def try_once():
        folders = cgroup_folders(parent)
        for folder in folders:
            try:  # v1: a frozen process does not die
                with open(f"{folder}/freezer.state", "w", encoding="ascii") as file:
                    file.write("THAWED")
            except OSError:
                pass
        for pid in cgroup_processes(parent):
            _kill_if_inside(pid, parent)
        for folder in folders:
            try:
                os.rmdir(folder)
            except OSError:
                pass
        return not cgroup_folders(parent)
    wait_for(f"cgroup {parent} to be empty", try_once, 10)


# ---- network links

def links():
    """name -> master ("" if none), veths without their "@ifN"."""
    found = {}
    for line in run(["ip", "-o", "link", "show"]).splitlines():
        name = line.split(":", 2)[1].strip().partition("@")[0]
        master = re.search(r" master (\S+)", line)
        found[name] = master.group(1) if master else ""
    return found


def remove_bridge(bridge):
    for name, master in links().items():
        if master == bridge:
            run(["ip", "link", "delete", name], check=False)
    if bridge in links():
        run(["ip", "link", "delete", bridge], check=False)


# ---- iptables

def iptables_rules():
    """table -> lines of iptables-save for it, without counters and without built-in chains that do nothing."""
    tables, table = {}, ""
    for line in run(["iptables-save"], check=False).splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":") and not re.match(r":[A-Z]+ ACCEPT ", line):
            tables.setdefault(table, []).append(re.sub(r" \[\d+:\d+\]$", "", line))
        elif line.startswith("-A "):
            tables.setdefault(table, []).append(line)
    return tables


def _chains_of_subnet(rules, network):
    """Chains that only serve addresses of `network`: they hold such a rule, or such a rule jumps to them."""
    owned = set()
    for rule in rules:
        addresses = re.findall(r"(\d+\.\d+\.\d+\.\d+)", rule)
        if not any(ipaddress.ip_address(address) in network for address in addresses):
            continue
        chain, target = rule.split()[1], re.search(r" -[jg] (\S+)", rule)
        owned.add(chain)
        if target:
            owned.add(target.group(1))
    return {chain for chain in owned if chain.startswith("CNI-") and chain not in SHARED_CHAINS}


def remove_rules_of_subnet(subnet):
    """Removes every rule about an address of `subnet`, with the chains that only such rules use."""
    network = ipaddress.ip_network(subnet)
    for table, lines in iptables_rules().items():
        rules = [line for line in lines if line.startswith("-A ")]
        chains = _chains_of_subnet(rules, network)
        commands = []
        for rule in rules:
            chain, target = rule.split()[1], re.search(r" -[jg] (\S+)", rule)
            about_us = any(ipaddress.ip_address(address) in network
                           for address in re.findall(r"(\d+\.\d+\.\d+\.\d+)", rule))
            if chain not in chains and (about_us or (target and target.group(1) in chains)):
                commands.append("-D" + rule[2:])
        commands += [f"-F {chain}" for chain in chains] + [f"-X {chain}" for chain in chains]
        _change_table(table, commands)


def remove_shared_chains():
    """Removes what CNI's portmap leaves behind, unless somebody's port is mapped by it."""
    rules = [line for line in iptables_rules().get("nat", [])]
    if not any(line == f":{chain} -" for chain in SHARED_CHAINS for line in rules):
        return
    if any(line.startswith("-A CNI-HOSTPORT-DNAT ") for line in rules):
        return
    commands = ["-D" + line[2:] for line in rules
                if line.startswith("-A ") and line.split()[1] not in SHARED_CHAINS
                and re.search(r" -j (" + "|".join(SHARED_CHAINS) + r")$", line)]
    present = [chain for chain in SHARED_CHAINS if f":{chain} -" in rules]
    commands += [f"-F {chain}" for chain in present] + [f"-X {chain}" for chain in present]
    _change_table("nat", commands)


def _change_table(table, commands):
    if not commands:
        return
    text = "\n".join([f"*{table}", *commands, "COMMIT", ""])
    result = subprocess.run(["iptables-restore", "--noflush", "--wait", "5"], input=text, capture_output=True,
                            text=True, check=False)
    if result.returncode != 0:
        raise OSError(f"iptables-restore of table {table}: {result.stderr.strip()}")


# ---- containerd's leavings

def shims_of(address):
    """Shim processes that serve the containerd at `address`."""
    return [shim for shim in process.all_processes()
            if shim["name"].startswith("containerd-shim") and address in shim["arguments"]]


def shim_socket(address, namespace, container_id):
    """Where the shim of a container listens. Source: containerd, runtime/v2/shim/util_unix.go."""
    return f"{SHIM_SOCKETS}/{hashlib.sha256(f'{address}/{namespace}/{container_id}'.encode()).hexdigest()}"


def remove_shims(address, state):
    """Kills the shims of the containerd at `address` (which must be stopped already) and removes their sockets.

    `state` is that containerd's state folder, in which each shim leaves the address of its socket. A shim on its way out
    has lost that file already, and unless it is left the time removes no socket: its arguments name it too.
    """
    sockets = []
    for folder, _, files in os.walk(f"{state}/io.containerd.runtime.v2.task"):
        if "address" in files:
            with open(f"{folder}/address", encoding="utf-8") as file:
                sockets.append(file.read().strip().removeprefix("unix://"))
    for shim in shims_of(address):
        words = shim["arguments"]
        sockets.append(shim_socket(*(words[words.index(name) + 1] for name in ("-address", "-namespace", "-id"))))
        process.stop(shim, seconds=1)
    for path in sockets:
        if path.startswith(SHIM_SOCKETS + "/"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def remove_runc_state(namespace):
    shutil.rmtree(f"{RUNC_STATE}/{namespace}", ignore_errors=True)


def remove_empty_folders(paths):
    for path in paths:
        try:
            os.rmdir(path)
        except OSError:
            pass


def remove_processes_below(folder, names):
    """Kills programs called one of `names` that have a path below `folder` among their arguments."""
    prefix = os.path.realpath(folder) + "/"
    victims = [candidate for candidate in process.all_processes()
               if candidate["name"] in names and any(prefix in argument for argument in candidate["arguments"])]
    for victim in victims:
        try:
            process.stop(victim, seconds=2)
        except Timeout:
            pass
