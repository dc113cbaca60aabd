# SPDX-License-Identifier: GPL-2.0-only
"""signet-run's own command line, and the programs that it does not start."""

import os
import shutil

import daemon
from ktap import case, equal, true
from programs import run, signet_run


@case("signet-run: --help and --version")
def help_and_version():
    true(b"usage: signet-run" in signet_run("--help").expect(0).output, "no usage")
    true(signet_run("--version").expect(0).output.startswith(b"signet-run "), "no version")


PIN = "sha256//" + "A" * 43 + "="


@case("signet-run: without a rule", "nothing to do", "--", "true")
@case("signet-run: without a program", "no program", "--connect", "443")
@case("signet-run: an unknown option", "unrecognized option", "--conect", "443", "--", "true")
@case("signet-run: no port", "a port, a range", "--connect", "0", "--", "true")
@case("signet-run: a port too high", "a port, a range", "--connect", "65536", "--", "true")
@case("signet-run: ports the wrong way round", "a port, a range", "--listen", "9-8", "--", "true")
@case("signet-run: a name for an address", "no IPv4 address", "--connect", "db:443", "--", "true")
@case("signet-run: too many bits", "0 to 32", "--connect", "10.0.0.0/33:443", "--", "true")
@case("signet-run: too many bits of IPv6", "0 to 128", "--connect", "[::/129]:1", "--", "true")
@case("signet-run: IPv6 without a port", "ends with ]:", "--connect", "[::1]", "--", "true")
@case("signet-run: an exemption with a name", "names nothing", "--connect", "!1=a", "--", "true")
@case("signet-run: no name and no pin", "needs a pin", "--connect", "443=", "--", "true")
@case("signet-run: a space in a rule", "no space", "--connect", "443=a b", "--", "true")
@case("signet-run: a pin that is none", "sha256//", "--connect", "1", "--pin", "x", "--", "true")
@case("signet-run: a pin with bits left over", "sha256//", "--connect", "1", "--pin",
      PIN.replace("A=", "B="), "--", "true")
@case("signet-run: five pins", "more than 4", "--connect", "1", *["--pin", PIN] * 5, "--", "true")
@case("signet-run: an empty protocol", "with a comma", "--connect", "1", "--alpn", "h2,,",
      "--", "true")
@case("signet-run: an unknown version", "1.2 or 1.3", "--connect", "1", "--min-version", "1.1",
      "--", "true")
@case("signet-run: no time", "1 to 3600", "--connect", "1", "--timeout", "0", "--", "true")
@case("signet-run: no such library", "No such file", "--connect", "1", "--library", "/none",
      "--", "true")
def refused_command_line(word, *words):
    signet_run(*words).expect(125, word)


@case("signet-run: the program's status is its own")
def status_passes():
    signet_run("--connect", "1", "sh", "-c", "exit 7").expect(7)
    signet_run("--connect", "1", "--", "no-such-program").expect(127, "No such file")
    signet_run("--connect", "1", "--", "/etc/passwd").expect(126, "Permission denied")


def copy_of(program, name, mode, owner=0):
    made = daemon.path(name)
    shutil.copy(program, made)
    os.chown(made, owner, owner)
    os.chmod(made, mode)
    return made


@case("signet-run does not start what takes no libraries")
def refused_programs():
    rule = ("--connect", "1", "--")
    signet_run(*rule, "/usr/sbin/ldconfig", "--version").expect(126, "statically linked")
    script = daemon.path("script")
    with open(script, "w", encoding="ascii") as file:
        file.write("#! /usr/sbin/ldconfig --version\n")
    os.chmod(script, 0o755)
    signet_run(*rule, script).expect(126, "statically linked")
    signet_run(*rule, copy_of("/bin/true", "setuid", 0o4755, 1001)).expect(126, "setuid")
    capable = copy_of("/bin/true", "capable", 0o755)
    # struct vfs_cap_data: revision 2, CAP_NET_BIND_SERVICE permitted and effective
    os.setxattr(capable, "security.capability",
                bytes.fromhex("01000002" "00040000" "00000000" "00000000" "00000000"))
    signet_run(*rule, capable, user=1001).expect(126, "capabilities")
    other = copy_of("/bin/true", "other-machine", 0o755)
    with open(other, "r+b") as file:
        file.seek(18)  # e_machine
        file.write((183).to_bytes(2, "little"))
    signet_run(*rule, other).expect(126, "another architecture")


@case("libsignet-run.so ends a program whose rules it does not understand")
def broken_environment():
    text = "env SIGNET_RUN_CONNECT=nonsense true"
    signet_run("--connect", "1", "sh", "-c", text).expect(125, "SIGNET_RUN_CONNECT")


@case("signet-run within signet-run: the inner one's rules are for its program")
def nested():
    ended = signet_run("--connect", "1=a", "--alpn", "h2", "signet-run", "--connect", "2=b",
                       "--connect", "3", "--", "env").expect(0)
    variables = dict(line.split("=", 1) for line in ended.output.decode().splitlines())
    equal(variables["SIGNET_RUN_CONNECT"], "2=b 3", "the rules")
    true("SIGNET_RUN_ALPN" not in variables, "the outer one's protocols are there")
    equal(variables["LD_PRELOAD"].count("libsignet-run"), 1, "the library's occurrences")
    true(os.path.isabs(variables["LD_PRELOAD"]), "the library's path is relative")


@case("libsignet-run.so exports what it stands before, and nothing else")
def exports():
    library = os.path.join(os.path.dirname(shutil.which("signet-run")), "../lib/libsignet-run.so")
    dump = run("python3", "-c", f"import ctypes; ctypes.CDLL({library!r}).signet_info")
    true(dump.status != 0 and "undefined symbol" in dump.errors, "signet_info is exported")
