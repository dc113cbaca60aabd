# SPDX-License-Identifier: GPL-2.0-only
"""The report's tables, in Markdown."""

import re

import cells
import gates

METHOD = """\
Counted: guest instructions in a virtual machine whose clock advances by one nanosecond per
instruction, one processor, idle time taken off, the median of interleaved repeats. Every
instruction weighs the same: cache misses, locks and atomic operations cost nothing extra. Wall:
time in an emulated machine with two processors, so that only ratios mean something."""

FLOOR = "floor: TCP + AEAD"


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|--" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def count(value):
    return "–" if value is None else f"{value:,.0f}"


def ratio(value):
    return "–" if value is None else f"{value:.2f}"


def size_name(size):
    if size >= 1 << 20:
        return f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1024 else f"{size} B"


def _cost_row(results, cell, label, transports):
    values = []
    for transport in transports:
        if transport == FLOOR:
            values.append(count(results.floor(cell)))
        elif results.refusal(cell, transport):
            values.append("refused")
        else:
            values.append(count(results.cost(cell, transport)))
    return [label] + values


def costs(results, wanted, transports):
    """Rows of the cells that were measured; wanted: pairs of label and cell."""
    shown = [one for one in transports if one == FLOOR or any(
        results.samples(cell, one) or results.refusal(cell, one) for _, cell in wanted)]
    if not any(results.floor(cell) for _, cell in wanted):
        shown = [one for one in shown if one != FLOOR]
    rows = [_cost_row(results, cell, label, shown) for label, cell in wanted
            if cell in results.cells]
    return table([""] + shown, rows) if rows else None


COLUMNS = ("TCP", FLOOR, "kTLS", "kTLS NO_PAD", "Signet", "OpenSSL", "wolfSSL")


def sizes(results, kernel, mode="pingpong", columns=COLUMNS, **cell):
    return costs(results, [(size_name(size), cells.messages(kernel, mode, size, **cell))
                           for size in cells.SIZES], columns)


def layers(results, kernel):
    """What the record layer alone costs, by size."""
    rows = []
    for size in cells.GATE_SIZES:
        cell = cells.messages(kernel, "pingpong", size)
        found = [results.layer(cell, one) for one in ("kTLS", "kTLS NO_PAD", "Signet")]
        if found[2] is None:
            continue
        rows.append([size_name(size)] + [count(value) for value in found] + [
            ratio(found[2] / found[0]), ratio(found[2] / found[1])])
    head = ["", "kTLS", "kTLS NO_PAD", "Signet", "of kTLS", "of NO_PAD"]
    return table(head, rows) if rows else None


def connections(results, kernel):
    wanted = [(f"{number:,}", cells.connections(kernel, number))
              for number in (1, 100, 1000, 10000)]
    return costs(results, wanted, ("TCP", "kTLS", "Signet"))


def memory(results, kernel):
    """Bytes per idle connection."""
    rows = []
    for number in (10000, 1000):
        found = results.cells.get(cells.memory(kernel, number))
        if not found or rows:
            continue
        for transport, value in found["memory"].items():
            caches = [f"{name} × {number:g}" for name, number in value["caches"].items()]
            rows.append([transport, *(count(value.get(kind)) for kind in ("slab", "free", "heap")),
                         ", ".join(caches)])
    head = ["", "slab objects", "free memory less", "malloc", "of what"]
    return table(head, rows) if rows else None


def latency(results, kernel, clock="wall"):
    """Quantiles of request and response as multiples of TCP's."""
    rows = []
    for size in cells.SIZES:
        cell = cells.messages(kernel, "latency", size, clock=clock)
        for index, quantile in enumerate(("p50", "p99", "p99.9")):
            base = results.quantile(cell, "TCP", index)
            if not base:
                continue
            values = [results.quantile(cell, one, index) for one in cells.TRANSPORTS[1:]
                      if one != "AEAD"]
            rows.append([f"{size_name(size)}, {quantile}"] + [
                ratio(value / base if value else None) for value in values])
    head = [""] + [one for one in cells.TRANSPORTS[1:] if one != "AEAD"]
    return table(head, rows) if rows else None


def throughput(results, kernel, clock="wall"):
    """Of TCP's."""
    rows = []
    for size in cells.SIZES:
        cell = cells.messages(kernel, "stream", size, clock=clock)
        base = results.cost(cell, "TCP")
        if not base:
            continue
        values = [results.cost(cell, one) for one in cells.TRANSPORTS[1:] if one != "AEAD"]
        rows.append([size_name(size)] + [ratio(base / value if value else None)
                                         for value in values])
    head = [""] + [one for one in cells.TRANSPORTS[1:] if one != "AEAD"]
    return table(head, rows) if rows else None


def handshakes(results):
    """Handshakes per second of one core, from bench_handshakes."""
    speed = (results.handshakes or {}).get("speed", [])
    servers = list(dict.fromkeys(entry["server"] for entry in speed))
    rows = {}
    for entry in speed:
        rows.setdefault((entry["trial"], entry["wire"]), {})[entry["server"]] = entry
    lines = [[f"{trial}, {wire}"] + [count(row[server]["per_second"]) for server in servers] + [
        ratio(row[server]["over_openssl"]) for server in servers if server != "openssl"]
             for (trial, wire), row in rows.items()]
    head = [""] + servers + [f"{server} of openssl" for server in servers if server != "openssl"]
    return table(head, lines) if lines else None


