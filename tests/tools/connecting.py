# SPDX-License-Identifier: GPL-2.0-only
"""Programs that connect, and TLS servers."""

import base64
import errno
import hashlib
import os
import subprocess

import daemon
import programs
from ktap import case, equal, true
from programs import NAME, bracket, python, s_server, served, signet_run, tls_server

# Connects, sends a word and prints the answer.
TALK = """
import socket
with socket.create_connection(({host!r}, {port}), {timeout}) as s:
    s.sendall(b"ping")
    print(s.recv(100).decode())
"""


def answer(tls):
    equal(tls.recv(100), b"ping", "what came")
    tls.sendall(b"pong")


def curl(*words, **options):
    return signet_run(*words[:-1], "--", "curl", "-sS", "--max-time", "20", words[-1], **options)


@case("curl speaks http, and an https server answers: IPv4", "127.0.0.1")
@case("curl speaks http, and an https server answers: IPv6", "::1")
def curl_gets(host):
    served()
    port = s_server(host=host)
    ended = curl("--connect", f"{port}={NAME}", f"http://{bracket(host)}:{port}/").expect(0)
    true(b"TLSv1.3" in ended.output, f"no page of s_server: {ended.output[:300]}")
    equal(ended.errors, "", "what signet-run says")


@case("the server's name is what was looked up", NAME)
@case("the server's name is else its address", "127.0.0.1")
@case("the server's name is else its address: IPv6", "[::1]")
def names(host):
    served()
    port = s_server(host="::1" if host.startswith("[") else "127.0.0.1")
    ended = curl("--connect", str(port), f"http://{host}:{port}/").expect(0)
    true(b"TLSv1.3" in ended.output, "no page")
    # It may have tried another address of the name, where nobody listens.
    equal(ended.errors, "", "what signet-run says")


@case("a name that was looked up is verified")
def wrong_name():
    served()
    port = s_server(certificate=daemon.other)
    ended = curl("--connect", str(port), f"http://{NAME}:{port}/").expect(7, "EKEYREJECTED")
    true("signet-run: curl[" in ended.errors, f"who? {ended.errors}")
    ended = curl("--connect", f"{port}=other.test", f"http://{NAME}:{port}/").expect(0)
    true(b"TLSv1.3" in ended.output, "no page")


@case("a certificate that is refused is an error of connect()", "None")
@case("a certificate that is refused is an error of SO_ERROR", "20")
def refused(timeout):
    served()
    port = s_server(certificate=daemon.other)
    ended = python("--connect", f"127.0.0.0/8:{port}={NAME}", script=f"""
import socket
s = socket.socket()
s.settimeout({timeout})
try:
    s.connect(("127.0.0.1", {port}))
except OSError as error:
    print(error.errno)
""")
    equal(ended.output, b"%d\n" % errno.EKEYREJECTED, f"the errno (it says {ended.errors})")
    equal(ended.errors.count("signet-run: "), 1, "lines about it")
    true(f"127.0.0.1:{port}" in ended.errors and "EKEYREJECTED" in ended.errors,
         f"it says {ended.errors}")


@case("blocking and non-blocking programs: IPv4", "127.0.0.1", "None")
@case("blocking and non-blocking programs: IPv6", "::1", "None")
@case("blocking and non-blocking programs: IPv4, with poll()", "127.0.0.1", "20")
@case("blocking and non-blocking programs: IPv6, with poll()", "::1", "20")
def talks(host, timeout):
    served()
    with tls_server(answer, host) as port:
        ended = python("--connect", f"{port}={NAME}",
                       script=TALK.format(host=host, port=port, timeout=timeout))
        ended.expect(0)
        equal(ended.output, b"pong\n", "the answer")


@case("an IPv4 address in IPv6's form is found by IPv4's rules")
def mapped():
    served()
    with tls_server(answer) as port:
        ended = python("--connect", f"127.0.0.1:{port}={NAME}",
                       script=TALK.format(host="::ffff:127.0.0.1", port=port, timeout=None))
        equal(ended.expect(0).output, b"pong\n", "the answer")


@case("a connect() that a signal interrupts goes on, and is not in the clear")
def interrupted():
    served()
    helper = []

    def wait_for_signal(_connection):
        """The handshake does not go on before the program was interrupted."""
        equal(helper[0].stdout.readline(), b"interrupted\n", "what the program says")

    with tls_server(answer, before=wait_for_signal) as port:
        helper.append(programs.start("signet-run", "--connect", f"{port}={NAME}", "--", "python3",
                                     "-c", f"""
import signal, socket
def tell(*_):
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("interrupted", flush=True)
signal.signal(signal.SIGALRM, tell)
signal.siginterrupt(signal.SIGALRM, True)
s = socket.socket()
signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
s.connect(("127.0.0.1", {port}))
s.sendall(b"ping")
print(s.recv(100).decode(), flush=True)
"""))
    equal(helper[0].stdout.readline(), b"pong\n", "the answer")


