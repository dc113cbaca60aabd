# SPDX-License-Identifier: GPL-2.0-only
"""Certificates and data for the tests, made anew in a directory of their own."""

import mmap
import os
import subprocess
import tempfile

NAME = "server.test"
LARGE = 64 << 20

directory = tempfile.mkdtemp(prefix="interop.")


def path(name):
    return os.path.join(directory, name)


class Certificate:
    def __init__(self, name):
        self.chain = path(name + ".pem")
        self.key = path(name + ".key")


_KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
    "ed25519": ["-newkey", "ed25519"],
}


def _make(name, key, issuer, *options):
    made = Certificate(name)
    command = ["openssl", "req", "-x509", "-noenc", *_KEYS[key], "-keyout", made.key,
               "-out", made.chain, "-subj", f"/CN={name}", *options]
    if issuer:
        command += ["-CA", issuer.chain, "-CAkey", issuer.key,
                    "-addext", "basicConstraints=critical,CA:FALSE",
                    "-addext", "keyUsage=critical,digitalSignature"]
    else:
        command += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return made


def _server(name, key, issuer, *options, names=f"DNS:{NAME},IP:127.0.0.1,IP:::1"):
    return _make(name, key, issuer, "-addext", f"subjectAltName={names}",
                 "-addext", "extendedKeyUsage=serverAuth", *options)


class Data:
    """What one side sends: a file, and the same as memory."""

    def __init__(self, name, content):
        self.file = path(name)
        with open(self.file, "w+b") as file:
            size = sum(file.write(part) for part in content)
            file.flush()
            self.bytes = memoryview(mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ))


ca = _make("ca", "ec", None)
stranger = _make("stranger", "ec", None)
ec = _server("ec", "ec", ca)
rsa = _server("rsa", "rsa", ca)
ed25519 = _server("ed25519", "ed25519", ca)
other_name = _server("other_name", "ec", ca, names="DNS:other.test")
expired = _server("expired", "ec", ca, "-not_before", "20200101000000Z",
                  "-not_after", "20210101000000Z")
unknown = _server("unknown", "ec", stranger)
client = _make("client", "ec", ca, "-addext", "extendedKeyUsage=clientAuth")
client_unknown = _make("client_unknown", "ec", stranger, "-addext", "extendedKeyUsage=clientAuth")

from_client = Data("from_client", (os.urandom(1 << 20) for _ in range(LARGE >> 20)))
from_server = Data("from_server", (os.urandom(1 << 20) for _ in range(LARGE >> 20)))
LINE = 60
text = Data("text", (b"%06d is the number of this line, which is as long as all.\n" % number
                     for number in range(20000)))
