# SPDX-License-Identifier: GPL-2.0-only
"""TLS 1.2, where a profile allows it, and with whom; it goes into the capture, too."""

import contextlib
import socket
import ssl
import threading

import material
import sockets
from ends import free_port, helper, receive
from ktap import case, equal, true
from processes import PATIENCE, Program, listening_port
from wiretap import DATA, LINES, REVERSED, TLS

SIZE = 200000
ECDHE_SUITES = {0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xc0ac, 0xc0ad}


def check_version(made, version):
    equal(sockets.number_of(made, at=8, size=2), version, "the version")
    suite = sockets.number_of(made, at=10, size=2)
    if version == sockets.TLS_1_2:
        true(suite in ECDHE_SUITES, f"the suite {suite:#x} is not one of ECDHE with AEAD")


def talk(ours, theirs):
    """Both ways at once."""
    threads = [threading.Thread(target=end.sendall, args=[DATA[at:at + SIZE]])
               for end, at in ((ours, 0), (theirs, SIZE))]
    for thread in threads:
        thread.start()
    true(receive(ours, SIZE) == DATA[SIZE:2 * SIZE], "other data came here")
    true(receive(theirs, SIZE) == DATA[:SIZE], "other data came there")
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def accepted(profile):
    """A connection at the port that is captured: the peer's end, and ours, which has begun."""
    free_port()
    with socket.create_server(("::1", TLS), family=socket.AF_INET6) as listener, \
            socket.create_connection(("::1", TLS), PATIENCE) as theirs, \
            listener.accept()[0] as ours:
        ours.settimeout(PATIENCE)
        sockets.begin(ours, sockets.SERVER, profile)
        yield theirs, ours


def client_context(version, ciphers=None):
    context = ssl.create_default_context(cafile=material.ca.chain)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    return context


@case("TLS 1.2: OpenSSL's client, ECDSA", "old", "ECDHE-ECDSA-AES128-GCM-SHA256")
@case("TLS 1.2: OpenSSL's client, AES-256", "old", "ECDHE-ECDSA-AES256-GCM-SHA384")
@case("TLS 1.2: OpenSSL's client, ChaCha20-Poly1305", "old", "ECDHE-ECDSA-CHACHA20-POLY1305")
@case("TLS 1.2: OpenSSL's client, RSA", "old_rsa", "ECDHE-RSA-AES128-GCM-SHA256")
def openssl_client(profile, cipher):
    context = client_context(ssl.TLSVersion.TLSv1_2, cipher)
    with helper(), accepted(profile) as (theirs, ours):
        with context.wrap_socket(theirs, server_hostname=material.NAME) as wrapped:
            sockets.finish(ours)
            equal(wrapped.cipher()[0], cipher, "the suite")
            check_version(ours, sockets.TLS_1_2)
            talk(ours, wrapped)
            ours.shutdown(socket.SHUT_WR)
            equal(wrapped.recv(1), b"", "what comes at the end")


@case("TLS 1.2: who can do better gets TLS 1.3 from the same profile")
def better():
    context = client_context(ssl.TLSVersion.TLSv1_3)
    with helper(), accepted("old") as (theirs, ours):
        with context.wrap_socket(theirs, server_hostname=material.NAME) as wrapped:
            sockets.finish(ours)
            check_version(ours, sockets.TLS_1_3)
            talk(ours, wrapped)


@case("TLS 1.2 is refused where the profile does not allow it", "web", {})
@case("TLS 1.2 is refused where the application does not want it", "old",
      {sockets.MIN_VERSION: sockets.TLS_1_3.to_bytes(4, "little")})
@case("TLS 1.2 without ECDHE is refused", "old_rsa", {}, "AES128-GCM-SHA256")
@case("TLS 1.2 without an AEAD is refused", "old", {}, "ECDHE-ECDSA-AES128-SHA256")
def refused_to_clients(profile, options, cipher="ECDHE+AESGCM"):
    context = client_context(ssl.TLSVersion.TLSv1_2, cipher)
    with helper():
        free_port()
        with socket.create_server(("::1", TLS), family=socket.AF_INET6) as listener, \
                socket.create_connection(("::1", TLS), PATIENCE) as theirs, \
                listener.accept()[0] as ours:
            sockets.begin(ours, sockets.SERVER, profile, options)
            try:
                context.wrap_socket(theirs, server_hostname=material.NAME)
                raise AssertionError("OpenSSL was content")
            except ssl.SSLError as error:
                true("ALERT" in str(error), f"OpenSSL got no alert: {error}")
            refused = sockets.refusal(ours)
            equal(refused.error, "EPROTO", "the errno")
            true(refused.text, "no text")


