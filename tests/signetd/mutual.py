# SPDX-License-Identifier: GPL-2.0-only
"""Client certificates of every kind, against every mode of asking for them, in both roles.

Each combination is tried, and what is wrong is told to both sides: an errno with a text here, the
alert there.
"""

import collections
import contextlib
import ssl
import subprocess

import certificates
import daemon
import sockets
from daemon import Daemon, configuration, profile
from ktap import case, equal, true
from serving import check_refused, connected, openssl_peer
from sockets import CLIENT, SERVER, begin, exchange, finish, listen, refusal, text_of

MODES = ("none", "optional", "required")
KINDS = ("absent", "good", "expired", "early", "stranger", "self_signed", "wrong_use")

# RFC 8446 6
HANDSHAKE_FAILURE, BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE = 40, 42, 43
CERTIFICATE_EXPIRED, UNKNOWN_CA, CERTIFICATE_REQUIRED = 45, 48, 116
ALERTS = {HANDSHAKE_FAILURE: "handshake failure", BAD_CERTIFICATE: "bad certificate",
          UNSUPPORTED_CERTIFICATE: "unsupported certificate",
          CERTIFICATE_EXPIRED: "certificate expired", UNKNOWN_CA: "unknown ca",
          CERTIFICATE_REQUIRED: "certificate required"}

# What our server says of each kind, and the alert that it sends.
Refusal = collections.namedtuple("Refusal", "alert words")
OURS = {
    "absent": Refusal(CERTIFICATE_REQUIRED, "no certificate"),
    "expired": Refusal(CERTIFICATE_EXPIRED, "has expired"),
    "early": Refusal(CERTIFICATE_EXPIRED, "is not yet valid"),
    "stranger": Refusal(UNKNOWN_CA, "issued by an unknown authority"),
    "self_signed": Refusal(UNKNOWN_CA, "is self-signed, by an unknown authority"),
    "wrong_use": Refusal(UNSUPPORTED_CERTIFICATE, "is not for TLS clients"),
}
# OpenSSL's alerts are the same, but for this one.
OPENSSL_ALERTS = {kind: refused.alert for kind, refused in OURS.items()} | \
    {"early": BAD_CERTIFICATE}

