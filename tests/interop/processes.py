# SPDX-License-Identifier: GPL-2.0-only
"""Programs that take part: the signet end, and peers of other makers."""

import collections
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

import material
from ktap import equal

PATIENCE = 25

_alive = []


class Program:
    """A process whose output is read with a deadline."""

    def __init__(self, *command, stdin=subprocess.PIPE, env=()):
        self.name = command[0]
        self.buffer = b""
        self.errors = tempfile.TemporaryFile(dir=material.directory)
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=self.errors, cwd=material.directory, bufsize=0,
                                        env=os.environ | dict(env))
        _alive.append(self)

    def _fill(self):
        """Return: whether more came; not at the end."""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise AssertionError(f"{self.name} is silent after {self.buffer[-200:]!r}")
        more = os.read(self.process.stdout.fileno(), 1 << 20)
        self.buffer += more
        return bool(more)

    def read_line(self):
        while b"\n" not in self.buffer:
            if not self._fill():
                raise AssertionError(f"{self.name} ended after {self.buffer!r}: {self.told()}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def read(self, count):
        while len(self.buffer) < count:
            if not self._fill():
                raise AssertionError(f"{self.name} ended after {len(self.buffer)} of {count} "
                                     f"bytes: {self.told()}")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_rest(self):
        while self._fill():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def expect_output(self, data):
        """All of the output, to its end, compared as it comes."""
        position = 0
        while True:
            part = self.buffer
            self.buffer = b""
            if part != data[position:position + len(part)]:
                raise AssertionError(f"{self.name} put out other data after byte {position}")
            position += len(part)
            if not self._fill():
                break
        equal(position, len(data), f"length of {self.name}'s output")

    def write(self, data):
        self.process.stdin.write(data)

    def end_input(self):
        self.process.stdin.close()

    def wait(self):
        """Return: the exit status."""
        return self.process.wait(PATIENCE)

    def told(self):
        self.errors.flush()
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def kill(self):
        self.process.kill()
        self.process.wait()


def end_all(failed):
    """Ends what is still there. Return: what it said, for a case that failed."""
    lines = []
    while _alive:
        program = _alive.pop()
        program.kill()
        if failed:
            lines += [f"{os.path.basename(program.name)}: {line}"
                      for line in program.told().splitlines()[-10:]]
        program.process.stdout.close()
        if program.process.stdin and not program.process.stdin.closed:
            program.process.stdin.close()
        program.errors.close()
    return lines


def forget_all():
    """In a child process: what is alive is its parent's."""
    _alive.clear()


def listening_port(program):
    """The port at which a process listens, as soon as it does."""
    deadline = time.monotonic() + PATIENCE
    pid = program.process.pid
    while time.monotonic() < deadline:
        if program.process.poll() is not None:
            raise AssertionError(f"{program.name} ended: {program.told()}")
        sockets = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                sockets.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                continue
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split()
                    if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                        return int(fields[1].split(":")[1], 16)
        time.sleep(0.01)
    raise AssertionError(f"{program.name} does not listen")


def free_port():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        return listener.getsockname()[1]


# ---- The signet end ----

class Result(dict):
    """The line that interop_peer prints about a connection."""

    def __init__(self, line):
        head, _, text = line.partition(" text=")
        super().__init__(item.split("=", 1) for item in head.split())
        self["text"] = text
        self.line = line

    def number(self, key):
        return int(self[key], 0)

    def check(self, **wanted):
        for key, value in wanted.items():
            if self.get(key) != str(value):
                raise AssertionError(f"{key} is not {value}: {self.line}")
        return self

    def check_whole(self, sent, received, **wanted):
        """Everything was sent, and everything came."""
        return self.check(handshake="none", sent=sent, send_error="none", received=received,
                          receive_error="none", data="equal", **wanted)

    def check_refused(self, *errors):
        """The handshake failed, with a reason."""
        if self.get("handshake") not in errors or not self["text"]:
            raise AssertionError(f"not {' or '.join(errors)} and a text: {self.line}")
        return self


class Signet(Program):
    def result(self):
        return Result(self.read_line())


def _signet(mode, where, steps, options):
    """Options are those of interop_peer; certificate stands for --cert and --key."""
    certificate = options.pop("certificate", None)
    words = ["--cert", certificate.chain, "--key", certificate.key] if certificate else []
    for key, value in options.items():
        if isinstance(value, material.Data):
            value = value.file
        words += [f"--{key.rstrip('_')}", str(value)]
    return Signet("interop_peer", mode, where, *words, "--", *steps)


def signet_client(port, *steps, host="[::1]", **options):
    settings = {"ca": material.ca.chain, "name": material.NAME,
                "out": material.from_client, "in_": material.from_server}
    return _signet("connect", f"{host}:{port}", steps, settings | options)


def signet_server(*steps, host="[::1]", **options):
    """Return: the program and its port."""
    settings = {"certificate": material.ec,
                "out": material.from_server, "in_": material.from_client}
    program = _signet("accept", f"{host}:0", steps, settings | options)
    return program, int(program.read_line().split()[1])


# ---- Peers: the commands of OpenSSL and GnuTLS ----

def s_server(*options, certificate=material.ec, **process):
    program = Program("openssl", "s_server", "-accept", "[::1]:0", "-quiet",
                      "-cert", certificate.chain, "-key", certificate.key, *options, **process)
    return program, listening_port(program)


def s_client(port, *options, name=material.NAME, **process):
    return Program("openssl", "s_client", "-connect", f"[::1]:{port}", "-quiet", "-nocommands",
                   "-CAfile", material.ca.chain, "-verify_return_error",
                   "-servername", name, "-verify_hostname", name, *options, **process)


GNUTLS = "NORMAL:-VERS-ALL:+VERS-TLS1.3"


def gnutls_priority(suite):
    cipher = "AES-128-GCM" if "128" in suite else "AES-256-GCM"
    return f"{GNUTLS}:-CIPHER-ALL:+{cipher}"


def gnutls_serv(*options, certificate=material.ec, priority=GNUTLS, **process):
    program = Program("gnutls-serv", "--quiet", "--port", str(free_port()),
                      "--priority", priority, "--x509certfile", certificate.chain,
                      "--x509keyfile", certificate.key, *options, **process)
    return program, listening_port(program)


def gnutls_cli(port, *options, priority=GNUTLS, **process):
    return Program("gnutls-cli", "--logfile", "/dev/stderr", "--port", str(port),
                   "--priority", priority, "--x509cafile", material.ca.chain,
                   "--verify-hostname", material.NAME, "--sni-hostname", material.NAME,
                   *options, "::1", **process)


Served = collections.namedtuple("Served", "program port root uploads")


def https_server(*options, certificate=material.ec):
    root = material.path("root")
    uploads = material.path("uploads")
    for folder in (root, uploads):
        os.makedirs(folder, exist_ok=True)
    program = Program("https-server", "--listen", "[::]:0", "--root", root, "--upload", uploads,
                      "--cert", certificate.chain, "--key", certificate.key, *options)
    port = int(program.read_line().split(" port ")[1].split()[0].rstrip(","))
    return Served(program, port, root, uploads)


def stop(program):
    """Asks a program to end. Return: its exit status."""
    program.process.send_signal(signal.SIGTERM)
    return program.wait()
