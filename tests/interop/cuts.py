# SPDX-License-Identifier: GPL-2.0-only
"""The peer goes away after each single byte of what it has to say.

OpenSSL talks to signet until so many bytes are out; then its side of the connection ends (FIN), or
the connection is reset (RST). Whatever the place, signet must come to an end by itself, tell the
error, deliver what was complete and nothing else, and let no plaintext out. That is thousands of
connections, so both processors work, and no connection costs a process.
"""

import itertools
import json
import os
import signal
import socket
import sys

import local
import material
from ktap import case, true
from processes import end_all, forget_all, signet_client, signet_server
from wire import Cut, Endpoint, check_no_plaintext, client_context, reset, server_context

WORKERS = 2
SENT = 100  # by signet
SIZES = (1, 40, 7)  # the records of OpenSSL
STEPS = (f"send:{SENT}", "receive:end")
GONE = ("ECONNABORTED", "ECONNRESET")


class Session:
    """One connection with its end at a certain byte."""

    def __init__(self, role, connection, context, at, how):
        self.role, self.at, self.how = role, at, how
        self.peer = Endpoint(connection, context, role == "client", at)
        self.theirs, self.ours = (one.bytes for one in local.data(role))
        self.data = b""
        self.whole = False

    def talk(self):
        try:
            self.peer.handshake()
            self.data = self.peer.read(SENT)
            self.peer.write_each(self.ours, SIZES)
            self.peer.send_close()
            self.whole = True
        except Cut:
            pass
        if self.how == "RST":
            reset(self.peer.socket)
            return
        self.peer.socket.shutdown(socket.SHUT_WR)
        self.data += self.peer.read_rest()[0]
        self.peer.drain()

    def handshake_end(self):
        """A server's first flight, a client's second: with it signet has all that it needs."""
        if self.role == "client":
            return self.peer.fills[1] if len(self.peer.fills) > 1 else sys.maxsize
        return self.peer.handshake_end or sys.maxsize

    def check(self, result):
        check_no_plaintext(self.peer.received, self.theirs[:SENT])
        if self.at < self.handshake_end():
            result.check_refused(*GONE)
            true(not self.data, f"{len(self.data)} bytes of data before the handshake's end")
        elif self.how == "RST":
            self.check_reset(result)
        else:
            self.check_ended(result)

    def complete(self):
        return sum(size for end, size in self.peer.data_ends if end <= self.at)

    def closed(self):
        return self.peer.close_end is not None and self.peer.close_end <= self.at

    def check_ended(self, result):
        result.check(handshake="none", sent=SENT, send_error="none", received=self.complete(),
                     data="equal")
        true(self.data == self.theirs[:SENT], f"OpenSSL got {len(self.data)} bytes of {SENT}")
        if self.closed():
            result.check(end="yes", receive_error="none", error="none")
        else:
            result.check(end="no", receive_error="ECONNABORTED", reason=1)

    def check_reset(self, result):
        """TCP may drop what it has when a reset comes, but nobody may take that for the end."""
        if result["handshake"] != "none":
            result.check_refused(*GONE, "EPIPE", "ENOTCONN")
            return
        result.check(data="equal")
        true(result.number("received") <= self.complete(), f"too much was received: {result.line}")
        if result["end"] == "yes":
            true(self.closed(), f"an end that nobody sent: {result.line}")
        else:
            true(result["receive_error"] == "ECONNRESET", f"no reset: {result.line}")


def sessions(role, how):
    """Yields a function that makes the next connection, with its end where it is told."""
    if role == "client":
        context = server_context(material.ed25519, tickets=1)
        with local.listen() as listener:
            signet = signet_client(listener.getsockname()[1], *STEPS, times=0, patience=10)
            yield lambda at: (signet, Session(role, local.accept(listener), context, at, how))
    else:
        context = client_context()
        signet, port = signet_server(*STEPS, times=0, patience=10, certificate=material.ed25519)
        yield lambda at: (signet, Session(role, local.connect(port), context, at, how))


def places(how, handshake_end):
    """Where to end. In a handshake, where the engine takes one like the other, few resets do."""
    near = handshake_end - 10
    yield from range(0, near, 1 if how == "FIN" else 8)
    yield from range(near, 1 << 20)


def attempt(signet, session, wrong):
    try:
        session.talk()
        session.check(signet.result())
    except AssertionError as error:
        wrong.append(f"{session.how} after byte {session.at}: {error}")
    session.peer.socket.close()


def work(role, how, worker):
    """Return: how many connections, and what was wrong."""
    wrong = []
    count = 0
    for next_session in sessions(role, how):
        signet, session = next_session(1 << 20)
        attempt(signet, session, wrong)
        if wrong:
            break
        for at in itertools.islice(places(how, session.handshake_end()), worker, None, WORKERS):
            signet, session = next_session(at)
            attempt(signet, session, wrong)
            count += 1
            if session.whole or len(wrong) >= 3:
                break
        end_all(False)
    return count, wrong


def _child(pipe, arguments):
    def stop(_signal, _frame):
        sys.exit(1)

    signal.signal(signal.SIGTERM, stop)
    forget_all()
    try:
        answer = work(*arguments)
    except BaseException as error:  # pylint: disable=broad-except
        answer = 0, [f"{type(error).__name__}: {error}"]
    finally:
        end_all(False)
    os.write(pipe, json.dumps(answer).encode())


def _fork(arguments):
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        _child(writer, arguments)
        os._exit(0)
    os.close(writer)
    return pid, os.fdopen(reader, "rb")


@case("client survives a FIN after every byte from OpenSSL", "client", "FIN", deadline=120)
@case("server survives a FIN after every byte from OpenSSL", "server", "FIN", deadline=120)
@case("client survives a RST after every byte of data from OpenSSL", "client", "RST", deadline=120)
@case("server survives a RST after every byte of data from OpenSSL", "server", "RST", deadline=120)
def cut(role, how):
    workers = [_fork((role, how, number)) for number in range(WORKERS)]
    try:
        answers = [json.loads(pipe.read()) for _, pipe in workers]
    finally:
        for pid, pipe in workers:
            pipe.close()
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
    wrong = [line for _, lines in answers for line in lines]
    true(not wrong, "\n".join(wrong))
    return f"{sum(count for count, _ in answers)} connections"
