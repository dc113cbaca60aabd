# SPDX-License-Identifier: GPL-2.0-only
"""Data in both directions, of all sizes, between signet and OpenSSL and GnuTLS."""

import random

import local
import material
from ktap import case, equal, true
from processes import (gnutls_cli, gnutls_priority, gnutls_serv, s_client, s_server, signet_client,
                       signet_server)

SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
SIZES = (1, 2, 1000, 16383, 16384, 16385, 32767, 32769, 1 << 20)
LARGE = material.LARGE

# gnutls-serv answers whole lines of text.
LINES = tuple(material.LINE * count for count in (1, 2, 271, 272, 1000, 16000))

# Enough to be sure that all is well, where the amount is not the point.
FEW = (1, 20000)


def alternate(sizes):
    """The steps of the signet end: so much, answered by as much."""
    return [step for size in sizes for step in (f"send:{size}", f"receive:{size}")]


def talk(peer, role, sizes):
    """The other end of that, where the peer is a program with its data in stdin and stdout."""
    theirs, ours = (one.bytes for one in local.data(role))
    at = 0
    for size in sizes:
        true(peer.read(size) == theirs[at:at + size], f"{peer.name} got other data after {at}")
        peer.write(ours[at:at + size])
        at += size
    return at


def converse(signet, peer, role, sizes=SIZES, **wanted):
    at = talk(peer, role, sizes)
    return signet.result().check_whole(at, at, **wanted)


def with_openssl(role, suite):
    if role == "client":
        peer, port = s_server("-ciphersuites", suite)
        signet = signet_client(port, *alternate(SIZES))
    else:
        signet, port = signet_server(*alternate(SIZES))
        peer = s_client(port, "-ciphersuites", suite)
    converse(signet, peer, role, suite=suite)


def with_gnutls_cli(suite):
    *sizes, last = SIZES
    signet, port = signet_server(*alternate(sizes), f"receive:{last}", "receive:end")
    peer = gnutls_cli(port, priority=gnutls_priority(suite))
    at = talk(peer, "server", sizes)
    peer.write(material.from_client.bytes[at:at + last])  # it is slow in the other direction
    peer.end_input()
    signet.result().check_whole(at, at + last, suite=suite, end="yes")
    equal(peer.wait(), 0, "gnutls-cli's status")


def with_gnutls_serv(suite):
    """It says the lines again that it was told."""
    _, port = gnutls_serv("--echo", priority=gnutls_priority(suite))
    signet = signet_client(port, *alternate(LINES), out=material.text, in_=material.text)
    signet.result().check_whole(sum(LINES), sum(LINES), suite=suite)


for _suite in reversed(SUITES):
    case(f"client and openssl s_server converse: {_suite}", "client", _suite)(with_openssl)
    case(f"server and openssl s_client converse: {_suite}", "server", _suite)(with_openssl)
    case(f"server and gnutls-cli converse: {_suite}", _suite)(with_gnutls_cli)
    case(f"client and gnutls-serv converse: {_suite}", _suite)(with_gnutls_serv)


@case("client and openssl s_server move 64 MiB each way at once", "client", SUITES[0], LARGE,
      deadline=120)
@case("server and openssl s_client move 64 MiB each way at once", "server", SUITES[0], LARGE,
      deadline=120)
@case("server and openssl s_client move 8 MiB each way at once: " + SUITES[1], "server", SUITES[1],
      LARGE // 8)
def large(role, suite, size):
    """The peer's output is compared while it comes."""
    step = f"exchange:{size}:{size}"
    theirs, ours = local.data(role)
    if role == "client":
        peer, port = s_server("-ciphersuites", suite, "-naccept", "1")
        signet = signet_client(port, step)
    else:
        signet, port = signet_server(step)
        peer = s_client(port, "-ciphersuites", suite)
    local.feed(peer, ours.bytes[:size])
    peer.expect_output(theirs.bytes[:size])
    signet.result().check_whole(size, size, suite=suite)


def _pieces(total):
    chance = random.Random(1)
    sizes = []
    while sum(sizes) < total:
        sizes.append(min(chance.randint(1, 2000), total - sum(sizes)))
    return sizes


@case("client and OpenSSL exchange hundreds of small records", "client")
@case("server and OpenSSL exchange hundreds of small records", "server")
def small_pieces(role):
    total = 300000
    sizes = _pieces(total)
    theirs, ours = (one.bytes for one in local.data(role))
    steps = (f"send:{total}:random", f"receive:{total}:random", "receive:end")
    with local.openssl(role, *steps) as (signet, peer):
        peer.handshake()
        true(peer.read(total) == theirs[:total], "other data came from signet")
        peer.write_each(ours, sizes)
        peer.send_close()
        result = signet.result().check_whole(total, total, end="yes")
        true(result.number("rx_records") >= len(sizes), "not every write made a record")
        true(result.number("tx_records") >= 100, "not every small write made a record")


@case("client and OpenSSL over IPv4, the address being the name", "client", "127.0.0.1")
@case("server and OpenSSL over IPv4", "server", "127.0.0.1")
@case("client and OpenSSL over IPv6, the address being the name", "client", "::1")
def addresses(role, address):
    theirs, ours = (one.bytes for one in local.data(role))
    with local.openssl(role, *alternate(FEW), host=address, name=address) as (signet, peer):
        peer.handshake()
        at = 0
        for size in FEW:
            true(peer.read(size) == theirs[at:at + size], "other data came from signet")
            peer.write(ours[at:at + size])
            at += size
        signet.result().check_whole(at, at)
