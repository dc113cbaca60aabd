# SPDX-License-Identifier: GPL-2.0-only
"""Programs of others that use the kernel's TLS, where the module has taken its place.

They know nothing of it: they attach by the name "tls" and install keys by the kernel's own options.
What they leave to the kernel is told from the module's counters.
"""

import os
import re
import time

import local
import material
from ktap import case, equal, true
from processes import PATIENCE, Program, gnutls_cli, gnutls_serv, s_client, s_server

SIZE = 2 << 20

OPENSSL_SUITES = {
    "1.3": ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_AES_128_CCM_SHA256"),
    "1.2": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM"),
}
# Not CHACHA20-POLY1305 in TLS 1.2, for which GnuTLS 3.8.9 gives the kernel a wrong IV.
GNUTLS_CIPHERS = {
    "1.3": ("AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CCM"),
    "1.2": ("AES-128-GCM", "AES-256-GCM", "AES-128-CCM"),
}

# A GnuTLS that is built with what Debian's is built without (see scripts/build-gnutls).
GNUTLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/gnutls")


class Counted:
    """What the module does meanwhile."""

    @staticmethod
    def _read():
        with open("/proc/net/signet_stat", encoding="ascii") as lines:
            return {name: int(value) for name, value in map(str.split, lines)}

    def __init__(self):
        self.before = self._read()

    def grown(self, name):
        return self._read()[name] - self.before[name]

    def check(self, sockets, sent, received):
        """So many sockets did both directions, so much went through them, and nothing was amiss."""
        equal(self.grown("Attached"), sockets, "number of sockets attached")
        equal(self.grown("Installed"), 2 * sockets, "number of directions with keys")
        for name, least in (("TxBytes", sent), ("RxBytes", received)):
            true(self.grown(name) >= least, f"{name} grew by {self.grown(name)}, not {least}")
        for name in ("TxRecords", "RxRecords"):
            true(self.grown(name) > 0, f"{name} did not grow")
        for name in ("BadTags", "BadRecords", "GateRefusals"):
            equal(self.grown(name), 0, f"growth of {name}")


def settings_file(name, text):
    with open(material.path(name), "w", encoding="ascii") as file:
        file.write(text)
    return file.name


def openssl_settings():
    """For a command of OpenSSL that has no option for it."""
    return {"OPENSSL_CONF": settings_file("openssl.conf", """
        openssl_conf = all
        [all]
        ssl_conf = contexts
        [contexts]
        system_default = every_one
        [every_one]
        Options = KTLS
        """)}


def gnutls_settings():
    true(os.path.exists(f"{GNUTLS}/bin/gnutls-cli"), "no GnuTLS with ktls was built")
    return {"GNUTLS_SYSTEM_PRIORITY_FILE": settings_file("gnutls.conf", "[global]\nktls = true\n"),
            "LD_LIBRARY_PATH": f"{GNUTLS}/lib", "PATH": f"{GNUTLS}/bin:{os.environ['PATH']}"}


@case("the module is there as tls, and the kernel's own is not")
def in_its_place():
    with open("/sys/module/signet/parameters/replace_tls", encoding="ascii") as value:
        equal(value.read().strip(), "Y", "replace_tls")
    true(not os.path.exists("/sys/module/tls"), "the kernel's tls is loaded")


def flags(where):
    """Options for s_server and for s_client."""
    return tuple(("-ktls",) if where in (side, "both") else () for side in ("server", "client"))


def passed_on(where, from_client, from_server):
    """Return: sockets that the module has, what they send, what they receive."""
    return {"server": (1, from_server, from_client), "client": (1, from_client, from_server),
            "both": (2, from_client + from_server, from_client + from_server)}[where]


def converse(server, client, from_client, from_server):
    """Both send at once, and each gets what the other sends; then the client ends."""
    def serve():
        true(server.read(len(from_client)) == from_client, f"{server.name} got other data")

    local.feed(server, from_server)
    local.feed(client, from_client)
    with local.beside(serve):
        true(client.read(len(from_server)) == from_server, f"{client.name} got other data")
    client.end_input()
    equal(client.wait(), 0, f"{client.name}'s status")


def openssl(where, version, suite):
    counted = Counted()
    options = ("-tls" + version.replace(".", "_"),
               "-ciphersuites" if version == "1.3" else "-cipher", suite)
    of_server, of_client = flags(where)
    server, port = s_server(*options, *of_server, "-naccept", "1")
    client = s_client(port, *options, *of_client, "-no_ign_eof")
    converse(server, client, material.from_client.bytes[:SIZE], material.from_server.bytes[:SIZE])
    server.expect_output(b"")
    equal(server.wait(), 0, "s_server's status")
    counted.check(*passed_on(where, SIZE, SIZE))


