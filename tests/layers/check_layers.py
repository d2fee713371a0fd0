#!/usr/bin/python3
"""Checks the direction of every #include of ours against the layer table of docs/architecture.md.

  check_layers.py ROOT         checks the sources below ROOT; prints each violation; exit 1 if there is one
  check_layers.py --self-test  checks that each kind of violation is found, and that what is allowed is not
"""

import os
import re
import sys

# A module includes itself and lower numbers of its own program. Modules with the same number do not include each other.
LAYERS = {
    "agent": {"task": 1, "spec": 1, "containerd": 2, "resource": 2, "network": 2, "store": 2, "log": 2, "runtime": 3,
              "secret": 2, "image": 3, "supervisor": 4, "session": 5, "endpoint": 5, "": 6},
    "controller": {"capacity": 0, "ecs": 0, "rows": 0, "store": 1, "query": 1, "placement": 2, "state": 2, "change": 3,
                   "leader": 3, "schedule": 4, "cluster": 5, "definition": 5, "instance": 5, "setting": 5, "tag": 5,
                   "task": 5, "agents": 6, "capacity_provider": 6, "scaling": 6, "service": 6, "model": 7, "loop": 8,
                   "api": 9, "gateway": 9, "launch": 9, "streams": 9, "": 10},
    "cli": {"": 1},
    "base": {"": 0, "definition": 1},
}
# Where gRPC's own headers, generated services and containerd's API may appear.
GRPC_MODULES = {("agent", "containerd"), ("agent", "session"), ("controller", "gateway"), ("controller", "store"),
                ("cli", "")}
GRPC_HEADER = re.compile(r"^(grpc|grpcpp|grpc\+\+)/|\.grpc\.pb\.h$")
# Third-party headers that one module wraps for all others.
WRAPPED = {
    "boost/asio": {("base", "")},
    "boost/beast": {("base", "")},
    "libcgroup.h": {("agent", "resource")},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.MULTILINE)


def module_of(path):
    """("agent", "task") of agent/task/x.h; ("agent", "") of agent/main.cc; None for what is not ours."""
    parts = path.split("/")
    if parts[0] not in LAYERS or len(parts) < 2:
        return None
    return (parts[0], parts[1] if len(parts) > 2 else "")


def problem(path, included):
    """Why the file `path` must not include `included`, or None. Both relative to the root."""
    program, module = here = module_of(path)
    if module not in LAYERS[program]:
        return f"{program}/{module} is not in the layer table"
    if GRPC_HEADER.search(included) and here not in GRPC_MODULES:
        return "gRPC headers are not allowed in this module"
    if any(here not in modules for library, modules in WRAPPED.items()
           if included == library or included.startswith((library + "/", library + "."))):
        return "this library has one wrapper, elsewhere"
    there = module_of(included)
    if there is None or there == here or there[0] == "base":
        return None
    if there[0] != program:
        return f"{program} must not include {there[0]}"
    if there[1] not in LAYERS[program]:
        return f"{'/'.join(there)} is not in the layer table"
    mine, other = LAYERS[program][module], LAYERS[program][there[1]]
    if other == mine:
        return f"both are in layer {mine}"
    if other > mine:
        return f"layer {mine} must not include layer {other}"
    return None


def violations(root):
    """(number of #include lines seen, list of "file:line: ..." texts)."""
    seen, found = 0, []
    for program in LAYERS:
        for folder, _, files in os.walk(f"{root}/{program}"):
            for name in sorted(files):
                if not name.endswith((".h", ".cc")):
                    continue
                path = os.path.relpath(f"{folder}/{name}", root)
                with open(f"{folder}/{name}", encoding="utf-8") as file:
                    text = file.read()
                for match in INCLUDE.finditer(text):
                    seen += 1
                    why = problem(path, match.group(1))
                    if why:
                        line = text.count("\n", 0, match.start(1)) + 1
                        found.append(f"{path}:{line}: includes {match.group(1)}: {why}")
    return seen, found


ALLOWED = [
    ("agent/task/task_machine.cc", "agent/task/task_machine.h"),
    ("agent/task/task_machine.cc", "base/ids.h"),
    ("agent/task/task_machine.cc", "davit/v1/agent.pb.h"),
    ("agent/runtime/containerd_runtime.cc", "agent/containerd/client.h"),
    ("agent/session/session.cc", "davit/v1/agent.grpc.pb.h"),
    ("agent/main.cc", "agent/supervisor/supervisor.h"),
    ("controller/gateway/gateway.cc", "grpcpp/grpcpp.h"),
    ("controller/main.cc", "controller/api/api.h"),
    ("base/http_server.cc", "boost/asio/post.hpp"),
    ("base/http_request_parser.cc", "boost/beast/http.hpp"),
]
FORBIDDEN = [
    ("agent/task/task_machine.cc", "agent/runtime/runtime.h"),
    ("agent/task/task_machine.cc", "agent/spec/oci_spec.h"),
    ("agent/session/session.cc", "agent/endpoint/endpoint.h"),
    ("agent/supervisor/task.cc", "agent/session/session.h"),
    ("agent/main.cc", "controller/model/model.h"),
    ("controller/api/api.cc", "agent/task/task_machine.h"),
    ("base/log.cc", "agent/task/task_machine.h"),
    ("agent/supervisor/task.cc", "grpcpp/grpcpp.h"),
    ("controller/api/api.cc", "davit/v1/agent.grpc.pb.h"),
    ("agent/endpoint/endpoint.cc", "boost/beast.hpp"),
    ("controller/main.cc", "boost/asio/io_context.hpp"),
    ("agent/newcomer/x.cc", "base/log.h"),
    ("agent/main.cc", "agent/newcomer/x.h"),
]


def self_test():
    wrong = [f"allowed, but refused: {pair}" for pair in ALLOWED if problem(*pair)]
    wrong += [f"forbidden, but accepted: {pair}" for pair in FORBIDDEN if not problem(*pair)]
    # The reading of lines, as well as the judgement of names.
    text = '// #include "a.h"\n  #  include <grpcpp/grpcpp.h>\n#include "agent/task/x.h"  // why\n'
    if INCLUDE.findall(text) != ["grpcpp/grpcpp.h", "agent/task/x.h"]:
        wrong.append(f"read from the sample: {INCLUDE.findall(text)}")
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        wrong = self_test()
        print("\n".join(wrong) or f"{len(ALLOWED)} allowed and {len(FORBIDDEN)} forbidden includes are told apart")
        sys.exit(bool(wrong))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    seen, found = violations(sys.argv[1])
    print("\n".join(found) or f"{seen} includes point downwards")
    # No line at all means that the test looked in the wrong place.
    sys.exit(bool(found) or seen == 0)


if __name__ == "__main__":
    main()
