# SPDX-License-Identifier: GPL-2.0-only
"""What is measured: cells, by name, and the commands that measure them in the virtual machine.

A cell's name says all that is needed to measure it again:

    KERNEL/CLOCK/messages/MODE/CALL/SUITE/BYTES/PATH
    KERNEL/CLOCK/connections/COUNT
    KERNEL/CLOCK/memory/COUNT
    KERNEL/CLOCK/upcall/KIND
    KERNEL/CLOCK/helper/COUNT

CLOCK is "counted" (instructions, scripts/vm --icount), "wall" (time, in the virtual machine),
"native" or "cycles" (time, and the processor's cycles, on this machine). PATH is "loopback", or "gro" or "no-gro" for a pair of veth
devices between two network namespaces with an MTU of 1500.
"""

import shlex

KERNELS = ("6.12", "7")
SIZES = (64, 256, 1024, 4096, 16384, 65536, 1048576)
SUITES = ("AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305")
BATCH = "io_uring SEND x32"
BATCH_MORE = "io_uring SEND x32 MSG_MORE"
CALLS = ("send", "writev", "sendfile", "io_uring SEND", "io_uring SEND_ZC",
         "io_uring RECV multishot", BATCH, BATCH_MORE)
GATE_SIZES = (64, 1024, 16384)
ZERO_COPY_SIZES = (16384, 65536, 262144, 1048576)
PATHS = ("gro", "no-gro")

KTLS = ("TCP", "kTLS", "kTLS NO_PAD", "Signet")
KERNEL_TRANSPORTS = KTLS + ("AEAD",)
TRANSPORTS = KERNEL_TRANSPORTS + ("OpenSSL", "wolfSSL")

GUEST = "tests/bench/guest.sh"


def name(kernel, clock, *parts):
    return "/".join([kernel, clock, *map(str, parts)])


def messages(kernel, mode, size, call="send", suite="AES-128-GCM", path="loopback",
             clock="counted"):
    return name(kernel, clock, "messages", mode, call, suite, size, path)


def connections(kernel, count, clock="counted"):
    return name(kernel, clock, "connections", count)


def memory(kernel, count, clock="wall"):
    return name(kernel, clock, "memory", count)


def gate_cells(kernels, quick):
    """The cells that the gates need; all of them on 6.12, on 7 the record layer's cost alone."""
    found = []
    for kernel in kernels:
        found += [messages(kernel, "pingpong", size) for size in GATE_SIZES]
        if quick and kernel != "6.12":
            continue
        found.append(messages(kernel, "pingpong", 64, call=BATCH_MORE))
        for size in ZERO_COPY_SIZES[:2] if quick else ZERO_COPY_SIZES:
            found.append(messages(kernel, "pingpong", size, call="io_uring SEND"))
            found.append(messages(kernel, "pingpong", size, call="io_uring SEND_ZC"))
        found += [messages(kernel, "pingpong", 16384, path=path) for path in PATHS]
        found += [connections(kernel, 1), connections(kernel, 1000 if quick else 10000)]
        if not quick:
            found += [messages(kernel, "stream", size) for size in (16384, 65536, 1048576)]
    return found


def full_cells(kernels, quick):
    """What the whole report needs."""
    sizes = (64, 1024, 16384) if quick else SIZES
    suites = SUITES[:1] if quick else SUITES
    found = [] if quick else gate_cells(kernels, False)
    for kernel in kernels:
        for suite in suites:
            found += [messages(kernel, "pingpong", size, suite=suite) for size in sizes]
        for call in CALLS[1:]:
            of_call = [size for size in sizes if size <= 4096] if "x32" in call else sizes
            found += [messages(kernel, "pingpong", size, call=call) for size in of_call]
        streamed = sizes[-1:] if quick else sizes[3:]
        found += [messages(kernel, "stream", size) for size in streamed]
        counts = (1, 1000) if quick else (1, 100, 1000, 10000)
        found += [connections(kernel, count) for count in counts]
        found.append(memory(kernel, 1000 if quick else 10000))
        for size in sizes if not quick else sizes[-1:]:
            found.append(messages(kernel, "stream", size, clock="wall"))
        for size in (64, 1024, 16384) if not quick else (64,):
            found.append(messages(kernel, "latency", size, clock="wall"))
        for kind in () if quick else ("full", "resumed"):
            found.append(name(kernel, "counted", "upcall", kind))
        if not quick:
            found.append(name(kernel, "wall", "helper", 500))
    return list(dict.fromkeys(found))


def native_cells():
    """What is measured with the module of the machine itself."""
    found = []
    for size in SIZES:
        found.append(messages("native", "pingpong", size, clock="cycles"))
        found.append(messages("native", "pingpong", size, clock="native"))
        found.append(messages("native", "stream", size, clock="native"))
    found += [messages("native", "latency", size, clock="native") for size in (64, 1024, 16384)]
    return found


def of_form(form, kernels):
    quick = form.endswith("quick")
    if form.startswith("gates"):
        return gate_cells(kernels, quick)
    if form == "native":
        return native_cells()
    return full_cells(kernels, quick)


def _transports(parts, form):
    mode, call, _, _, path = parts
    if mode == "latency":
        return tuple(one for one in TRANSPORTS if one != "AEAD")
    if call == "io_uring SEND_ZC" and form == "gates-quick":
        return ("TCP", "Signet")
    if call != "send" or path != "loopback" or form == "gates-quick":
        return KERNEL_TRANSPORTS
    return TRANSPORTS


def command(cell, form):
    """The guest's command line for a cell, for a shell that has read guest.sh."""
    quick = form.endswith("quick")
    clock, kind, *parts = cell.split("/")[1:]
    counted = {"counted": ["--counted"], "cycles": ["--cycles"]}.get(clock, [])
    if kind == "messages":
        mode, call, suite, size, path = parts
        words = ["messages", path, "--cell", cell, "--repeats", "5" if quick else "9", *counted,
                 mode, call, suite, size, *_transports(parts, form)]
    elif kind == "connections":
        transports = ("TCP", "Signet") if quick else ("TCP", "kTLS", "Signet")
        words = ["connections", "--cell", cell, *counted, parts[0], *transports]
    elif kind == "memory":
        words = ["memory", "--cell", cell, parts[0]]
    elif kind in ("upcall", "helper"):
        words = [kind, cell, parts[0]]
    else:
        raise ValueError(f"unknown kind of cell: {cell}")
    return shlex.join(words)


def sessions(missing):
    """Cells that go into one virtual machine each: by kernel and clock, in their order."""
    found = {}
    for cell in missing:
        kernel, clock = cell.split("/")[:2]
        found.setdefault((kernel, clock), []).append(cell)
    return found
