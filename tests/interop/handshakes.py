# SPDX-License-Identifier: GPL-2.0-only
"""Handshakes of many kinds, and the exact place where data begins behind them."""

import socket

import libssl
import local
import material
from ktap import case, equal, true
from processes import gnutls_cli, gnutls_serv, s_client, s_server, signet_client, signet_server
from transfer import FEW, alternate, converse
from wire import client_context


@case("client accepts an RSA certificate of openssl s_server", "client", material.rsa)
@case("client accepts an Ed25519 certificate of openssl s_server", "client", material.ed25519)
@case("server shows openssl s_client an RSA certificate", "server", material.rsa)
@case("server shows openssl s_client an Ed25519 certificate", "server", material.ed25519)
def kinds_of_certificates(role, certificate):
    if role == "client":
        peer, port = s_server(certificate=certificate)
        signet = signet_client(port, *alternate(FEW))
    else:
        signet, port = signet_server(*alternate(FEW), certificate=certificate)
        peer = s_client(port)
    converse(signet, peer, role, FEW)


@case("client proves itself to openssl s_server")
def client_certificate_openssl():
    peer, port = s_server("-CAfile", material.ca.chain, "-Verify", "1", "-verify_return_error")
    signet = signet_client(port, *alternate(FEW), certificate=material.client)
    converse(signet, peer, "client", FEW)
    true("CN=client" in peer.told(), "s_server saw no certificate of the client")


@case("client proves itself to gnutls-serv")
def client_certificate_gnutls():
    _, port = gnutls_serv("--echo", "--require-client-cert", "--verify-client-cert",
                          "--x509cafile", material.ca.chain)
    signet = signet_client(port, "send:60", "receive:60", certificate=material.client,
                           out=material.text, in_=material.text)
    signet.result().check_whole(60, 60)


@case("server knows who openssl s_client is", "openssl")
@case("server knows who gnutls-cli is", "gnutls")
def server_demands_certificate(kind):
    signet, port = signet_server(*alternate(FEW), ca=material.ca.chain)
    if kind == "openssl":
        peer = s_client(port, "-cert", material.client.chain, "-key", material.client.key)
    else:
        peer = gnutls_cli(port, "--x509certfile", material.client.chain,
                          "--x509keyfile", material.client.key)
    result = converse(signet, peer, "server", FEW)
    true("client" in result["peer"], f"the client's name is missing: {result.line}")


@case("client tries again after HelloRetryRequest of openssl s_server")
def retry_of_client():
    peer, port = s_server("-groups", "P-384")
    signet = signet_client(port, *alternate(FEW))
    result = converse(signet, peer, "client", FEW)
    true("384" in result["group"], f"another group: {result.line}")


@case("server makes openssl s_client try again with HelloRetryRequest")
def retry_of_server():
    signet, port = signet_server(*alternate(FEW))
    peer = s_client(port, "-groups", "ffdhe2048:X25519")
    converse(signet, peer, "server", FEW, group="X25519")


@case("client and openssl s_server agree upon X25519MLKEM768", "client")
@case("server and openssl s_client agree upon X25519MLKEM768", "server")
def hybrid_group(role):
    if role == "client":
        peer, port = s_server("-groups", "X25519MLKEM768")
        signet = signet_client(port, *alternate(FEW))
    else:
        signet, port = signet_server(*alternate(FEW))
        peer = s_client(port, "-groups", "X25519MLKEM768")
    result = converse(signet, peer, role, FEW)
    true("768" in result["group"], f"another group: {result.line}")


class Dribble:
    """A socket that sends bytes one by one."""

    def __init__(self, connection):
        self.connection = connection

    def sendall(self, data):
        for at in range(len(data)):
            self.connection.sendall(data[at:at + 1])

    def recv(self, count):
        return self.connection.recv(count)


@case("client and OpenSSL, whose handshake and data come byte by byte", "client")
@case("server and OpenSSL, whose handshake and data come byte by byte", "server")
def dribbling(role):
    theirs, ours = (one.bytes for one in local.data(role))
    with local.openssl(role, "send:100", "receive:300", "receive:end") as (signet, peer):
        peer.socket = Dribble(peer.socket)
        peer.handshake()
        true(peer.read(100) == theirs[:100], "other data came from signet")
        peer.write_each(ours, (1, 199, 100))
        peer.send_close()
        signet.result().check_whole(100, 300, end="yes")


