# SPDX-License-Identifier: GPL-2.0-only
"""Handshakes in both roles, and what applications are told about them."""

import contextlib
import ctypes
import os
import socket
import ssl
import subprocess
import threading

import daemon
import sockets
from daemon import Daemon, configuration, profile
from ktap import case, equal, true
from sockets import CLIENT, SERVER, begin, exchange, finish, listen, pair, refusal, text_of


@contextlib.contextmanager
def connected(listener=None, client=(), server=(), name="server.test", profile_name=""):
    """Both ends of a connection, whose handshakes have been asked for."""
    with contextlib.ExitStack() as stack:
        if not listener:
            listener = stack.enter_context(listen())
        one, other = pair(listener)
        stack.enter_context(one)
        stack.enter_context(other)
        begin(one, CLIENT, name, client)
        begin(other, SERVER, profile_name, server)
        yield one, other


@contextlib.contextmanager
def established(*arguments, **options):
    with connected(*arguments, **options) as (one, other):
        finish(one)
        finish(other)
        yield one, other


@contextlib.contextmanager
def as_user(uid, gid=None):
    os.setegid(uid if gid is None else gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def check_refused(refused, error, *words):
    equal(refused.error, error, "the errno")
    for word in words:
        true(word in refused.text, f"the text does not tell {word!r}: {refused.text}")


@case("client and server in one guest: IPv4", "127.0.0.1")
@case("client and server in one guest: IPv6", "::1")
def both_roles(host):
    with Daemon(), listen(host) as listener, established(listener) as (one, other):
        exchange(one, other, 100000)
        equal(text_of(one, sockets.PEER_NAME), "server.test", "the server's identity")
        equal(text_of(other, sockets.SERVER_NAME), "server.test", "the name that was asked for")
        equal(sockets.number_of(one, at=18, size=2), 4588, "the group, which is X25519MLKEM768,")


@case("calls that wait: SIGNET_CONNECT and SIGNET_ACCEPT")
def blocking():
    with Daemon(), listen() as listener:
        one, other = pair(listener)
        with one, other:
            one.settimeout(None)
            other.settimeout(None)
            sockets.attach(one)
            sockets.attach(other)
            # Python runs no other thread while one is in setsockopt().
            child = os.fork()
            if not child:
                other.setsockopt(sockets.SOL_SIGNET, sockets.ACCEPT, b"web")
                os._exit(0)
            one.setsockopt(sockets.SOL_SIGNET, sockets.CONNECT, b"server.test")
            equal(os.waitpid(child, 0)[1], 0, "the status of the accepting process")
            exchange(one, other)


@case("a listener's profile is that of what it accepts")
def listener_inherits():
    with Daemon(), listen() as listener:
        sockets.attach(listener)
        listener.setsockopt(sockets.SOL_SIGNET, sockets.ACCEPT, b"web")
        one, other = pair(listener)
        with one, other:
            begin(one, CLIENT, "server.test")
            finish(one)
            exchange(one, other)


def _context(purpose):
    context = ssl.SSLContext(purpose)
    if purpose == ssl.PROTOCOL_TLS_CLIENT:
        context.load_verify_locations(daemon.ca.chain)
    else:
        context.load_cert_chain(daemon.ec.chain, daemon.ec.key)
    return context


@contextlib.contextmanager
def openssl_peer(role, context=None, session=None, name="server.test", profile_name="",
                 options=()):
    """A socket of ours whose peer is OpenSSL. role is ours."""
    one, other = None, None
    with listen() as listener:
        ours, theirs = pair(listener) if role == CLIENT else reversed(pair(listener))
    # When OpenSSL refuses, Python closes, with data that nobody reads: a reset, which would take the
    # alert with it.
    with ours, theirs, theirs.dup():
        result = []

        def handshake():
            server = role == CLIENT
            made = context or _context(ssl.PROTOCOL_TLS_SERVER if server
                                       else ssl.PROTOCOL_TLS_CLIENT)
            try:
                theirs.settimeout(sockets.PATIENCE)
                result.append(made.wrap_socket(theirs, server_side=server, session=session,
                                               server_hostname=None if server else name))
            except (ssl.SSLError, OSError) as error:
                result.append(error)

        thread = threading.Thread(target=handshake, daemon=True)
        thread.start()
        begin(ours, role, name if role == CLIENT else profile_name, options)
        yield ours, lambda: (thread.join(sockets.PATIENCE), result[0])[1]
        thread.join(sockets.PATIENCE)
        for one in result:
            if isinstance(one, ssl.SSLSocket):
                one.close()
        del other


@case("OpenSSL is the server", CLIENT)
@case("OpenSSL is the client", SERVER)
def openssl(role):
    with Daemon(), openssl_peer(role) as (ours, theirs):
        finish(ours)
        exchange(ours, theirs())


@case("the certificate goes by the server name")
def by_name():
    with Daemon():
        for name, kind in (("server.test", "ec"), ("other.test", "other"), ("rsa.test", "rsa")):
            with openssl_peer(SERVER, name=name) as (ours, theirs):
                finish(ours)
                subject = theirs().getpeercert()["subject"][0][0][1]
                equal(subject, kind, f"the certificate for {name}")
                equal(text_of(ours, sockets.SERVER_NAME), name, "the name that was asked for")


@case("a server's certificate for another name is refused, with a text")
def wrong_name():
    with Daemon() as signetd, connected(name="wrong.test") as (one, other):
        check_refused(refusal(one), "EKEYREJECTED", "wrong.test")
        check_refused(refusal(other), "EPROTO", "alert")
        signetd.expect(r"handshake failed.*role=client.*error=EKEYREJECTED.*wrong.test")
        failures = signetd.command("failures")["failures"]
        equal({failure["error"] for failure in failures}, {"EKEYREJECTED", "EPROTO"}, "errors")


def get_option(connection, option, size):
    """Python's getsockopt() has room for 1024 bytes only."""
    buffer, length = ctypes.create_string_buffer(size), ctypes.c_uint32(size)
    result = ctypes.CDLL(None, use_errno=True).getsockopt(
        connection.fileno(), sockets.SOL_SIGNET, option, buffer, ctypes.byref(length))
    equal(result, 0, f"getsockopt(), errno {ctypes.get_errno()},")
    return buffer.raw[:length.value]


def certificates_of(connection):
    """What SIGNET_PEER gives, one by one."""
    chain, found = get_option(connection, sockets.PEER, 16384), []
    while chain:
        length = int.from_bytes(chain[:3], "big")
        found.append(chain[3:3 + length])
        chain = chain[3 + length:]
    return found


def der_of(certificate):
    with open(certificate.chain, encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def pin_of(certificate):
    """RFC 7469 2.4."""
    return subprocess.run("openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | "
                          "openssl dgst -sha256 -binary", shell=True, check=True,
                          stdin=open(certificate.chain, "rb"), stdout=subprocess.PIPE).stdout


@case("pinned keys: beside a name, in its place, and another one")
def pins():
    right, wrong = pin_of(daemon.ec), pin_of(daemon.other)
    with Daemon():
        for name in ("server.test", ""):
            for _ in range(2):
                with established(client={sockets.PIN: wrong + right}, name=name) as (one, other):
                    exchange(one, other)
            with connected(client={sockets.PIN: wrong}, name=name) as (one, other):
                check_refused(refusal(one), "EKEYREJECTED", "pin")
                true(refusal(other).text, "no text")


@case("the peer's certificates, and its SPIFFE id, are to be had", deadline=90)
def peer_identity():
    with Daemon(MUTUAL), established(client={sockets.PROFILE: "known"}) as (one, other):
        equal(text_of(other, sockets.PEER_NAME), "spiffe://test/client", "the client's identity")
        equal(text_of(one, sockets.PEER_NAME), "server.test", "the server's identity")
        equal(certificates_of(other), [der_of(daemon.client), der_of(daemon.ca)], "certificates")
        equal(certificates_of(one), [der_of(daemon.ec), der_of(daemon.ca)], "certificates")


ALPN = configuration(profile("web", "server", daemon.ec, allow="everyone", alpn=["h2", "http/1.1"]),
                     profile("test", "client", ca=daemon.ca.chain))


@case("protocols are agreed on, and no agreement is refused")
def protocols():
    offer = {sockets.ALPN: sockets.wire_list("http/1.1", "h2")}
    with Daemon(ALPN):
        with established(client=offer) as (one, other):
            equal(text_of(one, sockets.ALPN), "h2", "the protocol")
            equal(text_of(other, sockets.ALPN), "h2", "the protocol")
        narrowed = {sockets.ALPN: sockets.wire_list("http/1.1")}
        with established(client=offer, server=narrowed) as (one, other):
            equal(text_of(one, sockets.ALPN), "http/1.1", "the protocol")
        with connected(client={sockets.ALPN: sockets.wire_list("nothing")}) as (one, other):
            check_refused(refusal(one), "EPROTO", "no_application_protocol")
            true(refusal(other).text, "no text")


MUTUAL = configuration(
    profile("web", "server", daemon.ec, allow="everyone", ca=daemon.ca.chain,
            client_auth="required"),
    profile("optional", "server", daemon.ec, allow="everyone", ca=daemon.ca.chain,
            client_auth="optional"),
    profile("none", "server", daemon.ec, allow="everyone"),
    profile("test", "client", ca=daemon.ca.chain),
    profile("known", "client", daemon.client, ca=daemon.ca.chain, allow="everyone"),
    profile("unknown", "client", daemon.client_unknown, ca=daemon.ca.chain, allow="everyone"))


@case("client certificates: required, optional, demanded by the application")
def mutual():
    known, unknown = {sockets.PROFILE: "known"}, {sockets.PROFILE: "unknown"}
    required = {sockets.CLIENT_AUTH: sockets.REQUIRED.to_bytes(4, "little")}
    with Daemon(MUTUAL):
        for name in ("web", "optional"):
            with established(client=known, profile_name=name) as (one, other):
                exchange(one, other)
                true(text_of(other, sockets.PEER_NAME), "the client has no name")
            with connected(client=unknown, profile_name=name) as (one, other):
                check_refused(refusal(other), "EKEYREJECTED", "certificate")
        with connected() as (one, other):
            check_refused(refusal(other), "EKEYREJECTED", "certificate")
        with established(profile_name="optional") as (one, other):
            exchange(one, other)
        with connected(profile_name="optional", server=required) as (one, other):
            check_refused(refusal(other), "EKEYREJECTED", "certificate")
        with connected(profile_name="none", server=required) as (one, other):
            check_refused(refusal(other), "EPERM", "no authorities")


POLICY = configuration(
    profile("web", "server", daemon.ec, allow="everyone", alpn=["h2"]),
    profile("old", "server", daemon.ec, allow="everyone", min_version="1.2"),
    profile("root", "server", daemon.ec),
    profile("alice", "server", daemon.ec, allow='{ users = [ "alice" ]; }'),
    profile("bobs", "server", daemon.ec, allow='{ groups = [ "bob" ]; }'),
    profile("test", "client", ca=daemon.ca.chain, trust=["strangers"]),
    more=f'trust: {{ strangers = "{daemon.stranger.chain}"; mine = "{daemon.ca.chain}"; }};')


@case("what the policy does not allow is EPERM, with a text")
def policy():
    old = {sockets.MIN_VERSION: sockets.TLS_1_2.to_bytes(4, "little")}
    with Daemon(POLICY):
        for role, name, options, words in (
                (SERVER, "nosuch", {}, ["no profile", "nosuch"]),
                (SERVER, "test", {}, ["client's"]),
                (CLIENT, "server.test", {sockets.PROFILE: "web"}, ["server's"]),
                (SERVER, "web", old, ["TLS 1.2"]),
                (SERVER, "web", {sockets.ALPN: sockets.wire_list("h3")}, ["h3"]),
                (CLIENT, "server.test", {sockets.CA: "mine"}, ["mine"]),
                (CLIENT, "server.test", {sockets.CA: "nosuch"}, ["nosuch"])):
            with listen() as listener:
                one, other = pair(listener)
            with one, other:
                begin(one, role, name, options)
                check_refused(refusal(one), "EPERM", *words)
        with established(profile_name="old", server=old) as (one, other):
            exchange(one, other)
        # Trust in others than the profile's: it is the server that is not believed.
        with connected(client={sockets.CA: "strangers"}) as (one, other):
            check_refused(refusal(one), "EKEYREJECTED", "certificate")


@case("a profile is for those who are allowed to use it")
def users():
    with Daemon(POLICY), listen() as listener:
        for name, uid, gid, allowed in (
                ("root", 0, 0, True), ("root", 1001, 1001, False),
                ("alice", 1001, 1001, True), ("alice", 1002, 1002, False), ("alice", 0, 0, True),
                ("bobs", 1001, 1002, True), ("bobs", 1001, 1001, False)):
            one, other = pair(listener)
            with one, other:
                with as_user(uid, gid):
                    begin(other, SERVER, name)
                begin(one, CLIENT, "server.test")
                if allowed:
                    finish(other)
                else:
                    check_refused(refusal(other), "EPERM", f"user {uid}", name)


@case("a control group may be allowed")
def cgroup():
    os.makedirs("/sys/fs/cgroup", exist_ok=True)
    if not os.path.ismount("/sys/fs/cgroup"):
        os.system("mount -t cgroup2 none /sys/fs/cgroup")
    group = "/sys/fs/cgroup/allowed.test"
    os.makedirs(group, exist_ok=True)
    text = configuration(
        profile("web", "server", daemon.ec, allow='{ cgroups = [ "/allowed.test" ]; }'),
        profile("test", "client", ca=daemon.ca.chain))
    with Daemon(text), listen() as listener:
        for place, allowed in (("/sys/fs/cgroup", False), (group, True)):
            with open(place + "/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write(str(os.getpid()))
            one, other = pair(listener)
            with one, other:
                with as_user(1001):
                    begin(other, SERVER, "web")
                begin(one, CLIENT, "server.test")
                if allowed:
                    finish(other)
                else:
                    check_refused(refusal(other), "EPERM", "user 1001")
        with open("/sys/fs/cgroup/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write(str(os.getpid()))


@case("limits per source, listener and user are EDQUOT, with a text", "per_source")
@case("limits per listener", "per_listener")
@case("limits per user", "per_user")
def limits(which):
    with Daemon(configuration(more=f"limits: {{ {which} = 3; }};")), listen() as listener, \
            contextlib.ExitStack() as stack:
        ends = []
        for _ in range(4):
            one, other = pair(listener)
            stack.enter_context(one)
            stack.enter_context(other)
            ends.append((one, other))
            begin(other, SERVER)
        errors = []
        # Threads share the requests: which of them is the one too many is not said.
        for _, other in ends:
            try:
                sockets.finish(other, 1)
            except sockets.Refused as refused:
                errors.append(refused)
            except AssertionError:
                pass
        equal(len(errors), 1, "the number of those refused")
        check_refused(errors[0], "EDQUOT", f"limits.{which} = 3")
        for one, other in ends:
            one.close()


@case("a client resumes, for the same user only")
def client_resumes():
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    with Daemon() as signetd:
        for uid, resumed in ((1001, False), (1001, True), (1002, False), (0, False)):
            tickets = signetd.command("status")["tickets"]
            with as_user(uid):
                peer = openssl_peer(CLIENT, context=context)
                ours, theirs = peer.__enter__()  # pylint: disable=unnecessary-dunder-call
            with contextlib.ExitStack() as stack:
                stack.push(peer)
                finish(ours)
                exchange(ours, theirs())
                equal(bool(sockets.flags_of(ours) & sockets.RESUMED), resumed,
                      f"resumption of user {uid}")
                while signetd.command("status")["tickets"] < tickets + 1:
                    pass


@case("a server resumes, over changes of its configuration too")
def server_resumes():
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    session = None
    with Daemon() as signetd:
        for number in range(3):
            with openssl_peer(SERVER, context=context, session=session) as (ours, theirs):
                finish(ours)
                exchange(theirs(), ours)
                exchange(ours, theirs())
                equal(theirs().session_reused, number > 0, "resumption")
                equal(bool(sockets.flags_of(ours) & sockets.RESUMED), number > 0, "resumption")
                session = theirs().session
            true(signetd.command("reload")["ok"], "reload failed")
        equal(signetd.command("status")["server"], {"succeeded": 3, "resumed": 2}, "counts")


@case("what applications write breaks neither the log nor JSON nor its own text")
def hostile_texts():
    name = b'\xff\xc0\xaf\x1b[31m\n"\\ \xc3\xa4'
    shown = '????[31m?"\\ \u00e4'
    with Daemon() as signetd, listen() as listener:
        one, other = pair(listener)
        with one, other:
            begin(other, SERVER, name)
            check_refused(refusal(other), "EPERM", "no profile", shown)
        signetd.expect("handshake failed")
        line = signetd.log.decode().splitlines()[-1]
        true(shown.replace("\\", "\\\\").replace('"', '\\"') in line, f"the line is {line}")
        true(shown in signetd.command("failures")["failures"][0]["text"], "the failure's text")


@case("the control socket's commands")
def control():
    with Daemon() as signetd:
        status = signetd.command("status")
        equal((status["ok"], status["state"], status["generation"]), (True, "serving", 1), "status")
        names = [one["name"] for one in signetd.command("profiles")["profiles"]]
        equal(names, ["web", "test", "fresh", "system"], "profiles")
        equal(signetd.command("failures"), {"ok": True, "failures": []}, "failures")
        for command in ("rekey", "rekey request"):
            equal(signetd.command(command), {"ok": True}, f"the reply to {command}")
        equal(signetd.command("nonsense")["ok"], False, "an unknown command")
        with as_user(1001), socket.socket(socket.AF_UNIX) as stranger:
            try:
                stranger.connect(daemon.path("control"))
                raise AssertionError("any user may connect")
            except PermissionError:
                pass
