# SPDX-License-Identifier: GPL-2.0-only
"""A process of the daemon is killed at each stage of a handshake."""

import contextlib
import os
import signal
import ssl

import sockets
from changes import in_progress, serves_again, wait_until
from daemon import Daemon
from ktap import case, equal, true
from serving import _context, check_refused
from sockets import CLIENT, SERVER, begin, finish, listen, pair, refusal

# How much of what the peer has to say has been said: flights, and the part of the one begun.
STAGES = {
    SERVER: {"nothing has come": (0, 0), "half a ClientHello has come": (0, 0.5),
             "the ClientHello is answered": (1, 0), "half a Finished has come": (1, 0.5)},
    CLIENT: {"nothing has come": (0, 0), "half of the server's flight has come": (0, 0.5),
             "all but a byte has come": (0, 0.999)},
}


class Peer:
    """OpenSSL, apart from its socket: each flight is sent when it shall be."""

    def __init__(self, connection, role):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = role == CLIENT
        context = _context(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=server,
                                       server_hostname=None if server else "server.test")
        self.rest = b""

    def _step(self):
        """Return: whether its handshake is complete."""
        try:
            self.object.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def next_flight(self):
        while not self.outgoing.pending:
            if self._step() or self.outgoing.pending:
                break
            self.read()
        return self.outgoing.read()

    def read(self):
        more = self.connection.recv(1 << 16)
        true(more, "our end has hung up")
        self.incoming.write(more)

    def go_to(self, flights, part):
        for _ in range(flights):
            self.connection.sendall(self.next_flight())
        # It is ready, and goes no further.
        if flights or part:
            flight = self.next_flight()
            cut = int(len(flight) * part)
            self.connection.sendall(flight[:cut])
            self.rest = flight[cut:]

    def complete(self):
        """Says the rest, then data come and go."""
        self.connection.sendall(self.rest)
        while not self._step():
            if self.outgoing.pending:
                self.connection.sendall(self.outgoing.read())
            else:
                self.read()
        self.object.write(b"from the peer")
        self.connection.sendall(self.outgoing.read())

    def receive(self, size):
        while True:
            try:
                return self.object.read(size)
            except ssl.SSLWantReadError:
                self.read()


@contextlib.contextmanager
def stopped(signetd, role, stage):
    """A handshake that has come so far: our end, and the peer."""
    with listen() as listener:
        one, other = pair(listener)
    with one, other:
        begin(one, role, "server.test" if role == CLIENT else "",
              {sockets.PROFILE: "fresh"} if role == CLIENT else {})
        wait_until(lambda: in_progress(signetd) == 1, "the handshake begins")
        peer = Peer(other, role)
        peer.go_to(*STAGES[role][stage])
        yield one, peer


def check_complete(ours, peer):
    peer.complete()
    finish(ours)
    equal(ours.recv(13), b"from the peer", "the data")
    ours.sendall(b"to the peer")
    equal(peer.receive(11), b"to the peer", "the data")


def check_ended(ours, peer):
    """The application is told, and what the peer sees is no success."""
    check_refused(refusal(ours), "EUNATCH", "helper")
    ours.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        peer.connection.sendall(peer.rest)
        while more := peer.connection.recv(1 << 16):
            peer.incoming.write(more)
        peer.incoming.write_eof()
        peer.object.do_handshake()
        data = peer.object.read(1)
        true(not data, f"there are data: {data}")


def each_stage(role):
    for stage in STAGES[role]:
        with Daemon() as signetd:
            try:
                with stopped(signetd, role, stage) as (ours, peer):
                    yield signetd, ours, peer, stage
            except AssertionError as error:
                raise AssertionError(f"{stage}: {error}") from error


@case("the worker is killed at each stage of a server's handshake", SERVER)
@case("... and of a client's", CLIENT)
def worker(role):
    for signetd, ours, peer, _ in each_stage(role):
        os.kill(signetd.current("worker"), signal.SIGKILL)
        check_ended(ours, peer)
        serves_again(signetd)


@case("the supervisor is killed at each stage of a server's handshake, which goes on", SERVER)
@case("... and of a client's, which goes on", CLIENT)
def supervisor(role):
    for signetd, ours, peer, _ in each_stage(role):
        signetd.process.kill()
        signetd.process.wait()
        check_complete(ours, peer)


@case("the signer is killed at each stage of a server's handshake", SERVER)
@case("... and of a client's, which needs none", CLIENT)
def signer(role):
    for signetd, ours, peer, stage in each_stage(role):
        victim = signetd.current("signer")
        os.kill(victim, signal.SIGKILL)
        signetd.expect(f"signer {victim} was ended by signal 9")
        # Before its signature was made a server cannot go on.
        if role == SERVER and STAGES[role][stage][0] == 0:
            if not peer.rest:
                peer.rest = peer.next_flight()
            peer.connection.sendall(peer.rest)
            peer.rest = b""
            check_refused(refusal(ours), "EUNATCH")
        else:
            check_complete(ours, peer)
        serves_again(signetd)