def s_server(*options, certificate=material.ec):
    free_port()
    peer = Program("openssl", "s_server", "-accept", f"[::1]:{TLS}", "-rev",
                   "-cert", certificate.chain, "-key", certificate.key, *options)
    listening_port(peer)
    return peer


@contextlib.contextmanager
def connection(profile):
    with socket.create_connection(("::1", TLS), PATIENCE) as made:
        sockets.begin(made, sockets.CLIENT, material.NAME, {sockets.PROFILE: profile})
        yield made


@case("TLS 1.2: openssl s_server, ECDSA", material.ec)
@case("TLS 1.2: openssl s_server, RSA", material.rsa)
def openssl_server(certificate):
    with helper():
        s_server("-tls1_2", certificate=certificate)
        with connection("old_client") as made:
            sockets.finish(made)
            check_version(made, sockets.TLS_1_2)
            made.sendall(LINES)
            true(receive(made, len(REVERSED)) == REVERSED, "other data came back")


@case("TLS 1.2: openssl s_server that can do better does")
def better_server():
    with helper():
        s_server()
        with connection("old_client") as made:
            sockets.finish(made)
            check_version(made, sockets.TLS_1_3)


@case("TLS 1.2 is refused by a client whose profile does not allow it")
def refused_by_clients():
    with helper():
        s_server("-tls1_2")
        with connection("test") as made:
            refused = sockets.refusal(made)
            equal(refused.error, "EPROTO", "the errno")
            true("protocol_version" in refused.text or "version" in refused.text, refused.text)


@case("TLS 1.2: signetd is both")
def both_ours():
    """Each end allows it, so that it is TLS 1.3."""
    with helper(), accepted("old") as (theirs, ours):
        sockets.begin(theirs, sockets.CLIENT, material.NAME, {sockets.PROFILE: "old_client"})
        sockets.finish(theirs)
        sockets.finish(ours)
        check_version(ours, sockets.TLS_1_3)


@case("TLS 1.2: gnutls-cli")
def gnutls():
    with helper():
        free_port()
        with socket.create_server(("::1", TLS), family=socket.AF_INET6) as listener:
            peer = Program("gnutls-cli", "--logfile", "/dev/stderr", "--port", str(TLS),
                           "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                           "--x509cafile", material.ca.chain, "--verify-hostname", material.NAME,
                           "--sni-hostname", material.NAME, "::1")
            with listener.accept()[0] as ours:
                ours.settimeout(PATIENCE)
                sockets.begin(ours, sockets.SERVER, "old")
                sockets.finish(ours)
                check_version(ours, sockets.TLS_1_2)
                peer.write(LINES)
                true(receive(ours, len(LINES)) == LINES, "other data came")
                ours.sendall(REVERSED)
                ours.shutdown(socket.SHUT_WR)
                peer.expect_output(REVERSED)


@case("TLS 1.2: curl")
def curl():
    with helper():
        free_port()
        with socket.create_server(("::1", TLS), family=socket.AF_INET6) as listener:
            peer = Program("curl", "--silent", "--show-error", "--fail", "--http1.1",
                           "--tls-max", "1.2", "--cacert", material.ca.chain,
                           f"https://{material.NAME}:{TLS}/")
            with listener.accept()[0] as ours:
                ours.settimeout(PATIENCE)
                sockets.begin(ours, sockets.SERVER, "old")
                sockets.finish(ours)
                check_version(ours, sockets.TLS_1_2)
                request = b""
                while b"\r\n\r\n" not in request:
                    request += ours.recv(4096)
                ours.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + LINES)
            peer.expect_output(LINES)
            equal(peer.wait(), 0, f"curl's status, which says {peer.told()},")
