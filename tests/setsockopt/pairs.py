# SPDX-License-Identifier: GPL-2.0-only
"""Each example with each other, with OpenSSL and with curl."""

import material
from ends import CLIENTS, REQUEST, SERVERS, client, helper, server
from ktap import case, equal, true
from processes import Program, listening_port, s_client
from wiretap import LINES, REVERSED, TLS

ANSWER = f"HTTP/1.0 200 OK\r\n\r\nThis is {material.NAME}.\n".encode()


def check(program, answer):
    program.expect_output(answer)
    equal(program.wait(), 0, f"{program.name}'s status, which says '{program.told()}',")


def with_each(function):
    for one in CLIENTS:
        for other in SERVERS:
            case(f"{one} asks {other}", one, other)(function)
    return function


@with_each
def examples_talk(client_name, server_name):
    with helper():
        serving = server(server_name, str(TLS), "web")
        check(client(client_name, REQUEST), ANSWER)
        equal(serving.told(), "", "what the server complains of")


@case("setsockopt-client and s_server", CLIENTS[0])
@case("setsockopt_client.py and s_server", CLIENTS[1])
def openssl_serves(name):
    with helper():
        peer = Program("openssl", "s_server", "-accept", f"[::1]:{TLS}", "-rev",
                       "-cert", material.ec.chain, "-key", material.ec.key)
        listening_port(peer)
        check(client(name, LINES), REVERSED)


@case("setsockopt-server and s_client", SERVERS[0])
@case("setsockopt_server.py and s_client", SERVERS[1])
def openssl_asks(name):
    with helper():
        serving = server(name, str(TLS), "web")
        peer = s_client(TLS)
        peer.write(REQUEST)
        check(peer, ANSWER)
        equal(serving.told(), "", "what the server complains of")


@case("setsockopt-server and curl", SERVERS[0])
@case("setsockopt_server.py and curl", SERVERS[1])
def curl_asks(name):
    with helper():
        serving = server(name, str(TLS), "web")
        peer = Program("curl", "--silent", "--show-error", "--fail", "--http1.1", "--verbose",
                       "--cacert", material.ca.chain, f"https://{material.NAME}:{TLS}/")
        check(peer, f"This is {material.NAME}.\n".encode())
        true("SSL certificate verified" in peer.told() or "certificate verify ok" in peer.told(),
             f"curl tells nothing of the certificate: {peer.told()}")
        equal(serving.told(), "", "what the server complains of")
