# SPDX-License-Identifier: GPL-2.0-only
"""What changed between two runs, beyond the noise of either."""

from dataclasses import dataclass

# Below this even repeatable counts differ: where pages lie, when ticks fall.
NOISE_MIN = {"counted": 0.005, "wall": 0.05, "native": 0.02, "cycles": 0.02}


@dataclass
class Change:
    """A figure that differs; share: new over old, less one."""

    cell: str
    transport: str
    old: float
    new: float

    @property
    def share(self):
        return self.new / self.old - 1


def threshold(old, new, cell, transport):
    clock = cell.split("/")[1]
    return max(NOISE_MIN.get(clock, 0.05), 2 * old.noise(cell, transport),
               2 * new.noise(cell, transport))


def changes(old, new):
    """Return: what differs in cells that both have, biggest first."""
    found = []
    for cell in new.cells:
        for transport in new.cells[cell].get("samples", {}):
            before, after = old.cost(cell, transport), new.cost(cell, transport)
            if not before or not after:
                continue
            change = Change(cell, transport, before, after)
            if abs(change.share) > threshold(old, new, cell, transport):
                found.append(change)
    return sorted(found, key=lambda change: -abs(change.share))


def text(old, new):
    found = changes(old, new)
    common = sum(cell in old.cells for cell in new.cells)
    lines = [f"{change.share:+7.1%}  {change.transport:<12} {change.cell}: "
             f"{change.old:,.0f} -> {change.new:,.0f}" for change in found]
    lines.append(f"{len(found)} figures changed beyond the noise, in {common} cells of both runs")
    return "\n".join(lines)
