#!/usr/bin/python3
"""Davit as services of a host with systemd and cgroup v2: installed as the docs say, run, killed, stopped, restarted."""

import json
import os
import shutil
import signal

import e2e
import installed
import oci
from davitdev import host
from installed import main_process, show, systemctl

MIB = 1 << 20
CONFIG = "/etc/davit/agent.toml"


def start_registry():
    with open("/run/registry.yml", "w", encoding="utf-8") as file:
        file.write(f"""\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: /var/lib/registry}}}}
http: {{addr: "{installed.REGISTRY}"}}
""")
    host.run(["systemd-run", "--unit=registry", "docker-registry", "serve", "/run/registry.yml"])
    e2e.wait_for("the registry", lambda: e2e.get(f"http://{installed.REGISTRY}/v2/")[0] == 200, 30)
    with open("/bin/busybox", "rb") as file:
        busybox = file.read()
    oci.push(installed.REGISTRY, "busybox", {"bin/sh": busybox})


def setUpModule():
    installed.install()
    e2e.Ecs(installed.Installed.endpoint).call("CreateCluster", clusterName="default")
    start_registry()
    installed.wait_until_connected()


class Tasks(installed.InstalledTest):
    """What a task has and does on such a host."""

    def test_it_has_its_limits_in_the_kernel_whatever_systemd_does_meanwhile(self):
        arn = self.start_one(self.definition("limits", self.shell("main", "exec sleep 1000", memory=32, cpu=128),
                                             cpu="512", memory="64"))
        self.ecs.wait_status(arn, "RUNNING")
        process = self.first_process(arn)
        with open(f"/proc/{process[0]}/cgroup", encoding="ascii") as file:
            self.assertEqual(file.read(), f"0::/davit/{e2e.task_id(arn)}/main\n")

        def limits():
            return {f"{name} {file}": self.cgroup_value(arn, "", file, name)
                    for name in ("", "main") for file in ("cpu.max", "cpu.weight", "memory.max", "pids.max")}
        before = limits()
        self.assertEqual(before[" cpu.max"], "50000 100000")
        self.assertEqual(before[" memory.max"], str(64 * MIB))
        self.assertEqual(before["main memory.max"], str(32 * MIB))
        systemctl("daemon-reload")
        systemctl("daemon-reexec")
        # A unit comes and goes that has limits, too: systemd looks again at which controllers are needed.
        host.run(["systemd-run", "--unit=limited", "--property=CPUQuota=50%", "--property=MemoryMax=64M",
                  "--property=TasksMax=10", "sleep", "1000"])
        systemctl("stop", "limited")
        self.assertEqual(limits(), before)
        self.same_as_before(arn, process)

    def test_it_has_the_seccomp_profile_and_no_rights_over_the_host(self):
        with open(f"/proc/{self.idle()[1][0]}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(int(status["CapEff"], 16) >> 21 & 1, 0)  # CAP_SYS_ADMIN

    def test_it_ends_with_a_reason_when_it_eats_more_memory_than_it_may(self):
        task = self.run_to_end(self.definition("hog", self.shell("main", "exec tail /dev/zero", memory=16)))
        main = e2e.container(task, "main")
        self.assertTrue(main["reason"].startswith("OutOfMemoryError: Container killed due to memory usage"), main)
        self.assertEqual(main["exitCode"], 137)

    def test_it_serves_a_folder_of_the_host_at_a_port_and_leaves_nothing_behind(self):
        os.makedirs("/srv/page", exist_ok=True)
        with open("/srv/page/index.html", "w", encoding="utf-8") as file:
            file.write("from the host")
        main = self.shell("main", "exec busybox httpd -f -p 8080 -h /page",
                          portMappings=[{"containerPort": 8080, "hostPort": 0}],
                          mountPoints=[{"sourceVolume": "page", "containerPath": "/page", "readOnly": True}])
        before = installed.leftovers()
        arn = self.start_one(self.definition("web", main,
                                             volumes=[{"name": "page", "host": {"sourcePath": "/srv/page"}}]))
        port = e2e.host_port(self.ecs.wait_status(arn, "RUNNING"), "main", 8080)
        self.assertEqual(e2e.get_page(port), "from the host")
        during = " ".join(sorted(set(installed.leftovers()) - set(before)))
        for kind in ("cgroup", "mount", "link", "iptables", "container", "process", "lease", "snapshot", "netns", "ipam"):
            self.assertIn(kind, during)  # what is looked for is there while the task runs
        self.stop(arn)
        self.assertEqual(sorted(set(installed.leftovers()) - set(before)), [])
        with self.assertRaises(OSError):
            e2e.get(f"http://127.0.0.1:{port}/")


class Units(installed.InstalledTest):
    """What systemd does with the programs, and one task that shall not notice. It also sees the end of this boot."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arn, cls.process = cls().idle(is_left=True)
        with open(installed.TASK_OF_FIRST_BOOT, "w", encoding="utf-8") as file:
            json.dump(cls.arn, file)

    def assert_adopted(self):
        """The agent is well, and the task's container is the process that it was."""
        installed.wait_until_connected()
        self.same_as_before(self.arn, self.process)

    def assert_started_again(self, old):
        """systemd starts the agent without being told; `old` is what it was."""
        def is_new():
            now = main_process("davit-agent")
            return now and now != old and show("davit-agent", "ActiveState") == "active"
        e2e.wait_for("systemd to start the agent again", is_new, 60)
        self.assert_adopted()

    def test_both_are_active_once_they_say_so(self):
        for unit in installed.UNITS:
            self.assertEqual([show(unit, name) for name in ("Type", "ActiveState", "UnitFileState")],
                             ["notify", "active", "enabled"], unit)
            self.assertNotEqual(show(unit, "StatusText"), "")
        self.assertEqual(installed.connected_instance()["status"], "ACTIVE")

    def test_the_controller_is_not_root_and_nobody_else_reads_the_secrets(self):
        pid, _ = main_process("davit-controller")
        self.assertNotEqual(os.stat(f"/proc/{pid}").st_uid, 0)
        for name in ("controller.toml", "tls/controller.key", "tls/agent.key"):
            self.assertEqual(os.stat(f"/etc/davit/{name}").st_mode & 0o007, 0, name)

    def test_the_agents_mounts_are_the_hosts(self):
        pid, _ = main_process("davit-agent")
        self.assertEqual(os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink("/proc/1/ns/mnt"))

    def test_a_restarted_agent_adopts(self):
        systemctl("restart", "davit-agent")
        self.assert_adopted()

    def test_a_killed_agent_is_started_again_and_adopts(self):
        old = main_process("davit-agent")
        systemctl("kill", "--signal=KILL", "davit-agent")
        self.assert_started_again(old)

    def test_a_stopped_agent_leaves_containers_alone(self):
        systemctl("stop", "davit-agent")
        self.assertEqual([show("davit-agent", name) for name in ("ActiveState", "Result")], ["inactive", "success"])
        self.same_as_before(self.arn, self.process)
        systemctl("start", "davit-agent")
        self.assert_adopted()

    def test_a_restarted_controller_knows_everything(self):
        systemctl("restart", "davit-controller")
        self.assert_adopted()

    def test_a_restarted_containerd_leaves_containers_alone(self):
        systemctl("restart", "containerd")
        self.assert_adopted()

    def test_an_agent_that_hangs_is_ended_by_the_watchdog_and_started_again(self):
        drop_in = "/run/systemd/system/davit-agent.service.d"
        os.makedirs(drop_in)
        self.addCleanup(systemctl, "daemon-reload")
        self.addCleanup(shutil.rmtree, drop_in)
        with open(f"{drop_in}/watchdog.conf", "w", encoding="utf-8") as file:
            file.write("[Service]\nWatchdogSec=15s\n")  # the unit's own minute is long for a test
        systemctl("daemon-reload")
        systemctl("restart", "davit-agent")
        self.assert_adopted()
        old = main_process("davit-agent")
        os.kill(old[0], signal.SIGSTOP)
        self.assert_started_again(old)
        self.assertIn("Watchdog timeout", installed.journal("davit-agent", "--lines=50"))
        self.assertFalse(os.path.exists("/core"))

    def test_a_wrong_configuration_ends_the_agent_for_good(self):
        shutil.copy(CONFIG, "/run/agent.toml")
        self.addCleanup(systemctl, "start", "davit-agent")
        self.addCleanup(shutil.copy, "/run/agent.toml", CONFIG)
        with open(CONFIG, "a", encoding="utf-8") as file:
            file.write("[nonsense]\ncolour = 1\n")
        with self.assertRaises(OSError):
            systemctl("restart", "davit-agent")
        self.assertEqual([show("davit-agent", name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")],
                         ["failed", "5", "0"])
        self.assertIn("nonsense", installed.journal("davit-agent", "--lines=20"))
        self.same_as_before(self.arn, self.process)


if __name__ == "__main__":
    installed.main()
