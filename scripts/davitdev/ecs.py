"""A client of the ECS API for tests: one JSON request per call. The demo uses the real `aws` command instead."""

import http.client
import json
import urllib.error
import urllib.request

from davitdev.waiting import wait_for


class ApiError(Exception):
    """The API refused: `code` is the exception's name, `message` its text."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Ecs:
    """Calls of one controller. `endpoint` is like http://127.0.0.1:51670."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def call(self, operation, **members):
        """The answer as a dict. Raises ApiError for a refusal, OSError when there is no answer."""
        request = urllib.request.Request(
            self.endpoint + "/", data=json.dumps(members).encode(), method="POST",
            headers={"Content-Type": "application/x-amz-json-1.1",
                     "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except http.client.HTTPException as error:  # the controller died in the middle of its answer
            raise ConnectionError(f"{operation}: {error!r}") from None
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                body = json.loads(text)
            except ValueError:
                raise OSError(f"{operation}: HTTP {error.code}: {text[:200]}") from None
            code = body.get("__type", "").rpartition("#")[2]
            raise ApiError(code, body.get("message") or body.get("Message") or text) from None

    def instances(self, cluster="default"):
        arns = self.call("ListContainerInstances", cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        return self.call("DescribeContainerInstances", cluster=cluster, containerInstances=arns)["containerInstances"]

    def register(self, definition):
        return self.call("RegisterTaskDefinition", **definition)["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition, count=1, **members):
        """ARNs of `count` new tasks. A task that cannot be placed is an AssertionError with the scheduler's reason."""
        answer = self.call("RunTask", taskDefinition=definition, count=count, **members)
        if answer.get("failures"):
            raise AssertionError(f"RunTask: {answer['failures']}")
        return [task["taskArn"] for task in answer["tasks"]]

    def task(self, arn):
        return self.call("DescribeTasks", tasks=[arn])["tasks"][0]

    def stop(self, arn, reason="stopped by a test"):
        return self.call("StopTask", task=arn, reason=reason)["task"]

    def wait_status(self, arn, status, seconds=60):
        """The task once it is `status`. Fails at once, with its reasons, when it is STOPPED and should not be."""
        def look():
            task = self.task(arn)
            if task["lastStatus"] == status:
                return task
            if task["lastStatus"] == "STOPPED":
                raise AssertionError(f"task is STOPPED, not {status}: {reasons(task)}")
            return None
        return wait_for(f"task {arn} to be {status}", look, seconds)


def container(task, name):
    """The container called `name` of a described task."""
    return next(entry for entry in task["containers"] if entry["name"] == name)


def host_port(task, name, container_port):
    """Where the port of a running container is reachable on the host."""
    for binding in container(task, name).get("networkBindings", []):
        if binding["containerPort"] == container_port:
            return binding["hostPort"]
    raise LookupError(f"container {name} has no binding of port {container_port}")


def reasons(task):
    """Everything a described task says about its end, in one line."""
    parts = [task.get("stopCode", ""), task.get("stoppedReason", "")]
    parts += [f"{entry['name']}: exit {entry.get('exitCode')} {entry.get('reason', '')}"
              for entry in task.get("containers", [])]
    return "; ".join(part for part in parts if part)
