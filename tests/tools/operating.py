# SPDX-License-Identifier: GPL-2.0-only
"""signetctl."""

import contextlib
import json
import socket

import daemon
import programs
import sockets
from ktap import case, equal, true
from programs import NAME, run, served


def ctl(*words, **options):
    return run("signetctl", "--socket", daemon.path("control"), *words, **options)


def told(*words):
    """Its JSON."""
    return json.loads(ctl(*words, "--json").expect(0).output)


def table(*words):
    """Its lines, each as words."""
    return [line.split() for line in ctl(*words).expect(0).output.decode().splitlines()]


@contextlib.contextmanager
def connection(host="127.0.0.1"):
    """Both ends of one, in this process."""
    with sockets.listen(host) as listener:
        one, other = sockets.pair(listener)
        with one, other:
            sockets.begin(one, sockets.CLIENT, NAME)
            sockets.begin(other, sockets.SERVER, "web")
            sockets.finish(one)
            sockets.finish(other)
            sockets.exchange(one, other)
            yield one, other


def fail_one():
    with sockets.listen() as listener:
        one, other = sockets.pair(listener)
        with one, other:
            sockets.begin(one, sockets.CLIENT, "unexpected.test")
            sockets.begin(other, sockets.SERVER, "web")
            equal(sockets.refusal(one).error, "EKEYREJECTED", "the error")


@case("signetctl: --help and --version")
def help_and_version():
    true(b"usage: signetctl" in run("signetctl", "--help").expect(0).output, "no usage")
    true(run("signetctl", "--version").expect(0).output.startswith(b"signetctl "), "no version")


@case("signetctl: no command", "no command")
@case("signetctl: two commands", "one command", "status", "profiles")
@case("signetctl: an unknown command", "unknown command 'stauts'", "stauts")
@case("signetctl: an unknown option", "unrecognized option", "status", "--jason")
@case("signetctl: an option of others", "has no --json", "reload", "--json")
@case("signetctl: another option of others", "has no --request", "status", "--request")
def refused_command_line(word, *words):
    ctl(*words).expect(2, word)


@case("signetctl without a daemon says so")
def without_daemon():
    programs.unserved()
    for command in ("profiles", "reload", "failures", "drain"):
        ctl(command).expect(1, "signetd is not running")
    ended = ctl("status").expect(1, "signetd is not running")
    true(b"module signet: loaded" in ended.output, f"nothing of the module: {ended.output}")
    ended = ctl("status", "--json").expect(1)
    both = json.loads(ended.output)
    equal(both["signetd"], None, "signetd")
    equal(both["module"]["loaded"], True, "module.loaded")


@case("signetctl status")
def status():
    served()
    before = told("status")
    with connection():
        both = told("status")
    equal(both["signetd"]["state"], "serving", "the state")
    equal(both["signetd"]["client"]["succeeded"],
          before["signetd"]["client"]["succeeded"] + 1, "client handshakes")
    equal(both["module"]["counters"]["HandshakesDone"],
          before["module"]["counters"]["HandshakesDone"] + 2, "the module's handshakes")
    text = ctl("status").expect(0).output.decode()
    for word in ("serving", "worker", "client handshakes", "module signet: loaded", "Handshakes"):
        true(word in text, f"no {word} in {text}")


@case("signetctl connections")
def connections():
    served()
    with connection() as (one, other):
        mine = f"127.0.0.1:{one.getsockname()[1]}"
        ends = {line["local"]: line for line in told("connections")}
        client = ends[mine]
        server = ends[f"127.0.0.1:{other.getsockname()[1]}"]
        equal(client["peer"], server["local"], "the peer's address")
        equal(server["peer"], mine, "the peer's address, at the server")
        equal((client["role"], server["role"]), ("client", "server"), "the roles")
        equal(client["uid"], 0, "the user")
        equal((client["tx_bytes"], client["rx_bytes"]), (1000, 1000), "the bytes")
        equal(client["tx_epoch"], 0, "the epoch")
        true(NAME in client.values(), f"no name of the peer: {client}")
        true(isinstance(client["age"], int) and client["age"] < 600, f"the age: {client['age']}")
        lines = table("connections")
        equal(lines[0][:2], ["LOCAL", "PEER"], "the heading")
        true([line for line in lines if line[0] == mine and NAME in line], f"no line: {lines}")
    true(mine not in {line["local"] for line in told("connections")}, "it is still there")


@case("signetctl profiles")
def profiles():
    served()
    found = {one["name"]: one for one in told("profiles")["profiles"]}
    equal(found["web"]["role"], "server", "the role")
    true(daemon.ec.chain in found["web"]["certificates"], "the certificate is not there")
    lines = table("profiles")
    true([line for line in lines if line[:2] == ["web", "server"]], f"no line: {lines}")
    equal(lines[-1][-1], "web", "the default")


@case("signetctl failures")
def failures():
    served()
    fail_one()
    last = told("failures")["failures"]
    client = [one for one in last if one["role"] == "client"][-1]
    equal(client["error"], "EKEYREJECTED", "the error")
    true("unexpected.test" in client["text"], f"the text: {client['text']}")
    text = ctl("failures").expect(0).output.decode()
    true("EKEYREJECTED" in text and "unexpected.test" in text, f"the table: {text}")


