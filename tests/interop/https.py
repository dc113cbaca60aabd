# SPDX-License-Identifier: GPL-2.0-only
"""The examples with programs that know nothing of signet, and with each other."""

import os

import local
import material
from ktap import case, equal, true
from processes import Program, https_server, stop
from transfer import LARGE, SUITES
from wire import server_context

MANY = 40


def curl(port, *options):
    return Program("curl", "--silent", "--show-error", "--fail", "--tlsv1.3",
                   "--cacert", material.ca.chain, "--connect-to", f"::[::1]:{port}", *options)


def url(path):
    return f"https://{material.NAME}/{path}"


def fetch(port, *arguments):
    return Program("fetch", "--ca", material.ca.chain, "--name", material.NAME,
                   f"[::1]:{port}", *arguments)


def served(*options):
    """https-server with the large file in its directory. Return: its port, and the program."""
    server = https_server(*options)
    if not os.path.exists(os.path.join(server.root, "large")):
        os.link(material.from_server.file, os.path.join(server.root, "large"))
    return server


def expect_upload(server, name, content):
    path = os.path.join(server.uploads, name)
    with open(path, "rb") as file:
        equal(os.path.getsize(path), len(content), "size of the upload")
        at = 0
        while part := file.read(1 << 20):
            true(part == content[at:at + len(part)], f"the upload differs after byte {at}")
            at += len(part)
    os.unlink(path)


def expect_success(program, *wanted):
    equal(program.wait(), 0, f"{program.name}'s status, which says '{program.told()}',")
    for text in wanted:
        true(text in program.told(), f"no '{text}' in: {program.told()}")


@case("curl gets 64 MiB from https-server", SUITES[0], LARGE)
@case("curl gets 8 MiB from https-server: " + SUITES[1], SUITES[1], LARGE // 8)
def curl_gets(suite, size):
    server = served()
    client = curl(server.port, "--tls13-ciphers", suite, "--verbose",
                  "--range", f"0-{size - 1}", url("large"))
    client.expect_output(material.from_server.bytes[:size])
    expect_success(client, suite)
    equal(stop(server.program), 0, "https-server's status")


@case("curl puts 64 MiB to https-server")
def curl_puts():
    server = served()
    client = curl(server.port, "--upload-file", material.from_client.file, url("put"))
    expect_success(client)
    expect_upload(server, "put", material.from_client.bytes)


@case("curl gets parts of a file, over IPv4")
def curl_ranges():
    server = served()
    client = curl(server.port, "--connect-to", f"::127.0.0.1:{server.port}",
                  "--range", "16380-16400", url("large"), "--next", "--cacert", material.ca.chain,
                  "--connect-to", f"::127.0.0.1:{server.port}", "--range", "1000000-3000000",
                  url("large"))
    data = material.from_server.bytes
    client.expect_output(bytes(data[16380:16401]) + bytes(data[1000000:3000001]))
    expect_success(client)


@case("curl gets 40 files over 8 connections at once")
def curl_parallel():
    server = served()
    results = material.path("results")
    os.makedirs(results, exist_ok=True)
    for number in range(1, MANY + 1):
        with open(os.path.join(server.root, f"small{number}"), "wb") as file:
            file.write(material.from_server.bytes[number:number * 3001])
    client = curl(server.port, "--parallel", "--parallel-max", "8", "--parallel-immediate",
                  "--output", os.path.join(results, "#1"), url(f"small[1-{MANY}]"))
    expect_success(client)
    for number in range(1, MANY + 1):
        with open(os.path.join(results, str(number)), "rb") as file:
            true(file.read() == material.from_server.bytes[number:number * 3001],
                 f"file {number} differs")


@case("https-server knows curl by its certificate, and refuses it without")
def curl_proves_itself():
    server = served("--client-ca", material.ca.chain)
    client = curl(server.port, "--cert", material.client.chain, "--key", material.client.key,
                  "--range", "0-99", url("large"))
    client.expect_output(material.from_server.bytes[:100])
    expect_success(client)
    client = curl(server.port, "--range", "0-99", url("large"))
    client.expect_output(b"")
    true(client.wait() != 0, "curl was not refused")
    return client.told()


@case("curl refuses https-server's certificate of another name")
def curl_refuses():
    server = https_server(certificate=material.other_name)
    client = curl(server.port, url("large"))
    client.expect_output(b"")
    equal(client.wait(), 60, "curl's status")


@case("fetch gets 64 MiB from https-server")
def fetch_gets():
    server = served()
    client = fetch(server.port, "large")
    client.expect_output(material.from_server.bytes)
    expect_success(client)


@case("fetch puts 64 MiB to https-server")
def fetch_puts():
    server = served()
    client = fetch(server.port, "--put", material.from_client.file, "put")
    expect_success(client)
    expect_upload(server, "put", material.from_client.bytes)


def openssl_http(listener):
    """An HTTPS connection of OpenSSL's, and the header of the request upon it."""
    tls = server_context(tickets=2).wrap_socket(
        local.accept(listener), server_side=True, suppress_ragged_eofs=False)
    request = b""
    while b"\r\n\r\n" not in request:
        request += tls.recv(1)
    return tls, request


@case("fetch gets 64 MiB from a server with OpenSSL")
def fetch_gets_from_openssl():
    with local.listen() as listener:
        client = fetch(listener.getsockname()[1], "large")
        tls, request = openssl_http(listener)
        true(request.startswith(b"GET /large HTTP/1.1\r\n"), f"another request: {request}")

        def answer():
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
            tls.sendall(material.from_server.bytes)
            equal(tls.recv(1), b"", "what fetch says at the end")
            tls.close()

        with local.beside(answer):
            client.expect_output(material.from_server.bytes)
        expect_success(client)


@case("fetch puts 64 MiB to a server with OpenSSL")
def fetch_puts_to_openssl():
    with local.listen() as listener:
        client = fetch(listener.getsockname()[1], "--put", material.from_client.file, "put")
        tls, request = openssl_http(listener)
        true(b"Content-Length: %d\r\n" % LARGE in request, f"another request: {request}")
        at = 0
        while at < LARGE:
            part = tls.recv(1 << 18)
            true(part and part == material.from_client.bytes[at:at + len(part)],
                 f"{len(part)} bytes differ after byte {at}")
            at += len(part)
        tls.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        equal(tls.recv(1), b"", "what fetch says at the end")
        tls.close()
        expect_success(client)


@case("fetch refuses a certificate of another name", material.other_name)
@case("fetch refuses a certificate that has expired", material.expired)
@case("fetch refuses a certificate of an unknown authority", material.unknown)
def fetch_refuses(certificate):
    server = https_server(certificate=certificate)
    client = fetch(server.port, "large")
    client.expect_output(b"")
    equal(client.wait(), 3, "fetch's status")
    return client.told()
