# SPDX-License-Identifier: GPL-2.0-only
"""Programs that know nothing of signet, what they talk to, and a daemon that all cases share."""

import contextlib
import errno  # noqa: F401
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

import daemon
from ktap import equal, true

PATIENCE = 25
NAME = "server.test"

_background = []
_shared = []


def add_names():
    """The guest has no other way to look names up."""
    with open("/etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write(f"127.0.0.1 {NAME}\n::1 {NAME}\n")


# ---- The daemon ----

def served(text=None):
    """Sees to it that a daemon serves with the configuration that all share. Return: it."""
    if not _shared or _shared[0].process.poll() is not None:
        end_daemon()
        _shared.append(daemon.Daemon(text))
        _shared[0].expect("notice: serving")
    return _shared[0]


def end_daemon():
    while _shared:
        _shared.pop().__exit__(None)


def unserved():
    """Sees to it that no daemon serves."""
    end_daemon()


def clean_up(failed):
    """Ends what a case has left. Return: what it said, for a case that failed."""
    lines = []
    while _background:
        process, name = _background.pop()
        process.kill()
        said = process.communicate()[1]
        if failed:
            lines += [f"{name}: {line}" for line in said.decode(errors="replace").splitlines()]
    if failed and _shared:
        log = _shared[0].log.decode(errors="replace")
        lines += [f"signetd: {line}" for line in log.splitlines()[-15:]]
    return lines


# ---- Programs ----

class Ended:
    """A program that came to its end."""

    def __init__(self, command, completed):
        self.command = command
        self.status = completed.returncode
        self.output = completed.stdout
        self.errors = completed.stderr.decode(errors="replace")

    def expect(self, status=0, *words):
        """Its status, and what is in its standard error."""
        equal(self.status, status, f"the status of {self.command}, which says '{self.errors}',")
        for word in words:
            true(word in self.errors, f"no '{word}' in: {self.errors}")
        return self


def run(*command, given=b"", user=None, env=()):
    completed = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE,
                               check=False, user=user, env=os.environ | dict(env),
                               cwd=daemon.directory)
    return Ended(" ".join(command)[:200], completed)


def start(*command, **options):
    """A program that is ended with its case."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, bufsize=0, cwd=daemon.directory, **options)
    _background.append((process, os.path.basename(command[0])))
    return process


def signet_run(*words, **options):
    """The words are options, "--", program and arguments."""
    return run("signet-run", *words, **options)


def python(*rules, script, **options):
    """A Python program with its standard library only."""
    return signet_run(*rules, "--", sys.executable, "-c", script, **options)


# ---- Where they connect to ----

def bracket(host):
    return f"[{host}]" if ":" in host else host


def free_port():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        return listener.getsockname()[1]


def wait_listening(port):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split()
                    if fields[3] == "0A" and fields[1].endswith(f":{port:04X}"):
                        return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens at port {port}")


def s_server(*options, certificate=None, host="127.0.0.1"):
    """OpenSSL's web server. Return: its port."""
    certificate = certificate or daemon.ec
    port = free_port()
    start("openssl", "s_server", "-www", "-accept", f"{bracket(host)}:{port}",
          "-cert", certificate.chain, "-key", certificate.key, *options)
    wait_listening(port)
    return port


@contextlib.contextmanager
def sink(host="127.0.0.1"):
    """A server of plain TCP, and what the first connection brings, when the body has ended."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    got = []

    def collect():
        with listener.accept()[0] as connection:
            connection.settimeout(PATIENCE)
            try:
                while part := connection.recv(65536):
                    got.append(part)
            except ConnectionError:
                pass
            got.append(b"")

    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        yield listener.getsockname()[1], got
        thread.join(PATIENCE)
        true(got, "nobody connected")


@contextlib.contextmanager
def tls_server(serve, host="127.0.0.1", **settings):
    """One connection with OpenSSL in this process, which serve(connection) gets. Return: port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(daemon.ec.chain, daemon.ec.key)
    if "alpn" in settings:
        context.set_alpn_protocols(settings["alpn"])
    errors = []

    def handle():
        try:
            connection = listener.accept()[0]
            connection.settimeout(PATIENCE)
            if "before" in settings:
                settings["before"](connection)
            with context.wrap_socket(connection, server_side=True) as tls:
                serve(tls)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=handle, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)
    if errors:
        raise errors[0]
