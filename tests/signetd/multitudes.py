# SPDX-License-Identifier: GPL-2.0-only
"""A thousand established connections, and what they notice when processes of the daemon die."""

import contextlib
import hashlib
import os
import signal
import threading

import sockets
from changes import serves_again, wait_until
from daemon import Daemon, configuration
from ktap import case, equal, true
from sockets import CLIENT, SERVER, begin, finish, listen, pair

COUNT, AT_ONCE = 1000, 20
BLOCK = 200
PATIENCE = 60
TIME = {sockets.TIMEOUT: (PATIENCE * 1000).to_bytes(4, "little")}
CONTENT = os.urandom(1 << 16)


class Way:
    """One direction of a connection: what went in, what came out."""

    def __init__(self, number, sender, receiver):
        self.sender, self.receiver = sender, receiver
        self.at = number * 61
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()

    def send(self):
        at = self.at % (len(CONTENT) - BLOCK)
        self.at += BLOCK + 1
        self.sender.sendall(CONTENT[at:at + BLOCK])
        self.sent.update(CONTENT[at:at + BLOCK])

    def receive(self):
        missing = BLOCK
        while missing:
            more = self.receiver.recv(missing)
            true(more, "end of file amid the data")
            self.received.update(more)
            missing -= len(more)

    def end(self):
        equal(self.receiver.recv(1), b"", "what comes at the end")
        equal(self.received.digest(), self.sent.digest(), "the digest of what came")


class Multitude:
    """Connections that carry data both ways, all of them in turn, as long as the body goes on."""

    def __init__(self, pairs):
        self.pairs = pairs
        self.ways = [Way(number, *ends) for number, both in enumerate(pairs)
                     for ends in (both, both[::-1])]
        self.rounds, self.stop, self.error = 0, False, None
        self.progress = threading.Condition()
        self.thread = threading.Thread(target=self._carry)

    def _carry(self):
        error = None
        try:
            while not self.stop:
                for way in self.ways:
                    way.send()
                for way in self.ways:
                    way.receive()
                with self.progress:
                    self.rounds += 1
                    self.progress.notify_all()
        except Exception as caught:  # pylint: disable=broad-except
            error = caught
        with self.progress:
            self.error = error
            self.progress.notify_all()

    def expect_rounds(self):
        """Over each connection data are sent, and come, that were not yet sent when this begins."""
        with self.progress:
            goal = self.rounds + 2
            true(self.progress.wait_for(lambda: self.error or self.rounds >= goal, PATIENCE),
                 "the data have stopped")
        if self.error:
            raise self.error

    def __enter__(self):
        self.thread.start()
        self.expect_rounds()
        return self

    def __exit__(self, kind, *_):
        self.stop = True
        self.thread.join()
        if kind:
            return
        if self.error:
            raise self.error
        for both in self.pairs:
            for end in both:
                end.shutdown(1)
        for way in self.ways:
            way.end()


def connect(stack, listener, count):
    """Return: so many connections, whose handshakes are done."""
    pairs = []
    for _ in range(count):
        ends = pair(listener)
        for end, role in zip(ends, (CLIENT, SERVER)):
            stack.enter_context(end)
            begin(end, role, "server.test" if role == CLIENT else "", TIME)
        pairs.append(ends)
    for ends in pairs:
        for end in ends:
            finish(end, PATIENCE)
    return pairs


def gone(pids):
    for pid in pids:
        wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), f"process {pid} ends")


@case(f"{COUNT} connections carry data while worker, signer and supervisor are killed",
      deadline=240)
def killed_under_load():
    with Daemon(configuration()) as signetd, listen() as listener, \
            contextlib.ExitStack() as stack:
        pairs = []
        for _ in range(0, COUNT, AT_ONCE):
            pairs += connect(stack, listener, AT_ONCE)
        equal(len(pairs), COUNT, "the number of connections")
        with Multitude(pairs) as multitude:
            for what in ("worker", "signer"):
                victim = signetd.current(what)
                os.kill(victim, signal.SIGKILL)
                signetd.expect(f"{what} {victim} was ended by signal 9")
                gone([victim])
                multitude.expect_rounds()
                serves_again(signetd)
            others = signetd.pids("worker") + signetd.pids("signer")
            signetd.process.kill()
            signetd.process.wait()
            gone(others)
            multitude.expect_rounds()
            with Daemon() as another:
                serves_again(another)
                multitude.expect_rounds()
        return f"{multitude.rounds * len(multitude.ways) * BLOCK >> 10} KiB in " \
               f"{multitude.rounds} rounds"
