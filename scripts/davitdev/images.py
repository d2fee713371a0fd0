"""Builds the example's image with buildah, and pushes it to a cluster's registry."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

from davitdev import host, registry as registry_api
from davitdev.cluster import ROOT

CONTEXT = f"{ROOT}/examples/web"
BUSYBOX = "/bin/busybox"
KEPT = f"{ROOT}/build/test-image"


@contextlib.contextmanager
def _built(name):
    """A function that runs buildah on storage of its own, in which examples/web is built as the image `name`."""
    with tempfile.TemporaryDirectory(prefix="davit-image-") as work:
        context = f"{work}/context"
        shutil.copytree(CONTEXT, context)
        shutil.copy(BUSYBOX, context)
        # Own storage, and no mounts or user namespaces of buildah's: works as root in a container, too.
        storage = ["--root", f"{work}/root", "--runroot", f"{work}/run", "--storage-driver", "vfs"]
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": work}

        def buildah(*command):
            result = subprocess.run(["buildah", *storage, *command], stdin=subprocess.DEVNULL, text=True,
                                    capture_output=True, env=environment, check=False)
            if result.returncode != 0:
                raise OSError(f"buildah {command[0]}: {result.stderr.strip()}")
        try:
            buildah("bud", "--isolation", "chroot", "--tag", name, context)
            yield buildah
        finally:
            host.unmount_below(work)


def build_and_push_web(registry):
    """examples/web as REGISTRY/web:1, as a user would do it; that name. Leaves nothing in the host's image storage."""
    name = f"{registry}/web:1"
    with _built(name) as buildah:
        buildah("push", "--tls-verify=false", name)
    return name


def _key():
    """Changes with anything that the image is made of."""
    paths = [BUSYBOX, *(f"{folder}/{name}" for folder, _, names in os.walk(CONTEXT) for name in names)]
    content = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            content.update(f"{path} {os.stat(path).st_mode}\n".encode() + hashlib.sha256(file.read()).digest())
    return content.hexdigest()[:16]


def _web_layout():
    """Folder of the image as an OCI image layout: built once, and kept below build/ for all tests to come."""
    os.makedirs(KEPT, exist_ok=True)
    layout = f"{KEPT}/{_key()}"
    with open(f"{KEPT}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(layout):
            for old in os.listdir(KEPT):
                if old != "lock":
                    shutil.rmtree(f"{KEPT}/{old}", ignore_errors=True)
            with _built("web:1") as buildah:
                buildah("push", "web:1", f"oci:{layout}.new:1")
            os.rename(f"{layout}.new", layout)
    return layout


def push_web(registry):
    """examples/web as REGISTRY/web:1; that name. The same image as build_and_push_web's, without building it each time."""
    layout = _web_layout()

    def blob(descriptor):
        with open(f"{layout}/blobs/{descriptor['digest'].replace(':', '/')}", "rb") as file:
            return file.read()
    with open(f"{layout}/index.json", encoding="utf-8") as file:
        descriptor, = json.load(file)["manifests"]
    manifest = blob(descriptor)
    content = json.loads(manifest)
    for part in (content["config"], *content["layers"]):
        registry_api.push_blob(registry, "web", blob(part))
    registry_api.push_manifest(registry, "web", "1", manifest, descriptor["mediaType"])
    return f"{registry}/web:1"
