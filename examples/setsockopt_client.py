#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""setsockopt_client.py HOST PORT: sends its input over TLS, and prints the answer.

Two calls of setsockopt() make a socket of Python one for TLS: signetd completes the handshake, and
the kernel seals and opens the data. Python's ssl module has no part in it.
"""

import socket
import sys

TCP_ULP = 31
SOL_SIGNET, SIGNET_CONNECT, SIGNET_ERROR = 21319, 1, 65


def talk(connection, name):
    connection.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"signet")
    connection.setsockopt(SOL_SIGNET, SIGNET_CONNECT, name.encode())
    # It is who it says it is, and all is encrypted from here on.
    connection.sendall(sys.stdin.buffer.read())
    connection.shutdown(socket.SHUT_WR)
    while data := connection.recv(16384):
        sys.stdout.buffer.write(data)


def explanation(connection):
    """It names the certificate or the rule that was at fault."""
    try:
        return connection.getsockopt(SOL_SIGNET, SIGNET_ERROR, 256).rstrip(b"\0").decode()
    except OSError:
        return "the module signet is not attached"


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip())
        return 0 if sys.argv[1:] == ["--help"] else 2
    try:
        connection = socket.create_connection(sys.argv[1:])
    except OSError as error:
        return f"{sys.argv[1]} port {sys.argv[2]}: {error}"
    with connection:
        try:
            talk(connection, sys.argv[1])
        except OSError as error:
            return f"{sys.argv[1]}: {error.strerror} ({explanation(connection)})"
    return 0


if __name__ == "__main__":
    sys.exit(main())