PAST = ("-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
FUTURE = ("-not_before", "20900101000000Z", "-not_after", "20910101000000Z")
CLIENT_USE = ("-addext", "extendedKeyUsage=clientAuth")
_NAME = "DNS:good.client.test"


def _client(name, issuer, *options, names=_NAME):
    return certificates.client(daemon.directory, name, "ec", issuer, "-addext",
                               f"subjectAltName={names}", *options)


MADE = {
    "good": _client("good", daemon.ca),
    "expired": _client("expired", daemon.ca, *PAST),
    "early": _client("early", daemon.ca, *FUTURE),
    "stranger": _client("strangers", daemon.stranger),
    "self_signed": certificates.self_signed(daemon.directory, "self_signed", *CLIENT_USE),
    "wrong_use": certificates.server(daemon.directory, "wrong_use", "ec", daemon.ca),
}


def refused_as(mode, kind):
    """Whether a server that asks so takes it. Return: None, or what it says."""
    if mode == "none" or kind == "good" or (mode, kind) == ("optional", "absent"):
        return None
    return OURS[kind]


def _profiles():
    for mode in MODES:
        asks = {} if mode == "none" else {"ca": daemon.ca.chain, "client_auth": mode}
        yield profile(mode, "server", daemon.ec, allow="everyone", min_version="1.2", **asks)
    for kind in KINDS:
        has = [MADE[kind]] if kind in MADE else []
        yield profile(kind, "client", *has, ca=daemon.ca.chain, allow="everyone",
                      min_version="1.2", resume="false")


CONFIGURATION = configuration(
    profile("web", "server", daemon.ec, allow="everyone"),
    profile("test", "client", ca=daemon.ca.chain), *_profiles())


def alerts_of(connection):
    """Those of SIGNET_INFO, sent and received."""
    return (sockets.number_of(connection, at=14, size=2),
            sockets.number_of(connection, at=16, size=2))


def fatal(alert):
    return 2 << 8 | alert


@contextlib.contextmanager
def told(what):
    """Which combination it was."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from error


def identity_of(connection):
    """Return: the peer's, or None when it has none."""
    try:
        return text_of(connection, sockets.PEER_NAME)
    except OSError as error:
        equal(error.errno, 61, "the errno, which is ENODATA,")
        return None


def check_alert(connection, alert):
    """The peer's: in the handshake, or, as in TLS 1.3, when this side is through with it."""
    try:
        finish(connection)
        connection.recv(1)
        raise AssertionError("the peer was content")
    except sockets.Refused as refused:
        equal(refused.error, "EPROTO", "the errno")
    except OSError as error:
        equal(error.errno, 71, "the errno, which is EPROTO,")
    text = text_of(connection)
    if text != "the peer sent a fatal alert":
        true("alert " + ALERTS[alert].replace(" ", "_") in text, f"no name of the alert: {text}")
        return
    equal(alerts_of(connection), (0, fatal(alert)), "the alerts")


@case("signetd to signetd: every client certificate, however it is asked for", deadline=120)
def between_ours():
    with Daemon(CONFIGURATION), listen() as listener:
        for mode in MODES:
            for kind in KINDS:
                with told(f"{mode}, {kind}"), \
                        connected(listener, {sockets.PROFILE: kind},
                                  profile_name=mode) as (one, other):
                    refused = refused_as(mode, kind)
                    if refused:
                        check_refused(refusal(other), "EKEYREJECTED", refused.words)
                        check_alert(one, refused.alert)
                        continue
                    finish(one)
                    finish(other)
                    exchange(one, other)
                    equal(identity_of(other), None if mode == "none" or kind == "absent"
                          else "good.client.test", "the client's identity")
    return f"{len(MODES) * len(KINDS)} combinations"


def client_context(kind, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(daemon.ca.chain)
    context.minimum_version = context.maximum_version = version
    if kind in MADE:
        context.load_cert_chain(MADE[kind].chain, MADE[kind].key)
    return context


VERSIONS = {"TLS 1.3": ssl.TLSVersion.TLSv1_3, "TLS 1.2": ssl.TLSVersion.TLSv1_2}


def check_openssl_was_told(peer, alert):
    """With TLS 1.3 it believes that all is well until it reads."""
    with contextlib.ExitStack() as stack:
        try:
            if isinstance(peer, Exception):
                raise peer
            stack.enter_context(peer).recv(1)
            raise AssertionError("OpenSSL was not refused")
        except ssl.SSLError as error:
            reason = error.reason.lower().replace("_", " ")
            true(reason.endswith("alert " + ALERTS[alert]), f"OpenSSL was told {reason}")


@case("OpenSSL's client: every certificate, however it is asked for, TLS 1.3", "TLS 1.3",
      deadline=120)
@case("... and TLS 1.2", "TLS 1.2", deadline=120)
def openssl_client(version):
    with Daemon(CONFIGURATION):
        for mode in MODES:
            for kind in KINDS:
                context = client_context(kind, VERSIONS[version])
                with told(f"{mode}, {kind}"), \
                        openssl_peer(SERVER, context, profile_name=mode) as (ours, theirs):
                    refused = refused_as(mode, kind)
                    if refused:
                        check_refused(refusal(ours), "EKEYREJECTED", refused.words)
                        alert = HANDSHAKE_FAILURE if (version, kind) == ("TLS 1.2", "absent") \
                            else refused.alert
                        check_openssl_was_told(theirs(), alert)
                        continue
                    finish(ours)
                    exchange(ours, theirs())
                    equal(theirs().version(), version.replace(" ", "v"), "the version")
                    equal(identity_of(ours), None if mode == "none" or kind == "absent"
                          else "good.client.test", "the client's identity")


def server_context(mode, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(daemon.ec.chain, daemon.ec.key)
    context.minimum_version = context.maximum_version = version
    if mode != "none":
        context.load_verify_locations(daemon.ca.chain)
        context.verify_mode = ssl.CERT_OPTIONAL if mode == "optional" else ssl.CERT_REQUIRED
    return context


@case("OpenSSL's server: every certificate, however it asks for it, TLS 1.3", "TLS 1.3",
      deadline=120)
@case("... and with TLS 1.2", "TLS 1.2", deadline=120)
def openssl_server(version):
    with Daemon(CONFIGURATION):
        for mode in MODES:
            for kind in KINDS:
                context = server_context(mode, VERSIONS[version])
                with told(f"{mode}, {kind}"), \
                        openssl_peer(CLIENT, context,
                                     options={sockets.PROFILE: kind}) as (ours, theirs):
                    if refused_as(mode, kind):
                        alert = HANDSHAKE_FAILURE if (version, kind) == ("TLS 1.2", "absent") \
                            else OPENSSL_ALERTS[kind]
                        true(isinstance(theirs(), ssl.SSLError), "OpenSSL was content")
                        check_alert(ours, alert)
                        continue
                    finish(ours)
                    exchange(ours, theirs())
                    subject = (theirs().getpeercert() or {}).get("subject")
                    equal(subject[0][0][1] if subject else None, None if mode == "none" or
                          kind == "absent" else "good", "whom OpenSSL takes the client for")


# ---- Programs as peers ----

def curl(port, kind):
    words = ["--cert", MADE[kind].chain, "--key", MADE[kind].key] if kind in MADE else []
    return ["curl", "--silent", "--show-error", "--http1.1", "--max-time", str(sockets.PATIENCE),
            "--cacert", daemon.ca.chain, *words, "--resolve", f"server.test:{port}:127.0.0.1",
            f"https://server.test:{port}/"]


def gnutls_cli(port, kind):
    words = ["--x509certfile", MADE[kind].chain, "--x509keyfile", MADE[kind].key] \
        if kind in MADE else []
    return ["gnutls-cli", "--logfile", "/dev/stderr", "--port", str(port),
            "--x509cafile", daemon.ca.chain, "--verify-hostname", "server.test",
            "--sni-hostname", "server.test", *words, "127.0.0.1"]


ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


class Asking:
    """A program that asks at a port of its own."""

    def __init__(self, stack, command, kind):
        self.kind = kind
        self.stack = stack
        self.listener = stack.enter_context(listen())
        self.process = stack.enter_context(subprocess.Popen(
            command(self.listener.getsockname()[1], kind), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        stack.callback(self.process.kill)

    def serve(self, mode):
        """Return: how the handshake failed here, None when it did not."""
        ours = self.listener.accept()[0]
        # Closed while there are data to read, TCP would throw the alert away.
        self.stack.enter_context(ours)
        ours.settimeout(sockets.PATIENCE)
        begin(ours, SERVER, mode)
        try:
            finish(ours)
        except sockets.Refused as refused:
            return refused
        with ours:
            self.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
            self.process.stdin.flush()
            request = b""
            while b"\r\n\r\n" not in request:
                more = ours.recv(4096)
                true(more, f"no request, but {request}")
                request += more
            ours.sendall(ANSWER)
        return None

    def told(self):
        """Return: its output and its complaints."""
        output, complaints = self.process.communicate(timeout=sockets.PATIENCE)
        return output.decode(), complaints.decode()


def check_program(asking, mode):
    refused = refused_as(mode, asking.kind)
    got = asking.serve(mode)
    output, complaints = asking.told()
    if not refused:
        true(got is None, f"it was refused: {got}")
        true("answer" in output, f"there was no answer, but {output}")
        return
    true(got is not None, "it was not refused")
    check_refused(got, "EKEYREJECTED", refused.words)
    true("answer" not in output, "there was an answer")
    # GnuTLS tells the number.
    true("alert " + ALERTS[refused.alert] in complaints or f"alert [{refused.alert}]" in complaints,
         f"it does not tell of the alert: {complaints}")


@case("curl: every certificate, however it is asked for", curl, deadline=120)
@case("gnutls-cli: every certificate, however it is asked for", gnutls_cli, deadline=120)
def programs_ask(command):
    with Daemon(CONFIGURATION):
        for mode in MODES:
            with contextlib.ExitStack() as stack:
                for asking in [Asking(stack, command, kind) for kind in KINDS]:
                    with told(f"{mode}, {asking.kind}"):
                        check_program(asking, mode)


def gnutls_serv(stack, mode):
    """Return: its port."""
    with listen() as listener:
        port = listener.getsockname()[1]
    asks = {"none": ["--disable-client-cert"], "optional": ["--verify-client-cert"],
            "required": ["--require-client-cert", "--verify-client-cert"]}[mode]
    process = stack.enter_context(subprocess.Popen(
        ["gnutls-serv", "--echo", "--port", str(port), "--x509certfile", daemon.ec.chain,
         "--x509keyfile", daemon.ec.key, "--x509cafile", daemon.ca.chain, *asks],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    stack.callback(process.kill)
    while b"listening" not in process.stdout.readline():
        true(process.poll() is None, "gnutls-serv has ended")
    return port


@case("gnutls-serv: every certificate, however it asks for it", deadline=120)
def gnutls_server():
    with Daemon(CONFIGURATION), contextlib.ExitStack() as stack:
        for mode in MODES:
            port = gnutls_serv(stack, mode)
            for kind in KINDS:
                with told(f"{mode}, {kind}"), \
                        sockets.socket.create_connection(("127.0.0.1", port),
                                                         sockets.PATIENCE) as ours:
                    begin(ours, CLIENT, "server.test", {sockets.PROFILE: kind})
                    # It does not look at what a client's certificate is for.
                    if kind != "wrong_use" and refused_as(mode, kind):
                        check_gnutls_refuses(ours)
                        continue
                    finish(ours)
                    ours.sendall(b"a line\n")
                    equal(ours.recv(7), b"a line\n", "the echo")


def check_gnutls_refuses(ours):
    """It sends an alert and hangs up; which, is its own affair."""
    try:
        finish(ours)
        ours.sendall(b"a line\n")
        true(not ours.recv(7), "gnutls-serv was content")
    except sockets.Refused as refused:
        true(refused.text, "no text")
        return
    except OSError:
        pass
    true(text_of(ours), "no text")
