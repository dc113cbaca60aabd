# SPDX-License-Identifier: GPL-2.0-only
"""Peers that signet must refuse, and peers that refuse it: an error, a text, no secret sent."""

import ssl
import time

import local
import material
from ktap import case, equal, true
from processes import gnutls_cli, gnutls_serv, s_client, s_server, signet_client, signet_server
from wire import (ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, OVERHEAD, check_no_plaintext,
                  client_context, records, server_context)

# What is to be sent after the handshake, and must not be.
SECRET = 4000



def alerts_only(stream, first_flight):
    """Behind the first flight there is an alert, sealed or not, and nothing else."""
    behind = records(stream)[first_flight:]
    kinds = [(kind, end - start) for kind, start, end in behind if kind != CHANGE_CIPHER_SPEC]
    equal(len(kinds), 1, f"number of records after the refusal, {kinds}")
    true(kinds[0] in ((ALERT, 7), (DATA, OVERHEAD + 2)), f"not an alert: {kinds}")


@case("client refuses a certificate of another name", material.other_name)
@case("client refuses a certificate that has expired", material.expired)
@case("client refuses a certificate of an unknown authority", material.unknown)
def client_refuses(certificate):
    secret = material.from_client.bytes[:SECRET]
    with local.openssl("client", f"send:{SECRET}",
                       context=server_context(certificate)) as (signet, peer):
        try:
            peer.handshake()
            true(False, "OpenSSL's handshake succeeded")
        except ssl.SSLError as error:
            true("ALERT" in str(error), f"OpenSSL got no alert: {error}")
        peer.drain()
        alerts_only(peer.received, 1)
        check_no_plaintext(peer.received, secret)
        return signet.result().check_refused("EKEYREJECTED")["text"]


@case("client refuses the certificate of another name of gnutls-serv")
def client_refuses_gnutls():
    _, port = gnutls_serv("--echo", certificate=material.other_name)
    signet = signet_client(port, "send:60")
    signet.result().check_refused("EKEYREJECTED")


@case("server refuses a client without certificate", None)
@case("server refuses a client certificate of an unknown authority", material.client_unknown)
@case("server refuses a server's certificate as a client's", material.ec)
def server_refuses(certificate):
    """The client thinks that all is well until the alert comes."""
    with local.openssl("server", f"send:{SECRET}", ca=material.ca.chain,
                       context=client_context(certificate)) as (signet, peer):
        try:
            peer.handshake()
            flight = len(records(peer.received))
            data = peer.read(1)
            true(False, f"OpenSSL was not refused, and read {data}")
        except ssl.SSLError as error:
            true("ALERT" in str(error), f"OpenSSL got no alert: {error}")
        peer.drain()
        alerts_only(peer.received, flight)
        check_no_plaintext(peer.received, material.from_server.bytes[:SECRET])
        return signet.result().check_refused("EKEYREJECTED", "EPROTO")["text"]


@case("server tells that openssl s_client does not trust it", "openssl")
@case("server tells that gnutls-cli does not trust it", "gnutls")
def peer_refuses_server(kind):
    signet, port = signet_server("send:1000", certificate=material.unknown)
    peer = s_client(port) if kind == "openssl" else gnutls_cli(port)
    result = signet.result().check_refused("EPROTO", "ECONNABORTED", "ECONNRESET")
    true(result["handshake"] == "EPROTO" or kind == "gnutls", f"not EPROTO: {result.line}")
    true(peer.wait() != 0, "the peer was content")
    return result["text"]


@case("client tells that openssl s_server does not trust it", material.client_unknown)
@case("client tells that openssl s_server wants a certificate", None)
def peer_refuses_client(certificate):
    """The client's handshake is over before the server judges it."""
    _, port = s_server("-CAfile", material.ca.chain, "-Verify", "1", "-verify_return_error")
    signet = signet_client(port, "receive:end", certificate=certificate)
    result = signet.result()
    if result["handshake"] != "none":
        result.check_refused("EPROTO")
    else:
        result.check(received=0, end="no", receive_error="EPROTO", reason=3)
        true(result.number("alert_received") >> 8 == 2, f"no fatal alert: {result.line}")
    return result["text"]


@case("client tells that openssl s_server has only TLS 1.2", "client")
@case("server tells that openssl s_client has only TLS 1.2", "server")
def old_version(role):
    if role == "client":
        _, port = s_server("-tls1_2")
        signet = signet_client(port, "send:1000")
    else:
        signet, port = signet_server("send:1000")
        s_client(port, "-tls1_2")
    return signet.result().check_refused("EPROTO")["text"]


@case("client tells that it has no cipher suite in common with openssl s_server", "client")
@case("server tells that it has no cipher suite in common with openssl s_client", "server")
def no_common_suite(role):
    options = ("-ciphersuites", "TLS_AES_128_CCM_SHA256")
    if role == "client":
        _, port = s_server(*options)
        signet = signet_client(port, "send:1000")
    else:
        signet, port = signet_server("send:1000")
        s_client(port, *options)
    return signet.result().check_refused("EPROTO")["text"]


HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
HTTP_REQUEST = b"GET / HTTP/1.1\r\nHost: server.test\r\n\r\n"


@case("client tells that the server speaks HTTP", "client", HTTP)
@case("server tells that the client speaks HTTP", "server", HTTP_REQUEST)
@case("client tells that the server sends nonsense", "client", bytes(range(255, 0, -1)))
@case("server tells that the client sends nonsense", "server", bytes(range(255, 0, -1)))
def no_tls(role, said):
    with local.raw(role, f"send:{SECRET}") as (signet, connection):
        connection.sendall(said)
        stream = b""
        while part := _receive(connection):
            stream += part
        kinds = [kind for kind, _, _ in records(stream)]
        true(kinds in ([HANDSHAKE, ALERT], [HANDSHAKE]) if role == "client" else
             kinds in ([ALERT], []), f"records of types {kinds}")
        return signet.result().check_refused("EPROTO")["text"]


def _receive(connection):
    try:
        return connection.recv(1 << 16)
    except ConnectionError:
        return b""


@case("client does not wait for a silent server without end", "client")
@case("server does not wait for a silent client without end", "server")
def silence(role):
    start = time.monotonic()
    with local.raw(role, "send:1", timeout=700) as (signet, _):
        result = signet.result().check_refused("ETIMEDOUT")
    true(0.6 < time.monotonic() - start < 8, "not when the time was up")
    return result["text"]
