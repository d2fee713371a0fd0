#!/usr/bin/python3
"""Wrong input is refused by name, at the door."""

import socket
import subprocess
import urllib.error
import urllib.request

import e2e

MAIN = {"name": "main", "image": "example/web:1", "memory": 32}
# What is wrong: the definition, and what the refusal must name.
MALFORMED = [
    ({"containerDefinitions": [MAIN]}, "family"),
    ({"family": "no spaces", "containerDefinitions": [MAIN]}, "family"),
    ({"family": "f"}, "containerDefinitions"),
    ({"family": "f", "containerDefinitions": []}, "containerDefinitions"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "name": ""}]}, "name"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "image": ""}]}, "image"),
    ({"family": "f", "containerDefinitions": [MAIN, MAIN]}, "main"),
    ({"family": "f", "containerDefinitions": [{"name": "main", "image": "i"}]}, "memory"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "memory": 1}]}, "memory"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "memory": 32, "memoryReservation": 64}]}, "memory"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "cpu": -1}]}, "cpu"),
    ({"family": "f", "networkMode": "carrier-pigeon", "containerDefinitions": [MAIN]}, "networkMode"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "essential": False}]}, "essential"),
    ({"family": "f", "containerDefinitions": [{**MAIN, "portMappings": [{"containerPort": 70000}]}]}, "ontainerPort"),
    ({"family": "f", "containerDefinitions": [
        {**MAIN, "portMappings": [{"containerPort": 80, "protocol": "carrier"}]}]}, "protocol"),
    ({"family": "f", "networkMode": "host", "containerDefinitions": [
        {**MAIN, "portMappings": [{"containerPort": 80, "hostPort": 81}]}]}, "ostPort"),
    ({"family": "f", "containerDefinitions": [
        {**MAIN, "dependsOn": [{"containerName": "absent", "condition": "START"}]}]}, "absent"),
    ({"family": "f", "containerDefinitions": [
        {**MAIN, "dependsOn": [{"containerName": "main", "condition": "START"}]}]}, "main"),
    ({"family": "f", "containerDefinitions": [
        {**MAIN, "mountPoints": [{"sourceVolume": "absent", "containerPath": "/x"}]}]}, "absent"),
    ({"family": "f", "cpu": "many", "containerDefinitions": [MAIN]}, "cpu"),
    ({"family": "f", "memory": "16", "containerDefinitions": [MAIN]}, "memory"),
]


class BadInput(e2e.ClusterTest):

    def test_a_malformed_task_definition_is_refused_by_the_name_of_what_is_wrong(self):
        for definition, name in MALFORMED:
            with self.subTest(name=name, definition=definition):
                with self.assertRaises(e2e.ApiError) as caught:
                    self.ecs.register(definition)
                self.assertIn(caught.exception.code, ("ClientException", "InvalidParameterException"))
                self.assertIn(name, caught.exception.message)

    def test_what_is_not_json_is_refused(self):
        for operation, body, words in (("ListTasks", b"{", "SerializationException"),
                                       ("ListTasks", b'{"cluster": 7}', "cluster"),
                                       ("Sing", b"{}", "UnknownOperationException")):
            with self.subTest(operation=operation, body=body):
                request = urllib.request.Request(
                    self.cluster.endpoint, data=body, method="POST",
                    headers={"Content-Type": "application/x-amz-json-1.1",
                             "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}"})
                with self.assertRaises(urllib.error.HTTPError) as caught:
                    urllib.request.urlopen(request, timeout=10)
                self.assertEqual(caught.exception.code, 400)
                self.assertIn(words, caught.exception.read().decode())

    def test_a_task_larger_than_any_host_is_not_placed_and_the_reason_is_told(self):
        for member, amount, reason in (("memory", "100000000", "RESOURCE:MEMORY"), ("cpu", "10240", "RESOURCE:CPU")):
            with self.subTest(member=member):
                definition = self.definition("large", {"name": "main"}, **{member: amount})
                answer = self.ecs.call("RunTask", taskDefinition=self.ecs.register(definition))
                self.assertEqual(answer["tasks"], [])
                self.assertEqual([one["reason"] for one in answer["failures"]], [reason])
                self.assertEqual(answer["failures"][0]["arn"], self.instance()["containerInstanceArn"])

    def test_a_port_that_another_program_holds_is_told(self):
        with socket.socket() as other:
            other.bind(("0.0.0.0", 0))
            other.listen()
            port = other.getsockname()[1]
            definition = self.definition("port", self.shell(
                "main", "exec sleep 1000", portMappings=[{"containerPort": 80, "hostPort": port}]))
            task = self.run_to_end(definition)
            self.assertIn(str(port), e2e.reasons(task))

    def test_a_port_that_another_task_has_is_not_given_twice(self):
        definition = self.definition("port", self.shell(
            "main", "exec sleep 1000", portMappings=[{"containerPort": 80, "hostPort": self.cluster.spare_port}]))
        self.ecs.wait_status(self.start_one(definition), "RUNNING")
        answer = self.ecs.call("RunTask", taskDefinition="port")
        self.assertEqual([one["reason"] for one in answer["failures"]], ["RESOURCE:PORTS"])

    def test_a_name_that_is_not_known_is_refused_with_the_apis_own_exception(self):
        for code, operation, members in (
                ("ClusterNotFoundException", "ListTasks", {"cluster": "absent"}),
                ("ClientException", "RunTask", {"taskDefinition": "absent"}),
                ("InvalidParameterException", "StopTask", {"task": "0" * 32})):
            with self.subTest(operation=operation):
                with self.assertRaises(e2e.ApiError) as caught:
                    self.ecs.call(operation, **members)
                self.assertEqual(caught.exception.code, code)


class BadConfiguration(e2e.ClusterTest):

    def refused(self, program, config, *options):
        """The error output of a program that must end at once with exit code 5 and a reason."""
        path = f"{self.folder}/refused.toml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        result = subprocess.run([f"{e2e.bin_folder()}/{program}", "--config", path, *options], capture_output=True,
                                text=True, timeout=20, check=False)
        self.assertEqual(result.returncode, 5, result.stderr)
        return result.stderr + result.stdout

    def test_every_wrong_key_is_told_at_once(self):
        for program in ("davit-agent", "davit-controller"):
            with self.subTest(program=program):
                output = self.refused(program, '[logging]\nlevle = "info"\nlevel = "loud"\n[extra]\na = 1\n', "--dev")
                for name in ("logging.levle", "logging.level", "extra"):
                    self.assertIn(name, output)

    def test_without_tls_files_only_dev_mode_starts(self):
        self.assertIn("ca_file", self.refused("davit-agent", "", "--check-config"))

    def test_a_state_folder_that_is_a_file_is_told(self):
        with open(self.cluster.agent_config(1), encoding="utf-8") as file:
            config = file.read()
        path = f"{self.folder}/file"
        with open(path, "w", encoding="utf-8") as file:
            file.write("not a folder")
        result = self.start_refused(config.replace(self.cluster.agent_state(1), path))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(path, result.stderr)

    def start_refused(self, config):
        changed = f"{self.folder}/config/changed.toml"
        with open(changed, "w", encoding="utf-8") as file:
            file.write(config)
        return subprocess.run([f"{e2e.bin_folder()}/davit-agent", "--config", changed], capture_output=True, text=True,
                              timeout=20, check=False)


if __name__ == "__main__":
    e2e.main()
