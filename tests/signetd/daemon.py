# SPDX-License-Identifier: GPL-2.0-only
"""The daemon, with a configuration of the case's own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import certificates

PATIENCE = 25

directory = tempfile.mkdtemp(prefix="signetd.")
os.chmod(directory, 0o755)


def path(name):
    return os.path.join(directory, name)


_USERS = {"signetd": 901, "signetd-signer": 902, "alice": 1001, "bob": 1002}


def make_users():
    """As signetd's sysusers.d file would, and two more."""
    with open("/etc/passwd", "a", encoding="ascii") as passwd, \
            open("/etc/group", "a", encoding="ascii") as group:
        for name, number in _USERS.items():
            passwd.write(f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n")
            group.write(f"{name}:x:{number}:\n")
        group.write("signet:x:900:\n")


ca = certificates.make(directory, "ca", "ec", None)
stranger = certificates.make(directory, "stranger", "ec", None)
ec = certificates.server(directory, "ec", "ec", ca)
other = certificates.server(directory, "other", "ed25519", ca, names="DNS:other.test")
rsa = certificates.server(directory, "rsa", "rsa", ca, names="DNS:rsa.test")
client = certificates.client(directory, "client", "ec", ca, "-addext",
                             "subjectAltName=URI:spiffe://test/client")
client_unknown = certificates.client(directory, "client_unknown", "ec", stranger)


def words(items):
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def profile(name, role, *certificates_, **settings):
    """The text of a profile. Lists are of words; other values are put as they are."""
    lines = [f'role = "{role}";']
    if certificates_:
        lines.append("certificates = ( " + ", ".join(
            f'{{ chain = "{one.chain}"; key = "{one.key}"; }}' for one in certificates_) + " );")
    for key, value in settings.items():
        if isinstance(value, (list, tuple)):
            value = words(value)
        elif value in ("everyone", "none", "optional", "required", "system", "1.2", "1.3") or \
                (isinstance(value, str) and value.startswith("/")):
            value = f'"{value}"'
        lines.append(f"{key} = {value};")
    return f"{name}: {{ {' '.join(lines)} }};\n"


SERVER = profile("web", "server", ec, other, rsa, allow="everyone")
CLIENT = profile("test", "client", ca=ca.chain) + \
    profile("fresh", "client", ca=ca.chain, resume="false")


def configuration(*profiles, more=""):
    return (f'control = "{path("control")}";\nlog_level = "debug";\n'
            'default_server = "web";\ndefault_client = "test";\n'
            f"{more}\nprofiles: {{\n{''.join(profiles) or SERVER + CLIENT}}};\n")


def write(text, name="signetd.conf"):
    """All at once, as one would who knows that others read it."""
    with open(path(name + ".new"), "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path(name + ".new"), path(name))
    return path(name)


class Daemon:
    def __init__(self, text=None, program=("signetd",), env=()):
        self.log = b""
        file = write(text or configuration())
        self.process = subprocess.Popen([*program, "--foreground", "--config", file],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, bufsize=0,
                                        env=os.environ | dict(env))
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()

    def _read_log(self):
        while more := self.process.stderr.read(1 << 16):
            self.log += more

    def __enter__(self):
        self.expect("notice: serving")
        return self

    def __exit__(self, *_):
        """What it said is shown when the case has failed."""
        for pid in [self.process.pid, *self.pids("worker"), *self.pids("signer")]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        if _[0]:
            for line in self.log.decode(errors="replace").splitlines()[-25:]:
                print("#", line)

    def expect(self, pattern, after=0):
        """Waits for a line of the log. Return: the line's match."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.log[after:].decode(errors="replace"))
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"the log has no {pattern!r}")
            time.sleep(0.02)

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status

    def command(self, name):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(path("control"))
            connection.sendall(name.encode() + b"\n")
            with connection.makefile(encoding="utf-8") as reply:
                return json.loads(reply.readline())

    def pids(self, what):
        """Of all workers, or signers, that the log names and that are still there."""
        found = re.findall(rf"{what} (\d+)", self.log.decode(errors="replace"))
        return sorted({int(pid) for pid in found if os.path.exists(f"/proc/{pid}")})

    def current(self, what):
        """The process that serves new requests."""
        for worker in self.command("status")["workers"]:
            if worker["current"]:
                return worker[what]
        raise AssertionError("no worker is current")


def clean_up():
    shutil.rmtree(directory, ignore_errors=True)
