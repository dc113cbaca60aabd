# SPDX-License-Identifier: GPL-2.0-only
"""Who the peer is, as applications are told: names of every kind, certificates and pinned keys."""

import ctypes
import ssl

import certificates
import daemon
import sockets
from daemon import Daemon, configuration, profile
from ktap import case, equal, true
from mutual import check_openssl_was_told, client_context
from serving import (certificates_of, check_refused, connected, der_of, established, openssl_peer,
                     pin_of)
from sockets import CLIENT, SERVER, exchange, finish, refusal

_library = ctypes.CDLL("libsignet.so.0")

SPIFFE = "spiffe://example.test/workload/one"
LONG = "a." * 120 + "client.test"  # 251 bytes
KINDS = {
    # Its alternative names, and who it is.
    "id": (f"URI:{SPIFFE}", SPIFFE),
    "id_before_name": (f"DNS:one.client.test,URI:{SPIFFE}", SPIFFE),
    "first_name": ("DNS:one.client.test,DNS:other.client.test", "one.client.test"),
    "name_beside_uri": ("URI:https://client.test/x,DNS:one.client.test", "one.client.test"),
    "long_name": (f"DNS:{LONG}", LONG),
    "subject_only": ("email:one@client.test", "/CN=subject_only"),
    # X.509-SVID 2: no second URI beside a SPIFFE id, and no query in it.
    "two_ids": (f"URI:{SPIFFE},URI:spiffe://example.test/other", None),
    "broken_id": ("URI:spiffe://example.test/workload?query", None),
}
MADE = {kind: certificates.client(daemon.directory, kind, "ec", daemon.ca, "-addext",
                                  f"subjectAltName={names}") for kind, (names, _) in KINDS.items()}
SERVERS = {
    "server_id": certificates.server(daemon.directory, "server_id", "ec", daemon.ca,
                                     names=f"DNS:server.test,URI:{SPIFFE}"),
    "server_name": daemon.ec,
}
CONFIGURATION = configuration(
    profile("web", "server", daemon.ec, allow="everyone"),
    profile("test", "client", ca=daemon.ca.chain),
    profile("mutual", "server", daemon.ec, allow="everyone", ca=daemon.ca.chain,
            client_auth="required"),
    profile("asking", "server", daemon.ec, allow="everyone", ca=daemon.ca.chain,
            client_auth="optional"),
    *(profile(name, "server", certificate, allow="everyone")
      for name, certificate in SERVERS.items()),
    *(profile(kind, "client", certificate, ca=daemon.ca.chain, allow="everyone", resume="false")
      for kind, certificate in MADE.items()))


def peer_name(connection):
    """signet_peer_name()"""
    text = ctypes.create_string_buffer(256)
    result = _library.signet_peer_name(connection.fileno(), text, ctypes.c_size_t(256))
    return text.value.decode() if result == 0 else result


def peer(connection):
    """signet_peer(), one by one."""
    buffer = ctypes.create_string_buffer(16384)
    length = _library.signet_peer(connection.fileno(), buffer, ctypes.c_size_t(16384))
    if length < 0:
        return length
    found, chain = [], buffer.raw[:length]
    while chain:
        size = int.from_bytes(chain[:3], "big")
        found.append(chain[3:3 + size])
        chain = chain[3 + size:]
    return found


def check_told(connection, name, certificate):
    """By the option and by libsignet."""
    equal(sockets.text_of(connection, sockets.PEER_NAME), name, "SIGNET_PEER_NAME")
    equal(peer_name(connection), name, "signet_peer_name()")
    chain = [der_of(certificate), der_of(daemon.ca)]
    equal(certificates_of(connection), chain, "SIGNET_PEER")
    equal(peer(connection), chain, "signet_peer()")


@case("a client's identity: SPIFFE id, else a DNS name, else the subject", deadline=90)
def identities_of_clients():
    with Daemon(CONFIGURATION):
        for kind, (_, name) in KINDS.items():
            with connected(client={sockets.PROFILE: kind}, profile_name="mutual") as (one, other):
                if name is None:
                    check_refused(refusal(other), "EKEYREJECTED", "SPIFFE id")
                    continue
                finish(one)
                finish(other)
                check_told(other, name, MADE[kind])
        with established(profile_name="asking") as (one, other):
            equal(peer_name(other), -61, "the name of one without certificate, ENODATA,")
            equal(peer(other), -61, "the certificates of one without, ENODATA,")


