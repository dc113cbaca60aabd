# SPDX-License-Identifier: GPL-2.0-only
"""A capture of all that the cases send, at one port, and what of it can be read there."""

import contextlib
import os
import signal
import subprocess
import time

import material
from ktap import equal, true
from processes import Program

TLS, PLAIN = 4433, 4434

LINES = "".join(f"{os.urandom(24).hex()} {number:06}\n" for number in range(2000)).encode()
REVERSED = b"".join(line[::-1] + b"\n" for line in LINES.splitlines())
DATA = os.urandom(1 << 20)

_file = material.path("capture.pcap")
_running = []


def _write(name, content):
    with open(material.path(name), "wb") as file:
        file.write(content)
    return material.path(name)


SECRETS = [_write("lines", LINES), _write("reversed", REVERSED), _write("data", DATA)]


@contextlib.contextmanager
def capture():
    """While the body goes on, or until stop() is called."""
    tcpdump = subprocess.Popen(["tcpdump", "-Z", "root", "-i", "lo", "-s", "0", "-B", "65536",
                                "-w", _file, f"tcp port {TLS} or tcp port {PLAIN}"],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _running.append(tcpdump)
    line = tcpdump.stderr.readline()
    while line and b"listening on" not in line:
        line = tcpdump.stderr.readline()
    try:
        yield
    finally:
        if _running:
            stop()


def stop():
    """Return: how many packets were lost, as a text."""
    tcpdump = _running.pop()
    # The packets of the last second may still wait in its ring.
    time.sleep(1.2)
    tcpdump.send_signal(signal.SIGINT)
    told = tcpdump.communicate()[1].decode()
    for line in told.splitlines():
        if "dropped by kernel" in line:
            return line.split()[0]
    return f"unknown: {told}"


def search(port):
    """Return: what scripts/demo-parts/find-plaintext tells, as numbers."""
    program = Program("find-plaintext", _file, str(port))
    program.write("".join(f"{path}\n" for path in SECRETS).encode())
    program.end_input()
    lines = program.read_rest().decode().splitlines()
    equal(program.wait(), 0, "find-plaintext's status")
    found = {}
    for line in lines:
        name, _, value = line.partition(" ")
        if value.isdigit():
            found[name] = int(value)
    for name in ("bytes-missing", "streams-without-beginning"):
        equal(found[name], 0, f"{name} of the capture at port {port}")
    true(found["bytes"], f"nothing was captured at port {port}")
    return found
