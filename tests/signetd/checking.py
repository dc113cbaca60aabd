# SPDX-License-Identifier: GPL-2.0-only
"""signetd --check, as an operator runs it, and where secrets lie."""

import subprocess

import daemon
from daemon import CLIENT, SERVER, Daemon, configuration, write
from ktap import case, equal, true
from serving import established
from sockets import exchange


def check(text):
    """Return: its exit status, and what it said on either stream."""
    done = subprocess.run(["signetd", "--check", "--config", write(text)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=daemon.PATIENCE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@case("signetd --check: a configuration without errors")
def accepted():
    equal(check(configuration()),
          (0, f"{daemon.path('signetd.conf')}: 4 profiles, no errors\n", ""),
          "what it said, of three and the one that is built in")


@case("signetd --check: each error with file and line, and a status")
def refused():
    file = daemon.path("signetd.conf")
    lines = configuration().splitlines()
    lines.insert(2, 'log_level_ = "debug";')
    lines.insert(4, 'limits: { handshakes_per_user = "many"; };')
    status, out, err = check("\n".join(lines))
    equal((status, out), (1, ""), "status and output")
    for line, word in ((3, "log_level_"), (5, "handshakes_per_user")):
        true(any(said.startswith(f"{file}:{line}: ") and word in said
                 for said in err.splitlines()), f"line {line} is named in {err!r}")


@case("signetd --check: a key that does not fit, a chain that is not there")
def unusable():
    broken = SERVER.replace(daemon.ec.key, daemon.other.key).replace(daemon.rsa.chain, "/none.pem")
    status, _, err = check(configuration(broken, CLIENT))
    equal(status, 1, "status")
    for name in (daemon.other.key, "/none.pem"):
        true(name in err, f"{name} is named in {err!r}")


def secrets(pid):
    """The flags of each mapping to write to that no dump has, but libc's for getrandom()."""
    with open(f"/proc/{pid}/smaps", encoding="ascii") as smaps:
        mappings = [set(line.split()[1:]) for line in smaps if line.startswith("VmFlags:")]
    return [flags for flags in mappings if {"dd", "wr"} <= flags and "dp" not in flags]


@case("worker and signer: secrets lie in locked memory that no dump has")
def secrets_stay():
    with Daemon() as signetd:
        with established() as (client, server):
            exchange(client, server)
            signer = secrets(signetd.current("signer"))
            worker = secrets(signetd.current("worker"))
            # What a worker inherited for itself alone is empty there, or a certificate.
            shared = [flags for flags in worker if "sh" in flags]
            true(signer and all("lo" in flags for flags in signer), "the signer's are locked")
            true(shared and all("lo" in flags for flags in shared), "the worker's tables are locked")
            true(any({"wf", "lo"} <= flags for flags in worker), "its handshakes' are locked")
