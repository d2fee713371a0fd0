#!/usr/bin/python3
"""Runs the commands of docs/operations.md that make certificates, and checks what comes of them.

  check_certificates.py ROOT BIN
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

CERTIFICATES = "controller", "agent"


def documented_commands(root):
    """The block of the page's section "Installing" that calls openssl."""
    with open(f"{root}/docs/operations.md", encoding="utf-8") as file:
        section = file.read().split("## Installing")[1].split("\n## ")[0]
    block, = [block for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) if "openssl" in block]
    return block


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=False)


def extension(certificate, name):
    """An extension's value as openssl prints it, without its title."""
    text = openssl("x509", "-in", certificate, "-noout", "-ext", name).stdout
    return " ".join(line.strip() for line in text.splitlines()[1:])


def mint(folder, ca, days="2"):
    """A certificate of a thief who holds `ca`.pem and .key: it names the controller and may be anything."""
    with open(f"{folder}/extensions", "w", encoding="utf-8") as file:
        file.write("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
                   "subjectAltName=DNS:controller,IP:127.0.0.1\n")
    request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                      "/CN=controller", "-keyout", f"{folder}/minted.key").stdout
    signed = openssl("x509", "-req", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", days,
                     "-extfile", f"{folder}/extensions", "-out", f"{folder}/minted.pem", text=request)
    assert signed.returncode == 0, signed.stderr
    return f"{folder}/minted.pem"


def check(root, folder):
    tls = f"{folder}/davit/tls"
    os.makedirs(f"{folder}/davit")
    for name in CERTIFICATES:
        shutil.copy(f"{root}/config/{name}.toml", f"{folder}/davit")
    commands = documented_commands(root).replace("/etc/davit", f"{folder}/davit")
    # The group exists on an installed host only.
    script = f"set -eu; chgrp() {{ :; }}\n{commands}"
    result = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

    ca = f"{tls}/ca.pem"
    assert "CA:TRUE" in extension(ca, "basicConstraints"), "the authority is none"
    assert "pathlen:0" in extension(ca, "basicConstraints"), "an authority below the authority would be accepted"
    for path in (f"{folder}/ca.key", *(f"{tls}/{name}.key" for name in CERTIFICATES)):
        assert os.stat(path).st_mode & 0o007 == 0, f"{path} is readable for everybody"

    purposes = {"controller": ("TLS Web Server Authentication", "sslserver", "sslclient"),
                "agent": ("TLS Web Client Authentication", "sslclient", "sslserver")}
    for name, (usage, purpose, other) in purposes.items():
        certificate = f"{tls}/{name}.pem"
        assert extension(certificate, "basicConstraints") == "CA:FALSE", f"{name}.pem is an authority"
        assert extension(certificate, "extendedKeyUsage") == usage, f"{name}.pem may be used for anything"
        assert extension(certificate, "subjectAltName"), f"{name}.pem names no host"

        def verify(purpose, *arguments, certificate=certificate):
            return openssl("verify", "-purpose", purpose, "-CAfile", ca, *arguments, certificate).returncode == 0
        assert verify(purpose), f"{name}.pem does not serve its purpose"
        assert not verify(other), f"{name}.pem serves as the other side"
        minted = mint(folder, f"{tls}/{name}")
        assert not verify("any", "-untrusted", certificate, certificate=minted), f"{name}.pem signs others"
        assert not verify("sslserver", "-partial_chain", "-untrusted", certificate, certificate=minted)

    for name in CERTIFICATES:
        with open(f"{folder}/davit/{name}.toml", encoding="utf-8") as file:
            text = file.read()
        for key, path in (("ca_file", ca), ("cert_file", f"{tls}/{name}.pem"), ("key_file", f"{tls}/{name}.key")):
            assert re.search(f'^{key} = "{path}"', text, re.MULTILINE), f"{name}.toml has no {key}"


def main():
    root = sys.argv[1]
    if not shutil.which("openssl"):
        print("DAVIT-SKIPPED: openssl is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="davit-test-") as folder:
        check(root, folder)
    print("the documented certificates are for one purpose each, and sign nothing")


if __name__ == "__main__":
    main()
