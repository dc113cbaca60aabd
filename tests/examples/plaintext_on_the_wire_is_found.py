#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/demo-parts/find-plaintext on captures that were written by hand."""

import os
import random
import socket
import struct
import subprocess
import sys
import tempfile

from tap import TIMEOUT, equal, program, run

SYN, RST, FIN = 2, 4, 1
PORT = 8443
RANDOM = random.Random(3)
SECRET = RANDOM.randbytes(5000)

directory = tempfile.TemporaryDirectory(prefix="signet-test-")


def packet(sequence, data=b"", flags=0, to=PORT, v6=False, lost=0, back=False):
    """
    One captured packet, to the server or back; of its data the last bytes can be left out of the
    capture.
    """
    ports = (to, 40000) if back else (40000, to)
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence % 2**32, 0, 8 << 4, flags, 100, 0,
                      0) + bytes(12)
    if v6:
        header = struct.pack("!IHBB", 6 << 28, len(tcp) + len(data), socket.IPPROTO_TCP,
                             64) + bytes(32)
    else:
        header = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(tcp) + len(data), 0, 0, 64,
                             socket.IPPROTO_TCP,
                             0, *((2, 1) if back else (1, 2)))
    whole = bytes(12) + (b"\x86\xdd" if v6 else b"\x08\x00") + header + tcp + data
    kept = whole[:len(whole) - lost]
    return struct.pack("=IIII", 0, 0, len(kept), len(whole)) + kept


def search(packets, files=(SECRET,)):
    """Return: what find-plaintext says, by name."""
    capture = os.path.join(directory.name, "capture")
    with open(capture, "wb") as file:
        file.write(struct.pack("=IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1) + b"".join(packets))
    names = []
    for number, content in enumerate(files):
        names.append(os.path.join(directory.name, str(number)))
        with open(names[-1], "wb") as file:
            file.write(content)
    done = subprocess.run([program("find-plaintext"), capture, str(PORT)], capture_output=True,
                          timeout=TIMEOUT,
                          input="".join(name + "\n" for name in names).encode(), check=True)
    return dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())


def told(result, **wanted):
    names = {name: name.replace("_", "-") for name in wanted}
    equal({name: int(result[names[name]]) for name in wanted}, wanted)


def conversation(text, size=1000, first=1000, **how):
    """A SYN, the text in segments of a size, a FIN, and the acknowledgement of the other's."""
    yield packet(first, flags=SYN, **how)
    for at in range(0, len(text), size):
        yield packet(first + 1 + at, text[at:at + size], **how)
    yield packet(first + 1 + len(text), flags=FIN, **how)
    yield packet(first + 2 + len(text), **how)


def noise(size):
    return RANDOM.randbytes(size)


def nothing_is_found_where_nothing_is():
    told(search(conversation(noise(20000))), streams=1, bytes=20000, bytes_missing=0,
         blocks_found=0,
         files_found=0, words_found=0, streams_without_beginning=0, streams_without_end=0)
    told(search([]), streams=0, bytes=0, files_listed=1, files_searched=1, files_found=0)


def whole_file_is_found_whatever_the_segments():
    for size in (1, 31, 32, 33, 1000, 60000):
        told(search(conversation(noise(777) + SECRET + noise(5), size)), files_found=1,
             files_found_whole=1,
             blocks_found=5000 // 32, bytes_missing=0)
    told(search(conversation(SECRET, v6=True)), files_found_whole=1)


def any_63_bytes_in_a_row_are_found():
    for at in range(0, 200):
        result = search(conversation(noise(100) + SECRET[at:at + 63] + noise(100)))
        equal((at, int(result["blocks-found"]) in (1, 2), int(result["files-found"])),
              (at, True, 1))


def order_and_repetition_do_not_matter():
    packets = list(conversation(noise(100) + SECRET, 70))
    middle = packets[1:-1] * 2
    RANDOM.shuffle(middle)
    told(search([packets[0], *middle, packets[-1]]), files_found_whole=1, bytes=5100,
         bytes_missing=0)


def sequence_numbers_may_wrap():
    told(search(conversation(SECRET, 100, first=2**32 - 2000)), files_found_whole=1,
         bytes_missing=0)


def gaps_are_counted():
    packets = list(conversation(SECRET, 1000))[:-1]
    told(search(packets[:2] + packets[3:]), bytes_missing=1000)
    told(search(packets[:-2] + packets[-1:]), bytes_missing=1000)
    told(search([packet(1000, flags=SYN), packet(1001, SECRET[:900], lost=300),
                 packet(1901, flags=FIN)]),
         bytes_missing=300)
    told(search(packets[1:]), streams_without_beginning=1)
    told(search(packets[:-1]), streams_without_end=1)
    told(search(packets[:-1] + [packet(6001, flags=RST)]), streams_without_end=0)
    told(search(packets[:-1] + [packet(1, flags=RST, back=True)]), streams_without_end=0)


def other_ports_are_not_searched():
    told(search(conversation(SECRET, to=80)), streams=0, files_found=0)


def words_of_http_are_found():
    told(search(conversation(noise(50) + b"GET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK", 7)),
         words_found=2)


def uniform_and_short_files_are_not_searched_for():
    told(search(conversation(bytes(10000)), [bytes(5000), b"", b"short", SECRET]), files_listed=4,
         files_searched=1,
         files_found=0)


def large_files_are_searched_in_strides():
    large = RANDOM.randbytes(20 << 20)
    result = search(conversation(noise(33) + large, 60000), [large])
    told(result, files_found_whole=1, blocks_found=int(result["blocks-searched"]), stride=128)
    stride = int(result["stride"])
    told(search(conversation(noise(33) + large[5:5 + stride + 31]), [large]), files_found=1)


try:
    STATUS = run([
        nothing_is_found_where_nothing_is,
        whole_file_is_found_whatever_the_segments,
        any_63_bytes_in_a_row_are_found,
        order_and_repetition_do_not_matter,
        sequence_numbers_may_wrap,
        gaps_are_counted,
        other_ports_are_not_searched,
        words_of_http_are_found,
        uniform_and_short_files_are_not_searched_for,
        large_files_are_searched_in_strides,
    ])
finally:
    directory.cleanup()
sys.exit(1 if STATUS else 0)