for _version, _suites in OPENSSL_SUITES.items():
    for _suite in _suites:
        for _where, _text in (("server", "s_server -ktls, s_client"),
                              ("client", "s_server, s_client -ktls"),
                              ("both", "s_server -ktls, s_client -ktls")):
            case(f"openssl {_text}: {_suite}", _where, _version, _suite)(openssl)


@case("curl gets a file by sendfile from openssl s_server -ktls: TLS 1.3", "--tlsv1.3")
@case("curl gets a file by sendfile from openssl s_server -ktls: TLS 1.2", "--tls-max", "1.2")
def sendfile(*options):
    counted = Counted()
    with open(material.path("page"), "wb") as file:
        file.write(material.from_server.bytes[:SIZE])
    _, port = s_server("-WWW", "-ktls", "-sendfile")
    client = Program("curl", "--silent", "--show-error", "--fail", *options,
                     "--cacert", material.ca.chain, "--connect-to", f"::[::1]:{port}",
                     f"https://{material.NAME}/page")
    client.expect_output(material.from_server.bytes[:SIZE])
    equal(client.wait(), 0, f"curl's status, which says '{client.told()}',")
    counted.check(1, SIZE, 10)


@case("openssl s_time, and s_server -ktls: new connections", "server", "-new", "-tls1_3")
@case("openssl s_time with ktls, and s_server: new connections", "client", "-new", "-tls1_3")
@case("openssl s_time with ktls, and s_server -ktls: new connections", "both", "-new", "-tls1_3")
@case("openssl s_time with ktls, and s_server -ktls: new connections, TLS 1.2", "both", "-new",
      "-tls1_2")
@case("openssl s_time with ktls, and s_server -ktls: one session, TLS 1.2", "both", "-reuse",
      "-tls1_2")
def s_time(where, kind, version):
    """How many it makes in a second is not the point; each gets the whole page."""
    size = 100000
    counted = Counted()
    with open(material.path("page"), "wb") as file:
        file.write(material.from_server.bytes[:size])
    _, port = s_server("-WWW", *flags(where)[0])
    client = Program("openssl", "s_time", "-connect", f"[::1]:{port}", "-www", "/page", kind,
                     version, "-time", "1", "-CAfile", material.ca.chain, "-verify", "2",
                     env={} if where == "server" else openssl_settings())
    client.end_input()
    text = client.read_rest().decode()
    equal(client.wait(), 0, f"s_time's status, which says '{client.told()}',")
    found = re.search(r"(\d+) connections in \d+ real seconds, (\d+) bytes read per", text)
    true(found, f"s_time says '{text}' and '{client.told()}'")
    connections, length = map(int, found.groups())
    true(connections >= 2, f"only {connections} connections")
    true(size < length < size + 100, f"{length} bytes per connection")
    sockets = 2 if where == "both" else 1
    true(counted.grown("Attached") >= sockets * connections, "not all connections were the module's")
    done = counted.grown("RxBytes" if where == "client" else "TxBytes")
    true(done >= connections * size, f"of {connections} pages the module did {done} bytes")
    for name in ("BadTags", "BadRecords", "GateRefusals"):
        equal(counted.grown(name), 0, f"growth of {name}")
    return f"{connections} connections"


def priority(version, cipher):
    return f"NORMAL:-VERS-ALL:+VERS-TLS{version}:-CIPHER-ALL:+{cipher}"


# gnutls-serv says the lines again that it was told.
LINES = material.text.bytes[:material.LINE * 3000]


def gnutls(where, version, cipher):
    ktls = gnutls_settings()
    counted = Counted()
    options = {"priority": priority(version, cipher)}
    _, port = gnutls_serv("--echo", **options, env=ktls if where != "client" else {})
    client = gnutls_cli(port, **options, env=ktls if where != "server" else {})
    local.feed(client, LINES)
    true(client.read(len(LINES)) == LINES, "gnutls-cli got other data")
    client.end_input()
    equal(client.wait(), 0, "gnutls-cli's status")
    counted.check(*passed_on(where, len(LINES), len(LINES)))


