# SPDX-License-Identifier: GPL-2.0-only
"""The end of a connection: told by either side, or not told."""

import local
import material
from ktap import case, equal, true
from processes import gnutls_cli, gnutls_serv, s_client, s_server, signet_client, signet_server
from wire import reset

# One direction ends, the other does not.
GO_ON = ("shutdown", "receive:end")


@case("server gets the end from openssl s_client", "openssl")
@case("server gets the end from gnutls-cli", "gnutls")
def end_from_client(kind):
    signet, port = signet_server("receive:end", "send:1000")
    peer = s_client(port, "-no_ign_eof") if kind == "openssl" else gnutls_cli(port)
    peer.write(material.from_client.bytes[:5000])
    peer.end_input()
    result = signet.result().check(handshake="none", received=5000, receive_error="none",
                                   data="equal", end="yes", error="none")
    equal(result["alert_received"], "0x100", "alert")
    # gnutls-cli sends its close_notify and listens; openssl s_client has gone.
    if kind == "gnutls":
        result.check(send_error="none", state="ESTABLISHED")
        peer.expect_output(material.from_server.bytes[:1000])
    equal(peer.wait(), 0, "the peer's status")


@case("openssl s_client gets the end from the server", "openssl", "close")
@case("openssl s_client gets the end from the server's shutdown", "openssl", "shutdown")
@case("gnutls-cli gets the end from the server", "gnutls", "close")
def end_to_client(kind, how):
    signet, port = signet_server("send:50000", *(GO_ON if how == "shutdown" else ()))
    peer = s_client(port) if kind == "openssl" else gnutls_cli(port)
    peer.expect_output(material.from_server.bytes[:50000])
    equal(peer.wait(), 0, "the peer's status")
    told = peer.told()
    true("unexpected eof" not in told and "rror" not in told.replace("ERROR:0", ""),
         f"the peer complained: {told}")
    signet.result().check(sent=50000, send_error="none")


@case("openssl s_server gets the end from the client", "openssl")
@case("gnutls-serv gets the end from the client", "gnutls")
def end_to_server(kind):
    if kind == "openssl":
        peer, port = s_server("-naccept", "1")
        signet_client(port, "send:50000").result().check(sent=50000)
        peer.expect_output(material.from_client.bytes[:50000])
        equal(peer.wait(), 0, "openssl s_server's status")
    else:
        peer, port = gnutls_serv("--echo")
        signet_client(port, "send:60", "receive:60", out=material.text,
                      in_=material.text).result().check_whole(60, 60)
        # It is there for the next one, and says nothing of the last.
        signet_client(port, "send:60", "receive:60", out=material.text,
                      in_=material.text).result().check_whole(60, 60)
    true("rror" not in peer.told(), f"the peer complained: {peer.told()}")


@case("OpenSSL gets a close_notify when the client closes", "client", ())
@case("OpenSSL gets a close_notify when the server closes", "server", ())
@case("OpenSSL gets a close_notify from the client's shutdown", "client", GO_ON)
@case("OpenSSL gets a close_notify from the server's shutdown", "server", GO_ON)
def close_notify(role, how):
    theirs, ours = (one.bytes for one in local.data(role))
    with local.openssl(role, "send:40000", *how) as (signet, peer):
        peer.handshake()
        equal(peer.read_rest(), (bytes(theirs[:40000]), True), "what came, and its clean end")
        if how:
            # The other direction goes on.
            peer.write(ours[:1000])
            peer.send_close()
            signet.result().check_whole(40000, 1000, end="yes", state="CLOSED")


@case("client goes on sending after the end from OpenSSL", "client")
@case("server goes on sending after the end from OpenSSL", "server")
def half_closed(role):
    theirs, ours = (one.bytes for one in local.data(role))
    size = 1 << 20
    with local.openssl(role, "receive:end", f"send:{size}") as (signet, peer):
        peer.handshake()
        peer.write(ours[:100])
        peer.send_close()
        data, clean = peer.read_rest()
        true(data == theirs[:size] and clean, f"{len(data)} bytes came, clean end: {clean}")
        signet.result().check_whole(size, 100, end="yes")


KILLED = ("ECONNABORTED", "ECONNRESET")


@case("client tells that openssl s_server was killed", "client", "openssl")
@case("client tells that gnutls-serv was killed", "client", "gnutls")
@case("server tells that openssl s_client was killed", "server", "openssl")
@case("server tells that gnutls-cli was killed", "server", "gnutls")
def killed(role, kind):
    """After a line in both directions, so that the peer is surely there."""
    steps = ("send:60", "receive:60", "tell", "receive:end")
    texts = {"out": material.text, "in_": material.text}
    if role == "client":
        peer, port = s_server() if kind == "openssl" else gnutls_serv("--echo")
        signet = signet_client(port, *steps, **texts)
    else:
        signet, port = signet_server(*steps, **texts)
        peer = s_client(port) if kind == "openssl" else gnutls_cli(port)
    if kind == "openssl" or role == "server":
        true(peer.read(60) == material.text.bytes[:60], "other data came from signet")
        peer.write(material.text.bytes[:60])
    equal(signet.read_line(), "told", "what signet says")
    peer.kill()
    result = signet.result().check(handshake="none", received=60, end="no", data="equal")
    true(result["receive_error"] in KILLED, f"not an error of the connection: {result.line}")
    return f"{result['receive_error']}: {result['text']}"


@case("client tells that the peer died while data was on its way to it", "client")
@case("server tells that the peer died while data was on its way to it", "server")
def dies_while_reading(role):
    """The peer takes a part, and resets the connection, which the socket's buffer is full of."""
    size = 32 << 20
    theirs = local.data(role)[0].bytes
    with local.openssl(role, f"send:{size}", "receive:end") as (signet, peer):
        peer.handshake()
        true(peer.read(300000) == theirs[:300000], "other data came from signet")
        reset(peer.socket)
        result = signet.result().check(handshake="none", received=0, end="no")
        true(result["send_error"] in ("ECONNRESET", "EPIPE"), f"sending: {result.line}")
        true(result["receive_error"] in KILLED, f"receiving: {result.line}")
        true(result.number("sent") < size, f"all was sent: {result.line}")
        return f"{result['send_error']}, {result['receive_error']}"


@case("client tells of a fatal alert", "client")
@case("server tells of a fatal alert", "server")
def fatal_alert(role):
    """OpenSSL meets a record that it cannot open, and says so."""
    ours = local.data(role)[1].bytes
    with local.openssl(role, "send:1", "receive:end") as (signet, peer):
        peer.handshake()
        peer.read(1)
        peer.write(ours[:500])
        peer.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        equal(peer.read_rest(), (b"", False), "what OpenSSL read")
        peer.flush()
        result = signet.result().check(handshake="none", received=500, receive_error="EPROTO",
                                       data="equal", end="no", alert_received="0x214")
        return result["text"]
