# SPDX-License-Identifier: GPL-2.0-only
"""signetd as a service of a real systemd, installed as "make install" does it."""

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

import daemon
import sockets
from changes import in_progress, wait_until
from confined import SUPERVISOR, capabilities, status_of
from ktap import case, equal, true
from serving import established, connected
from sockets import exchange, refusal

PROJECT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
CONFIGURATION = "/etc/signet/signetd.conf"
DROP_IN = "/run/systemd/system/signetd.service.d"
WATCHDOG = 8


def run(*command, fails=False):
    """Return: its output."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                           stderr=subprocess.STDOUT, text=True, timeout=sockets.PATIENCE * 2)
    equal(bool(ended.returncode), fails,
          f"whether {' '.join(command)} failed, which says {ended.stdout},")
    return ended.stdout


def install():
    """As README.md says. What changes is that it is started often."""
    os.environ["PREFIX"] = "/usr"
    run(os.path.join(PROJECT, "scripts", "install"))
    run("ldconfig")
    run("systemd-sysusers")
    os.makedirs(DROP_IN, exist_ok=True)
    drop_in("often", "[Unit]\nStartLimitIntervalSec=0\n")
    configure()


def drop_in(name, text):
    with open(f"{DROP_IN}/{name}.conf", "w", encoding="ascii") as file:
        file.write(text)
    run("systemctl", "daemon-reload")


def configure(more=""):
    """Its certificates lie where the unit lets it see them."""
    text = daemon.configuration(more=more)
    for name in os.listdir(daemon.directory):
        if name.endswith((".pem", ".key")) and not os.path.exists(f"/etc/signet/{name}"):
            shutil.copy(daemon.path(name), "/etc/signet/")
    text = text.replace(daemon.directory, "/etc/signet")
    text = re.sub('control = ".*";', "", text)
    with open(CONFIGURATION, "w", encoding="ascii") as file:
        file.write(text)


def shown(name):
    return run("systemctl", "show", "--property", name, "--value", "signetd").strip()


def main_process():
    return int(shown("MainPID"))


def entries(*matches):
    """Of the unit's journal."""
    run("journalctl", "--sync")
    lines = run("journalctl", "--unit", "signetd", "--output", "json", "--all", *matches)
    return [json.loads(line) for line in lines.splitlines() if line.startswith("{")]


class Service:
    """What daemon.Daemon is elsewhere, as far as cases use it."""

    @staticmethod
    def status():
        return json.loads(run("signetctl", "status", "--json"))["signetd"]

    def command(self, name):
        equal(name, "status", "the only command here")
        return self.status()


@contextlib.contextmanager
def serving():
    """The unit is started for the case, and stopped behind it."""
    run("systemctl", "start", "signetd")
    try:
        yield Service()
    except Exception:
        for line in run("journalctl", "--unit", "signetd", "--lines", "30").splitlines():
            print("#", line)
        raise
    finally:
        run("systemctl", "stop", "signetd")


def connections_work():
    with established() as (one, other):
        exchange(one, other)


def is_another(before):
    return main_process() not in (0, before) and shown("ActiveState") == "active"


@case("systemctl start returns when the daemon serves, as the program that was installed")
def start():
    with serving() as service:
        connections_work()
        equal(shown("ActiveState"), "active", "the state")
        equal(shown("Type"), "notify-reload", "the type")
        equal(os.readlink(f"/proc/{main_process()}/exe"), "/usr/sbin/signetd", "the program")
        equal(service.status()["state"], "serving", "the daemon's own state")
        true(os.path.exists("/run/signet/control"), "there is no control socket")
        mode = os.stat("/run/signet").st_mode & 0o777
        equal(mode, 0o755, "the mode of its directory")
    true(not os.path.exists("/run/signet"), "the directory is left")


@case("the unit's confinement and the daemon's own, together")
def confinement():
    with serving():
        status = status_of(main_process())
        for which in ("CapPrm", "CapEff", "CapBnd"):
            true(capabilities(status[which]) <= SUPERVISOR, f"{which} of the supervisor")
        equal(status["NoNewPrivs"], "1", "no_new_privs")
        equal(status["Seccomp"], "2", "seccomp")
        # Nothing of this is left out on this system: the unit asks for what it has.
        odd = [entry["MESSAGE"] for entry in entries("--priority", "warning")]
        equal(odd, [], "warnings in the journal")
        mounts = subprocess.run(["cat", f"/proc/{main_process()}/mountinfo"], check=True,
                                stdout=subprocess.PIPE).stdout.decode()
        root = [line.split()[5] for line in mounts.splitlines() if line.split()[4] == "/"]
        true(root and "ro" in root[-1].split(","), "the system can be written")


