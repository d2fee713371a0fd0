"""The story of scripts/demo. Every step either holds, or ends the demo with what was seen instead."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from davitdev import host, images, leaks, process
from davitdev.cluster import ROOT, Cluster, ClusterError, log_tail
from davitdev.ecs import container, host_port, reasons
from davitdev.waiting import Timeout, wait_for

MIB = 1 << 20


class Failed(Exception):
    """A step did not hold."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


def aws(endpoint, *arguments):
    """Runs the real `aws ecs` command; its answer. Failed with the command's own words."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_PAGER": "",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    command = ["aws", "ecs", *arguments, "--endpoint-url", endpoint, "--output", "json"]
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            check=False)
    expect(result.returncode == 0, f"aws ecs {' '.join(arguments)}: exit {result.returncode}: {result.stderr.strip()}")
    return json.loads(result.stdout) if result.stdout.strip() else {}


class Demo:
    """Steps in the order of the story; each returns the line that tells what held."""

    def __init__(self, folder):
        self.folder = folder
        self.cluster = Cluster(folder)
        self.definition = {}
        self.tasks = []
        self.processes = {}

    def aws(self, *arguments):
        return aws(self.cluster.endpoint, *arguments)

    def describe(self, arns):
        return self.aws("describe-tasks", "--tasks", *arns)["tasks"]

    def example(self, name):
        """An example's task definition for this cluster's registry: (path of the file, the definition)."""
        with open(f"{ROOT}/examples/web/{name}", encoding="utf-8") as file:
            text = file.read().replace("REGISTRY", self.cluster.registry)
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path, json.loads(text)

    def register(self, name):
        path, _ = self.example(name)
        answer = self.aws("register-task-definition", "--cli-input-json", f"file://{path}")
        return answer["taskDefinition"]

    # ---- the story

    def bring_up(self):
        self.cluster.up(agents=1)
        return "containerd, registry, controller and one agent are up"

    def build_image(self):
        name = images.build_and_push_web(self.cluster.registry)
        return f"buildah built examples/web/Dockerfile and pushed {name}"

    def create_cluster(self):
        status = self.aws("create-cluster", "--cluster-name", "default")["cluster"]["status"]
        expect(status == "ACTIVE", f"cluster is {status}")
        instances = self.aws("list-container-instances")["containerInstanceArns"]
        expect(len(instances) == 1, f"container instances: {instances}")
        return "aws ecs create-cluster; the agent is in list-container-instances"

    def register_definition(self):
        self.definition = self.register("taskdef.json")
        return f"aws ecs register-task-definition: {self.definition['taskDefinitionArn'].rpartition('/')[2]}"

    def run_tasks(self):
        answer = self.aws("run-task", "--task-definition", "web", "--count", "3")
        expect(not answer["failures"] and len(answer["tasks"]) == 3, f"run-task: {answer['failures']}")
        self.tasks = [task["taskArn"] for task in answer["tasks"]]
        self.aws("wait", "tasks-running", "--tasks", *self.tasks)
        return "aws ecs run-task --count 3; wait tasks-running"

    def fetch_pages(self):
        ports = [host_port(task, "web", 8080) for task in self.describe(self.tasks)]
        expect(len(set(ports)) == 3, f"ports are not three different ones: {ports}")
        for port in ports:
            # RUNNING: the process was started. Its server listens a moment later. The second file is the other
            # container's, through the volume that they share.
            for path, words in (("", "It floats"), ("status/clock.txt", "Ahoy")):
                url = f"http://127.0.0.1:{port}/{path}"
                wait_for(url, lambda at=url, text=words: text in urllib.request.urlopen(at, timeout=5).read().decode(), 10)
        return f"each task serves the page, and its volume's file, on its own port: {', '.join(map(str, ports))}"

    def cgroup(self, arn, v1_file, v2_file, name=""):
        path = f"{self.cluster.agent_cgroup(1)}/{arn.rpartition('/')[2]}" + (f"/{name}" if name else "")
        return host.cgroup_value(path, v1_file, v2_file)

    def read_limits(self):
        cpu, memory = int(self.definition["cpu"]), int(self.definition["memory"])
        for arn in self.tasks:
            try:
                quota = self.cgroup(arn, "cpu/cpu.cfs_quota_us", "")
                period = self.cgroup(arn, "cpu/cpu.cfs_period_us", "")
            except OSError:  # a cgroup v2 host
                quota, period = self.cgroup(arn, "", "cpu.max").split()
            expect(int(quota) * 1024 == int(period) * cpu, f"cpu of {arn}: {quota} us each {period} us")
            limit = int(self.cgroup(arn, "memory/memory.limit_in_bytes", "memory.max"))
            expect(limit == memory * MIB, f"memory of {arn}: {limit}")
            for one in self.definition["containerDefinitions"]:
                limit = int(self.cgroup(arn, "memory/memory.limit_in_bytes", "memory.max", one["name"]))
                expect(limit == one["memory"] * MIB, f"memory of {one['name']} of {arn}: {limit}")
        return (f"the kernel holds what the definition says: cpu {cpu} is {int(quota) / 1000:g} ms of each "
                f"{int(period) / 1000:g} ms, memory {memory} MiB")

    def query(self, expression):
        """The value of a PromQL expression that gives one number."""
        url = (f"http://127.0.0.1:{self.cluster.prometheus_port}/api/v1/query?"
               + urllib.parse.urlencode({"query": expression}))
        with urllib.request.urlopen(url, timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def start_prometheus(self):
        with open(f"{ROOT}/config/prometheus.yml", encoding="utf-8") as file:
            text = file.read()
        text = text.replace("127.0.0.1:51670", self.cluster.endpoint.removeprefix("http://"))
        text = text.replace("127.0.0.1:51678", self.cluster.agent_http(1))
        text = re.sub(r"scrape_interval: \S+", "scrape_interval: 1s", text)
        config = f"{self.folder}/config/prometheus.yml"
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        self.processes["prometheus"] = process.start_detached(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/prometheus",
             f"--web.listen-address=127.0.0.1:{self.cluster.prometheus_port}"], self.cluster.log("prometheus"))
        for expression, value in (("sum(up)", 2), ('sum(davit_agent_tasks{status="RUNNING"})', 3),
                                  ('sum(davit_controller_tasks{status="RUNNING"})', 3)):
            wait_for(f"Prometheus to answer {value} to {expression}",
                     lambda text=expression, number=value: self.query(text) == number, 30)
        return "Prometheus scrapes agent and controller; both count 3 running tasks"

    def eat_memory(self):
        self.register("memory-hog.json")
        arn = self.aws("run-task", "--task-definition", "memory-hog")["tasks"][0]["taskArn"]
        self.aws("wait", "tasks-stopped", "--tasks", arn)
        task = self.describe([arn])[0]
        hog = container(task, "hog")
        expect(hog.get("reason", "").startswith("OutOfMemoryError: Container killed due to memory usage"),
               reasons(task))
        expect(hog.get("exitCode") == 137, reasons(task))
        return f"a task that eats memory is reported: exit code 137, \"{hog['reason'][:60]}\""

    def task_processes(self):
        found = {}
        for arn in self.tasks:
            for one in self.definition["containerDefinitions"]:
                path = f"{self.cluster.agent_cgroup(1)}/{arn.rpartition('/')[2]}/{one['name']}"
                # The clock's `sleep` comes and goes; the first process stays.
                first = process.oldest_first(host.cgroup_processes(path))[0]
                found[path] = (first, process.start_time(first))
        return found

    def kill_agent(self):
        before = self.task_processes()
        victim = self.cluster.process("agent-1")
        process.kill(victim, signal.SIGKILL)
        wait_for("the agent to end", lambda: process.is_gone(victim), 10)
        self.cluster.start_agent(1)
        expect(self.task_processes() == before, "containers are other processes than before")
        statuses = [task["lastStatus"] for task in self.describe(self.tasks)]
        expect(statuses == ["RUNNING"] * 3, f"tasks are {statuses}")
        self.fetch_pages()
        return f"kill -9 of the agent, and a new one: the same {len(before)} processes, RUNNING, pages served"

    def stop_tasks(self):
        for arn in self.tasks:
            self.aws("stop-task", "--task", arn, "--reason", "the demo is over")
        self.aws("wait", "tasks-stopped", "--tasks", *self.tasks)
        for task in self.describe(self.tasks):
            expect(task["stoppedReason"] == "the demo is over", reasons(task))
        return "aws ecs stop-task; wait tasks-stopped"

    def tear_down(self):
        for one in self.processes.values():
            process.stop(one)
        self.cluster.down()
        return "the cluster is taken down"


def tell(step):
    """Runs one step and prints its line with the time it took."""
    begin = time.monotonic()
    line = step()
    print(f"  [{time.monotonic() - begin:5.1f} s]  {line}", flush=True)


def explain(error, cluster):
    """A failed step, with the ends of the logs."""
    print(f"  [FAILED ]  {error}", flush=True)
    for name in ("controller", "agent-1"):
        print(f"---- end of {name}.log\n{log_tail(cluster.log(name))}", flush=True)


def look_around(demo):
    """Shows what to try, and waits for Ctrl-C."""
    ports = [host_port(task, "web", 8080) for task in demo.describe(demo.tasks)]
    cluster = demo.cluster
    print(f"""
