"""Uploads to an image registry over plain HTTP, without any tool: enough of the OCI distribution API for tests."""

import hashlib
import urllib.request


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _request(method, url, data, content_type="application/octet-stream"):
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers


def push_blob(registry, repository, data):
    """Uploads a blob; its descriptor, without a media type."""
    location = _request("POST", f"http://{registry}/v2/{repository}/blobs/uploads/", b"")["Location"]
    separator = "&" if "?" in location else "?"
    _request("PUT", f"{location}{separator}digest={digest(data)}", data)
    return {"digest": digest(data), "size": len(data)}


def push_manifest(registry, repository, tag, manifest, media_type):
    """Uploads a manifest (bytes), whose blobs must be there already."""
    _request("PUT", f"http://{registry}/v2/{repository}/manifests/{tag}", manifest, media_type)
