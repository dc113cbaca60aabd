# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong is told, in words that help."""

import socket
import ssl
import time

import daemon
import material
from ends import CLIENTS, REQUEST, SERVERS, client, end_helper, helper, server
from ktap import case, equal, true
from processes import PATIENCE, Program, listening_port
from wiretap import LINES, TLS

EVERY = CLIENTS + SERVERS + ["echo-uring", "hot-restart"]


def check_refused(program, *words):
    """It ends with status 1, has put nothing out, and its complaint has the words."""
    equal(program.read_rest(), b"", "the output")
    equal(program.wait(), 1, "the status")
    for word in words:
        true(word in program.told(), f"'{word}' is not told: {program.told()}")


@case("setsockopt-client refuses an expired certificate", CLIENTS[0], material.expired, "expired")
@case("setsockopt_client.py refuses an expired certificate", CLIENTS[1], material.expired,
      "expired")
@case("setsockopt-client refuses another's name", CLIENTS[0], material.other_name, material.NAME)
@case("setsockopt_client.py refuses another's name", CLIENTS[1], material.other_name,
      material.NAME)
@case("setsockopt-client refuses an unknown authority", CLIENTS[0], material.unknown,
      "unknown authority")
@case("setsockopt_client.py refuses an unknown authority", CLIENTS[1], material.unknown,
      "unknown authority")
def clients_refuse(name, certificate, word):
    with helper():
        peer = Program("openssl", "s_server", "-accept", f"[::1]:{TLS}", "-rev",
                       "-cert", certificate.chain, "-key", certificate.key)
        listening_port(peer)
        check_refused(client(name, LINES), material.NAME, word)


@case("setsockopt-server tells of a client that does not trust it", SERVERS[0])
@case("setsockopt_server.py tells of a client that does not trust it", SERVERS[1])
def servers_tell(name):
    with helper():
        serving = server(name, str(TLS), "web")
        context = ssl.create_default_context(cafile=material.stranger.chain)
        with socket.create_connection(("::1", TLS), PATIENCE) as connection:
            wrapped = context.wrap_socket(connection, server_hostname=material.NAME,
                                          do_handshake_on_connect=False)
            try:
                wrapped.do_handshake()
            except ssl.SSLCertVerificationError:
                wait_told(serving, "unknown_ca")
        # It goes on.
        equal(client(CLIENTS[0], REQUEST).wait(), 0, "the next client's status")


def wait_told(program, word):
    """Until the case's time is over."""
    while word not in program.told():
        time.sleep(0.01)


@case("setsockopt-server tells that there is no such profile", SERVERS[0])
@case("setsockopt_server.py tells that there is no such profile", SERVERS[1])
def profiles_are_missed(name):
    with helper():
        serving = server(name, str(TLS), "nosuch")
        check_refused(client(CLIENTS[0], REQUEST), material.NAME)
        wait_told(serving, "nosuch")


@case("setsockopt-client tells that there is no helper", CLIENTS[0])
@case("setsockopt_client.py tells that there is no helper", CLIENTS[1])
def helpers_are_missed(name):
    end_helper()
    peer = Program("openssl", "s_server", "-accept", f"[::1]:{TLS}", "-rev",
                   "-cert", material.ec.chain, "-key", material.ec.key)
    listening_port(peer)
    check_refused(client(name, LINES), "no helper (signetd) serves")


@case("all examples explain themselves")
def usage():
    for name in EVERY:
        asked = Program(name, "--help")
        told = (asked.read_rest().decode() + asked.told()).strip()
        equal(asked.wait(), 0, f"{name} --help's status")
        wrong = Program(name)
        equal((wrong.read_rest().decode() + wrong.told()).strip(), told, f"{name}'s usage")
        equal(wrong.wait(), 2, f"{name}'s status")
        true(name in told and "TLS" in told, f"{name}'s usage is {told}")


@case("libsignet's calls")
def calls():
    with helper():
        program = Program("setsockopt_calls", material.NAME)
        lines = program.read_rest().decode().splitlines()
        equal([line for line in lines if not line.startswith("ok")], [], "what is not well")
        equal(program.wait(), 0, f"the status after {len(lines)} checks")
    return f"{len(lines)} checks"


@case("a port that is taken is told", *SERVERS, "echo-uring", "hot-restart")
def taken(*names):
    with helper():
        server(SERVERS[0], str(TLS), "web")
        for name in names:
            path = [daemon.path("socket")] if name == "hot-restart" else []
            check_refused(Program(name, *path, str(TLS), "web"), str(TLS))