def half_open(results):
    """Memory of handshakes in progress, from bench_handshakes."""
    found = (results.handshakes or {}).get("memory", [])
    servers = list(dict.fromkeys(entry["server"] for entry in found))
    rows = {}
    for entry in found:
        rows.setdefault(entry["group"], {})[entry["server"]] = count(entry["resident"])
    lines = [[group] + [row.get(server, "–") for server in servers] for group, row in rows.items()]
    return table([""] + servers, lines) if lines else None


def profile(results, kernel):
    """Instructions per message by part of the data path."""
    found = results.cells.get(cells.name(kernel, "counted", "profile"))
    if not found:
        return None
    rows = [[case] + [count(value) for value in classes.values()] + [count(sum(classes.values()))]
            for case, classes in found["classes"].items()]
    columns = list(next(iter(found["classes"].values())))
    return table([""] + columns + ["all"], rows)


def upcall(results, kernel):
    """Server handshakes through signetd beside those in the process itself."""
    rows = []
    for kind in ("full", "resumed"):
        found = results.cells.get(cells.name(kernel, "counted", "upcall", kind))
        if not found:
            continue
        for way, calls in found["details"].items():
            cost = results.cost(cells.name(kernel, "counted", "upcall", kind), way)
            rows.append([f"{kind}, {way}", count(cost), count(calls["syscalls"]),
                         count(calls["switches"])])
    return table(["", "instructions", "system calls", "context switches"], rows) if rows else None


def helper(results, kernel):
    """Bytes of signetd's processes per handshake that waits for its client."""
    found = results.cells.get(cells.name(kernel, "wall", "helper", 500))
    if not found:
        return None
    rows = [[state] + [count(value) for value in processes.values()]
            for state, processes in found["helper"].items()]
    return table(["", "worker", "signer"], rows)


# --- documents ---


def _sections(results, kernel):
    """Pairs of title and table of one kernel."""
    yield "One thread sends, then receives: instructions per message", sizes(results, kernel)
    yield "What the record layer adds to TCP and the cipher", layers(results, kernel)
    yield "Where the instructions go", profile(results, kernel)
    for suite in cells.SUITES[1:]:
        yield f"The same with {suite}", sizes(results, kernel, suite=suite)
    for call in cells.CALLS[1:]:
        yield f"By {call}: instructions per message", sizes(results, kernel, call=call,
                                                             columns=COLUMNS[:5])
    yield "Two threads, streaming: instructions per message", sizes(results, kernel, mode="stream")
    wanted = [(f"GRO {'on' if path == 'gro' else 'off'}",
               cells.messages(kernel, "pingpong", 16384, path=path)) for path in cells.PATHS]
    yield ("16 KiB over a pair of veth devices, MTU 1500: instructions per message",
           costs(results, wanted, COLUMNS[:5]))
    yield ("Request and response of 64 bytes, by connections in one ring: instructions",
           connections(results, kernel))
    yield "Throughput, two threads, as a share of TCP's (time)", throughput(results, kernel)
    yield "Latency of request and response, in multiples of TCP's (time)", latency(results, kernel)
    yield "Memory of an idle connection beyond TCP's, in bytes: one end", memory(results, kernel)
    yield "A server's handshake, ECDSA P-256 and X25519", upcall(results, kernel)
    yield "signetd's memory for a handshake, in bytes", helper(results, kernel)


def native(results):
    yield "One thread, cycles per message", sizes(results, "native", clock="cycles")
    yield "One thread, nanoseconds per message", sizes(results, "native", clock="native")
    yield "Two threads, nanoseconds per message", sizes(results, "native", mode="stream",
                                                        clock="native")
    yield "Throughput as a share of TCP's", throughput(results, "native", "native")
    yield "Latency in multiples of TCP's", latency(results, "native", "native")


def _header(results):
    lines = [METHOD, ""]
    for name, header in results.headers.items():
        drivers = ", ".join(driver for driver in header["drivers"].values() if driver)
        lines.append(f"- {name}: {header['version']}; {header['cpu']}, {header['cpus']} "
                     f"processor(s); {drivers}; OpenSSL {header['openssl']}")
    return "\n".join(lines)


def body(results):
    parts = [_header(results)]
    kernels = dict.fromkeys(name.split("/")[0] for name in results.headers)
    for kernel in kernels:
        found = native(results) if kernel == "native" else _sections(results, kernel)
        shown = [(title, text) for title, text in found if text]
        title = "This machine" if kernel == "native" else f"Kernel {kernel}"
        parts.append(f"## {title}")
        parts += [f"### {title}\n\n{text}" for title, text in shown]
    for title, text in (("Handshakes per second of one core", handshakes(results)),
                        ("Memory of a half-open handshake, in bytes", half_open(results))):
        if text:
            parts.append(f"## {title}\n\n{text}")
    judged = [gate for gate in gates.judge(results, results.form, list(kernels))
              if gate.value is not None]
    if judged:
        parts.append("## Bounds\n\n```\n" + gates.text(judged) + "\n```")
    return "\n\n".join(parts)


def report(results):
    return f"# Benchmark, {results.form}\n\n{body(results)}\n"


def short(results):
    """README's table."""
    return sizes(results, "6.12")


TABLES = {"short": short, "all": body}


def fill(text, results):
    """Puts tables between <!-- bench: NAME --> and <!-- bench end -->."""

    def put(match):
        made = TABLES[match[1]](results)
        return f"<!-- bench: {match[1]} -->\n{made}\n<!-- bench end -->" if made else match[0]

    return re.sub(r"<!-- bench: (\w+) -->\n.*?<!-- bench end -->", put, text, flags=re.DOTALL)
