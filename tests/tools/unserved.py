# SPDX-License-Identifier: GPL-2.0-only
"""Where no handshake can be made: nothing may go in the clear."""

import contextlib

import programs
from ktap import case, equal, true
from programs import python, run, signet_run, sink

SEND = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in {host!r} else socket.AF_INET)
s.settimeout({timeout})
try:
    s.connect(({host!r}, {port}))
except OSError as error:
    print(error.errno)
for data in (b"secret", b"secret"):
    try:
        s.send(data)
        print("sent")
    except OSError:
        pass
"""


@contextlib.contextmanager
def without_module():
    programs.unserved()
    run("rmmod", "signet").expect(0)
    try:
        yield
    finally:
        run("modprobe", "signet").expect(0)


def expect_nobody(listener):
    listener.settimeout(0)
    try:
        listener.accept()
    except BlockingIOError:
        return
    raise AssertionError("somebody has connected")


def expect_silence(got):
    equal(b"".join(got), b"", "what the plain TCP server got")


@case("without the module nothing connects", "None")
@case("without the module nothing connects: a non-blocking program", "20")
def module_missing(timeout):
    with without_module(), programs.socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # Whoever may administer the network would load it.
        ended = python("--connect", f"{port}=server.test", user=1001,
                       script=SEND.format(host="127.0.0.1", port=port, timeout=timeout))
        equal(ended.output, b"%d\n" % programs.errno.ENOENT, "the errno of connect()")
        true("module signet is not loaded" in ended.errors, f"it says {ended.errors}")
        expect_nobody(listener)


@case("without a helper nothing is sent", "127.0.0.1", "None")
@case("without a helper nothing is sent: IPv6", "::1", "None")
@case("without a helper nothing is sent: a non-blocking program", "127.0.0.1", "20")
def helper_missing(host, timeout):
    programs.unserved()
    with sink(host) as (port, got):
        ended = python("--connect", f"{port}=server.test",
                       script=SEND.format(host=host, port=port, timeout=timeout))
        equal(ended.output, b"%d\n" % programs.errno.EUNATCH, "the errno of connect(), and no more")
        true("no helper" in ended.errors and "EUNATCH" in ended.errors, f"it says {ended.errors}")
    expect_silence(got)


@case("without a helper curl sends nothing")
def curl_without_helper():
    programs.unserved()
    with sink() as (port, got):
        ended = signet_run("--connect", str(port), "--", "curl", "-sS",
                           f"http://127.0.0.1:{port}/")
        ended.expect(7, "no helper")
    expect_silence(got)


@case("without a helper a listener accepts, and serves nothing")
def listener_without_helper():
    programs.unserved()
    port = programs.free_port()
    programs.start("signet-run", "--listen", f"{port}", "--", "socat",
                   f"TCP-LISTEN:{port},reuseaddr", "SYSTEM:echo secret")
    programs.wait_listening(port)
    with programs.socket.create_connection(("127.0.0.1", port), programs.PATIENCE) as connection:
        got = []
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1000):
                got.append(part)
    expect_silence(got)


@case("data with the connection's first packet is refused (MSG_FASTOPEN)")
def fast_open():
    programs.unserved()
    with programs.socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = f"""
import socket
for call in ("sendto", "sendmsg"):
    s = socket.socket()
    address = ("127.0.0.1", {port})
    try:
        if call == "sendto":
            s.sendto(b"secret", socket.MSG_FASTOPEN, address)
        else:
            s.sendmsg([b"secret"], [], socket.MSG_FASTOPEN, address)
        print("sent")
    except OSError as error:
        print(error.errno)
"""
        ended = python("--connect", f"{port}=server.test", script=script)
        equal(ended.output.split(), [b"%d" % programs.errno.EOPNOTSUPP] * 2, "the errnos")
        true("MSG_FASTOPEN" in ended.errors, f"it says {ended.errors}")
        # Its rules do not concern others.
        ended = python("--connect", "1=server.test", script=script)
        equal(ended.output.split(), [b"sent"] * 2, "what plain sockets say")


@case("a socket that the module does not take does not connect (MPTCP)")
def other_protocol():
    with programs.socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
print(s.connect_ex(("127.0.0.1", {port})))
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
try:
    s.listen()
except OSError as error:
    print(error.errno)
"""
        ended = python("--connect", f"{port}=server.test", "--listen", "*", script=script)
        equal(ended.output.split(), [b"%d" % programs.errno.ENOPROTOOPT] * 2, "the errnos")
        equal(ended.errors.count("no TCP socket that the kernel module"), 2, "lines about it")
        expect_nobody(listener)


@case("what matches no rule is left alone", ())
@case("what is exempt is left alone", ("--connect", "!127.0.0.0/8:*", "--connect", "*"))
def unmatched(rules):
    programs.unserved()
    port = programs.free_port()
    rules = rules or ("--connect", f"10.0.0.0/8:{port}", "--connect", f"[::1]:{port}",
                      "--connect", f"{port + 1}-65535", "--listen", f"10.0.0.1:{port}")
    programs.start("signet-run", *rules, "--", "socat", "-t", "20",
                   f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", "EXEC:cat")
    programs.wait_listening(port)
    ended = signet_run(*rules, "--", "socat", "-t", "20", "-", f"TCP:127.0.0.1:{port}",
                       given=b"in the clear").expect(0)
    equal(ended.output, b"in the clear", "the answer")
    equal(ended.errors, "", "what signet-run says")
