"""Pushes small images to a registry without any tool: enough of the OCI distribution API for tests."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
import urllib.request

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _request(method, url, data=None, content_type="application/octet-stream"):
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _push_blob(registry, repository, data):
    location = _request("POST", f"http://{registry}/v2/{repository}/blobs/uploads/", b"")["Location"]
    separator = "&" if "?" in location else "?"
    _request("PUT", f"{location}{separator}digest={_digest(data)}", data)
    return {"digest": _digest(data), "size": len(data)}


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
                         "rootfs": {"type": "layers", "diff_ids": [_digest(tape.getvalue())]}}).encode()
    kind = "application/vnd.oci.image"
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **_push_blob(registry, repository, config)},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", **_push_blob(registry, repository, layer)}]}).encode()
    _request("PUT", f"http://{registry}/v2/{repository}/manifests/{tag}", manifest, f"{kind}.manifest.v1+json")
    return _digest(layer)
