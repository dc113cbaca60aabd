# SPDX-License-Identifier: GPL-2.0-only
"""A signet end, connected with OpenSSL in this process."""

import contextlib
import socket
import threading

import material
from processes import PATIENCE, signet_client, signet_server
from wire import Endpoint, client_context, server_context


def data(role):
    """What a signet end of that role sends, and what it receives."""
    both = material.from_client, material.from_server
    return both if role == "client" else both[::-1]


def feed(program, content):
    """Gives a program its input while others go on. It is not ended: some take that for an end."""

    def write():
        try:
            program.process.stdin.write(content)
        except (OSError, ValueError):
            pass  # the program has ended, which its output will tell

    threading.Thread(target=write, daemon=True).start()


@contextlib.contextmanager
def beside(function):
    """Calls a function in a thread while the body goes on. What it raises is raised at the end."""
    errors = []

    def call():
        try:
            function()
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE)
    if errors:
        raise errors[0]


def bracket(host):
    return f"[{host}]" if ":" in host else host


def listen(host="::1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=64)
    listener.settimeout(PATIENCE)
    return listener


def connect(port, host="::1"):
    connection = socket.create_connection((host, port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def accept(listener):
    connection = listener.accept()[0]
    connection.settimeout(PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@contextlib.contextmanager
def raw(role, *steps, host="::1", **options):
    """The signet end, and the socket that it talks to."""
    if role == "client":
        with listen(host) as listener:
            signet = signet_client(listener.getsockname()[1], *steps, host=bracket(host), **options)
            connection = accept(listener)
    else:
        signet, port = signet_server(*steps, host=bracket(host), **options)
        connection = connect(port, host)
    with connection:
        yield signet, connection


@contextlib.contextmanager
def openssl(role, *steps, context=None, **options):
    """The signet end, and OpenSSL before its handshake."""
    if role == "server":
        options.pop("name", None)
    with raw(role, *steps, **options) as (signet, connection):
        if not context:
            context = server_context() if role == "client" else client_context()
        yield signet, Endpoint(connection, context, role == "client")
