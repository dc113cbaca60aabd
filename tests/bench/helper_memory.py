#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/bench/helper_memory.py CELL COUNT: signetd's memory for a handshake in progress.

COUNT connections are established, and stay; then as many peers send their first flight, get the
server's, and say no more. Prints one line of JSON: what the worker and the signer hold more than
before, in bytes per handshake or connection. In the virtual machine, as root.
"""

import contextlib
import json
import os
import ssl
import sys

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[1:1] = [os.path.join(TESTS, part) for part in ("signetd", "interop")]

import daemon  # noqa: E402
from changes import in_progress, wait_until  # noqa: E402
from crowds import LIMITS, client_hello, resident  # noqa: E402
from sockets import SERVER, begin, finish, listen, pair  # noqa: E402

PATIENCE_MS = 3600000


class Peers:
    """Connections to a server whose handshakes the daemon does; all of them stay."""

    def __init__(self, stack, listener):
        self.stack = stack
        self.listener = listener
        self.hello = client_hello()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def pair(self):
        one, other = pair(self.listener)
        self.stack.enter_context(other)
        begin(other, SERVER, options={10: PATIENCE_MS.to_bytes(4, "little")})
        return one, other

    def hold(self, number):
        """Handshakes that go no further than the server's flight."""
        for _ in range(number):
            one = self.stack.enter_context(self.pair()[0])
            one.send(self.hello)
            one.recv(1)

    def establish(self, number):
        for _ in range(number):
            one, other = self.pair()
            self.stack.enter_context(self.context.wrap_socket(one, server_hostname="server.test"))
            finish(other)


def more(helpers, count, function):
    """What the processes hold more after function(count), per one of them."""
    before = {name: resident(pid) for name, pid in helpers.items()}
    function(count)
    return {name: (resident(pid) - before[name]) // count for name, pid in helpers.items()}


def main(cell, count):
    daemon.make_users()
    with daemon.Daemon(daemon.configuration(more=LIMITS)) as signetd, listen() as listener, \
            contextlib.ExitStack() as stack:
        helpers = {name: signetd.current(name) for name in ("worker", "signer")}
        peers = Peers(stack, listener)
        peers.establish(8)
        established = more(helpers, count, peers.establish)
        in_handshake = more(helpers, count, peers.hold)
        wait_until(lambda: in_progress(signetd) == count, "all are in progress")
    daemon.clean_up()
    print(json.dumps({"cell": cell, "helper": {"in progress": in_handshake,
                                               "established": established}}))


main(sys.argv[1], int(sys.argv[2]))
