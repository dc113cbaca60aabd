#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""setsockopt_server.py PORT PROFILE: answers HTTP requests over TLS.

Two calls of setsockopt() on the listener of Python's own socketserver, and all that it accepts
speaks TLS. Certificate and private key are those that signetd's configuration has in PROFILE.
"""

import socket
import socketserver
import sys

TCP_ULP, SOL_SIGNET, SIGNET_ACCEPT, SIGNET_ERROR, SIGNET_SERVER_NAME = 31, 21319, 2, 65, 69


def text(connection, option):
    try:
        return connection.getsockopt(SOL_SIGNET, option, 256).rstrip(b"\0").decode()
    except OSError:
        return ""  # there is none


class Handler(socketserver.StreamRequestHandler):
    """Answers with the name that the client asked for in its handshake."""

    def handle(self):
        try:
            while self.rfile.readline().strip():  # the first one waits for the handshake
                pass
        except OSError as error:
            print(f"{self.client_address[0]}: {error.strerror} "
                  f"({text(self.connection, SIGNET_ERROR)})", file=sys.stderr)
            return
        name = text(self.connection, SIGNET_SERVER_NAME) or "it"
        self.wfile.write(f"HTTP/1.0 200 OK\r\n\r\nThis is {name}.\n".encode())


class Server(socketserver.ThreadingTCPServer):
    address_family, allow_reuse_address, daemon_threads = socket.AF_INET6, True, True

    def __init__(self, port, profile):
        super().__init__(("::", port), Handler, bind_and_activate=False)
        self.socket.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"signet")
        self.socket.setsockopt(SOL_SIGNET, SIGNET_ACCEPT, profile.encode())
        self.server_bind()
        self.server_activate()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__.strip())
        sys.exit(0 if sys.argv[1:] == ["--help"] else 2)
    try:
        with Server(int(sys.argv[1]), sys.argv[2]) as server:
            server.serve_forever()
    except OSError as error:
        sys.exit(f"port {sys.argv[1]}: {error.strerror}")
    except KeyboardInterrupt:
        pass
