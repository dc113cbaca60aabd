# SPDX-License-Identifier: GPL-2.0-only
"""Data files and scripts for gnuplot."""

import os

import cells
import tables

STYLE = """\
set terminal svg size 900,520 dynamic background "white" font "sans,13"
set output "{name}.svg"
set title "{title}" noenhanced
set style data histogram
set style histogram {histogram}
set style fill solid 0.85 border -1
set boxwidth 0.9
set key outside right noenhanced
set xtics noenhanced
set grid ytics
set yrange [0:*]
set ylabel "{label}" noenhanced
"""


def _write(directory, name, title, label, columns, rows, histogram="clustered gap 1"):
    """One plot: columns are series; rows are pairs of a name and one value per series."""
    measured = [at for at in range(len(columns)) if any(values[at] is not None for _, values in rows)]
    if not measured:
        return
    columns = [columns[at] for at in measured]
    rows = [(row, [values[at] for at in measured]) for row, values in rows]
    with open(os.path.join(directory, f"{name}.dat"), "w", encoding="utf-8") as file:
        for row, values in rows:
            shown = ["?" if value is None else f"{value:.3f}" for value in values]
            file.write(f'"{row}" {" ".join(shown)}\n')
    series = [f'"{name}.dat" using {at}{":xtic(1)" if at == 2 else ""} title "{column}"'
              for at, column in enumerate(columns, 2)]
    with open(os.path.join(directory, f"{name}.gnuplot"), "w", encoding="utf-8") as file:
        file.write(STYLE.format(name=name, title=title, label=label, histogram=histogram))
        file.write('set datafile missing "?"\n')
        file.write("plot " + ", \\\n     ".join(series) + "\n")


def _sizes(results, directory, kernel, mode):
    columns = [one for one in cells.TRANSPORTS if one != "AEAD"]
    rows = []
    for size in cells.SIZES:
        cell = cells.messages(kernel, mode, size)
        floor = results.floor(cell)
        if floor:
            rows.append((tables.size_name(size),
                         [results.cost(cell, one) and results.cost(cell, one) / floor
                          for one in columns]))
    _write(directory, f"{mode}-{kernel}", f"{mode}, AES-128-GCM, kernel {kernel}",
           "instructions per message, over TCP + AEAD", columns, rows)


def _layers(results, directory, kernel):
    columns = ("kTLS", "kTLS NO_PAD", "Signet")
    rows = []
    for size in cells.SIZES:
        cell = cells.messages(kernel, "pingpong", size)
        if results.layer(cell, "Signet") is not None and size <= 16384:
            rows.append((tables.size_name(size), [results.layer(cell, one) for one in columns]))
    _write(directory, f"layer-{kernel}", f"what the record layer adds, kernel {kernel}",
           "instructions per message", columns, rows)


def _profiles(results, directory, kernel):
    """One for each message size: their heights differ too much for one plot."""
    shares = results.cells.get(cells.name(kernel, "counted", "profile"), {}).get("classes", {})
    sizes = {}
    for case, classes in shares.items():
        transport, size = case.split(", ")
        sizes.setdefault(size, []).append((transport, classes))
    for size, found in sizes.items():
        _write(directory, f"profile-{kernel}-{size.replace(' ', '')}",
               f"where instructions go, {size}, kernel {kernel}", "instructions per message",
               list(found[0][1]), [(transport, list(classes.values()))
                                   for transport, classes in found], histogram="rowstacked")


def write(results, directory):
    for name in os.listdir(directory):
        if name.endswith((".gnuplot", ".dat", ".svg")):
            os.remove(os.path.join(directory, name))
    for kernel in dict.fromkeys(name.split("/")[0] for name in results.headers):
        _sizes(results, directory, kernel, "pingpong")
        _sizes(results, directory, kernel, "stream")
        _layers(results, directory, kernel)
        _profiles(results, directory, kernel)
