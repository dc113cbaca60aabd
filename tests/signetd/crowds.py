# SPDX-License-Identifier: GPL-2.0-only
"""Many handshakes at once, of which some peers take their time."""

import contextlib
import re
import ssl
import threading
import time

import sockets
from changes import HANDSHAKE_LIMIT, in_progress, wait_until
from daemon import Daemon, configuration
from ktap import case, equal, true
from serving import check_refused
from sockets import CLIENT, SERVER, begin, exchange, finish, listen, pair, refusal

SLOW = 1800
FAST = 100  # connections of which both ends are ours: 2,000 handshakes in all
AN_HOUR = {sockets.TIMEOUT: (3600000).to_bytes(4, "little")}
LIMITS = "limits: { total = 5000; per_source = 4000; per_listener = 4000; per_user = 4000; " \
    "timeout = 600; };"


def client_hello():
    """The first flight of OpenSSL's client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="server.test").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s*(\d+)", status.read())[1]) * 1024


class Trickle:
    """Peers that send a byte at a time, all of them in turn."""

    def __init__(self, peers, hello):
        self.peers = peers
        self.hello = hello
        self.sent = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set() and self.sent < len(self.hello) // 2:
            for peer in self.peers:
                peer.send(self.hello[self.sent:self.sent + 1])
            self.sent += 1
            self.stop.wait(1)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@case(f"{SLOW} peers that trickle do not hold up {FAST} others, and cost little memory",
      deadline=180)
def crowd():
    with Daemon(configuration(more=LIMITS)) as signetd, listen() as listener, \
            contextlib.ExitStack() as stack:
        worker = signetd.current("worker")
        before = resident(worker)
        slow = []
        for _ in range(SLOW):
            one, other = pair(listener)
            stack.enter_context(one)
            stack.enter_context(other)
            begin(other, SERVER, options=AN_HOUR)
            slow.append((one, other))
        wait_until(lambda: in_progress(signetd) == SLOW, "all handshakes have begun")
        each = (resident(worker) - before) // SLOW
        with Trickle([one for one, _ in slow], client_hello()) as trickle:
            begun = time.monotonic()
            fast = []
            for _ in range(FAST):
                ends = pair(listener)
                for end in ends:
                    stack.enter_context(end)
                begin(ends[0], CLIENT, "server.test", AN_HOUR)
                begin(ends[1], SERVER, options=AN_HOUR)
                fast.append(ends)
            for ends in fast:
                for end in ends:
                    finish(end, HANDSHAKE_LIMIT)
            took = time.monotonic() - begun
            exchange(*fast[-1])
            equal(in_progress(signetd), SLOW, "the slow ones that are still in progress")
            true(trickle.sent > 0, "nothing trickled")
        true(each < 16384, f"a handshake in progress takes {each} bytes")
        for one, _ in slow:
            one.close()
        wait_until(lambda: in_progress(signetd) == 0, "the slow ones end")
        return f"{each} bytes for each in progress, {FAST} connections in {took:.1f} s"


@case("handshakes beyond the limit wait, and are not lost")
def beyond_the_limit():
    with Daemon(configuration(more="limits: { total = 3; timeout = 3; };")) as signetd, \
            listen() as listener, contextlib.ExitStack() as stack:
        ends = [pair(listener) for _ in range(6)]
        for one, other in ends:
            stack.enter_context(one)
            stack.enter_context(other)
            begin(other, SERVER)
        wait_until(lambda: in_progress(signetd) == 3, "some have begun")
        refused = [end for _, end in ends]
        check_refused(refusal(refused[0]), "ETIMEDOUT", "time")
        for end in refused[1:]:
            check_refused(refusal(end), "ETIMEDOUT")
        wait_until(lambda: in_progress(signetd) == 0, "none is left")
        one, other = pair(listener)
        with one, other:
            begin(one, CLIENT, "server.test")
            begin(other, SERVER)
            finish(one)
            finish(other)


@case("few descriptors: requests wait for them")
def few_descriptors():
    program = ("sh", "-c", 'ulimit -n 40; exec setpriv --bounding-set -sys_resource '
               '--inh-caps -sys_resource -- signetd "$@"', "sh")
    with Daemon(configuration(more=LIMITS + "\nthreads = 1;"), program=program) as signetd, \
            listen() as listener, contextlib.ExitStack() as stack:
        ends = [pair(listener) for _ in range(60)]
        for one, other in ends:
            stack.enter_context(one)
            stack.enter_context(other)
            begin(other, SERVER)
        signetd.expect("requests wait: Too many open files")
        true(in_progress(signetd) < 60, "all were taken")
        for one, other in ends[:-1]:
            one.close()
            other.close()
        begin(ends[-1][0], CLIENT, "server.test")
        finish(ends[-1][0])
        finish(ends[-1][1])