@case("kill -9: it is started again, and connections notice nothing")
def killed():
    with serving() as service, established() as (one, other):
        before = main_process()
        restarts = int(shown("NRestarts"))
        os.kill(before, signal.SIGKILL)
        exchange(one, other)
        wait_until(lambda: is_another(before), "it is there again")
        equal(int(shown("NRestarts")), restarts + 1, "the number of restarts")
        equal(service.status()["state"], "serving", "the daemon's own state")
        connections_work()
        exchange(one, other)


@case("the watchdog: fed while it works, and its end when it hangs")
def watchdog():
    drop_in("watchdog", f"[Service]\nWatchdogSec={WATCHDOG}\n")
    with serving():
        before = main_process()
        equal(shown("WatchdogUSec"), f"{WATCHDOG}s", "the interval")
        time.sleep(1.5 * WATCHDOG)
        equal(main_process(), before, "the process, which was well,")
        os.kill(before, signal.SIGSTOP)
        wait_until(lambda: is_another(before), "it is there again", 2 * sockets.PATIENCE)
        true(any("Watchdog timeout" in entry["MESSAGE"] for entry in entries()),
             "the journal does not tell of the watchdog")
        connections_work()
    drop_in("watchdog", "")


@case("systemctl reload returns when the new configuration is in use")
def reload():
    with serving() as service:
        before = main_process()
        equal(service.status()["generation"], 1, "the generation")
        configure(more="threads = 1;")
        run("systemctl", "reload", "signetd")
        equal(service.status()["generation"], 2, "the generation")
        equal(main_process(), before, "the process")
        connections_work()
        with open(CONFIGURATION, "a", encoding="ascii") as file:
            file.write("nonsense\n")
        run("systemctl", "reload", "signetd")
        equal(service.status()["generation"], 2, "the generation after a broken configuration")
        true(any("was not reloaded" in entry["MESSAGE"] for entry in entries()),
             "the journal does not tell of it")
        connections_work()
    configure()


@case("a broken configuration does not start, and the journal tells the line")
def broken():
    configure(more="nonsense = 5;")
    run("systemctl", "start", "signetd", fails=True)
    run("systemctl", "stop", "signetd")
    true(any(re.search(r"signetd.conf:\d+: nonsense", entry["MESSAGE"])
             for entry in entries()), "the journal does not tell it")
    configure()


@case("the journal has the reason of a failure in fields")
def journal():
    with serving():
        with connected(name="wrong.test") as (one, other):
            equal(refusal(one).error, "EKEYREJECTED", "the errno")
            true(refusal(other).text, "no text")
        found = entries("SIGNET_ERROR=EKEYREJECTED")
        equal(len(found), 1, "the number of entries")
        entry = found[0]
        for name, value in (("MESSAGE", "handshake failed"), ("PRIORITY", "5"),
                            ("SIGNET_ROLE", "client"), ("SIGNET_UID", "0"),
                            ("SIGNET_PROFILE", "test"), ("SIGNET_ALERT_SENT", "bad_certificate"),
                            ("_SYSTEMD_UNIT", "signetd.service"),
                            ("SYSLOG_IDENTIFIER", "signetd")):
            equal(entry.get(name), value, f"the field {name}")
        true("wrong.test" in entry["SIGNET_TEXT"], "the text does not tell the name")


@case("systemctl stop lets handshakes finish")
def stop():
    with serving() as service, sockets.listen() as listener:
        one, other = sockets.pair(listener)
        with one, other:
            sockets.begin(other, sockets.SERVER)
            wait_until(lambda: in_progress(service) == 1, "the handshake begins")
            run("systemctl", "stop", "--no-block", "signetd")
            wait_until(lambda: shown("ActiveState") == "deactivating", "it is about to end")
            context = ssl.create_default_context(cafile=daemon.ca.chain)
            with context.wrap_socket(one, server_hostname="server.test") as tls:
                sockets.finish(other)
                exchange(tls, other)
            wait_until(lambda: shown("ActiveState") == "inactive", "it has ended")
        equal(shown("Result"), "success", "how it ended")
