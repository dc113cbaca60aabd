#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/bench/helper_memory.py CELL COUNT: signetd's memory for a handshake in progress.

COUNT peers send their first flight, get the server's, and say no more. Prints one line of JSON:
what the worker and the signer hold more than before, in bytes per handshake. In the virtual
machine, as root.
"""

import contextlib
import json
import os
import sys

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[1:1] = [os.path.join(TESTS, part) for part in ("signetd", "interop")]

import daemon  # noqa: E402
from changes import in_progress, wait_until  # noqa: E402
from crowds import LIMITS, client_hello, resident  # noqa: E402
from sockets import SERVER, begin, listen, pair  # noqa: E402

PATIENCE_MS = 3600000


def main(cell, count):
    daemon.make_users()
    hello = client_hello()
    with daemon.Daemon(daemon.configuration(more=LIMITS)) as signetd, listen() as listener, \
            contextlib.ExitStack() as stack:
        helpers = {name: signetd.current(name) for name in ("worker", "signer")}

        def hold(number):
            for _ in range(number):
                one, other = pair(listener)
                stack.enter_context(one)
                stack.enter_context(other)
                one.send(hello)
                begin(other, SERVER, options={10: PATIENCE_MS.to_bytes(4, "little")})
                # The server's flight has come when there is something to read.
                one.recv(1)

        hold(8)
        before = {name: resident(pid) for name, pid in helpers.items()}
        hold(count)
        wait_until(lambda: in_progress(signetd) == count + 8, "all are in progress")
        more = {name: (resident(pid) - before[name]) // count for name, pid in helpers.items()}
    daemon.clean_up()
    print(json.dumps({"cell": cell, "helper": more}))


main(sys.argv[1], int(sys.argv[2]))
