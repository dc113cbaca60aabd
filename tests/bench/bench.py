#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The part of scripts/bench that knows cells and figures.

    bench.py plan FORM KERNELS LINES DIRECTORY   writes what is still to be measured, one shell
                                                 script per virtual machine; lists them
    bench.py progress NAME                       a filter: stores nothing, tells how far it is
    bench.py profile KERNEL LINES DIRECTORY      what the plugin counted, as a line of results
    bench.py merge FORM LINES HANDSHAKES JSON    all results in one file
    bench.py gates FORM KERNELS JSON             figures with their bounds; status 1: one is missed
    bench.py report JSON DIRECTORY               tables and plots
    bench.py docs JSON FILE...                   puts the tables between the files' markers
    bench.py compare OLD.json NEW.json
"""

import json
import os
import sys
import time

sys.dont_write_bytecode = True

import cells  # noqa: E402
import comparison  # noqa: E402
import gates  # noqa: E402
import results  # noqa: E402
import tables  # noqa: E402


def plan(form, kernels, lines, directory):
    """Prints one line per session: its script, kernel, clock, how many cells."""
    done = results.load_lines(lines).cells
    missing = [cell for cell in cells.of_form(form, kernels.split(",")) if cell not in done]
    for (kernel, clock), wanted in cells.sessions(missing).items():
        path = os.path.join(directory, f"{kernel}-{clock}.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f". {cells.GUEST}\nheader {kernel}/{clock}\n")
            for cell in wanted:
                # One that fails leaves the others to be measured.
                file.write(f"{cells.command(cell, form)} || failed=1\n")
            file.write("remove_veth\nexit ${failed:-0}\n")
        print(path, kernel, clock, len(wanted))


def progress(name, total):
    """Passes lines on, and tells on stderr what came and how long the rest will take."""
    start, count = time.monotonic(), 0
    for line in sys.stdin:
        print(line, end="", flush=True)
        cell = results.Results().add_line(line)
        if not cell:
            continue
        count += 1
        left = (time.monotonic() - start) / count * (int(total) - count)
        print(f"bench: {name}: {count} of {total}, about {left / 60:.0f} min left: "
              f"{cell.split('/', 2)[2]}", file=sys.stderr, flush=True)


def attribute(kernel, lines, directory):
    """Prints the profile's cell; the lines are those of the run under the plugin."""
    import attribution

    found = results.load_lines(lines)
    measured = []
    for size, slot in attribution.CASES:
        cell = found.cells[cells.name(kernel, "counted", "profile-of", size)]
        measured.append((slot, tables.size_name(size), cell))
    with open(os.path.join(directory, f"profile-{kernel}.symbols"), encoding="utf-8") as file:
        symbols = attribution.Symbols(file)
    with open(os.path.join(directory, f"profile-{kernel}.blocks"), encoding="utf-8") as file:
        counts = attribution.count(file, symbols)
    classes, functions = attribution.attribute(counts, measured, attribution.read_table())
    print(json.dumps({"cell": cells.name(kernel, "counted", "profile"), "classes": classes,
                      "functions": functions}))


def merge(form, lines, handshakes, to):
    found = results.load_lines(lines)
    found.form = form
    if os.path.exists(handshakes):
        with open(handshakes, encoding="utf-8") as file:
            found.handshakes = json.load(file)
    with open(to, "w", encoding="utf-8") as file:
        file.write(found.to_json())


def print_gates(form, kernels, path):
    found = results.load_json(path)
    for name, header in found.headers.items():
        print(f"{name}: {header['version']}; {header['drivers']['AES-GCM']}")
    judged = gates.judge(found, form, kernels.split(","))
    print("\n".join([*gates.reported(found, form), gates.text(judged)]))
    return 0 if all(gate.ok for gate in judged) else 1


def report(path, directory):
    import plots

    found = results.load_json(path)
    with open(os.path.join(directory, "report.md"), "w", encoding="utf-8") as file:
        file.write(tables.report(found))
    plots.write(found, directory)


def docs(path, *files):
    found = results.load_json(path)
    for name in files:
        with open(name, encoding="utf-8") as file:
            old = file.read()
        with open(name, "w", encoding="utf-8") as file:
            file.write(tables.fill(old, found))


def compare(old, new):
    print(comparison.text(results.load_json(old), results.load_json(new)))


COMMANDS = {"plan": plan, "progress": progress, "profile": attribute, "merge": merge, "gates": print_gates,
            "report": report, "docs": docs, "compare": compare}


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__.strip())
        return 2
    return COMMANDS[arguments[0]](*arguments[1:]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