@case("signetctl reload: what is right, and what is not")
def reload():
    served()
    before = told("status")["signetd"]["generation"]
    ctl("reload").expect(0)
    equal(told("status")["signetd"]["generation"], before + 1, "the generation")
    right = daemon.configuration()
    daemon.write("profiles: { broken")
    ctl("reload").expect(1, "signetd")
    daemon.write(right)
    with connection():
        ctl("reload").expect(0)


@case("signetctl rekey", 0)
@case("signetctl rekey --request all", 1, "--request", "all")
def rekey(expected, *words):
    served()
    with connection() as (one, other):
        ctl("rekey", *words).expect(0)
        sockets.exchange(one, other)
        sockets.exchange(one, other)
        epochs = [sockets.number_of(one, at=28), sockets.number_of(one, at=32)]
        true(min(epochs) >= 1, f"the epochs are {epochs}")
        # Each end was told, and where it asked the other it is answered too.
        true(max(epochs) >= 1 + expected, f"the epochs are {epochs}")


@case("signetctl rekey by the daemon, for who may ask it and not open the device")
def rekey_by_daemon():
    served()
    with connection() as (one, other):
        equal(run("setpriv", "--reuid", "1001", "--regid", "900", "--clear-groups", "signetctl",
                  "--socket", daemon.path("control"), "rekey").expect(0).status, 0, "the status")
        sockets.exchange(one, other)
        equal(sockets.number_of(one, at=28), 1, "the epoch")


def address_of(pair):
    return f"[{pair[0]}]:{pair[1]}" if ":" in pair[0] else f"{pair[0]}:{pair[1]}"


@case("signetctl rekey of one connection", "127.0.0.1", 0)
@case("signetctl rekey of one connection: IPv6, both directions", "::1", 1, "--request")
def rekey_one(host, expected, *options):
    served()
    with connection(host) as (one, other), connection(host) as (third, _):
        ctl("rekey", *options, address_of(one.getsockname()),
            address_of(one.getpeername())).expect(0)
        sockets.exchange(one, other)
        sockets.exchange(one, other)
        epochs = [sockets.number_of(one, at=28), sockets.number_of(one, at=32)]
        equal(epochs, [1, expected], "the epochs")
        equal(sockets.number_of(third, at=28), 0, "the epoch of another connection")


@case("signetctl rekey of what is no connection")
def rekey_none():
    served()
    ctl("rekey", "127.0.0.1:1", "127.0.0.1:2").expect(1, "no process has a connection")
    for words in (("127.0.0.1:1", "nonsense"), ("[::1:1", "[::1]:1"), ("::1", "::1"),
                  ("127.0.0.1:99999", "127.0.0.1:1"), ("127.0.0.1", "127.0.0.1:1")):
        ctl("rekey", *words).expect(2, "two addresses are expected")
    ctl("rekey", "some").expect(2, "two addresses are expected")
    ctl("rekey", "1", "2", "3").expect(2, "two operands")


@case("signetctl rekey without a daemon")
def rekey_unserved():
    served()
    with connection() as (one, other):
        programs.unserved()
        ctl("rekey").expect(0)
        sockets.exchange(one, other)
        equal(sockets.number_of(one, at=28), 1, "the epoch")


MALFORMED = (b"", b"\n", b"nul\n", b"[]\n", b"{\n", b'{"ok":tru}\n', b'{"ok":true\n',
             b'{"ok":true} 1\n', b'{"ok":"true"}\n', b'{"ok":true,"a":"\\u000"}\n', b'{"ok":true,"a":"\\x"}\n',
             b'{"ok":true,"a":"\\u0000"}\n', b'{"ok":true,"a":"\t"}\n', b"[" * 100000 + b"\n")


@case("signetctl with a daemon that answers nonsense")
def nonsense():
    path = daemon.path("nonsense")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(programs.PATIENCE)

        def ask(reply):
            process = programs.start("signetctl", "--socket", path, "failures")
            with listener.accept()[0] as connection:
                equal(connection.recv(100), b"failures\n", "the command")
                connection.sendall(reply)
            output, errors = process.communicate(timeout=programs.PATIENCE)
            return process.returncode, output, errors

        for reply in MALFORMED:
            status, output, errors = ask(reply)
            true(status == 1 and not output and errors.startswith(b"signetctl: "),
                 f"{reply[:50]!r} gives {status}, {output!r}, {errors!r}")
        # What a peer put into its certificate does not command the terminal.
        text = '{"ok":true,"failures":[{"time":0,"text":"\\u001b[2Jname\\u009b \\"q\\""}]}\n'
        status, output, _ = ask(text.encode())
        true(status == 0 and b'?[2Jname?? "q"' in output, f"it prints {output!r}")


@case("signetctl drain")
def drain():
    one = served()
    ctl("drain").expect(0)
    equal(one.wait(), 0, "signetd's status")
    programs.unserved()
