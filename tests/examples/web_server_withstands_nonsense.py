#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""examples/https-server on what it serves, and on what clients should not do, without TLS."""

import os
import random
import signal
import socket
import struct
import sys
import time

from tap import Server, TIMEOUT, at_end, equal, receive_answer, run

CHUNK = 128 * 1024
RANDOM = random.Random(1)
BIG = RANDOM.randbytes(20 << 20)

server = Server()


def request(path, method="GET", fields="", version="1.1"):
    return f"{method} {path} HTTP/{version}\r\nHost: test\r\n{fields}\r\n".encode("latin-1")


def ask(text, method="GET"):
    """One request on a connection of its own. Return: the answer, and whether it was the last."""
    with server.connect() as connection:
        connection.sendall(text)
        answer = receive_answer(connection, method)
        return answer, answer.fields.get("connection") == "close" and at_end(connection)


def get(path, fields=""):
    return ask(request(path, fields=fields))[0]


def refused(text, status):
    """The status comes, and nobody tries to find a second request behind the bad one."""
    answer, last = ask(text + request("/small"))
    equal((answer.status, last), (status, True))


def is_well():
    equal(get("/small").body, b"small\n")


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def files_arrive_whole_at_every_size_around_a_chunk():
    sizes = [0, 1, 2, 4095, 4096]
    for size in (CHUNK, 2 * CHUNK, 3 * CHUNK):
        sizes += range(size - 260, size + 5, 13)
    with server.connect() as connection:
        for size in sizes:
            server.write("sized", BIG[:size])
            connection.sendall(request("/sized"))
            equal(receive_answer(connection).body, BIG[:size])


def large_file_arrives_whole():
    answer = get("/big")
    equal((answer.status, answer.body == BIG), (200, True))


def head_has_the_length_and_no_body():
    with server.connect() as connection:
        connection.sendall(request("/big", "HEAD") + request("/nothing", "HEAD")
                           + request("/small"))
        answer = receive_answer(connection, "HEAD")
        equal((answer.status, answer.fields["content-length"]), (200, str(len(BIG))))
        equal(receive_answer(connection, "HEAD").status, 404)
        equal(receive_answer(connection).body, b"small\n")
        connection.sendall(request("/big", "HEAD", "Range: bytes=0-0\r\n"))
        equal(receive_answer(connection, "HEAD").status, 200)


def directory_is_answered_with_its_index():
    equal(get("/").body, b"<p>index")
    equal(get("/sub/").body, b"<p>sub")
    equal(get("/sub").status, 404)
    equal(get("/none/").status, 404)


def names_are_percent_decoded():
    for path in ("/a%20b", "/%61%20%62", "/a%20b?query=%zz"):
        equal(get(path).body, b"space")
    for path in ("/%", "/%4", "/%zz", "/%00", "/small%00", "/%+1", "/small%0d%0a"):
        refused(request(path), 400)


def ranges_give_their_part():
    size = len(BIG)
    for text, first, last in (("0-0", 0, 0), ("5-20", 5, 20), (f"{size - 1}-", size - 1, size - 1),
                              ("0-", 0, size - 1), ("-7", size - 7, size - 1),
                              (f"{CHUNK - 300}-{3 * CHUNK}", CHUNK - 300, 3 * CHUNK),
                              (f"9-{size + 100}", 9, size - 1), (f"-{size + 9}", 0, size - 1),
                              ("9-99999999999999999999999999", 9, size - 1)):
        answer = get("/big", f"Range: bytes={text}\r\n")
        equal(answer.status, 206)
        equal(answer.fields["content-range"], f"bytes {first}-{last}/{size}")
        equal(answer.body == BIG[first:last + 1], True)


def ranges_outside_of_the_file_are_416():
    for text in (f"{len(BIG)}-", "99999999999999999999999999-", "-0"):
        answer = get("/big", f"Range: bytes={text}\r\n")
        equal((answer.status, answer.body), (416, b""))
    equal(get("/empty", "Range: bytes=0-\r\n").status, 416)


