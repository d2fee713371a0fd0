#!/usr/bin/python3
"""What a task definition says about its containers is true inside them: volumes, values, devices, processes."""

import glob
import hashlib
import json
import os
import signal
import stat
import subprocess

import e2e
import oci
from aws_stub import KEY, REGION, SECRET, AwsStub
from e2e import process
from faults import remains

PASSWORD = "correct-horse-battery-staple"
ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:prod/db-a1B2c3"


class Definition(e2e.ClusterTest):

    @classmethod
    def agent_config(cls):
        cls.aws = AwsStub()
        cls.addClassCleanup(cls.aws.close)
        for folder in ("secrets/team", "aws"):
            os.makedirs(f"{cls.folder}/{folder}", mode=0o700)
        cls.write("secrets/team/token", "from the host\n", 0o600)
        cls.write("secrets/open", "for everybody\n", 0o644)
        cls.write("aws/credentials", f"[default]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n", 0o600)
        cls.gpus = {"GPU-e2e": cls.make_gpu_node()}
        return f"""\
[gpu]
devices = {{ {", ".join(f'"{name}" = ["{path}"]' for name, path in cls.gpus.items())} }}
common_devices = ["/dev/null"]
[secrets]
directory = "{cls.folder}/secrets"
[aws]
region = "{REGION}"
credentials_file = "{cls.folder}/aws/credentials"
s3_endpoint = "{cls.aws.endpoint}"
secrets_manager_endpoint = "{cls.aws.endpoint}"
ssm_endpoint = "{cls.aws.endpoint}"
"""

    @classmethod
    def make_gpu_node(cls):
        """A device node that stands in for a GPU's: another name of /dev/kmsg."""
        path = f"/dev/davit-gpu-{os.path.basename(cls.folder)}"
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 11))
        cls.addClassCleanup(os.unlink, path)
        return path

    @classmethod
    def write(cls, name, text, mode=0o644):
        path = f"{cls.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def check(self, script, definition=None, **members):
        """A shell script in a container with these members ends with exit code 0."""
        main = self.shell("main", script, **members)
        task = self.run_to_end(self.definition("definition", main, **(definition or {})))
        self.assertEqual(e2e.container(task, "main").get("exitCode"), 0, e2e.reasons(task))

    def refusal(self, script="true", **members):
        """Why a task with such a container cannot run."""
        task = self.run_to_end(self.definition("refused", self.shell("main", script, **members)))
        self.assertNotIn("exitCode", e2e.container(task, "main"))
        return e2e.reasons(task)

    # ---- facts of the host

    def test_a_device_of_the_host(self):
        self.check("test -c /dev/clock && ! test -e /dev/fuse && ! test -e /dev/loop-control",
                   linuxParameters={"devices": [{"hostPath": "/dev/null", "containerPath": "/dev/clock"}]})

    def test_a_privileged_container_has_the_hosts_devices(self):
        loops = " ".join(name for name in os.listdir("/dev") if name.startswith("loop"))
        # More may come meanwhile, made by others on this host.
        self.check(f'for name in {loops}; do test -e "/dev/$name" || exit 1; done; mkdir /m && mount -t tmpfs x /m',
                   privileged=True)

    def test_swap_beyond_memory(self):
        arn = self.start_one(self.definition("swap", self.shell(
            "main", "exec sleep 1000", linuxParameters={"maxSwap": 16, "swappiness": 10})))
        self.ecs.wait_status(arn, "RUNNING")
        try:
            value = self.cgroup_value(arn, "memory/memory.memsw.limit_in_bytes", "", name="main")
        except FileNotFoundError:
            self.skipTest("the host does not limit swap as cgroup v1 does")
        self.assertEqual(int(value), (32 + 16) << 20)

    def test_an_init_process_reaps_orphans(self):
        # The shell that starts `sleep` ends first: the orphan becomes a child of the container's process 1.
        orphan = "(sh -c 'sleep 0.2 & exit 0'); sleep 1; "
        zombies = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' Z '"
        self.check(f"{orphan} test $({zombies}) = 0 && grep -q docker-init /proc/1/cmdline",
                   linuxParameters={"initProcessEnabled": True})

    def test_a_container_without_a_network(self):
        self.check("test \"$(ls /sys/class/net)\" = lo", disableNetworking=True)
        self.check("test \"$(ls /sys/class/net)\" = lo", {"networkMode": "host"}, disableNetworking=True)

    def test_an_interactive_container_with_a_terminal_waits_for_words(self):
        arn = self.start_one(self.definition("interactive", {
            "name": "main", "entryPoint": ["/bin/sh"], "interactive": True, "pseudoTerminal": True}))
        self.ecs.wait_status(arn, "RUNNING")
        self.assertNotEqual(self.container_pids(arn, "main"), [])

    def test_an_interactive_container_without_a_terminal_waits_too(self):
        arn = self.start_one(self.definition(
            "waits", {"name": "main", "entryPoint": ["/bin/sh", "-c"], "command": ["echo before; exec cat"],
                      "interactive": True, "user": "1000"},
            {"name": "other", "entryPoint": ["/bin/cat"], "essential": False}))
        self.ecs.wait_status(arn, "RUNNING")
        # Not the shell any more, and it waits in the pipe's read.
        pid, = self.container_pids(arn, "main")
        e2e.wait_for("cat to wait", lambda: self.waits_in(pid) == "cat pipe", 10)
        process_before = self.container_processes(arn, "main")
        # As a matter of comparison: without `interactive` there is nothing to wait for.
        e2e.wait_for("the other to end", lambda: e2e.container(self.ecs.task(arn), "other").get("exitCode") == 0, 20)
        agent = self.cluster.process("agent-1")
        process.kill(agent, signal.SIGKILL)
        e2e.wait_for("the agent to end", lambda: process.is_gone(agent), 20)
        self.cluster.start_agent(1)
        self.assertEqual(self.container_processes(arn, "main"), process_before)
        self.assertEqual(e2e.container(self.stop(arn), "main")["exitCode"], 137)
        self.assertEqual(self.container_pids(arn, "main"), [])

    @staticmethod
    def waits_in(pid):
        """The process's program, and what kind of file its standard input is: "cat pipe"."""
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink(f'/proc/{pid}/fd/0').partition(':')[0]}"

    # ---- GPUs

    def train(self, gpus, script="exec sleep 1000", **members):
        """A container that asks for so many GPUs."""
        return self.shell("main", script, resourceRequirements=[{"type": "GPU", "value": gpus}], **members)

    def test_a_gpu_is_one_containers_until_its_task_is_stopped(self):
        gpu, = self.gpus.items()
        # The node's numbers are those of the kernel's log, which no container can open without the rule for it.
        arn = self.start_one(self.definition("gpu", self.train(
            "1", f'test "$NVIDIA_VISIBLE_DEVICES" = {gpu[0]} && : >>{gpu[1]} && exec sleep 1000',
            environment=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]), self.shell(
                "beside", f'test -z "$NVIDIA_VISIBLE_DEVICES" && ! test -e {gpu[1]} && mknod /x c 1 11 && ! (: >>/x) && '
                "exec sleep 1000")))
        task = self.ecs.wait_status(arn, "RUNNING")
        self.assertEqual(e2e.container(task, "main")["gpuIds"], [gpu[0]])
        self.assertEqual(e2e.container(task, "beside")["gpuIds"], [])
        self.assertEqual(self.remaining_gpus(), [])
        self.check("true")  # others run beside it
        definition = self.ecs.register(self.definition("gpu", self.train("1", "true")))
        self.assertEqual([(one["reason"], one["detail"]) for one in self.ecs.call(
            "RunTask", taskDefinition=definition)["failures"]], [("RESOURCE:GPU", "needs 1 GPU, has 0 of 1 left")])
        # Whose it is, is in the records of both programs.
        for name, start in ("controller", self.cluster.start_controller), ("agent-1", lambda: self.cluster.start_agent(1)):
            process.stop(self.cluster.process(name))
            start()
        e2e.wait_for("the agent to be back", lambda: self.instance()["agentConnected"], 30)
        self.assertEqual(self.remaining_gpus(), [])
        self.assertEqual([e2e.container(self.ecs.task(arn), name)["lastStatus"] for name in ("main", "beside")],
                         ["RUNNING"] * 2)
        self.stop(arn)
        self.assertEqual(self.remaining_gpus(), [gpu[0]])
        task = self.run_to_end(self.definition("gpu", self.train("1", f": >>{gpu[1]}")))
        self.assertEqual(e2e.container(task, "main").get("exitCode"), 0, e2e.reasons(task))

    def remaining_gpus(self):
        return next(one["stringSetValue"] for one in self.instance()["remainingResources"] if one["name"] == "GPU")

    def test_more_gpus_than_the_host_has_are_refused(self):
        definition = self.ecs.register(self.definition("gpus", self.train("2", "true")))
        failures = self.ecs.call("RunTask", taskDefinition=definition)["failures"]
        self.assertIn("RESOURCE:GPU", [one["reason"] for one in failures])
        with self.assertRaisesRegex(e2e.ApiError, r"containerDefinitions\[0\].resourceRequirements\[0\].value"):
            self.ecs.register(self.definition("gpus", self.train("none")))

    # ---- namespaces of the task

    def sharing(self, one, other, mode):
        """A definition of two containers, "one" and "other", which run these scripts."""
        parameters = {"linuxParameters": {"sharedMemorySize": 16}}
        return self.definition("sharing", self.shell("one", one, essential=False, **parameters),
                               self.shell("other", other, **parameters), **mode)

    def namespaces(self, arn, kind, *names):
        """Of the processes of these containers."""
        return {os.readlink(f"/proc/{pid}/ns/{kind}") for name in names for pid in self.container_pids(arn, name)}

    def test_containers_of_a_task_see_and_signal_each_others_processes(self):
        # What the first container's main process leaves behind ends with it, as in a namespace of its own.
        definition = self.sharing(
            "sleep 27182 & exec sleep 31415",
            'find() { ps -o pid,args | grep "sleep $1"; }; until find "3141[5]" && find "2718[2]"; do sleep 0.1; done; '
            # Its process shows nothing of the host.
            'grep -q davit-pause /proc/1/cmdline && ! ls /proc/1/root | grep -q etc && set -- $(find "3141[5]") && kill $1 && '
            'while find "3141[5]" || find "2718[2]"; do sleep 0.1; done', {"pidMode": "task"})
        task = self.run_to_end(definition)
        self.assertEqual([e2e.container(task, name).get("exitCode") for name in ("one", "other")], [143, 0],
                         e2e.reasons(task))
        self.assertEqual(remains.of_tasks(self.cluster, [e2e.task_id(task["taskArn"])]), [])

    def test_containers_of_a_task_share_memory_and_other_tasks_do_not(self):
        definition = self.sharing(
            "echo hello >/dev/shm/x; exec sleep 1000",
            "until grep -q hello /dev/shm/x; do sleep 0.1; done; grep -q ' /dev/shm tmpfs.*size=16384k' /proc/mounts && "
            "touch /dev/shm/seen; exec sleep 1000", {"ipcMode": "task"})
        arn = self.start_one(definition)
        self.ecs.wait_status(arn, "RUNNING")
        memory = f"{self.cluster.agent_state(1)}/tasks/{e2e.task_id(arn)}/shared.memory"
        e2e.wait_for("both to have seen the memory", lambda: os.path.exists(f"{memory}/seen"), 20)
        shared = self.namespaces(arn, "ipc", "one", "other", "davit.pause")
        self.assertEqual(len(shared), 1)
        self.assertEqual(len(self.namespaces(arn, "pid", "one", "other")), 2)
        beside = self.start_one(self.sharing("exec sleep 1000", "exec sleep 1000", {"ipcMode": "task"}))
        self.ecs.wait_status(beside, "RUNNING")
        self.assertEqual(self.namespaces(beside, "ipc", "one", "other") & shared, set())
        self.assertEqual(os.listdir(f"{self.cluster.agent_state(1)}/tasks/{e2e.task_id(beside)}/shared.memory"), [])
        self.stop(arn)
        self.assertEqual(remains.of_tasks(self.cluster, [e2e.task_id(arn)]), [])

    def test_what_a_task_shares_outlives_the_agent_and_ends_with_its_holder(self):
        names = ("one", "other", "davit.pause")
        arn = self.start_one(self.sharing("exec sleep 1000", "exec sleep 1000", {"pidMode": "task", "ipcMode": "task"}))
        self.ecs.wait_status(arn, "RUNNING")
        before = {name: self.container_processes(arn, name) for name in names}
        self.assertEqual([len(processes) for processes in before.values()], [1, 1, 1])
        self.assertEqual(len(self.namespaces(arn, "pid", "one", "other")), 1)
        agent = self.cluster.process("agent-1")
        process.kill(agent, signal.SIGKILL)
        e2e.wait_for("the agent to be gone", lambda: process.is_gone(agent), 10)
        self.cluster.start_agent(1)
        self.assertEqual({name: self.container_processes(arn, name) for name in names}, before)
        self.assertEqual(self.ecs.task(arn)["lastStatus"], "RUNNING")
        os.kill(before["davit.pause"][0][0], signal.SIGKILL)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual([e2e.container(task, name).get("exitCode") for name in ("one", "other")], [137, 137])
        self.assertEqual(remains.of_tasks(self.cluster, [e2e.task_id(arn)]), [])

    # ---- volumes

    def test_a_volume_that_the_image_declares(self):
        name = f"{self.cluster.registry}/with-volume:1"
        with open("/bin/busybox", "rb") as file:
            files = {"bin/busybox": file.read(), "data/seed": b"of the image"}
        oci.push(self.cluster.registry, "with-volume", files, config={"Volumes": {"/data": {}}})
        main = {"name": "main", "image": name, "entryPoint": ["/bin/busybox", "sh", "-c"], "command": [
            "/bin/busybox grep -q ' /data ' /proc/mounts && /bin/busybox grep -q image /data/seed && echo x >/data/new"],
                "readonlyRootFilesystem": True}
        task = self.run_to_end(self.definition("image-volume", main))
        self.assertEqual(e2e.container(task, "main").get("exitCode"), 0, e2e.reasons(task))
        folder = f"{self.cluster.agent_state(1)}/tasks/{e2e.task_id(task['taskArn'])}"
        self.assertFalse(os.path.exists(folder))

    def test_a_new_volume_begins_with_what_the_image_has_there(self):
        mount = [{"sourceVolume": "site", "containerPath": "/site"}]
        self.check("test -s /site/index.html", {"volumes": [{"name": "site"}]}, mountPoints=mount)

    def test_a_shared_docker_volume_outlives_its_tasks(self):
        docker = {"scope": "shared", "autoprovision": True, "driver": "local"}
        volumes = {"volumes": [{"name": "kept", "dockerVolumeConfiguration": docker}]}
        mount = [{"sourceVolume": "kept", "containerPath": "/kept"}]
        self.check("test -z \"$(ls /kept)\" && echo x >/kept/x", volumes, mountPoints=mount)
        self.check("test -s /kept/x", volumes, mountPoints=mount)

    def test_a_docker_volume_of_the_task_in_memory(self):
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000,mode=700"}
        volumes = {"volumes": [{"name": "memory", "dockerVolumeConfiguration": {"scope": "task", "driverOpts": options}}]}
        self.check("grep -q '^tmpfs /memory tmpfs.*size=1024k' /proc/mounts && touch /memory/x", volumes, user="1000",
                   mountPoints=[{"sourceVolume": "memory", "containerPath": "/memory"}])

    def test_another_volume_driver_is_refused_by_name(self):
        main = self.shell("main", "true", mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}])
        task = self.run_to_end(self.definition("driver", main, volumes=[
            {"name": "v", "dockerVolumeConfiguration": {"driver": "rexray/ebs"}}]))
        self.assertIn("volumes[0].dockerVolumeConfiguration", e2e.reasons(task))

    # ---- environment files

    def test_environment_files_from_the_host_and_from_s3(self):
        path = self.write("a.env", "# comment\nA=file one\nB=file one\n")
        self.aws.objects["config/b c.env"] = b"B=file two\nC=file two\r\nD=file two\n"
        files = [{"value": f"file://{path}", "type": "s3"},
                 {"value": "arn:aws:s3:::config/b c.env", "type": "s3"}]
        self.check('test "$A$B$C$D" = "file onefile onefile twodefinition"', environmentFiles=files,
                   environment=[{"name": "D", "value": "definition"}])

    def test_an_override_replaces_environment_files(self):
        path = self.write("override.env", "WHO=override\n")
        main = self.shell("main", 'test "$WHO" = override', environmentFiles=[
            {"value": "file:///no/such/file.env", "type": "s3"}])
        definition = self.ecs.register(self.definition("override", main))
        arn, = self.ecs.run(definition, overrides={"containerOverrides": [
            {"name": "main", "environmentFiles": [{"value": f"file://{path}", "type": "s3"}]}]})
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertEqual(e2e.container(task, "main").get("exitCode"), 0, e2e.reasons(task))

    def test_a_missing_environment_file_says_what_is_wrong(self):
        reasons = self.refusal(environmentFiles=[{"value": "arn:aws:s3:::config/none.env", "type": "s3"}])
        self.assertIn("ResourceInitializationError: environmentFiles of container 'main': s3://config/none.env", reasons)
        self.assertIn("NoSuchKey", reasons)

    # ---- secrets

    def test_secrets_from_the_host_and_from_aws(self):
        self.aws.secrets[ARN] = json.dumps({"user": "captain", "password": PASSWORD})
        self.aws.parameters["/prod/port"] = "5432"
        self.check(f'test "$TOKEN $USER_NAME $PASSWORD $PORT" = "from the host captain {PASSWORD} 5432"', secrets=[
            {"name": "TOKEN", "valueFrom": f"arn:aws:ssm:{REGION}:123456789012:parameter/team/token"},
            {"name": "USER_NAME", "valueFrom": f"{ARN}:user::"},
            {"name": "PASSWORD", "valueFrom": f"{ARN}:password::"},
            {"name": "PORT", "valueFrom": "/prod/port"}])

    def test_a_secret_as_a_file_is_in_memory_and_nowhere_else(self):
        self.aws.parameters["/file"] = PASSWORD
        arn = self.start_one(self.definition("secret-file", self.shell(
            "main", f'{self.has_digest("$(cat /run/secrets/db)", PASSWORD)} && test -z "$DB" && exec sleep 1000', user="1000",
            secrets=[{"name": "DB", "valueFrom": "/file"}], dockerLabels={"davit.secret-file.DB": "/run/secrets/db"})))
        task = self.ecs.wait_status(arn, "RUNNING")
        self.assertNotEqual(self.container_pids(arn, "main"), [])
        self.assertNotIn(PASSWORD, json.dumps(task))
        self.assertNotIn(PASSWORD, e2e.get(f"http://{self.cluster.agent_http(1)}/v1/tasks")[1])
        self.assert_not_on_disk(PASSWORD)
        self.stop(arn)
        with open("/proc/mounts", encoding="utf-8") as file:
            self.assertNotIn(f"{self.cluster.agent_state(1)}/tasks/", file.read())

    @staticmethod
    def has_digest(text, word):
        """A shell test that `text` is the word, without the word in it: definitions are stored."""
        return f'test "$(printf %s "{text}" | sha256sum)" = "{hashlib.sha256(word.encode()).hexdigest()}  -"'

    def assert_not_on_disk(self, word):
        """No file of agent, controller or containerd on a disk has the word. The test's own process has it in memory."""
        found = subprocess.run(["find", self.folder, "-xdev", "-type", "f", "-size", "-20M", "-exec", "grep", "-l", "-F",
                                word, "{}", "+"], capture_output=True, text=True, check=False).stdout.split()
        self.assertEqual(found, [])

    def test_a_secret_of_the_environment_is_in_no_record_of_ours(self):
        word = "in-the-environment-only"
        self.aws.parameters["/env"] = word
        arn = self.start_one(self.definition("secret-env", self.shell(
            "main", f'{self.has_digest("$WORD", word)} && exec sleep 1000', secrets=[{"name": "WORD", "valueFrom": "/env"}])))
        self.ecs.wait_status(arn, "RUNNING")
        self.assertNotEqual(self.container_pids(arn, "main"), [])
        self.assertNotIn(word, self.agent_log())
        for path in glob.glob(f"{self.cluster.agent_state(1)}/agent.db*") + glob.glob(f"{self.folder}/controller/*"):
            with open(path, "rb") as file:
                self.assertNotIn(word.encode(), file.read(), path)

    def test_a_secret_that_a_failing_container_prints_is_not_in_its_reason(self):
        word = "printed-by-mistake"
        self.aws.parameters["/printed"] = word
        secrets = [{"name": "WORD", "valueFrom": "/printed"}]
        task = self.run_to_end(self.definition("printed", self.shell(
            "main", 'echo "login as $WORD failed"; exit 1', secrets=secrets)))
        self.assertEqual(e2e.container(task, "main")["reason"], "exit code 1; last output: login as [secret] failed")
        self.assertNotIn(word, e2e.get(f"http://{self.cluster.agent_http(1)}/v1/tasks")[1])
        for path in glob.glob(f"{self.cluster.agent_state(1)}/agent.db*"):
            with open(path, "rb") as file:
                self.assertNotIn(word.encode(), file.read(), path)

    def test_a_missing_secret_says_where_it_was_looked_for(self):
        reasons = self.refusal(secrets=[{"name": "DB", "valueFrom": "/none"}])
        self.assertIn("ResourceInitializationError: secret DB of container 'main'", reasons)
        self.assertIn(f"{self.folder}/secrets", reasons)
        self.assertIn("ParameterNotFound", reasons)

    def test_a_secret_that_others_may_read_is_refused(self):
        self.assertIn("chmod go=", self.refusal(secrets=[{"name": "OPEN", "valueFrom": "open"}]))


if __name__ == "__main__":
    e2e.main()
