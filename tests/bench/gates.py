# SPDX-License-Identifier: GPL-2.0-only
"""Bounds on ratios of instruction counts. Time is reported, never judged."""

from dataclasses import dataclass

import cells

# Of upstream's own record-layer cost, and of its total.
LAYER_OF_KTLS = {64: 0.125, 1024: 0.15, 16384: 0.11}
LAYER_OF_NO_PAD = {64: 0.16, 1024: 0.20, 16384: 0.18}
TOTAL_OF_KTLS = {64: 0.68, 1024: 0.73, 16384: 0.83}
BATCH_OF_KTLS = 0.75
ZERO_COPY_OF_SEND = {16384: 1.02, 65536: 1.0, 262144: 1.0, 1048576: 1.0}
RECEIVE_OF_KTLS = 0.85
LAYER_OF_OLDER_KERNEL = 1.15
LAYER_OF_ONE_CONNECTION = 1.05
UPCALL_OF_PROCESS = 1.15


@dataclass
class Gate:
    """A figure with its bound; value is None when it was not measured."""

    name: str
    value: float
    bound: float
    detail: str = ""
    strict: bool = False

    @property
    def ok(self):
        if self.value is None:
            return False
        return self.value < self.bound if self.strict else self.value <= self.bound


def _number(value):
    return "?" if value is None else f"{value:,.0f}"


def _ratio(name, above, below, bound, strict=False):
    value = above / below if above is not None and below and below > 0 else None
    return Gate(name, value, bound, f"{_number(above)} / {_number(below)}", strict)


def record_layer(results, kernel="6.12"):
    found = []
    for size, bound in LAYER_OF_KTLS.items():
        cell = cells.messages(kernel, "pingpong", size)
        layer = results.layer(cell, "Signet")
        found.append(_ratio(f"record layer, {size} B, of kTLS's", layer,
                            results.layer(cell, "kTLS"), bound))
        found.append(_ratio(f"record layer, {size} B, of NO_PAD's", layer,
                            results.layer(cell, "kTLS NO_PAD"), LAYER_OF_NO_PAD[size]))
        found.append(_ratio(f"total, {size} B, of kTLS", results.cost(cell, "Signet"),
                            results.cost(cell, "kTLS"), TOTAL_OF_KTLS[size]))
    return found


def batches(results, kernel="6.12"):
    cell = cells.messages(kernel, "pingpong", 64, call=cells.BATCH_MORE)
    return [_ratio("batch of 32 x 64 B with MSG_MORE, of kTLS", results.cost(cell, "Signet"),
                   results.cost(cell, "kTLS"), BATCH_OF_KTLS)]


def zero_copy(results, sizes, kernel="6.12"):
    found = []
    for size in sizes:
        copied = cells.messages(kernel, "pingpong", size, call="io_uring SEND")
        fixed = cells.messages(kernel, "pingpong", size, call="io_uring SEND_ZC")
        found.append(_ratio(f"SEND_ZC, registered buffers, {size // 1024} KiB, of SEND",
                            results.cost(fixed, "Signet"), results.cost(copied, "Signet"),
                            ZERO_COPY_OF_SEND[size], strict=ZERO_COPY_OF_SEND[size] == 1.0))
    return found


def receive(results, kernel="6.12"):
    found = []
    for path in cells.PATHS:
        cell = cells.messages(kernel, "pingpong", 16384, path=path)
        found.append(_ratio(f"16 KiB over MTU 1500, {path.replace('-', ' ')}, of kTLS",
                            results.cost(cell, "Signet"), results.cost(cell, "kTLS"),
                            RECEIVE_OF_KTLS))
    return found


def many_connections(results, count, kernel="6.12"):
    more = []
    for connections in (count, 1):
        cell = cells.connections(kernel, connections)
        parts = [results.cost(cell, one) for one in ("Signet", "TCP")]
        more.append(None if None in parts else parts[0] - parts[1])
    return [_ratio(f"more than TCP at {count} connections, of that at 1", *more,
                   LAYER_OF_ONE_CONNECTION)]


def newer_kernel(results):
    found = []
    for size in cells.GATE_SIZES:
        layers = [results.layer(cells.messages(kernel, "pingpong", size), "Signet")
                  for kernel in ("7", "6.12")]
        found.append(_ratio(f"record layer on 7, {size} B, of 6.12's", *layers,
                            LAYER_OF_OLDER_KERNEL))
    return found


def upcall(results, kernel="6.12"):
    found = []
    for kind in ("full", "resumed"):
        cell = cells.name(kernel, "counted", "upcall", kind)
        found.append(_ratio(f"handshake through signetd, {kind}, of in-process",
                            results.cost(cell, "signetd"), results.cost(cell, "in-process"),
                            UPCALL_OF_PROCESS))
    return found


STREAM_SIZES = (16384, 65536, 1048576)
STREAM_AIM = 1.06


def reported(results, form, kernel="6.12"):
    """Lines on figures that have an aim, and no bound: two threads depend on who wakes whom."""
    lines = []
    for size in () if form.endswith("quick") else STREAM_SIZES:
        cell = cells.messages(kernel, "stream", size)
        floor, cost = results.floor(cell), results.cost(cell, "Signet")
        if floor and cost:
            lines.append(f"told    two threads, {size // 1024} KiB, of the floor"
                         f"{cost / floor:>32.3f}  aim {STREAM_AIM}  "
                         f"({_number(cost)} / {_number(floor)})")
    return lines


def judge(results, form, kernels):
    """Return: all gates that this form and these kernels have figures for."""
    quick = form.endswith("quick")
    found = []
    if "6.12" in kernels:
        found += record_layer(results) + batches(results)
        found += zero_copy(results, cells.ZERO_COPY_SIZES[:2] if quick else cells.ZERO_COPY_SIZES)
        found += receive(results) + many_connections(results, 1000 if quick else 10000)
    if "6.12" in kernels and form == "full":
        found += upcall(results)
    if set(kernels) >= {"6.12", "7"}:
        found += newer_kernel(results)
    return found


def text(gates):
    """One line per gate, and the totals."""
    lines = []
    for gate in gates:
        value = "not measured" if gate.value is None else f"{gate.value:.3f}"
        relation = "under" if gate.strict else "at most"
        lines.append(f"{'ok    ' if gate.ok else 'MISSED'}  {gate.name:<52} {value:>7}  "
                     f"{relation} {gate.bound:<5g}  ({gate.detail})")
    missed = sum(not gate.ok for gate in gates)
    lines.append(f"{len(gates) - missed} of {len(gates)} gates kept")
    return "\n".join(lines)
