# SPDX-License-Identifier: GPL-2.0-only
"""Runtimes that wait for their sockets themselves, as signet.7 tells them to."""

import asyncio
import select
import socket

import sockets
from ends import connection, free_port, helper, receive, server
from ktap import case, equal, true
from processes import PATIENCE, Program
from sockets import SOL_SIGNET
from wiretap import DATA, TLS

SIZE = 1 << 16
BEGIN_CLIENT = b"\1server.test"


async def talk():
    one = socket.socket(socket.AF_INET6)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("::1", TLS))
    one.setsockopt(socket.IPPROTO_TCP, 31, b"signet")
    try:
        one.setsockopt(21319, 3, BEGIN_CLIENT)
    except BlockingIOError:
        pass
    reader, writer = await asyncio.open_connection(sock=one)
    writer.write(DATA[:SIZE])
    got = await asyncio.wait_for(reader.readexactly(SIZE), PATIENCE)
    true(got == DATA[:SIZE], "other data")
    writer.write_eof()
    equal(await asyncio.wait_for(reader.read(), PATIENCE), b"", "what comes at the end")
    writer.close()


@case("asyncio: begin, then write")
def asyncio_writes():
    with helper():
        serving = server("echo-uring", str(TLS), "web")
        asyncio.run(talk())
        equal(serving.told(), "", "what the server complains of")


@case("edge-triggered epoll reports the end of a handshake", "server.test", 0)
@case("edge-triggered epoll reports its failure", "wrong.test", 1)
def edges(name, failed):
    """As Go does it: the descriptor is registered from its connect() on."""
    with helper():
        server("echo-uring", str(TLS), "web")
        epoll = select.epoll()
        with socket.socket(socket.AF_INET6) as one:
            one.setblocking(False)
            epoll.register(one, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            one.connect_ex(("::1", TLS))
            while not is_writable(one):
                true(epoll.poll(PATIENCE), "no edge comes for connect()")
            sockets.begin(one, sockets.CLIENT, name)
            while not is_writable(one):
                true(epoll.poll(PATIENCE), "no edge comes for the handshake")
            error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            equal(bool(error), bool(failed), "whether it failed")
            if failed:
                true(name in sockets.text_of(one), f"the text is {sockets.text_of(one)}")
                return
            one.send(b"after the edge")
            one.settimeout(PATIENCE)
            equal(receive(one, 14), b"after the edge", "what comes back")


def is_writable(one):
    return select.select([], [one], [], 0)[1]


ECHO = """import socket, sys
listener = socket.socket(fileno=0)
while True:
    with listener.accept()[0] as one:
        while data := one.recv(16384):
            one.sendall(data)
"""


@case("a program that inherits a listener speaks TLS, and knows nothing of it")
def inherited():
    free_port()
    with helper(), socket.create_server(("::", TLS), family=socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, 31, b"signet")
        listener.setsockopt(SOL_SIGNET, 2, b"web")
        serving = Program("python3", "-c", ECHO, stdin=listener)
        listener.close()
        with connection() as one:
            sockets.finish(one)
            one.sendall(DATA[:SIZE])
            true(receive(one, SIZE) == DATA[:SIZE], "other data")
        equal(serving.told(), "", "what it complains of")