@case("server delivers what the client sent together with its Finished", 1)
@case("server delivers 40000 bytes sent together with the client's Finished", 40000)
def data_behind_finished(size):
    ours = local.data("server")[1].bytes
    with local.openssl("server", f"receive:{size}", "receive:end", "send:1000") as (signet, peer):
        peer.handshake_but_last_flight()
        peer.write_each(ours, (1,) if size == 1 else (1, 16384, 16384, size - 32769))
        peer.send_close()
        peer.release()
        equal(peer.read_rest(), (bytes(local.data("server")[0].bytes[:1000]), True), "answer")
        signet.result().check_whole(1000, size, end="yes")


@case("server delivers what came with the client's Finished, close_notify and FIN")
def all_behind_finished():
    ours = local.data("server")[1].bytes
    with local.openssl("server", "receive:end", "send:1000") as (signet, peer):
        peer.handshake_but_last_flight()
        peer.write_each(ours, (1, 999))
        peer.send_close()
        peer.release()
        peer.socket.shutdown(socket.SHUT_WR)
        equal(peer.read_rest(), (bytes(local.data("server")[0].bytes[:1000]), True), "answer")
        signet.result().check_whole(1000, 1000, end="yes")


@case("server delivers what came together with the client's certificate and Finished")
def data_behind_client_certificate():
    ours = local.data("server")[1].bytes
    context = client_context(material.client)
    with local.openssl("server", "receive:1000", "receive:end", context=context,
                       ca=material.ca.chain) as (signet, peer):
        peer.handshake_but_last_flight()
        peer.write_each(ours, (500, 500))
        peer.send_close()
        peer.release()
        equal(peer.read_rest(), (b"", True), "answer")
        signet.result().check_whole(0, 1000, end="yes")


def cut_up(data, sizes):
    at = 0
    for size in sizes:
        yield bytes(data[at:at + size])
        at += size


@case("client delivers what the server sent before the client's Finished", (300,))
@case("client delivers 50 records sent before the client's Finished", (1000,) * 50)
def data_before_finished(sizes):
    theirs, ours = (one.bytes for one in local.data("client"))
    total = sum(sizes)
    with local.raw("client", f"receive:{total}", "send:100", "receive:200",
                   "receive:end") as (signet, connection), libssl.Server(connection) as peer:
        peer.write_before_finished(cut_up(ours, sizes))
        peer.handshake()
        true(peer.read(100) == theirs[:100], "other data came from signet")
        peer.write(bytes(ours[total:total + 200]))
        peer.close()
        signet.result().check_whole(100, total + 200, end="yes")


@case("client is not disturbed by tickets before, between and after the data")
def tickets():
    theirs, ours = (one.bytes for one in local.data("client"))
    with local.raw("client", "send:100", "receive:20000",
                   "receive:end") as (signet, connection), libssl.Server(connection, 2) as peer:
        peer.handshake()
        true(peer.read(100) == theirs[:100], "other data came from signet")
        for at in range(0, 20000, 2000):
            peer.send_ticket()
            peer.write(bytes(ours[at:at + 2000]))
        peer.send_ticket()
        peer.close()
        # 2 with the handshake, 11 more, close_notify
        signet.result().check_whole(100, 20000, end="yes", rx_control=14)


@case("client is not disturbed by the tickets of openssl s_server", "openssl")
@case("client is not disturbed by the tickets of gnutls-serv", "gnutls")
def tickets_of_programs(kind):
    if kind == "openssl":
        peer, port = s_server("-num_tickets", "5")
        signet = signet_client(port, *alternate(FEW))
        result = converse(signet, peer, "client", FEW, rx_control=5)
    else:
        _, port = gnutls_serv("--echo")
        signet = signet_client(port, "send:60", "receive:60", out=material.text, in_=material.text)
        result = signet.result().check_whole(60, 60)
    true(result.number("rx_control") > 0, "no ticket came")


@case("client follows OpenSSL's KeyUpdates, and answers when it is asked")
def key_update():
    theirs, ours = (one.bytes for one in local.data("client"))
    with local.raw("client", "receive:3000", "send:100",
                   "receive:end") as (signet, connection), libssl.Server(connection) as peer:
        peer.handshake()
        peer.write(bytes(ours[:1000]))
        peer.send_key_update()
        peer.write(bytes(ours[1000:2000]))
        peer.send_key_update(request=True)
        peer.write(bytes(ours[2000:3000]))
        # Only with the new keys can OpenSSL read what comes behind the answer.
        true(peer.read(100) == theirs[:100], "other data came from signet")
        peer.close()
        # The answer, and the data
        signet.result().check_whole(100, 3000, end="yes", tx_records=2)
