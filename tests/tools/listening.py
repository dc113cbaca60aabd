# SPDX-License-Identifier: GPL-2.0-only
"""Programs that listen, and TLS clients."""

import contextlib
import os
import socket
import sys

import daemon
import programs
from ktap import case, equal, true
from programs import NAME, bracket, run, served

PAGE = b"what the server has to tell\n" * 1000


def http_server(*rules, host="127.0.0.1"):
    """Python's. Return: its port."""
    with open(daemon.path("listened"), "wb") as file:
        file.write(PAGE)
    port = programs.free_port()
    rules = rules or ("--listen", f"{port}=web")
    programs.start("signet-run", *rules, "--", sys.executable, "-m", "http.server",
                   "--bind", host, str(port))
    programs.wait_listening(port)
    return port


def curl(port, host="127.0.0.1", *options):
    return run("curl", "-sS", "--cacert", daemon.ca.chain, "--max-time", "20", "--connect-to",
               f"::{bracket(host)}:{port}", *options, f"https://{NAME}:{port}/listened")


@case("http.server is an https server: IPv4", "127.0.0.1")
@case("http.server is an https server: IPv6", "::1")
def http_listener(host):
    served()
    port = http_server(host=host)
    for _ in range(3):
        equal(curl(port, host).expect(0).output, PAGE, "the page")


@case("a listener with the default profile, found by its address")
def default_profile():
    served()
    port = http_server("--listen", "127.0.0.0/8:1-65535")
    equal(curl(port).expect(0).output, PAGE, "the page")


@case("a client without TLS gets an alert at most from a listener")
def plain_client():
    served()
    port = http_server()
    with socket.create_connection(("127.0.0.1", port), programs.PATIENCE) as connection:
        connection.sendall(b"GET /listened HTTP/1.0\r\n\r\n")
        got = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                got += part
    true(got in (b"",) or got[0] == 21 and len(got) == 7, f"it got {got[:100]!r}")
    equal(curl(port).expect(0).output, PAGE, "the next one's page")


@case("a listener that asks for certificates")
def client_certificates():
    text = daemon.configuration(
        daemon.profile("web", "server", daemon.ec, ca=daemon.ca.chain, client_auth="optional",
                       allow="everyone"), daemon.CLIENT)
    programs.end_daemon()
    served(text)
    port = programs.free_port()
    port = http_server("--listen", "*=web", "--client-auth", "required")
    own = ("--cert", daemon.client.chain, "--key", daemon.client.key)
    equal(curl(port, "127.0.0.1", *own).expect(0).output, PAGE, "the page")
    ended = curl(port)
    true(ended.status != 0 and not ended.output, "it was served without a certificate")
    programs.end_daemon()


@case("both ends: socat and socat")
def both_ends():
    served()
    port = programs.free_port()
    programs.start("signet-run", "--listen", str(port), "--", "socat",
                   f"TCP-LISTEN:{port},reuseaddr,fork", "EXEC:cat")
    programs.wait_listening(port)
    data = os.urandom(100000)
    ended = programs.signet_run("--connect", f"{port}={NAME}", "--", "socat", "-t", "20", "-",
                                f"TCP:127.0.0.1:{port}", given=data)
    equal(ended.expect(0).output, data, "what came back")
