# SPDX-License-Identifier: GPL-2.0-only
"""Certificates and data for the tests, made anew in a directory of their own."""

import mmap
import os
import tempfile

import certificates
from certificates import NAME

LARGE = 64 << 20

directory = tempfile.mkdtemp(prefix="interop.")


def path(name):
    return os.path.join(directory, name)


class Data:
    """What one side sends: a file, and the same as memory."""

    def __init__(self, name, content):
        self.file = path(name)
        with open(self.file, "w+b") as file:
            size = sum(file.write(part) for part in content)
            file.flush()
            self.bytes = memoryview(mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ))


def _server(name, key, issuer, *options, **names):
    return certificates.server(directory, name, key, issuer, *options, **names)


ca = certificates.make(directory, "ca", "ec", None)
stranger = certificates.make(directory, "stranger", "ec", None)
ec = _server("ec", "ec", ca)
rsa = _server("rsa", "rsa", ca)
ed25519 = _server("ed25519", "ed25519", ca)
other_name = _server("other_name", "ec", ca, names="DNS:other.test")
expired = _server("expired", "ec", ca, "-not_before", "20200101000000Z",
                  "-not_after", "20210101000000Z")
unknown = _server("unknown", "ec", stranger)
client = certificates.client(directory, "client", "ec", ca)
client_unknown = certificates.client(directory, "client_unknown", "ec", stranger)

from_client = Data("from_client", (os.urandom(1 << 20) for _ in range(LARGE >> 20)))
from_server = Data("from_server", (os.urandom(1 << 20) for _ in range(LARGE >> 20)))
LINE = 60
text = Data("text", (b"%06d is the number of this line, which is as long as all.\n" % number
                     for number in range(20000)))
