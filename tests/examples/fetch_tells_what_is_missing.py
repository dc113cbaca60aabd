#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""examples/fetch: its exit statuses, against our server and against bad ones, without TLS."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading

from tap import Server, TIMEOUT, equal, program, run

COMPLETE, INCOMPLETE, USAGE, REFUSED, UNREACHABLE = range(5)
BIG = random.Random(2).randbytes(3 << 20)

server = Server()
output = tempfile.TemporaryDirectory(prefix="signet-test-")


def fetch(*arguments):
    """Return: exit status, standard output, standard error."""
    done = subprocess.run([program("fetch"), *arguments], capture_output=True, timeout=TIMEOUT,
                          check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def fetch_plain(*arguments):
    return fetch("--plain", *arguments[:-1], f"127.0.0.1:{server.port}", *arguments[-1])


def fetched(name):
    with open(os.path.join(output.name, name), "rb") as file:
        return file.read()


def answered_with(*answers, close=True, arguments=()):
    """What fetch makes of a server that says just this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(TIMEOUT)
                for answer in answers:
                    connection.recv(65536)
                    connection.sendall(answer)
                if close:
                    connection.shutdown(socket.SHUT_WR)
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        result = fetch("--plain", *arguments, f"127.0.0.1:{listener.getsockname()[1]}", "/a", "/b")
        thread.join()
        return result


def files_arrive_over_one_connection():
    status, _, said = fetch_plain("--info", "--output", output.name,
                                  ["/big", "deep/er/small", "/empty", "/a b%c"])
    equal((status, fetched("big") == BIG, fetched("deep/er/small"), fetched("empty"),
           fetched("a b%c")),
          (COMPLETE, True, b"small", b"", b"odd"))
    equal("data path: TCP" in said, True)


def files_go_to_standard_output():
    equal(fetch_plain(["/deep/er/small", "/a b%c"])[:2], (COMPLETE, b"smallodd"))


def range_gives_its_part():
    equal(fetch_plain("--range", "5-99999", ["/big"])[:2], (COMPLETE, BIG[5:100000]))
    equal(fetch_plain("--range", "-3", ["/deep/er/small"])[:2], (COMPLETE, b"all"))
    status, got, said = fetch_plain("--range", "100-", ["/deep/er/small"])
    equal((status, got, "416" in said), (INCOMPLETE, b"", True))


def put_stores_a_file():
    equal(fetch_plain("--put", os.path.join(server.root, "big"), ["/up", "/up2"])[0], COMPLETE)
    equal((server.uploaded("up") == BIG, server.uploaded("up2") == BIG), (True, True))


def put_that_is_refused_is_told():
    status, _, said = fetch_plain("--put", os.path.join(server.root, "big"), ["/not/here"])
    equal((status, "403" in said), (INCOMPLETE, True))
    status, _, said = fetch_plain("--put", os.path.join(server.root, "none"), ["/up"])
    equal((status, "No such file" in said), (INCOMPLETE, True))


def missing_file_is_told_and_the_rest_still_comes():
    status, _, said = fetch_plain("--output", output.name, ["/none", "/deep/er/small"])
    equal((status, "/none: HTTP/1.1 404" in said, fetched("deep/er/small")),
          (INCOMPLETE, True, b"small"))
    equal(os.path.exists(os.path.join(output.name, "none")), False)


def answer_that_breaks_off_is_told():
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Le",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999999\r\n\r\nabcd"):
        status, _, said = answered_with(answer)
        equal((status, "too early" in said, "not asked for any more: /b" in said),
              (INCOMPLETE, True, True))


def server_that_says_nothing_is_given_up():
    status, _, said = answered_with(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", close=False,
                                    arguments=["--timeout", "1"])
    equal((status, "takes too long" in said), (INCOMPLETE, True))


def answer_in_pieces_is_whole():
    status, got, _ = answered_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA",
                                   b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nBC")
    equal((status, got), (COMPLETE, b"ABC"))


def answer_that_makes_no_sense_is_told():
    for answer in (b"\r\n\r\n", b"220 mail.example ESMTP\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
                   b"HTTP/1.1 OK\r\nContent-Length: 1\r\n\r\nA", b"\0\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nA"):
        status, got, said = answered_with(answer)
        equal((status, got, "not understood" in said), (INCOMPLETE, b"", True))


def endless_header_is_told():
    equal(answered_with(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300000, close=False)[0], INCOMPLETE)


def whole_file_in_place_of_a_range_is_told():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA"
    status, got, _ = answered_with(answer, answer, arguments=["--range", "0-0"])
    equal((status, got), (INCOMPLETE, b""))


def files_stay_below_the_output_directory():
    for path in ("/../outside", "/deep/../../outside"):
        status, _, said = fetch_plain("--output", output.name, [path])
        equal((status, os.path.exists(os.path.join(output.name, "..", "outside"))),
              (INCOMPLETE, False))


def output_that_cannot_be_written_is_told():
    equal(fetch_plain("--output", "/proc/none", ["/big"])[0], INCOMPLETE)
    os.symlink("/dev/full", os.path.join(output.name, "full"))
    status, _, said = fetch_plain("--output", output.name, ["/full"])
    equal((status, "No space left" in said), (INCOMPLETE, True))


def path_that_is_too_long_is_told():
    status, _, said = fetch_plain(["/" + "x" * 9000])
    equal((status, "too long" in said), (INCOMPLETE, True))


def nobody_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    status, _, said = fetch("--plain", f"127.0.0.1:{port}", "/")
    equal((status, "Connection refused" in said), (UNREACHABLE, True))
    equal(fetch("--plain", "no-such-host.invalid:1", "/")[0], UNREACHABLE)


def server_without_tls_is_told():
    equal(fetch_tls("--ca", certificate)[0], UNREACHABLE)


def missing_certificates_are_told():
    status, _, said = fetch_tls("--ca", "/none")
    equal((status, "/none: " in said), (USAGE, True))


def fetch_tls(*arguments):
    return fetch(*arguments, f"127.0.0.1:{server.port}", "/")


def wrong_usage_is_told():
    for arguments in ((), ("localhost:1",), ("localhost", "/"), ("--none", "localhost:1", "/"),
                      ("--ca",)):
        equal(fetch(*arguments)[0], USAGE)
    status, text, _ = fetch("--help")
    equal((status, text.startswith(b"Usage: fetch ")), (COMPLETE, True))


server.write("big", BIG)
server.write("deep/er/small", b"small")
server.write("empty", b"")
server.write("a b%c", b"odd")
server.write("full", b"x")
certificate = os.path.join(server.base, "certificate")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj", "/CN=test", "-keyout", os.devnull, "-out", certificate], check=True,
               capture_output=True)

try:
    STATUS = run([
        files_arrive_over_one_connection,
        files_go_to_standard_output,
        range_gives_its_part,
        put_stores_a_file,
        put_that_is_refused_is_told,
        missing_file_is_told_and_the_rest_still_comes,
        answer_that_breaks_off_is_told,
        server_that_says_nothing_is_given_up,
        answer_in_pieces_is_whole,
        answer_that_makes_no_sense_is_told,
        endless_header_is_told,
        whole_file_in_place_of_a_range_is_told,
        files_stay_below_the_output_directory,
        output_that_cannot_be_written_is_told,
        path_that_is_too_long_is_told,
        nobody_there_is_told,
        server_without_tls_is_told,
        missing_certificates_are_told,
        wrong_usage_is_told,
    ])
finally:
    server.end()
    output.cleanup()
sys.exit(1 if STATUS else 0)
