# SPDX-License-Identifier: GPL-2.0-only
"""The Test Anything Protocol, and a web server to test: what the tests of the examples share."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "bin")

# Patience with a machine that has other things to do.
TIMEOUT = 20


def program(name):
    return os.path.join(PROGRAMS, name)


def run(tests):
    """Runs functions; each is one check, named after the function, good if it raises nothing."""
    failed = 0
    print("TAP version 13")
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            test()
            verdict = "ok"
        except Exception:
            failed += 1
            verdict = "not ok"
            for line in traceback.format_exc().splitlines():
                print("#", line)
        print(verdict, number, test.__name__, flush=True)
    print(f"# Totals: pass:{len(tests) - failed} fail:{failed} skip:0")
    return failed


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"{shorten(got)} instead of {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}... ({len(text)} characters)"


class Server:
    """https-server --plain on a free port, with a directory to serve and one for uploads."""

    def __init__(self, upload=True):
        self.base = tempfile.mkdtemp(prefix="signet-test-")
        self.root = os.path.join(self.base, "root")
        self.uploads = os.path.join(self.base, "uploads")
        os.mkdir(self.root)
        os.mkdir(self.uploads)
        command = [program("https-server"), "--plain", "--listen", "127.0.0.1:0", "--root",
                   self.root]
        if upload:
            command += ["--upload", self.uploads]
        self.log = open(os.path.join(self.base, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        found = re.search(r" port (\d+)", line)
        if not found:
            raise RuntimeError(f"the server did not start: {line}{self.told()}")
        self.port = int(found.group(1))

    def told(self):
        self.log.seek(0)
        return self.log.read()

    def write(self, name, data):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def uploaded(self, name):
        with open(os.path.join(self.uploads, name), "rb") as file:
            return file.read()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
        connection.settimeout(TIMEOUT)
        return connection

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Return: the exit status and the totals."""
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, text

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        sys.stdout.writelines(f"# server: {line}\n" for line in self.told().splitlines()
                              if "ERROR" in line or "runtime error" in line)
        self.log.close()
        shutil.rmtree(self.base, ignore_errors=True)


class Answer:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields
        self.body = body


def receive_answer(connection, method="GET"):
    """Reads exactly one answer; None if the connection ended in place of it."""
    header = b""
    while not header.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            if header:
                raise AssertionError(f"the answer broke off after {header}")
            return None
        header += byte
    lines = header.decode("ascii").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    status = int(lines[0].split(" ")[1])
    left = 0 if method == "HEAD" or status == 100 else int(fields["content-length"])
    parts = []
    while left:
        part = connection.recv(min(left, 1 << 20))
        if not part:
            raise AssertionError(f"{left} bytes of the body are missing")
        parts.append(part)
        left -= len(part)
    return Answer(status, fields, b"".join(parts))


def at_end(connection):
    """Whether the peer has closed, properly, and sent nothing more."""
    return connection.recv(1) == b""
