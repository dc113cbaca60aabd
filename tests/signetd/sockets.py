# SPDX-License-Identifier: GPL-2.0-only
"""Sockets that ask the module for TLS, with Python's own socket module."""

import errno
import os
import select
import socket

from ktap import equal

TCP_ULP = 31
SOL_SIGNET = 21319
CONNECT, ACCEPT, BEGIN, PROFILE, ALPN, MIN_VERSION, CA, CLIENT_AUTH, PIN, TIMEOUT = range(1, 11)
INFO, ERROR, PEER, PEER_NAME, SERVER_NAME, EXPORT = 64, 65, 67, 68, 69, 70
CLIENT, SERVER = 1, 2
OPTIONAL, REQUIRED = 1, 2
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
RESUMED = 1

PATIENCE = 25


class Refused(Exception):
    """A handshake failed: an errno by name, and the text."""

    def __init__(self, error, text):
        super().__init__(f"{error}: {text}")
        self.error = error
        self.text = text


def listen(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=4096)
    listener.settimeout(PATIENCE)
    return listener


def pair(listener):
    """Return: both ends of a new connection."""
    one = socket.create_connection(listener.getsockname()[:2], PATIENCE)
    other = listener.accept()[0]
    other.settimeout(PATIENCE)
    return one, other


def attach(connection):
    connection.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"signet")


def wire_list(*protocols):
    """RFC 7301 3.1."""
    return b"".join(bytes([len(name)]) + name.encode() for name in protocols)


def begin(connection, role, name="", options=()):
    """Asks for a handshake, and does not wait for it."""
    attach(connection)
    for option, value in dict(options).items():
        if isinstance(value, str):
            value = value.encode()
        connection.setsockopt(SOL_SIGNET, option, value)
    try:
        connection.setsockopt(SOL_SIGNET, BEGIN,
                              bytes([role]) + (name if isinstance(name, bytes) else name.encode()))
    except BlockingIOError:
        return
    raise AssertionError("SIGNET_BEGIN does not say EINPROGRESS")


def text_of(connection, option=ERROR):
    return connection.getsockopt(SOL_SIGNET, option, 256).rstrip(b"\0").decode()


def number_of(connection, option=INFO, at=0, size=4):
    info = connection.getsockopt(SOL_SIGNET, option, 1024)
    return int.from_bytes(info[at:at + size], "little")


def flags_of(connection):
    """Of struct signet_info."""
    return number_of(connection, at=106, size=2)


def finish(connection, patience=PATIENCE):
    """Waits for the handshake that begin() asked for."""
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    if not poll.poll(patience * 1000):
        raise AssertionError("the handshake does not come to an end")
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise Refused(errno.errorcode.get(error, str(error)), text_of(connection))


def refusal(connection):
    """Return: how the handshake failed, which it must."""
    try:
        finish(connection)
    except Refused as refused:
        return refused
    raise AssertionError("the handshake did not fail")


def exchange(one, other, size=1000):
    """Data both ways."""
    for sender, receiver in ((one, other), (other, one)):
        data = os.urandom(size)
        sender.sendall(data)
        got = b""
        while len(got) < size:
            more = receiver.recv(size - len(got))
            if not more:
                raise AssertionError("end of file amid the data")
            got += more
        equal(got, data, "the data")
