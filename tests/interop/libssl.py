# SPDX-License-Identifier: GPL-2.0-only
"""OpenSSL's library itself, for a server that does what Python's module has no word for."""

import ctypes

import material
from ktap import true

_FILETYPE_PEM = 1
_EARLY_DATA_FINISH = 2


def _library():
    library = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_server_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


_ssl = _library()
_pointer = ctypes.c_void_p


class Server:
    """A connection whose handshake is not yet done."""

    def __init__(self, connection, tickets=0):
        connection.setblocking(True)  # time limits are the case's own
        self.socket = connection
        context = _pointer(_ssl.SSL_CTX_new(_pointer(_ssl.TLS_server_method())))
        chain = material.ec.chain.encode()
        key = material.ec.key.encode()
        true(_ssl.SSL_CTX_use_certificate_chain_file(context, chain) == 1 and
             _ssl.SSL_CTX_use_PrivateKey_file(context, key, _FILETYPE_PEM) == 1,
             "OpenSSL does not take the certificate")
        _ssl.SSL_CTX_set_num_tickets(context, ctypes.c_size_t(tickets))
        self.tls = _pointer(_ssl.SSL_new(context))
        _ssl.SSL_CTX_free(context)
        _ssl.SSL_set_fd(self.tls, connection.fileno())
        _ssl.SSL_set_accept_state(self.tls)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _ssl.SSL_free(self.tls)

    def _must(self, result, what):
        if result <= 0:
            raise AssertionError(f"{what}: error {_ssl.SSL_get_error(self.tls, result)}")
        return result

    def handshake(self):
        self._must(_ssl.SSL_do_handshake(self.tls), "handshake")

    def write_before_finished(self, pieces):
        """Sends data behind this server's Finished, before it knows who is there (RFC 8446 2)."""
        count = ctypes.c_size_t()
        status = _ssl.SSL_read_early_data(self.tls, None, ctypes.c_size_t(0), ctypes.byref(count))
        true(status == _EARLY_DATA_FINISH, f"early data: status {status}")
        for data in pieces:
            self._must(_ssl.SSL_write_early_data(self.tls, data, ctypes.c_size_t(len(data)),
                                                 ctypes.byref(count)), "early write")

    def write(self, data):
        self._must(_ssl.SSL_write(self.tls, data, len(data)), "write")

    def read(self, count):
        buffer = ctypes.create_string_buffer(count)
        data = b""
        while len(data) < count:
            got = self._must(_ssl.SSL_read(self.tls, buffer, count - len(data)), "read")
            data += buffer.raw[:got]
        return data

    def send_ticket(self):
        self._must(_ssl.SSL_new_session_ticket(self.tls), "ticket")
        self.handshake()

    def send_key_update(self, request=False):
        self._must(_ssl.SSL_key_update(self.tls, int(request)), "key update")
        self.handshake()

    def close(self):
        """close_notify."""
        _ssl.SSL_shutdown(self.tls)