@case("connect() called again tells how it goes")
def connect_again():
    served()
    with tls_server(answer) as port:
        ended = python("--connect", f"{port}={NAME}", script=f"""
import errno, select, socket
s = socket.socket()
s.setblocking(False)
address = ("127.0.0.1", {port})
told = [s.connect_ex(address)]
while True:
    told.append(s.connect_ex(address))
    if told[-1] != errno.EALREADY:
        break
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    poll.poll()
told.append(s.connect_ex(address))
s.setblocking(True)
s.sendall(b"ping")
print(s.recv(100).decode(), *[errno.errorcode.get(e, e) for e in told if e != errno.EALREADY])
""")
        ended.expect(0)
        words = ended.output.decode().split()
        true(words[:2] == ["pong", "EINPROGRESS"] and words[2] in ("0", "EISCONN") and
             words[3:] == ["EISCONN"], f"it says {words}")


@case("curl with TCP Fast Open")
def fast_open():
    served()
    port = s_server()
    ended = signet_run("--connect", f"{port}={NAME}", "--", "curl", "-sS", "--tcp-fastopen",
                       f"http://127.0.0.1:{port}/").expect(0)
    true(b"TLSv1.3" in ended.output, "no page")


@case("a server that is not there is TCP's error, and no more is said")
def not_there():
    served()
    port = programs.free_port()
    ended = curl("--connect", f"{port}={NAME}", f"http://127.0.0.1:{port}/").expect(7)
    true("signet-run" not in ended.errors, f"it says {ended.errors}")
    ended = python("--connect", f"{port}={NAME}",
                   script=TALK.format(host="127.0.0.1", port=port, timeout=None))
    true("ConnectionRefusedError" in ended.errors and "signet-run" not in ended.errors,
         f"it says {ended.errors}")


@case("a server that speaks no TLS is told nothing")
def no_tls():
    served()
    with programs.sink() as (port, got):
        ended = curl("--connect", f"{port}={NAME}", "--timeout", "1", f"http://127.0.0.1:{port}/")
        ended.expect(28, "ETIMEDOUT")
    stream = b"".join(got)
    true(stream.startswith(b"\x16\x03") and b"GET" not in stream and b"curl" not in stream,
         f"it got {stream!r}")


def pin_of(certificate):
    key = subprocess.run(["openssl", "x509", "-in", certificate.chain, "-noout", "-pubkey"],
                         capture_output=True, check=True).stdout
    key = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
                         capture_output=True, check=True).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()


@case("pins: one of several is the server's")
def pins():
    served()
    port = s_server()
    url = f"http://127.0.0.1:{port}/"
    right, wrong = pin_of(daemon.ec), pin_of(daemon.other)
    curl("--connect", f"{port}={NAME}", "--pin", wrong, "--pin", right, url).expect(0)
    curl("--connect", f"{port}={NAME}", "--pin", wrong, url).expect(7, "EKEYREJECTED")


@case("pins: a server without a name is known by them")
def pins_alone():
    served()
    port = s_server(certificate=daemon.other)
    url = f"http://127.0.0.1:{port}/"
    ended = curl("--connect", f"{port}=", "--pin", pin_of(daemon.other), url)
    ended.expect(0)
    curl("--connect", f"{port}=", "--pin", pin_of(daemon.ec), url).expect(7, "EKEYREJECTED")


@case("protocols are agreed upon")
def protocols():
    served()

    def check(tls):
        equal(tls.selected_alpn_protocol(), "second", "the protocol")
        answer(tls)

    with tls_server(check, alpn=["second", "third"]) as port:
        python("--connect", f"{port}={NAME}", "--alpn", "first,second",
               script=TALK.format(host="127.0.0.1", port=port, timeout=20)).expect(0)


@case("a profile that is not there, and authorities that are not there")
def unknown_names():
    served()
    port = s_server()
    url = f"http://127.0.0.1:{port}/"
    curl("--connect", f"{port}={NAME}", "--profile", "none", url).expect(7, "none")
    curl("--connect", f"{port}={NAME}", "--ca", "none", url).expect(7, "none")
    curl("--connect", f"{port}={NAME}", "--profile", "test", url).expect(0)


@case("curl gets 30 pages over as many connections at once, as another user")
def crowd():
    served()
    root = daemon.path("root")
    os.makedirs(root, exist_ok=True)
    for number in range(30):
        with open(os.path.join(root, str(number)), "w", encoding="ascii") as file:
            file.write(f"page {number}\n")
    server = programs.start("https-server", "--listen", "127.0.0.1:0", "--root", root,
                            "--cert", daemon.ec.chain, "--key", daemon.ec.key)
    port = int(server.stdout.readline().split(b" port ")[1].split()[0].rstrip(b","))
    ended = signet_run("--connect", str(port), "--", "curl", "-sS", "--parallel",
                       "--parallel-immediate", "--parallel-max", "30",
                       f"http://{NAME}:{port}/[0-29]", user=1001).expect(0)
    equal(sorted(ended.output.splitlines()), sorted(b"page %d" % number for number in range(30)),
          "the pages")


@case("standard error that is another file by now is not written to")
def closed_stderr():
    served()
    port = s_server(certificate=daemon.other)
    other = daemon.path("other-file")
    ended = python("--connect", f"{port}={NAME}", script=f"""
import os, socket
os.dup2(os.open({other!r}, os.O_CREAT | os.O_WRONLY), 2)
s = socket.socket()
print(s.connect_ex(("127.0.0.1", {port})))
""")
    equal(ended.expect(0).output, b"%d\n" % errno.EKEYREJECTED, "the errno")
    equal(os.path.getsize(other), 0, "bytes in the file")
