# SPDX-License-Identifier: GPL-2.0-only
"""Many connections at once, and a server that is replaced under them."""

import contextlib
import os
import socket
import threading

import daemon
import sockets
from ends import connection, helper, receive, server
from ktap import case, equal, true
from processes import PATIENCE, Program
from wiretap import DATA, TLS

CLIENTS, LAZY, SIZE = 100, 8, 1 << 16  # a part of DATA
CARRIERS, RESTARTS, BLOCK, AHEAD = 6, 3, 3000, 8


class Carrier:
    """A connection that carries data without end, and checks all that comes back."""

    def __init__(self, made):
        self.connection = made
        self.received = 0
        self.stopping = False
        self.wanted = None  # known when no more is sent
        self.room = threading.Semaphore(AHEAD)
        self.progress = threading.Condition()
        self.error = None
        self.threads = [threading.Thread(target=self._guard, args=[work], daemon=True)
                        for work in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _guard(self, work):
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            with self.progress:
                self.error = error
                self.progress.notify_all()
            self.room.release()

    def _send(self):
        sent = 0
        while not (self.stopping or self.error):
            self.room.acquire()
            at = sent % (len(DATA) - BLOCK)
            self.connection.sendall(DATA[at:at + BLOCK])
            sent += BLOCK
        self.wanted = sent
        self.connection.shutdown(socket.SHUT_WR)

    def _receive(self):
        while self.wanted is None or self.received < self.wanted:
            got = self.connection.recv(BLOCK)
            if not got and self.received == self.wanted:
                return
            true(got, f"end of file after {self.received} bytes")
            rest = BLOCK - self.received % BLOCK
            for part in (got[:rest], got[rest:]):
                block, within = divmod(self.received, BLOCK)
                at = block * BLOCK % (len(DATA) - BLOCK) + within
                true(part == DATA[at:at + len(part)], f"other data after {self.received} bytes")
                with self.progress:
                    self.received += len(part)
                    self.progress.notify_all()
                if self.received % BLOCK == 0 and part:
                    self.room.release()
        equal(self.connection.recv(1), b"", "what comes at the end")

    def stop(self):
        self.stopping = True

    def expect_more(self):
        """Data that is sent from now on come back."""
        goal = self.received + 2 * AHEAD * BLOCK
        with self.progress:
            if not self.progress.wait_for(lambda: self.error or self.received >= goal, PATIENCE):
                raise AssertionError(f"nothing more after {self.received} bytes")
        if self.error:
            raise self.error

    def finish(self):
        """After stop()."""
        for thread in self.threads:
            thread.join(PATIENCE)
            true(not thread.is_alive(), "the connection does not come to its end")
        if self.error:
            raise self.error
        equal(self.received, self.wanted, "how much came back")
        return self.received


@case("echo-uring serves 100 clients at once")
def many_clients():
    with helper(), contextlib.ExitStack() as stack:
        serving = server("echo-uring", str(TLS), "web")
        made = [stack.enter_context(connection()) for _ in range(CLIENTS)]
        for one in made:
            sockets.finish(one)
        for number, one in enumerate(made):
            one.sendall(DATA[number:number + SIZE])
        for number, one in enumerate(made):
            true(receive(one, SIZE) == DATA[number:number + SIZE], f"client {number}: other data")
        for one in made:
            one.shutdown(socket.SHUT_WR)
            equal(one.recv(1), b"", "what comes at the end")
        equal(serving.told(), "", "what the server complains of")


@case("echo-uring: who does not read is no burden for others")
def lazy_clients():
    with helper(), contextlib.ExitStack() as stack:
        serving = server("echo-uring", str(TLS), "web")
        lazy = [stack.enter_context(connection()) for _ in range(LAZY)]
        for one in lazy:
            sockets.finish(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SIZE)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SIZE)
            one.setblocking(False)
        sent = [0] * len(lazy)
        for number, one in enumerate(lazy):
            # Until both directions are full.
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent[number] += one.send(DATA[sent[number] % len(DATA):][:SIZE])
        with connection() as brisk:
            sockets.finish(brisk)
            for _ in range(16):
                brisk.sendall(DATA[:SIZE])
                true(receive(brisk, SIZE) == DATA[:SIZE], "other data for the brisk one")
        # And theirs is not lost.
        for number, one in enumerate(lazy):
            one.settimeout(PATIENCE)
            for at in range(0, sent[number], SIZE):
                got = receive(one, min(SIZE, sent[number] - at))
                true(got == DATA[at % len(DATA):][:len(got)], f"lazy {number}: other data")
        equal(serving.told(), "", "what the server complains of")


def start(path):
    return Program("hot-restart", path, str(TLS), "web")


@case("hot-restart: no byte is lost under load")
def restarts():
    path = daemon.path("restart")
    with helper(), contextlib.ExitStack() as stack:
        serving = start(path)
        equal(serving.read_line(), "serving", "what the first one says")
        made = [stack.enter_context(connection()) for _ in range(CARRIERS)]
        for one in made:
            sockets.finish(one)
        carriers = [Carrier(one) for one in made]
        for number in range(RESTARTS):
            for carrier in carriers:
                carrier.expect_more()
            successor = start(path)
            wanted = CARRIERS + number
            equal(successor.read_line(), f"took over {wanted} connections", "the successor's line")
            equal(successor.read_line(), "serving", "its next line")
            equal(serving.read_line(), f"handed over {wanted} connections", "the old one's line")
            equal(serving.wait(), 0, "the old one's status")
            equal(serving.told(), "", "what it complains of")
            serving = successor
            # The listener went with them. This one stays, idle.
            late = stack.enter_context(connection())
            late.sendall(b"late")
            equal(receive(late, 4), b"late", "a new connection's data")
        for carrier in carriers:
            carrier.expect_more()
        for carrier in carriers:
            carrier.stop()
        carried = sum(carrier.finish() for carrier in carriers)
        equal(serving.told(), "", "what the last one complains of")
    return f"{carried >> 10} KiB came back over {CARRIERS} connections and {RESTARTS} restarts"


@case("hot-restart: a successor that ends too early changes nothing")
def broken_successors():
    path = daemon.path("restart")
    with helper(), connection_to(path) as (serving, one):
        for take in (0, 1):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as successor:
                successor.connect(path)
                for _ in range(take):
                    _, descriptors, _, _ = socket.recv_fds(successor, 1 << 14, 1)
                    os.close(descriptors[0])
            one.sendall(DATA[:SIZE])
            true(receive(one, SIZE) == DATA[:SIZE], "other data")
        true("going on" in serving.told(), f"it does not tell: {serving.told()}")


@contextlib.contextmanager
def connection_to(path):
    serving = start(path)
    equal(serving.read_line(), "serving", "what it says")
    with connection() as one:
        sockets.finish(one)
        yield serving, one


@case("hot-restart: a handshake that is under way goes on")
def handshakes_go_on():
    path = daemon.path("restart")
    with helper():
        serving = start(path)
        equal(serving.read_line(), "serving", "what the first one says")
        with socket.create_connection(("::1", TLS), PATIENCE) as one, connection() as other:
            # That one was accepted behind the first, which has said nothing.
            sockets.finish(other)
            successor = start(path)
            equal(successor.read_line(), "took over 2 connections", "the successor's line")
            equal(serving.wait(), 0, "the old one's status")
            sockets.begin(one, sockets.CLIENT, "server.test")
            sockets.finish(one)
            one.sendall(DATA[:SIZE])
            true(receive(one, SIZE) == DATA[:SIZE], "other data")
