# SPDX-License-Identifier: GPL-2.0-only
"""Certificates, made with the openssl command."""

import os
import subprocess

NAME = "server.test"
NAMES = f"DNS:{NAME},IP:127.0.0.1,IP:::1"

_KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
    "ed25519": ["-newkey", "ed25519"],
}


_END_ENTITY = ["-addext", "basicConstraints=critical,CA:FALSE",
               "-addext", "keyUsage=critical,digitalSignature"]


class Certificate:
    def __init__(self, directory, name):
        self.chain = os.path.join(directory, name + ".pem")
        self.key = os.path.join(directory, name + ".key")


def make(directory, name, key, issuer, *options):
    """An authority's, when there is no issuer."""
    made = Certificate(directory, name)
    command = ["openssl", "req", "-x509", "-noenc", *_KEYS[key], "-keyout", made.key,
               "-out", made.chain, "-subj", f"/CN={name}", *options]
    if issuer:
        command += ["-CA", issuer.chain, "-CAkey", issuer.key, *_END_ENTITY]
    else:
        command += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return made


def self_signed(directory, name, *options):
    """No authority's, and issued by none."""
    made = Certificate(directory, name)
    subprocess.run(["openssl", "req", "-x509", "-noenc", *_KEYS["ec"], "-keyout", made.key,
                    "-out", made.chain, "-subj", f"/CN={name}", *_END_ENTITY, *options],
                   check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return made


def server(directory, name, key, issuer, *options, names=NAMES):
    return make(directory, name, key, issuer, "-addext", f"subjectAltName={names}",
                "-addext", "extendedKeyUsage=serverAuth", *options)


def client(directory, name, key, issuer, *options):
    return make(directory, name, key, issuer, "-addext", "extendedKeyUsage=clientAuth", *options)