The cluster stays up until Ctrl-C. Try, in another shell:

  export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
  aws ecs --endpoint-url {cluster.endpoint} list-tasks
  aws ecs --endpoint-url {cluster.endpoint} run-task --task-definition web
  aws ecs --endpoint-url {cluster.endpoint} describe-tasks --tasks {demo.tasks[0]}

  pages       {"  ".join(f"http://127.0.0.1:{port}/" for port in ports)}
  Prometheus  http://127.0.0.1:{cluster.prometheus_port}/graph
  metrics     http://{cluster.agent_http(1)}/metrics  {cluster.endpoint}/metrics
  addresses   . {demo.folder}/env
  logs        {demo.folder}/log
""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def tell_story(demo, once):
    for step in (demo.bring_up, demo.build_image, demo.create_cluster, demo.register_definition, demo.run_tasks,
                 demo.fetch_pages, demo.read_limits, demo.start_prometheus, demo.eat_memory, demo.kill_agent):
        tell(step)
    if not once:
        look_around(demo)
    tell(demo.stop_tasks)


def check_leaks(names):
    leaks.check(names)
    return "nothing of it is left on this host"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the clean-up below runs
    folder = tempfile.mkdtemp(prefix="davit-demo-")
    demo = Demo(folder)
    print("Davit: the story, each step checked\n", flush=True)
    begin = time.monotonic()
    held = False
    try:
        tell_story(demo, once="--once" in sys.argv[1:])
        held = True
    except (Failed, ClusterError, Timeout, OSError, LookupError) as error:
        explain(error, demo.cluster)
    except KeyboardInterrupt:
        print("\n  interrupted; cleaning up", flush=True)
    finally:
        try:
            names = leaks.Names(demo.cluster)
            tell(demo.tear_down)
            tell(lambda: check_leaks(names))
        except (AssertionError, Failed, ClusterError, Timeout, OSError) as error:
            print(f"  [FAILED ]  {error}", flush=True)
            held = False
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{'Every step held' if held else 'The story did not hold'}, after {time.monotonic() - begin:.0f} s.")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
