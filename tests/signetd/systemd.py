# SPDX-License-Identifier: GPL-2.0-only
"""What the daemon tells the service manager and the journal, which are played here."""

import contextlib
import os
import re
import signal
import socket
import subprocess

import daemon
import sockets
from daemon import Daemon
from ktap import case, equal, true
from serving import connected, established
from sockets import exchange, refusal


@contextlib.contextmanager
def datagrams(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(sockets.PATIENCE)
        receiver.bind(path)
        try:
            yield receiver
        finally:
            os.unlink(path)


def states(receiver):
    return dict(line.split("=", 1) for line in receiver.recv(65536).decode().splitlines())


def receive(receiver, name):
    """The next message with that variable."""
    while True:
        told = states(receiver)
        if name in told:
            return told[name]


@case("readiness, reloading, the watchdog and the end are told to the service manager")
def manager():
    path = daemon.path("notify")
    with datagrams(path) as receiver:
        with Daemon(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}) as signetd:
            equal(receive(receiver, "READY"), "1", "READY")
            for _ in range(2):
                equal(receive(receiver, "WATCHDOG"), "1", "WATCHDOG")
            signetd.process.send_signal(signal.SIGHUP)
            true(int(receive(receiver, "MONOTONIC_USEC")) > 0, "no time of the reload")
            equal(receive(receiver, "READY"), "1", "READY")
            signetd.process.send_signal(signal.SIGTERM)
            equal(receive(receiver, "STOPPING"), "1", "STOPPING")
            equal(signetd.wait(), 0, "the exit status")


def children(pid):
    found = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            found |= {int(child) for child in file.read().split()}
    return found


def stop_next_child(process, before):
    """Return: whether it was stopped before it was ready."""
    while not (new := children(process.pid) - before):
        pass
    child = new.pop()
    os.kill(child, signal.SIGSTOP)
    return child


@case("a start that takes its time does not look like a daemon that hangs")
def slow_start():
    path = daemon.path("notify")
    with datagrams(path) as receiver, \
            Daemon(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000000"}) as signetd:
        receive(receiver, "READY")
        # One that was stopped too late, as it had begun already, shows by READY: then once more.
        for _ in range(20):
            before = children(signetd.process.pid)
            signetd.process.send_signal(signal.SIGHUP)
            child = stop_next_child(signetd.process, before)
            receive(receiver, "RELOADING")
            signs = 0
            while signs < 5:
                told = states(receiver)
                if "READY" in told:
                    break
                if told.get("WATCHDOG") == "1" and int(told["EXTEND_TIMEOUT_USEC"]) > 30000000:
                    signs += 1
            os.kill(child, signal.SIGCONT)
            if signs == 5:
                equal(receive(receiver, "READY"), "1", "READY")
                return
        raise AssertionError("no process could be stopped while it began")


@contextlib.contextmanager
def journal():
    """The daemon, and what it sends to the journal."""
    os.makedirs("/run/systemd/journal", exist_ok=True)
    reader, writer = os.pipe()
    stream = os.fstat(writer)
    with datagrams("/run/systemd/journal/socket") as receiver:
        os.chmod("/run/systemd/journal/socket", 0o666)
        process = subprocess.Popen(
            ["signetd", "--config", daemon.write(daemon.configuration())], stderr=writer,
            env=os.environ | {"JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"})
        try:
            while "serving" not in receive(receiver, "MESSAGE"):
                pass
            yield receiver
        finally:
            process.terminate()
            process.wait()
            os.close(writer)
            os.close(reader)


@case("a failed handshake is an entry of the journal, with fields")
def journal_fields():
    with journal() as receiver:
        with connected(name="wrong.test") as (one, _):
            refusal(one)
        entry = {}
        while entry.get("SIGNET_ERROR") != "EKEYREJECTED":
            entry = states(receiver)
    equal((entry["MESSAGE"], entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"],
           entry["SIGNET_PROCESS"], entry["SIGNET_ROLE"], entry["SIGNET_UID"],
           entry["SIGNET_PROFILE"]),
          ("handshake failed", "5", "signetd", "signetd-worker", "client", "0", "test"), "fields")
    true("wrong.test" in entry["SIGNET_TEXT"], "the text")


@case("a journal that reads nothing holds nobody up, and hears what it has missed")
def stalled_journal():
    with journal() as receiver:
        # Each end of each is a line; a socket has room for net.unix.max_dgram_qlen of them.
        for _ in range(20):
            with established() as (one, other):
                exchange(one, other)
        receiver.setblocking(False)
        read = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                states(receiver)
                read += 1
        true(read < 40, f"all {read} entries found room")
        receiver.setblocking(True)
        receiver.settimeout(sockets.PATIENCE)
        with established() as (one, other):
            exchange(one, other)
        while True:
            entry = states(receiver)
            lost = re.fullmatch(r"(\d+) lines were lost", entry["MESSAGE"])
            if lost and entry["SIGNET_PROCESS"] == "signetd-worker":
                break
        true(int(lost[1]) > 0, "none were lost")
