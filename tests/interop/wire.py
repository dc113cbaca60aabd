# SPDX-License-Identifier: GPL-2.0-only
"""OpenSSL in this process, apart from its socket: the wire is seen, and can be stopped."""

import socket
import ssl
import struct

import material
from ktap import true

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
OVERHEAD = 5 + 1 + 16  # header, content type and tag of a sealed record


def server_context(certificate=material.ec, client_ca=None, tickets=0):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    context.set_ecdh_curve("X25519")
    context.num_tickets = tickets
    if client_ca:
        context.load_verify_locations(client_ca.chain)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(certificate=None, group="X25519"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(material.ca.chain)
    context.set_ecdh_curve(group)
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def records(stream):
    """The records of a stream: (type, start, end). The last one may end beyond the stream."""
    found = []
    at = 0
    while at + 5 <= len(stream):
        kind, version, length = struct.unpack_from("!BHH", stream, at)
        true(kind in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA) and version in (0x301, 0x303) and
             length <= 16384 + 256, f"no TLS record at byte {at}: {bytes(stream[at:at + 16])!r}")
        found.append((kind, at, at + 5 + length))
        at += 5 + length
    return found


def check_no_plaintext(stream, secret):
    """Records and nothing else, and no part of what was to be secret."""
    records(stream)
    for at in range(0, len(secret) - 7, 8):
        true(bytes(secret[at:at + 8]) not in stream, f"plaintext of byte {at} is on the wire")


class Cut(Exception):
    """The limit of what was to be sent is reached."""


class End(Exception):
    """The other side's TCP stream is at its end."""


class Endpoint:
    """An OpenSSL connection over a socket, that sends at most so many bytes."""

    def __init__(self, connection, context, server_side, limit=None):
        self.socket = connection
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        name = None if server_side else material.NAME
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side, name)
        self.limit = limit
        self.made = bytearray()  # all that OpenSSL wanted to send
        self.sent = 0
        self.received = bytearray()  # from the wire
        self.hold = False  # collect, to send it in one piece later
        self.fills = []  # how much was made when more was waited for
        self.handshake_end = None  # of the bytes made
        self.data_ends = []  # of records: (of the bytes made, how much data in it)
        self.close_end = None

    def flush(self):
        self.made += self.outgoing.read()
        if self.hold:
            return
        end = len(self.made) if self.limit is None else min(len(self.made), self.limit)
        if end > self.sent:
            self.socket.sendall(self.made[self.sent:end])
            self.sent = end
        if self.limit is not None and len(self.made) > self.limit:
            raise Cut

    def fill(self):
        self.fills.append(len(self.made))
        more = self.socket.recv(1 << 16)
        if not more:
            self.incoming.write_eof()
            raise End
        self.received += more
        self.incoming.write(more)

    def _do(self, operation, *arguments):
        while True:
            try:
                result = operation(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()
            except ssl.SSLError:
                self.flush()  # the alert
                raise

    def handshake(self):
        self._do(self.tls.do_handshake)
        self.handshake_end = len(self.made)

    def handshake_but_last_flight(self):
        """A client's: its Finished waits, for data to go with it, until release()."""
        self._do_first_flight()
        self.hold = True
        self.handshake()

    def _do_first_flight(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()

    def release(self):
        self.hold = False
        self.flush()

    def write(self, data):
        self.tls.write(data)
        self.data_ends.append((len(self.made) + self.outgoing.pending, len(data)))
        self.flush()

    def write_each(self, data, sizes):
        """A record for each size."""
        at = 0
        for size in sizes:
            self.write(data[at:at + size])
            at += size

    def read(self, count):
        """So many bytes, or fewer at a clean end."""
        data = b""
        while len(data) < count:
            try:
                part = self._do(self.tls.read, min(count - len(data), 1 << 14))
            except ssl.SSLZeroReturnError:
                break
            if not part:
                break
            data += part
        return data

    def send_close(self):
        """close_notify, without waiting for the other one's."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        self.close_end = len(self.made) + self.outgoing.pending
        self.flush()

    def read_rest(self):
        """Reads to the end. Return: the data, and whether the end was a close_notify."""
        data = b""
        while True:
            try:
                part = self.tls.read(1 << 14)
                if not part:
                    return data, True
                data += part
            except ssl.SSLZeroReturnError:
                return data, True
            except ssl.SSLWantReadError:
                try:
                    self.fill()
                except (End, ConnectionError):
                    return data, False
            except ssl.SSLError:
                return data, False

    def drain(self):
        """Takes what still comes on the wire."""
        try:
            while True:
                self.fill()
        except (End, ConnectionError):
            pass
