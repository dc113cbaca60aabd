# SPDX-License-Identifier: GPL-2.0-only
"""Nothing of what the cases before this one have sent can be read on the wire."""

import socket
import threading

import wiretap
from ends import receive
from ktap import case, equal, true
from wiretap import DATA, LINES, PLAIN, REVERSED, TLS


def send_in_the_clear():
    """What proves that the search finds what is there."""
    with socket.create_server(("::1", PLAIN), family=socket.AF_INET6) as listener:
        sender = socket.create_connection(("::1", PLAIN))
        with listener.accept()[0] as receiver, sender:
            content = LINES + REVERSED + DATA
            thread = threading.Thread(target=sender.sendall, args=[content])
            thread.start()
            true(receive(receiver, len(content)) == content, "other data")
            thread.join()


@case("no cleartext in the capture of all cases")
def nothing_can_be_read():
    send_in_the_clear()
    equal(wiretap.stop(), "0", "the number of packets that the capture lost")
    control = wiretap.search(PLAIN)
    equal(control["files-found-whole"], len(wiretap.SECRETS), "files found in the control")
    found = wiretap.search(TLS)
    equal(found["blocks-found"], 0, "blocks of data found")
    equal(found["words-found"], 0, "words of HTTP found")
    return f"{found['bytes']} bytes of {found['streams']} streams"