def ranges_that_make_no_sense_are_ignored():
    for text in ("bytes=9-5", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "bytes=1",
                 "bytes=1-2x",
                 "bytes=--5", "bytes=1--2", "bytes=+1-2", "items=1-2", "", "5-9"):
        answer = get("/small", f"Range: {text}\r\n")
        equal((text, answer.status, answer.body), (text, 200, b"small\n"))


def paths_cannot_leave_the_root():
    up = "../" * 12
    for path in ("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/sub/../../secret",
                 f"/{up}etc/passwd",
                 "/%2fetc/passwd", "//etc/passwd", "/out", "/out-absolute",
                 "/out-directory/secret"):
        answer = get(path)
        equal((path, answer.status in (403, 404), b"secret" in answer.body), (path, True, False))
    equal(get("/sub/../small").body, b"small\n")
    equal(get("/inside").body, b"small\n")


def what_is_not_a_file_is_not_served():
    for path in ("/pipe", "/sub", "/small/", "/small/more", "/" + "x" * 300):
        equal((path, get(path).status), (path, 404))


def requests_byte_by_byte_are_understood():
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("/small", fields="Range: bytes=1-2\r\n"):
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        equal(receive_answer(connection).body, b"ma")


def many_requests_at_once_are_answered_in_order():
    with server.connect() as connection:
        connection.sendall(b"".join(request("/big", fields=f"Range: bytes={i * 999}-{i * 1000}\r\n")
                                    for i in range(400)))
        for i in range(400):
            equal(receive_answer(connection).body == BIG[i * 999:i * 1000 + 1], True)
        connection.sendall(request("/small") + request("/nothing")
                           + request("/small", fields="Connection: close\r\n") + request("/small"))
        equal([receive_answer(connection).status for _ in range(3)], [200, 404, 200])
        equal(at_end(connection), True)


def header_that_is_too_long_is_431():
    for text in (b"GET /" + b"x" * 9000, b"x" * 9000,
                 request("/small", fields="X: " + "y" * 9000 + "\r\n"),
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000, b"\r\n" * 1 + b"x" * 9000,
                 b"\0" * 9000):
        refused(text, 431)
    refused(request("/" + "x" * 2000), 400)


def header_that_never_ends_gets_no_answer():
    with server.connect() as connection:
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n")
        connection.shutdown(socket.SHUT_WR)
        equal(at_end(connection), True)
    with server.connect() as connection:
        connection.shutdown(socket.SHUT_WR)
        equal(at_end(connection), True)


def malformed_requests_are_400():
    for text in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET /small\r\n\r\n",
                 b"GET  /small HTTP/1.1\r\nHost: x\r\n\r\n",
                 b" GET /small HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET small HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /small HTTP/1.1\r\n\r\n",
                 b"GET /small HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
                 b"GET /small HTTP/1.1\nHost: x\r\n\r\n",
                 b"GET /small HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
                 b"GET /small HTTP/1.1\r\nHost : x\r\n\r\n", b"GET /small HTTP/1.1\r\nHost\r\n\r\n",
                 b"GET /small HTTP/1.1\r\n: x\r\n\r\n",
                 b"GET /small HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
                 b"GET /small HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
                 b"GET /sm\x01all HTTP/1.1\r\nHost: x\r\n\r\n"):
        refused(text, 400)


def other_methods_and_versions_are_refused():
    for method in ("POST", "DELETE", "OPTIONS", "get", "G", "GETGETGETGETGETGET"):
        refused(request("/small", method), 501)
    for version in ("2.0", "1.2", "1.10", "0.9", "x"):
        refused(request("/small", version=version), 505)


def bodies_that_two_parties_could_read_differently_are_refused():
    for fields, status in (("Transfer-Encoding: chunked\r\n", 501),
                           ("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", 501),
                           ("Content-Length: 3\r\nContent-Length: 3\r\n", 400),
                           ("Content-Length: 3\r\nContent-Length: 4\r\n", 400),
                           ("Content-Length: 3, 3\r\n", 400), ("Content-Length: -3\r\n", 400),
                           ("Content-Length: +3\r\n", 400), ("Content-Length: 0x3\r\n", 400),
                           ("Content-Length: \r\n", 400), ("Content-Length: three\r\n", 400)):
        refused(request("/smuggled", "PUT", fields) + b"abc", status)
    refused(request("/small", fields="Content-Length: 3\r\n") + b"abc", 400)
    refused(request("/smuggled", "PUT"), 411)
    equal(os.listdir(server.uploads), [])


