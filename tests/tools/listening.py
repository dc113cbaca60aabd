# SPDX-License-Identifier: GPL-2.0-only
"""Programs that listen, and TLS clients."""

import contextlib
import os
import socket
import ssl
import sys

import daemon
import programs
from ktap import case, equal, true
from programs import NAME, bracket, run, served

PAGE = b"what the server has to tell\n" * 1000


def echo_server(*rules):
    """socat's. Return: its port."""
    port = programs.free_port()
    rules = rules or ("--listen", f"{port}=web")
    programs.start("signet-run", *rules, "--", "socat", "-t", "20",
                   f"TCP-LISTEN:{port},reuseaddr,fork", "EXEC:cat")
    programs.wait_listening(port)
    return port


def talk(port, certificate=None):
    """Says something to an echo server with OpenSSL, and expects it back."""
    context = ssl.create_default_context(cafile=daemon.ca.chain)
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    with socket.create_connection(("127.0.0.1", port), programs.PATIENCE) as connection, \
            context.wrap_socket(connection, server_hostname=NAME) as tls:
        tls.sendall(b"ping")
        return tls.recv(100)


@case("http.server is an https server: IPv4", "127.0.0.1")
@case("http.server is an https server: IPv6", "::1")
def http_listener(host):
    served()
    with open(daemon.path("listened"), "wb") as file:
        file.write(PAGE)
    port = programs.free_port()
    programs.start("signet-run", "--listen", f"{port}=web", "--", sys.executable, "-m",
                   "http.server", "--bind", host, str(port))
    programs.wait_listening(port)
    ended = run("curl", "-sS", "--cacert", daemon.ca.chain, "--max-time", "20", "--connect-to",
                f"::{bracket(host)}:{port}", f"https://{NAME}:{port}/listened")
    equal(ended.expect(0).output, PAGE, "the page")


@case("a listener with the default profile, found by its port among all",
      ("--listen", "!1-1023", "--listen", "1024-65535"))
@case("a listener with the default profile, found by its address", ("--listen", "[::/0]:*"))
def default_profile(rules):
    served()
    equal(talk(echo_server(*rules)), b"ping", "the answer")


@case("a listener with a profile that is not there")
def unknown_profile():
    served()
    port = echo_server("--listen", "*=none")
    try:
        told = talk(port)
    except (ConnectionError, ssl.SSLError):
        return
    raise AssertionError(f"it was served: {told}")


@case("a client without TLS gets an alert at most from a listener")
def plain_client():
    served()
    port = echo_server()
    with socket.create_connection(("127.0.0.1", port), programs.PATIENCE) as connection:
        connection.sendall(b"in the clear, which no record begins with\r\n\r\n")
        got = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                got += part
    true(not got or got[0] == 21 and len(got) == 7, f"it got {got[:100]!r}")
    equal(talk(port), b"ping", "the next one's answer")


@case("a listener that asks for certificates")
def client_certificates():
    text = daemon.configuration(
        daemon.profile("web", "server", daemon.ec, ca=daemon.ca.chain, client_auth="optional",
                       allow="everyone"), daemon.CLIENT)
    programs.end_daemon()
    served(text)
    optional = echo_server()
    equal(talk(optional), b"ping", "the answer")
    required = echo_server("--listen", "*=web", "--client-auth", "required")
    equal(talk(required, daemon.client), b"ping", "the answer")
    try:
        told = talk(required)
    except (ConnectionError, ssl.SSLError):
        told = b""
    programs.end_daemon()
    equal(told, b"", "what is told without a certificate")


@case("both ends: socat and socat")
def both_ends():
    served()
    port = echo_server("--listen", "*")
    data = os.urandom(100000)
    ended = programs.signet_run("--connect", f"{port}={NAME}", "--", "socat", "-t", "20", "-",
                                f"TCP:127.0.0.1:{port}", given=data)
    equal(ended.expect(0).output, data, "what came back")
