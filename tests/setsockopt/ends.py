# SPDX-License-Identifier: GPL-2.0-only
"""The examples as processes, and clients of the tests' own."""

import contextlib
import errno
import socket
import time

import daemon
import material
import processes
import sockets
from processes import PATIENCE, Program
from wiretap import TLS

CLIENTS = ["setsockopt-client", "setsockopt_client.py"]
SERVERS = ["setsockopt-server", "setsockopt_server.py"]
REQUEST = f"GET / HTTP/1.1\r\nHost: {material.NAME}\r\n\r\n".encode()


_helpers = []


@contextlib.contextmanager
def helper():
    """signetd, with a profile for servers and one for clients. It stays for the next cases."""
    if not _helpers:
        started = daemon.Daemon(daemon.configuration(
            daemon.profile("web", "server", material.ec, allow="everyone"),
            daemon.profile("test", "client", ca=material.ca.chain),
            daemon.profile("old", "server", material.ec, allow="everyone", min_version="1.2"),
            daemon.profile("old_rsa", "server", material.rsa, allow="everyone", min_version="1.2"),
            daemon.profile("old_client", "client", ca=material.ca.chain, min_version="1.2")))
        _helpers.append(started.__enter__())
    serving = _helpers[0]
    before = len(serving.log)
    try:
        yield
    except Exception:
        for line in serving.log[before:].decode(errors="replace").splitlines()[-25:]:
            print("#", line)
        raise


def end_helper():
    while _helpers:
        _helpers.pop().__exit__(None)


def free_port():
    """Waits for it: a ring lets a listener go some time after its process has ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_server(("::", TLS), family=socket.AF_INET6).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def server(program, *arguments):
    """One of the examples, at the port that is captured."""
    free_port()
    started = Program(program, *arguments)
    processes.listening_port(started)
    return started


def client(program, question=b"", name=material.NAME, port=TLS):
    """Return: one of the examples, with its input."""
    started = Program(program, name, str(port))
    with contextlib.suppress(BrokenPipeError):  # it was refused, and says so
        started.write(question)
        started.end_input()
    return started


@contextlib.contextmanager
def connection(name=material.NAME, patience=PATIENCE):
    """A client of Python's own, before its handshake has ended."""
    with socket.create_connection(("::1", TLS), patience) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.begin(made, sockets.CLIENT, name)
        yield made


def receive(made, size):
    got = bytearray()
    while len(got) < size:
        more = made.recv(size - len(got))
        if not more:
            raise AssertionError(f"end of file after {len(got)} of {size} bytes")
        got += more
    return bytes(got)
