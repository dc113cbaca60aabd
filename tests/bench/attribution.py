# SPDX-License-Identifier: GPL-2.0-only
"""Where instructions go: blocks that the plugin counted, by function and part of the data path."""

import bisect
import os
import re

import cells

CLASSES = ("program", "TCP", "AEAD", "copy", "record layer", "memory", "other")
CASES = tuple((size, slot) for slot, size in zip((1, 9, 17), cells.GATE_SIZES))
USER_END = 1 << 47
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions.txt")


def read_table(path=TABLE):
    """Pairs of pattern and class, in their order."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            name, pattern = re.split(r"\t+", line.strip(), maxsplit=1)
            if name not in CLASSES:
                raise ValueError(f"{path}: unknown class {name}")
            found.append((re.compile(pattern), name))
    return found


class Symbols:
    """The kernel's functions by address, from lines of /proc/kallsyms."""

    def __init__(self, lines):
        found = {}
        for line in lines:
            address, kind, name, *module = line.split()
            if kind in "tTwW":
                found[int(address, 16)] = f"{module[0].strip('[]') if module else ''}:{name}"
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]

    def name(self, address):
        """module:function, or "" when there is none."""
        if address < USER_END:
            return "program"
        at = bisect.bisect_right(self.addresses, address) - 1
        return self.names[at] if at >= 0 else ""


def class_of(name, patterns):
    if name == "program":
        return "program"
    for pattern, found in patterns:
        if pattern.match(name):
            return found
    return "other"


def count(blocks, symbols):
    """Instructions by slot and function; blocks: lines of slot, address, instructions."""
    found = {}
    for line in blocks:
        slot, address, number = line.split()
        functions = found.setdefault(int(slot), {})
        name = symbols.name(int(address, 16))
        functions[name] = functions.get(name, 0) + int(number)
    return found


def attribute(counts, measured, patterns):
    """Instructions per message by class, and by function.

    measured: slot of the first transport, label, and the cell's line of results.
    Return: the two, by "TRANSPORT, LABEL".
    """
    classes, functions = {}, {}
    for first, label, cell in measured:
        for at, (transport, samples) in enumerate(cell["samples"].items()):
            messages = len(samples) * cell["operations"] * cell["messages"]
            found = dict.fromkeys(CLASSES, 0)
            of_function = counts.get(first + at, {})
            for name, number in of_function.items():
                found[class_of(name, patterns)] += number / messages
            biggest = sorted(of_function.items(), key=lambda item: -item[1])[:60]
            name = f"{transport}, {label}"
            classes[name] = {part: round(number) for part, number in found.items()}
            functions[name] = {function: round(number / messages) for function, number in biggest}
    return classes, functions