for _version, _ciphers in GNUTLS_CIPHERS.items():
    for _cipher in _ciphers:
        for _where, _text in (("server", "gnutls-serv with ktls, gnutls-cli"),
                              ("client", "gnutls-serv, gnutls-cli with ktls"),
                              ("both", "gnutls-serv with ktls, gnutls-cli with ktls")):
            # One cipher per version with one end, all with both.
            if _where == "both" or _cipher == "AES-128-GCM":
                case(f"{_text}: TLS {_version}, {_cipher}", _where, _version, _cipher)(gnutls)


@case("openssl s_server, gnutls-cli with ktls: TLS 1.3", "client", "1.3")
@case("openssl s_server, gnutls-cli with ktls: TLS 1.2", "client", "1.2")
@case("openssl s_server -ktls, gnutls-cli: TLS 1.3", "server", "1.3")
@case("openssl s_server -ktls, gnutls-cli: TLS 1.2", "server", "1.2")
@case("openssl s_server -ktls, gnutls-cli with ktls: TLS 1.3", "both", "1.3")
def openssl_and_gnutls(where, version):
    ktls = gnutls_settings()
    size = SIZE // 4
    counted = Counted()
    server, port = s_server("-naccept", "1", *flags(where)[0])
    client = gnutls_cli(port, priority=priority(version, "AES-256-GCM"),
                        env=ktls if where != "server" else {})
    converse(server, client, material.from_client.bytes[:size], material.from_server.bytes[:size])
    counted.check(*passed_on(where, size, size))


@case("gnutls-serv with ktls, openssl s_client: TLS 1.3", "server", "1.3")
@case("gnutls-serv with ktls, openssl s_client: TLS 1.2", "server", "1.2")
@case("gnutls-serv, openssl s_client -ktls: TLS 1.3", "client", "1.3")
@case("gnutls-serv, openssl s_client -ktls: TLS 1.2", "client", "1.2")
@case("gnutls-serv with ktls, openssl s_client -ktls: TLS 1.3", "both", "1.3")
def gnutls_and_openssl(where, version):
    ktls = gnutls_settings()
    counted = Counted()
    _, port = gnutls_serv("--echo", priority=priority(version, "AES-256-GCM"),
                          env=ktls if where != "client" else {})
    client = s_client(port, *flags(where)[1], "-no_ign_eof")
    local.feed(client, LINES)
    true(client.read(len(LINES)) == LINES, "s_client got other data")
    client.end_input()
    equal(client.wait(), 0, "s_client's status")
    counted.check(*passed_on(where, len(LINES), len(LINES)))


@case("gnutls-serv with ktls, gnutls-cli: new keys", "server")
@case("gnutls-serv, gnutls-cli with ktls: new keys", "client")
@case("gnutls-serv with ktls, gnutls-cli with ktls: new keys", "both")
def gnutls_new_keys(where):
    """KeyUpdate, where every second one asks for the peer's, which comes before what it says next.

    Not of a peer with ktls: GnuTLS 3.8.9 then says the same again for ever (lib/record.c,
    RECORD_SEND_KEY_UPDATE_3).
    """
    ktls = gnutls_settings()
    counted = Counted()
    sockets = 2 if where == "both" else 1
    options = {"priority": priority("1.3", "AES-128-GCM")}
    _, port = gnutls_serv("--echo", **options, env=ktls if where != "client" else {})
    client = gnutls_cli(port, "--inline-commands", **options, env=ktls if where != "server" else {})
    turns = 6

    def records():
        return counted.grown("TxRecords") + counted.grown("RxRecords")

    def next_line():
        """gnutls-cli's own words are among the data."""
        while (text := client.read_line()) == "- Rekey was completed":
            pass
        return text + "\n"

    for turn in range(turns + 1):
        line = LINES[turn * material.LINE:(turn + 1) * material.LINE]
        client.write(line)
        equal(next_line(), bytes(line).decode(), f"what came after {turn} new keys")
        if turn < turns:
            before = records()
            client.write(b"^rekey^\n" if turn % 2 and where == "client" else b"^rekey1^\n")
            wait_until(lambda: records() >= before + sockets, "KeyUpdate")
    client.end_input()
    client.read_rest()
    equal(client.wait(), 0, "gnutls-cli's status")
    equal(counted.grown("RxKeyUpdates"), turns // 2 if where == "client" else turns,
          "number of KeyUpdates received")
    for name in ("BadTags", "BadRecords", "GateRefusals"):
        equal(counted.grown(name), 0, f"growth of {name}")


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        true(time.monotonic() < deadline, f"waited for {what} in vain")
        time.sleep(0.01)