def old_clients_get_one_answer():
    with server.connect() as connection:
        connection.sendall(b"GET /small HTTP/1.0\r\n\r\n")
        answer = receive_answer(connection)
        equal((answer.body, answer.fields["connection"], at_end(connection)),
              (b"small\n", "close", True))


def upload(connection, name, data, fields=""):
    connection.sendall(request(f"/{name}", "PUT",
                               f"Content-Length: {len(data)}\r\n{fields}") + data)
    return receive_answer(connection).status


def uploads_arrive_whole():
    with server.connect() as connection:
        for size in (0, 1, 7000, 8192, 9000, CHUNK - 1, CHUNK, CHUNK + 1, len(BIG)):
            equal(upload(connection, "up", BIG[:size]), 201)
            equal(server.uploaded("up") == BIG[:size], True)
        connection.sendall(request("/one", "PUT", "Content-Length: 3\r\n") + b"abc"
                           + request("/two", "PUT",
                                     "Content-Length: 4\r\n") + b"defg" + request("/small"))
        equal([receive_answer(connection).status for _ in range(3)], [201, 201, 200])
        equal((server.uploaded("one"), server.uploaded("two")), (b"abc", b"defg"))
    equal(sorted(os.listdir(server.uploads)), ["one", "two", "up"])


def uploads_that_wait_are_told_to_continue():
    with server.connect() as connection:
        connection.sendall(request("/up", "PUT", "Content-Length: 5\r\nExpect: 100-continue\r\n"))
        equal(receive_answer(connection).status, 100)
        connection.sendall(b"after")
        equal((receive_answer(connection).status, server.uploaded("up")), (201, b"after"))


def uploads_elsewhere_are_refused_with_an_answer():
    for path in ("/", "/.hidden", "/sub/x", "/../x", "/..", "/%2e%2e%2fx"):
        with server.connect() as connection:
            connection.sendall(request(path, "PUT", f"Content-Length: {5 << 20}\r\n"))
            connection.sendall(BIG[:5 << 20])
            equal((path, receive_answer(connection).status, at_end(connection)), (path, 403, True))
    equal(get("/x").status, 404)


def upload_that_cannot_be_stored_is_answered():
    os.mkdir(os.path.join(server.uploads, "taken"))
    with server.connect() as connection:
        equal(upload(connection, "taken", b"abc"), 500)
        equal(upload(connection, "y" * 255, b"abc"), 201)
        equal(upload(connection, "y" * 256, b"abc"), 404)
    os.rmdir(os.path.join(server.uploads, "taken"))
    os.remove(os.path.join(server.uploads, "y" * 255))


def upload_that_breaks_off_leaves_nothing():
    before = sorted(os.listdir(server.uploads))
    for end in (socket.socket.close, reset):
        connection = server.connect()
        connection.sendall(request("/broken", "PUT", "Content-Length: 1000000\r\n") + BIG[:500000])
        time.sleep(0.05)
        end(connection)
    deadline = time.monotonic() + TIMEOUT
    while sorted(os.listdir(server.uploads)) != before and time.monotonic() < deadline:
        time.sleep(0.02)
    equal(sorted(os.listdir(server.uploads)), before)


def peers_that_disappear_disturb_nobody():
    for end in (socket.socket.close, reset) * 5:
        connection = server.connect()
        connection.sendall(request("/big"))
        connection.recv(100000)
        end(connection)
        connection = server.connect()
        connection.sendall(b"GET /sm")
        end(connection)
        end(server.connect())
    is_well()


def slow_peers_hold_up_nobody():
    slow = [server.connect() for _ in range(100)]
    for number, connection in enumerate(slow):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(request("/big") if number % 2 else b"GET /s")
    began = time.monotonic()
    large_file_arrives_whole()
    equal(time.monotonic() - began < 10, True)
    equal(receive_answer(slow[1]).body == BIG, True)
    for connection in slow:
        connection.close()


