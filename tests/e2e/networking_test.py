#!/usr/bin/python3
"""The network modes of a task, seen from the host."""

import os

import e2e


class Networking(e2e.ClusterTest):

    def web(self, mode, command=None, **members):
        """A running task of the example's web server; its description."""
        main = {"name": "main", **members}
        if command:
            main["command"] = command
        arn = self.start_one({**self.definition("net", main), "networkMode": mode})
        return self.ecs.wait_status(arn, "RUNNING")

    def interfaces(self, task):
        """Network interfaces that the container has."""
        pid = self.container_pids(task["taskArn"], "main")[0]
        with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:
            return sorted(line.partition(":")[0].strip() for line in file if ":" in line)

    def is_served(self, port):
        return "It floats" in e2e.get_page(port)

    def test_bridge_with_a_port_that_the_agent_picks(self):
        task = self.web("bridge", portMappings=[{"containerPort": 8080, "hostPort": 0}])
        self.assertTrue(self.is_served(e2e.host_port(task, "main", 8080)))
        self.assertIn("eth0", self.interfaces(task))

    def test_bridge_with_a_port_that_the_definition_names(self):
        port = self.cluster.spare_port
        task = self.web("bridge", portMappings=[{"containerPort": 8080, "hostPort": port}])
        self.assertEqual(e2e.host_port(task, "main", 8080), port)
        self.assertTrue(self.is_served(port))

    def test_a_port_is_free_again_after_its_task(self):
        port = self.cluster.spare_port
        mapping = [{"containerPort": 8080, "hostPort": port}]
        first = self.web("bridge", portMappings=mapping)
        self.assertTrue(self.is_served(port))
        self.stop(first["taskArn"])
        with self.assertRaises(OSError):
            e2e.get(f"http://127.0.0.1:{port}/")
        self.web("bridge", portMappings=mapping)
        self.assertTrue(self.is_served(port))

    def test_host_mode_is_the_hosts_network(self):
        port = self.cluster.spare_port
        task = self.web("host", entryPoint=["/bin/httpd", "-f", "-h", "/site", "-p", str(port)],
                        portMappings=[{"containerPort": port}])
        self.assertTrue(self.is_served(port))
        pid = self.container_pids(task["taskArn"], "main")[0]
        self.assertEqual(os.readlink(f"/proc/{pid}/ns/net"), os.readlink("/proc/self/ns/net"))

    def test_none_is_loopback_only(self):
        task = self.web("none")
        self.assertEqual(self.interfaces(task), ["lo"])

    def test_containers_of_one_host_reach_each_other(self):
        server = self.web("bridge", portMappings=[{"containerPort": 8080, "hostPort": 0}])
        port = e2e.host_port(server, "main", 8080)
        gateway = self.cluster.agent_subnet(1).replace("0/24", "1")
        task = self.run_to_end(self.definition("client", self.shell(
            "main", f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {gateway} {port} | grep 'It floats'")))
        self.assertEqual(e2e.container(task, "main")["exitCode"], 0, e2e.reasons(task))

    def test_a_container_knows_its_own_name(self):
        task = self.run_to_end(self.definition("name", self.shell(
            "main", 'test "$(hostname)" = harbour && grep -q harbour /etc/hosts', hostname="harbour")))
        self.assertEqual(e2e.container(task, "main")["exitCode"], 0, e2e.reasons(task))


if __name__ == "__main__":
    e2e.main()
