"""A throw-away cluster in one folder: private containerd, registry, controller and agents; and its removal."""

import hashlib
import http.client
import json
import os
import shutil
import urllib.error
import urllib.request

from davitdev import claims, host, process
from davitdev.ecs import Ecs
from davitdev.waiting import Timeout, wait_for

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = ("davit-agent", "davit-controller", "davit-logger", "davit-runc", "containerd", "docker-registry", "prometheus")
# Each slot of the book of claims is 100 host ports wide: agents that share a host must not offer the same ones.
FIRST_HOST_PORT, HOST_PORTS = 33000, 100
# A unix socket's path may have 107 characters (unix(7)); what containerd and its shims add must fit too.
MAX_FOLDER = 70


class ClusterError(Exception):
    """What went wrong, with the end of the log that matters."""


def bin_folder():
    return os.environ.get("DAVIT_BIN") or f"{ROOT}/build/release/bin"


def log_tail(path, lines=15):
    """The last lines of a log, marked as such."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.readlines()[-lines:]
    except OSError:
        return f"  (no {path})"
    return "".join(f"  | {line.rstrip()}\n" for line in text).rstrip() or "  (empty log)"


def _http_status(url):
    """Status code of a GET. OSError: nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except http.client.HTTPException as error:
        raise ConnectionError(f"{url}: {error!r}") from None


