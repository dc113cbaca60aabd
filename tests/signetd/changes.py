# SPDX-License-Identifier: GPL-2.0-only
"""What happens to handshakes while the configuration changes, and processes die."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import threading
import time

import daemon
import sockets
from daemon import Daemon, configuration, profile
from ktap import case, equal, true
from serving import check_refused, connected, established
from sockets import CLIENT, SERVER, begin, exchange, finish, listen, pair, refusal


# limits.timeout, in seconds, by default
HANDSHAKE_LIMIT = 60


def wait_until(condition, what, patience=sockets.PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        true(time.monotonic() < deadline, f"it never came to this: {what}")
        time.sleep(0.02)


def in_progress(signetd):
    return sum(one["in_progress"] for one in signetd.command("status")["workers"])


def served_subject():
    """Whose certificate a client that resumes nothing is shown."""
    with listen() as listener:
        one, other = pair(listener)
    with one, other:
        begin(other, SERVER)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(daemon.ca.chain)
        with context.wrap_socket(one, server_hostname="server.test") as tls:
            return tls.getpeercert()["subject"][0][0][1]


@case("reloads under load: no handshake notices")
def reload_under_load():
    errors, count, stop = [], [0], threading.Event()

    def load():
        while not stop.is_set():
            try:
                with established() as (one, other):
                    exchange(one, other, 100)
                count[0] += 1
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
                return

    with Daemon() as signetd:
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(2, 8):
            if number % 2:
                signetd.process.send_signal(signal.SIGHUP)
            else:
                true(signetd.command("reload")["ok"], "reload failed")
            wait_until(lambda: signetd.command("status")["generation"] == number, "a reload")
        stop.set()
        for thread in threads:
            thread.join()
        equal(errors, [], "errors of handshakes")
        true(count[0] >= 10, f"only {count[0]} handshakes")
        # Bounded by limits.timeout, should one of the last handshakes have come to nothing.
        wait_until(lambda: len(signetd.command("status")["workers"]) == 1, "one worker is left",
                   HANDSHAKE_LIMIT + sockets.PATIENCE)
        true(b"have not ended in time" not in signetd.log, "an old worker was killed")
        return f"{count[0]} connections meanwhile"


@case("a broken configuration is refused with file and line, and the old one stays")
def broken_reload():
    with Daemon() as signetd:
        for text, line in ((configuration() + 'nonsense = "";\n', "nonsense is no setting"),
                           (configuration() + "= 5", "syntax error"),
                           (configuration().replace(daemon.ec.key, daemon.other.key),
                            "this key is not the one of the certificate"),
                           (configuration().replace(daemon.ec.chain, "/nonexistent"),
                            "/nonexistent: No such file")):
            said = len(signetd.log)
            daemon.write(text)
            signetd.process.send_signal(signal.SIGHUP)
            signetd.expect(r"signetd.conf:\d+: .*" + line, said)
            signetd.expect("was not reloaded: configuration 1 stays", said)
            with established() as (one, other):
                exchange(one, other)
        equal(signetd.command("reload"), {"ok": False, "error": "see the log"}, "the reply")
        equal(signetd.command("status")["generation"], 1, "the generation")


CHANGING_CHAIN, CHANGING_KEY, CHANGING_CA = [
    daemon.path(name) for name in ("changing.pem", "changing.key", "changing-ca.pem")]


def replace(file, by):
    shutil.copy(by, file + ".new")
    os.rename(file + ".new", file)


def with_changing_files():
    replace(CHANGING_KEY, daemon.ec.key)
    replace(CHANGING_CHAIN, daemon.ec.chain)
    replace(CHANGING_CA, daemon.ca.chain)
    return configuration().replace(daemon.ec.chain, CHANGING_CHAIN) \
        .replace(daemon.ec.key, CHANGING_KEY).replace(f'"{daemon.ca.chain}"', f'"{CHANGING_CA}"')


@case("a changed certificate is used without being told to")
def changed_certificate():
    chain = CHANGING_CHAIN
    again = daemon.certificates.server(daemon.directory, "again", "ec", daemon.ca)
    with Daemon(with_changing_files()) as signetd:
        equal(served_subject(), "ec", "the first certificate")
        replace(CHANGING_KEY, again.key)
        replace(CHANGING_CHAIN, again.chain)
        signetd.expect("changed certificates are in use")
        equal(served_subject(), "again", "the new certificate")
        with open(chain, "w", encoding="ascii") as file:
            file.write("nonsense")
        signetd.expect("changed certificates are not used")
        equal(served_subject(), "again", "the certificate after a broken one")


@case("a new key does not sign for the old certificate", "the key alone has come")
@case("... where the new one is refused for another reason", "all has come")
def key_without_certificate(what):
    again = daemon.certificates.server(daemon.directory, "again", "ec", daemon.ca)
    fresh = {sockets.PROFILE: "fresh"}
    with Daemon(with_changing_files()) as signetd:
        if what == "all has come":
            replace(CHANGING_CA, "/dev/null")
            replace(CHANGING_CHAIN, again.chain)
        replace(CHANGING_KEY, again.key)
        signetd.expect("changed certificates are not used")
        equal(served_subject(), "ec", "the certificate after a refused key")
        said = len(signetd.log)
        os.kill(signetd.current("worker"), signal.SIGKILL)
        signetd.expect("this key is not the one of the certificate", said)
        signetd.expect("nothing is signed with those keys", said)
        wait_until(lambda: signetd.command("status")["state"] == "serving", "the daemon serves")
        with connected(client=fresh) as (one, other):
            check_refused(refusal(other), "EKEYREJECTED", "sign")
            true(refusal(one).text, "no text")
        # The certificates whose keys are as they were still serve.
        with established(name="other.test", client=fresh) as (one, other):
            exchange(one, other)
        replace(CHANGING_CA, daemon.ca.chain)
        replace(CHANGING_CHAIN, again.chain)
        signetd.expect("changed certificates are in use", said)
        equal(served_subject(), "again", "the new certificate")


@case("a worker that does not end is killed when its handshakes had their time")
def late_worker():
    with Daemon(configuration(more="limits: { timeout = 6; };")) as signetd:
        old = signetd.current("worker"), signetd.current("signer")
        os.kill(old[0], signal.SIGSTOP)
        true(signetd.command("reload")["ok"], "reload failed")
        # It is woken for requests that it does not take: they are the new one's.
        for _ in range(4):
            with established() as (one, other):
                exchange(one, other)
        signetd.expect(f"worker {old[0]} and signer {old[1]} have not ended in time")
        signetd.expect(f"worker {old[0]} was ended by signal 9")
        for pid in old:
            wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), "the old ones end")
        serves_again(signetd)


@case("a handshake ends under the configuration that it began with")
def old_configuration():
    with Daemon() as signetd, listen() as listener:
        one, other = pair(listener)
        with one, other:
            begin(other, SERVER, "web")
            wait_until(lambda: in_progress(signetd) == 1, "the handshake begins")
            old = signetd.current("worker")
            daemon.write(configuration(daemon.CLIENT).replace('default_server = "web";', ""))
            true(signetd.command("reload")["ok"], "reload failed")
            true(signetd.current("worker") != old, "no new worker")
            begin(one, CLIENT, "server.test")
            finish(one)
            finish(other)
            exchange(one, other)
            wait_until(lambda: not os.path.exists(f"/proc/{old}"), "the old worker ends")
        with connected(profile_name="web") as (one, other):
            check_refused(refusal(other), "EPERM", "no profile")


@case("SIGTERM lets handshakes finish, and takes no more")
def drain():
    with Daemon() as signetd, listen() as listener:
        one, other = pair(listener)
        with one, other:
            begin(other, SERVER)
            begin(one, CLIENT, "server.test", {sockets.PROFILE: "test"})
            finish(one)
            finish(other)
            third, fourth = pair(listener)
            with third, fourth:
                begin(fourth, SERVER)
                wait_until(lambda: in_progress(signetd) == 1, "the handshake begins")
                equal(signetd.command("drain"), {"ok": True}, "the reply")
                equal(signetd.command("status")["state"], "draining", "the state")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(daemon.ca.chain)
                with context.wrap_socket(third, server_hostname="server.test") as tls:
                    finish(fourth)
                    exchange(tls, fourth)
            exchange(one, other)
            equal(signetd.wait(), 0, "the exit status")


@contextlib.contextmanager
def traffic(signetd, count=4):
    """Established connections that carry data all the while."""
    stop, errors, threads = threading.Event(), [], []

    def carry(one, other):
        try:
            while not stop.is_set():
                exchange(one, other, 1000)
                time.sleep(0.01)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    with contextlib.ExitStack() as stack:
        for _ in range(count):
            ends = stack.enter_context(established())
            threads.append(threading.Thread(target=carry, args=ends))
            threads[-1].start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        equal(errors, [], "errors of established connections")
    del signetd


def serves_again(signetd):
    wait_until(lambda: signetd.command("status")["state"] == "serving", "the daemon serves")
    with established() as (one, other):
        exchange(one, other)


@case("the worker is killed while handshakes wait for their peers", CLIENT)
@case("... and on a server", SERVER)
def worker_killed(role):
    with Daemon() as signetd, traffic(signetd), listen() as listener:
        one, other = pair(listener)
        with one, other:
            begin(one, role, "server.test" if role == CLIENT else "")
            wait_until(lambda: in_progress(signetd) == 1, "the handshake begins")
            worker = signetd.current("worker")
            os.kill(worker, signal.SIGKILL)
            check_refused(refusal(one), "EUNATCH", "helper")
            signetd.expect(f"worker {worker} was ended by signal 9")
        serves_again(signetd)


@case("the signer is killed while a handshake waits for its signature")
def signer_killed():
    with Daemon() as signetd, traffic(signetd):
        signer = signetd.current("signer")
        os.kill(signer, signal.SIGSTOP)
        with connected(client={sockets.PROFILE: "fresh"}) as (one, other):
            wait_until(lambda: in_progress(signetd) == 2, "the handshakes begin")
            time.sleep(0.3)
            os.kill(signer, signal.SIGKILL)
            check_refused(refusal(other), "EUNATCH", "sign")
            true(refusal(one).text, "no text")
            signetd.expect(f"signer {signer} was ended by signal 9")
        serves_again(signetd)


@case("the daemon is killed: its handshakes are finished, then nobody serves")
def daemon_killed():
    with Daemon() as signetd, traffic(signetd), listen() as listener:
        one, other = pair(listener)
        with one, other:
            begin(other, SERVER)
            wait_until(lambda: in_progress(signetd) == 1, "the handshake begins")
            processes = signetd.current("worker"), signetd.current("signer")
            signetd.process.kill()
            signetd.process.wait()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(daemon.ca.chain)
            with context.wrap_socket(one, server_hostname="server.test") as tls:
                finish(other)
                exchange(tls, other)
        for pid in processes:
            wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), "the processes end")
        one, other = pair(listener)
        with one, other:
            try:
                begin(other, SERVER)
                check_refused(refusal(other), "EUNATCH", "helper")
            except OSError as error:
                equal(error.errno, 49, "the errno, which is EUNATCH,")
        with Daemon() as another:
            serves_again(another)


@case("a second daemon does not take the first one's place")
def two_daemons():
    with Daemon() as signetd:
        second = Daemon()
        equal(second.wait(), 1, "the exit status")
        second.expect("control: Address already in use")
        serves_again(signetd)
