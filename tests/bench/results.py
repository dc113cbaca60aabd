# SPDX-License-Identifier: GPL-2.0-only
"""The results of a run: lines as the virtual machine prints them, and statistics of the samples."""

import json
import statistics


class Results:
    """Cells by name, and what is known of the machines that measured them.

    headers: by "KERNEL/CLOCK", kernel, compiler, processor, drivers
    cells: by name: messages per operation, bytes per message, samples by transport, refused
    handshakes: what bench_handshakes wrote, or None
    """

    def __init__(self, headers=None, cells=None, handshakes=None, form=""):
        self.headers = headers or {}
        self.cells = cells or {}
        self.handshakes = handshakes
        self.form = form

    def add_line(self, line):
        """Takes one line of output. Return: the cell's name, or None when it was no cell."""
        if not line.startswith("{"):
            return None
        try:
            value = json.loads(line)
        except ValueError:  # the machine was stopped in the middle of it
            return None
        if "header" in value:
            self.headers[value.pop("header")] = value
            return None
        name = value.pop("cell", None)
        if name:
            self.cells[name] = value
        return name

    def samples(self, cell, transport):
        found = self.cells.get(cell, {}).get("samples", {}).get(transport)
        return found or None

    def refusal(self, cell, transport):
        return self.cells.get(cell, {}).get("refused", {}).get(transport)

    def cost(self, cell, transport):
        """Median per message. Return: None when it was not measured."""
        found = self.samples(cell, transport)
        if not found or isinstance(found[0], list):
            return None
        return statistics.median(found) / self.cells[cell].get("messages", 1)

    def quantile(self, cell, transport, index):
        """Median of a latency's quantiles: 0, 1, 2 for p50, p99, p99.9."""
        found = self.samples(cell, transport)
        if not found or not isinstance(found[0], list):
            return None
        return statistics.median(sample[index] for sample in found)

    def noise(self, cell, transport):
        """Half of the middle half of the samples, as a share of the median."""
        found = self.samples(cell, transport)
        if not found or isinstance(found[0], list) or len(found) < 4:
            return 0.0
        low, _, high = statistics.quantiles(found, n=4)
        return (high - low) / 2 / statistics.median(found)

    def layer(self, cell, transport):
        """Record-layer cost: what there is above TCP and the cipher's passes."""
        parts = [self.cost(cell, one) for one in (transport, "TCP", "AEAD")]
        return None if None in parts else parts[0] - parts[1] - parts[2]

    def floor(self, cell):
        parts = [self.cost(cell, one) for one in ("TCP", "AEAD")]
        return None if None in parts else sum(parts)

    def to_json(self):
        return json.dumps({"form": self.form, "headers": self.headers, "cells": self.cells,
                           "handshakes": self.handshakes}, indent=1)


def load_lines(path):
    results = Results()
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                results.add_line(line)
    except FileNotFoundError:
        pass
    return results


def load_json(path):
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    return Results(value["headers"], value["cells"], value.get("handshakes"), value["form"])