class Cluster:
    """All operations on the cluster in one folder. State is kept in FOLDER/cluster.json, written before it is used."""

    def __init__(self, folder, agent_config="", claim=None):
        """agent_config: more of each agent's configuration, whole TOML tables. claim: instead of the state in the folder."""
        self.agent_extra = agent_config
        self.folder = os.path.realpath(folder)
        self.hash = hashlib.sha256(self.folder.encode()).hexdigest()
        self.state = self._state_of(claim) if claim else {}
        try:
            with open(self._path("cluster.json"), encoding="utf-8") as file:
                self.state = json.load(file)
        except (OSError, ValueError):
            pass

    @staticmethod
    def _state_of(claim):
        return {"agents": len(claim["slots"]), "processes": {}, "slots": claim["slots"], "ports": claim["ports"]}

    # ---- bring up

    def up(self, agents):
        if self.state:
            raise ClusterError(f"{self.folder} holds a cluster already; `scripts/cluster down` it first")
        if len(self.folder) > MAX_FOLDER:
            raise ClusterError(f"{self.folder}: the path is longer than {MAX_FOLDER} characters (unix sockets)")
        for program in PROGRAMS[:4]:
            if not os.access(f"{bin_folder()}/{program}", os.X_OK):
                raise ClusterError(f"{bin_folder()}/{program} is missing; build it with scripts/build")
        for part in ("log", "config"):
            os.makedirs(self._path(part), exist_ok=True)
        claim = claims.claim(self.folder, slots=agents, ports=5 + agents)
        self.state = self._state_of(claim)
        self._save()
        self.start_registry()
        self.start_containerd()
        self.start_controller()
        Ecs(self.endpoint).call("CreateCluster", clusterName="default")
        for index in range(1, agents + 1):
            self.start_agent(index, wait=False)
        for index in range(1, agents + 1):
            self._wait_agent(index)

    def start_registry(self):
        port = self.state["ports"][0]
        config = self._write("config/registry.yml", f"""\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {self._path("registry")}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
""")
        self._start("registry", ["docker-registry", "serve", config])
        self._wait("registry", "the registry to answer", lambda: _http_status(f"http://127.0.0.1:{port}/v2/") == 200)

    def start_containerd(self):
        folder = self._path("containerd")
        # Sockets are relative to nobody: absolute paths; its own opt folder, or it would make /opt/containerd.
        config = self._write("config/containerd.toml", f"""\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
address = "{self.containerd_address}"
[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"
""")
        self._start("containerd", ["containerd", "--config", config])
        command = ["ctr", "--address", self.containerd_address, "version"]
        self._wait("containerd", "containerd to answer", lambda: host.run(command))

    def start_controller(self):
        config = self._write("config/controller.toml", f"""\
[controller]
dev = true
state_dir = "{self._path("controller")}"
[api]
port = {self.state["ports"][1]}
[gateway]
port = {self.state["ports"][2]}
""")
        self._start("controller", [f"{bin_folder()}/davit-controller", "--config", config])
        self._wait("controller", "the controller to be healthy",
                   lambda: _http_status(f"{self.endpoint}/healthz") == 200)

    def start_agent(self, index, wait=True):
        if not 1 <= index <= self.state.get("agents", 0):
            raise ClusterError(f"there is no agent {index}")
        self._write_agent_config(index)
        self._start(f"agent-{index}", [f"{bin_folder()}/davit-agent", "--config", self.agent_config(index)])
        if wait:
            self._wait_agent(index)

    def _write_agent_config(self, index):
        slot = self.state["slots"][index - 1]
        first_port = FIRST_HOST_PORT + slot * HOST_PORTS
        cleanup = os.environ.get("DAVIT_CLEANUP_AFTER")
        self._write(f"config/agent-{index}.toml", f"""\
[agent]
dev = true
state_dir = "{self.agent_state(index)}"
run_dir = "{self._path(f"run-{index}")}"
[controller]
endpoints = ["127.0.0.1:{self.state["ports"][2]}"]
[instance]
id = "{self.instance_id(index)}"
[containerd]
address = "{self.containerd_address}"
namespace = "{self.agent_namespace(index)}"
[cgroup]
parent = "{self.agent_cgroup(index)}"
[network]
bridge = "{self.agent_bridge(index)}"
subnet = "{self.agent_subnet(index)}"
host_port_range = "{first_port}-{first_port + HOST_PORTS - 1}"
[tasks]
{f'cleanup_after = "{cleanup}"' if cleanup else ""}
[http]
port = {self.state["ports"][2 + index]}
{self.agent_extra}""")

    def _wait_agent(self, index):
        def connected():
            known = {instance["ec2InstanceId"]: instance for instance in Ecs(self.endpoint).instances()}
            instance = known.get(self.instance_id(index))
            return (instance and instance["agentConnected"] and instance["status"] == "ACTIVE"
                    and _http_status(f"http://{self.agent_http(index)}/healthz") == 200)
        self._wait(f"agent-{index}", f"agent {index} to be registered and connected", connected)

    def _start(self, name, command):
        if process.is_alive(self.process(name)):
            return
        self.state["processes"][name] = process.start_detached(command, self.log(name))
        self._save()

    def _wait(self, name, what, condition, seconds=30):
        def check():
            if not process.is_alive(self.process(name)):
                raise ClusterError(f"{name} ended while waiting for {what}. {self.log(name)}:\n{log_tail(self.log(name))}")
            return condition()
        try:
            wait_for(what, check, seconds)
        except Timeout as error:
            raise ClusterError(f"{error}. {self.log(name)}:\n{log_tail(self.log(name))}") from None

    # ---- take down

    def down(self):
        """Stops and removes everything. Goes on after a failed step; raises ClusterError with all of them at the end."""
        problems = []

        def step(what, action, *arguments):
            try:
                action(*arguments)
            except (OSError, Timeout) as error:
                problems.append(f"{what}: {error}")

        claim = None if self.state else claims.find(self.folder)
        if claim:  # the folder was emptied by somebody: everything still has its name
            self.state = self._state_of(claim)
        agents = range(1, self.state.get("agents", 0) + 1)
        processes = self.state.get("processes", {})
        for name in sorted(processes):  # agents, containerd, controller, registry: nothing is restarted by another
            step(f"stop {name}", process.stop, processes[name])
        step("stop programs that the state file does not know", host.remove_processes_below, self.folder, (*PROGRAMS, "davit-logkeeper"))
        for index in agents:
            step(f"cgroup of agent {index}", host.remove_cgroup, self.agent_cgroup(index))
        step("shims", host.remove_shims, self.containerd_address, f"{self._path('containerd')}/state")
        step("loggers", host.remove_processes_below, self.folder, (*PROGRAMS, "davit-logkeeper"))
        step("mounts", host.unmount_below, self.folder)
        for index in agents:
            step(f"bridge of agent {index}", host.remove_bridge, self.agent_bridge(index))
            step(f"iptables rules of agent {index}", host.remove_rules_of_subnet, self.agent_subnet(index))
            step(f"runc state of agent {index}", host.remove_runc_state, self.agent_namespace(index))
        step("claims on the host", claims.release, self.folder)
        if problems:
            raise ClusterError("could not take down all of the cluster:\n" + "\n".join(problems))
        for part in ("cluster.json", "env"):
            try:
                os.unlink(self._path(part))
            except FileNotFoundError:
                pass
        for part in ("containerd", "registry", "controller", *(f"run-{index}" for index in agents),
                     *(f"agent-{index}" for index in agents)):
            shutil.rmtree(self._path(part), ignore_errors=True)

    # ---- names and addresses

    @property
    def prefix(self):
        """What the names of all its cgroups and containerd namespaces begin with."""
        return f"davit-{self.hash[:8]}-"

    @property
    def bridge_prefix(self):
        return f"dv{self.hash[:8]}-"

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.state['ports'][1]}"

    @property
    def registry(self):
        return f"127.0.0.1:{self.state['ports'][0]}"

    @property
    def containerd_address(self):
        return self._path("containerd/containerd.sock")

    @property
    def prometheus_port(self):
        """A port of this cluster's own, for a Prometheus that watches it."""
        return self.state["ports"][3 + self.state["agents"]]

    @property
    def spare_port(self):
        """A port of this cluster's own that nothing uses, for a test's container or server."""
        return self.state["ports"][4 + self.state["agents"]]

    def agent_http(self, index):
        return f"127.0.0.1:{self.state['ports'][2 + index]}"

    def agent_config(self, index):
        return self._path(f"config/agent-{index}.toml")

    def agent_namespace(self, index):
        return f"{self.prefix}{index}"

    def agent_cgroup(self, index):
        return f"/{self.prefix}{index}"

    def agent_bridge(self, index):
        return f"{self.bridge_prefix}{index}"  # at most 15 characters (IFNAMSIZ)

    def agent_state(self, index):
        return self._path(f"agent-{index}")

    def agent_subnet(self, index):
        return f"10.214.{self.state['slots'][index - 1]}.0/24"

    def instance_id(self, index):
        return f"i-{self.hash[:14]}{index:03d}"

    def log(self, name):
        return self._path(f"log/{name}.log")

    def process(self, name):
        """{"pid", "start"} of "registry", "containerd", "controller" or "agent-1"; None if it was never started."""
        return self.state.get("processes", {}).get(name)

    def pid(self, name):
        known = self.process(name)
        return known["pid"] if known else 0

    # ---- files

    def _path(self, name):
        return f"{self.folder}/{name}"

    def _write(self, name, text):
        path = self._path(name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path

    def _save(self):
        self._write("cluster.json", json.dumps(self.state, indent=1))
        lines = {"ECS_ENDPOINT": self.endpoint, "REGISTRY": self.registry,
                 "CONTAINERD_ADDRESS": self.containerd_address}
        for name in ("controller", "containerd", "registry"):
            lines[f"{name.upper()}_PID"] = self.pid(name)
        for index in range(1, self.state["agents"] + 1):
            lines.update({
                f"AGENT_{index}_PID": self.pid(f"agent-{index}"), f"AGENT_{index}_HTTP": self.agent_http(index),
                f"AGENT_{index}_CONFIG": self.agent_config(index),
                f"AGENT_{index}_NAMESPACE": self.agent_namespace(index),
                f"AGENT_{index}_CGROUP": self.agent_cgroup(index), f"AGENT_{index}_BRIDGE": self.agent_bridge(index),
                f"AGENT_{index}_STATE": self.agent_state(index)})
        self._write("env", "".join(f"{name}='{value}'\n" for name, value in lines.items()))
