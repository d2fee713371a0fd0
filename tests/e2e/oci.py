"""Pushes small images to a registry without any tool: enough of the OCI distribution API for tests."""

import gzip
import io
import json
import platform
import tarfile

from davitdev.registry import digest, push_blob, push_manifest

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def push(registry, repository, files, tag="1", config=None):
    """An image of one layer with `files` (path -> bytes), and with this configuration. Returns the layer's digest."""
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    layer = gzip.compress(tape.getvalue(), mtime=0)
    config = json.dumps({"architecture": ARCHITECTURES[platform.machine()], "os": "linux", "config": config or {},
                         "rootfs": {"type": "layers", "diff_ids": [digest(tape.getvalue())]}}).encode()
    kind = "application/vnd.oci.image"
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **push_blob(registry, repository, config)},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", **push_blob(registry, repository, layer)}]}).encode()
    push_manifest(registry, repository, tag, manifest, f"{kind}.manifest.v1+json")
    return digest(layer)
