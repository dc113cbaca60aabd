# SPDX-License-Identifier: GPL-2.0-only
"""What the daemon's processes can do, and cannot."""

import os
import re
import subprocess

import daemon
from daemon import Daemon, configuration
from ktap import case, equal, true
from serving import as_user, established
from sockets import exchange

EVERYTHING = range(41)
SUPERVISOR = {2, 5, 6, 7, 8, 14}  # what confine_supervisor() keeps


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def capabilities(text):
    return {number for number in EVERYTHING if int(text, 16) >> number & 1}


@case("worker and signer: own users, no capability, seccomp, no_new_privs")
def privileges():
    with Daemon() as signetd:
        for what, uid in (("worker", 901), ("signer", 902)):
            pid = signetd.current(what)
            for task in os.listdir(f"/proc/{pid}/task"):
                status = status_of(f"{pid}/task/{task}")
                equal(status["Uid"].split(), [str(uid)] * 4, f"the {what}'s users")
                equal(status["Gid"].split(), [str(uid)] * 4, f"the {what}'s groups")
                equal(status["Groups"].strip(), "", f"the {what}'s other groups")
                for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    equal(capabilities(status[which]), set(), f"{which} of the {what}")
                equal(status["Seccomp"], "2", f"seccomp of the {what}")
                equal(status["NoNewPrivs"], "1", f"no_new_privs of the {what}")
        status = status_of(signetd.process.pid)
        for which in ("CapPrm", "CapEff", "CapBnd"):
            true(capabilities(status[which]) <= SUPERVISOR, f"{which} of the supervisor")
        equal(status["NoNewPrivs"], "1", "no_new_privs of the supervisor")
        equal(status["Seccomp"], "2", "seccomp of the supervisor")


def scalar(key):
    """The private part of an EC key."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    digits = re.search(r"priv:([0-9a-f:\s]+)pub:", text)[1]
    return bytes.fromhex(re.sub(r"[:\s]", "", digits)).rjust(32, b"\0")[-32:]


def has_in_memory(pid, secret):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            low, high, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if mode[0] != "r" or "[v" in line:
                continue
            memory.seek(int(low, 16))
            try:
                data = memory.read(int(high, 16) - int(low, 16))
            except OSError:
                continue
            # As in DER, and as the library keeps numbers.
            if secret in data or secret[::-1] in data:
                return True
    return False


@case("the private key is in the signer's memory, and in no other's")
def key_memory():
    secret = scalar(daemon.ec.key)
    with Daemon(configuration(more="sessions = 8; threads = 1;")) as signetd:
        with established() as (one, other):
            exchange(one, other)
        true(signetd.command("reload")["ok"], "reload failed")
        true(has_in_memory(signetd.current("signer"), secret), "the key cannot be found at all")
        true(not has_in_memory(signetd.current("worker"), secret), "the worker has the key")
        true(not has_in_memory(signetd.process.pid, secret), "the supervisor has the key")


@case("the worker's user cannot read the key file")
def key_file():
    with as_user(901):
        try:
            with open(daemon.ec.key, "rb"):
                raise AssertionError("it can")
        except PermissionError:
            pass


@case("started by another user than root, it says what is not given up")
def not_root():
    directory = daemon.path("rootless")
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o777)
    for certificate in (daemon.ec, daemon.other, daemon.rsa):
        os.chown(certificate.key, 1001, 1001)
    os.chmod("/dev/signet", 0o666)
    program = ("setpriv", "--reuid", "1001", "--regid", "1001", "--clear-groups", "--inh-caps",
               "+net_admin", "--ambient-caps", "+net_admin", "signetd")
    text = configuration().replace(daemon.path("control"), directory + "/control")
    try:
        with Daemon(text, program=program) as signetd:
            signetd.expect("not started by root: the user stays 1001, not signetd")
            with established() as (one, other):
                exchange(one, other)
    finally:
        os.chmod("/dev/signet", 0o600)
        for certificate in (daemon.ec, daemon.other, daemon.rsa):
            os.chown(certificate.key, 0, 0)


@case("without users, certificates or permission it does not start, and says why")
def does_not_start():
    for text, words in ((configuration(more='user = "nobody-there";'), "no user nobody-there"),
                        (configuration().replace(daemon.rsa.key, "/nonexistent.key"),
                         r"signetd.conf:\d+: /nonexistent.key: No such file"),
                        ("profiles: { x: { role = 1; }; };", r"signetd.conf:1: role: ")):
        signetd = Daemon(text)
        equal(signetd.wait(), 1, "the exit status")
        signetd.expect(words)
    signetd = Daemon(program=("setpriv", "--reuid", "1001", "--clear-groups", "signetd"))
    equal(signetd.wait(), 1, "the exit status")
    signetd.expect("/dev/signet: Permission denied")