def file_that_shrinks_is_not_passed_off_as_whole():
    path = server.write("shrinks", BIG)
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(request("/shrinks"))
        connection.recv(1000)
        os.truncate(path, 1000)
        try:
            while connection.recv(1 << 20):
                pass
            raise AssertionError("the connection was closed as if all were well")
        except ConnectionResetError:
            pass
    is_well()


def more_connections_than_allowed_are_turned_away():
    many = [server.connect() for _ in range(1100)]
    many[0].sendall(request("/small"))
    equal(receive_answer(many[0]).body, b"small\n")
    equal(many[-1].recv(1), b"")
    for connection in many:
        connection.close()
    time.sleep(0.2)
    is_well()


def random_bytes_end_nothing():
    words = [b"GET ", b"PUT ", b"/", b"small", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: x",
             b"Range: bytes=",
             b"Content-Length: ", b"9", b"-", b"%", b"\0", b":", b" ", b"\xff",
             b"Expect: 100-continue"]
    for _ in range(300):
        with server.connect() as connection:
            connection.sendall(b"".join(RANDOM.choices(words, k=RANDOM.randrange(1, 40))))
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    is_well()


def nothing_is_left_of_ended_connections():
    deadline = time.monotonic() + TIMEOUT
    while server.descriptors() != idle and time.monotonic() < deadline:
        time.sleep(0.05)
    equal(server.descriptors(), idle)


def sigterm_lets_an_answer_finish_and_then_ends():
    with server.connect() as busy, server.connect() as idle_one:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        busy.sendall(request("/big"))
        first = busy.recv(1000, socket.MSG_PEEK)
        server.process.send_signal(signal.SIGTERM)
        equal(at_end(idle_one), True)
        answer = receive_answer(busy)
        equal((first[:12], answer.body == BIG, at_end(busy)), (b"HTTP/1.1 200", True, True))
    equal(server.process.wait(TIMEOUT), 0)
    equal("connections, " in server.process.stdout.read(), True)


def put_is_refused_without_a_place_for_it():
    other = Server(upload=False)
    try:
        with other.connect() as connection:
            equal(upload(connection, "x", b"abc"), 403)
        equal(other.stop()[0], 0)
    finally:
        other.end()


idle = server.descriptors()
server.write("big", BIG)
server.write("small", b"small\n")
server.write("empty", b"")
server.write("index.html", b"<p>index")
server.write("sub/index.html", b"<p>sub")
server.write("a b", b"space")
server.write("../secret", b"secret")
os.symlink("../secret", os.path.join(server.root, "out"))
os.symlink("/etc/passwd", os.path.join(server.root, "out-absolute"))
os.symlink("..", os.path.join(server.root, "out-directory"))
os.symlink("sub/../small", os.path.join(server.root, "inside"))
os.mkfifo(os.path.join(server.root, "pipe"))

try:
    STATUS = run([
        files_arrive_whole_at_every_size_around_a_chunk,
        large_file_arrives_whole,
        head_has_the_length_and_no_body,
        directory_is_answered_with_its_index,
        names_are_percent_decoded,
        ranges_give_their_part,
        ranges_outside_of_the_file_are_416,
        ranges_that_make_no_sense_are_ignored,
        paths_cannot_leave_the_root,
        what_is_not_a_file_is_not_served,
        requests_byte_by_byte_are_understood,
        many_requests_at_once_are_answered_in_order,
        header_that_is_too_long_is_431,
        header_that_never_ends_gets_no_answer,
        malformed_requests_are_400,
        other_methods_and_versions_are_refused,
        bodies_that_two_parties_could_read_differently_are_refused,
        old_clients_get_one_answer,
        uploads_arrive_whole,
        uploads_that_wait_are_told_to_continue,
        uploads_elsewhere_are_refused_with_an_answer,
        upload_that_cannot_be_stored_is_answered,
        upload_that_breaks_off_leaves_nothing,
        peers_that_disappear_disturb_nobody,
        slow_peers_hold_up_nobody,
        file_that_shrinks_is_not_passed_off_as_whole,
        more_connections_than_allowed_are_turned_away,
        random_bytes_end_nothing,
        nothing_is_left_of_ended_connections,
        sigterm_lets_an_answer_finish_and_then_ends,
        put_is_refused_without_a_place_for_it,
    ])
finally:
    server.end()
sys.exit(1 if STATUS else 0)