@case("a server's identity: its SPIFFE id, else the name that was asked for")
def identities_of_servers():
    with Daemon(CONFIGURATION):
        for name, asked, told in (("server_id", "server.test", SPIFFE),
                                  ("server_id", SPIFFE, SPIFFE),
                                  ("server_name", "server.test", "server.test"),
                                  ("server_name", "127.0.0.1", "127.0.0.1")):
            with established(name=asked, profile_name=name) as (one, other):
                exchange(one, other)
                check_told(one, told, SERVERS[name])
        with connected(name=SPIFFE, profile_name="server_name") as (one, other):
            check_refused(refusal(one), "EKEYREJECTED", SPIFFE)
            true(refusal(other).text, "no text")


@case("a resumed connection knows its server as the first one did")
def identities_after_resumption():
    with Daemon(CONFIGURATION):
        for resumed in (False, True):
            with established(profile_name="server_id") as (one, other):
                exchange(other, one)
                equal(bool(sockets.flags_of(one) & sockets.RESUMED), resumed, "resumption")
                equal(peer_name(one), SPIFFE, "the server's identity")
                equal(peer(one) == -61, resumed, "whether the certificates are missing, ENODATA,")


@case("OpenSSL's client is told apart by its certificate")
def identities_of_openssl():
    with Daemon(CONFIGURATION):
        for kind in ("id", "first_name", "subject_only"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(daemon.ca.chain)
            context.load_cert_chain(MADE[kind].chain, MADE[kind].key)
            with openssl_peer(SERVER, context, profile_name="mutual") as (ours, theirs):
                finish(ours)
                exchange(ours, theirs())
                check_told(ours, KINDS[kind][1], MADE[kind])


# ---- Pinned keys ----

@case("a server's pins: only who has one of these keys gets in, and has to show it")
def pins_of_servers():
    right, wrong = pin_of(MADE["id"]), pin_of(MADE["first_name"])
    with Daemon(CONFIGURATION):
        # Even where the profile itself is content without a certificate.
        for name in ("mutual", "asking"):
            with established(client={sockets.PROFILE: "id"}, profile_name=name,
                             server={sockets.PIN: wrong + right}) as (one, other):
                exchange(one, other)
                equal(peer_name(other), SPIFFE, "the client's identity")
            with connected(client={sockets.PROFILE: "id"}, profile_name=name,
                           server={sockets.PIN: wrong}) as (one, other):
                check_refused(refusal(other), "EKEYREJECTED", "client", "pinned")
            with connected(profile_name=name, server={sockets.PIN: right}) as (one, other):
                check_refused(refusal(other), "EKEYREJECTED", "no certificate")
        with connected(profile_name="web", server={sockets.PIN: right}) as (one, other):
            check_refused(refusal(other), "EPERM", "no authorities")


@case("a server's pins, and OpenSSL's client")
def pins_and_openssl_client():
    pins = {sockets.PIN: pin_of(MADE["id"])}
    with Daemon(CONFIGURATION):
        context = client_context("absent", ssl.TLSVersion.TLSv1_3)
        context.load_cert_chain(MADE["id"].chain, MADE["id"].key)
        with openssl_peer(SERVER, context, profile_name="asking", options=pins) as (ours, theirs):
            finish(ours)
            exchange(ours, theirs())
        for kind, alert in (("good", 42), ("absent", 116)):
            context = client_context(kind, ssl.TLSVersion.TLSv1_3)
            with openssl_peer(SERVER, context, profile_name="asking",
                              options=pins) as (ours, theirs):
                check_refused(refusal(ours), "EKEYREJECTED")
                check_openssl_was_told(theirs(), alert)


@case("a client's pins, and OpenSSL's server: beside a name and in its place")
def pins_and_openssl_server():
    right, wrong = pin_of(daemon.ec), pin_of(daemon.other)
    with Daemon(CONFIGURATION):
        for name in ("server.test", ""):
            with openssl_peer(CLIENT, name=name,
                              options={sockets.PIN: wrong + right}) as (ours, theirs):
                finish(ours)
                exchange(ours, theirs())
            with openssl_peer(CLIENT, name=name, options={sockets.PIN: wrong}) as (ours, theirs):
                check_refused(refusal(ours), "EKEYREJECTED", "pinned")
                check_openssl_was_told(theirs(), 42)
