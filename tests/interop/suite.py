# SPDX-License-Identifier: GPL-2.0-only
"""The command line of the programs that run the cases."""

import shutil
import sys

import ktap
import material
import processes


def main(text):
    """Runs the cases that are registered by now. Return: the exit status."""
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        print(text.strip())
        return 0 if len(sys.argv) == 2 else 2
    try:
        return 1 if ktap.run("".join(sys.argv[1:]), processes.end_all) else 0
    finally:
        processes.end_all(False)
        shutil.rmtree(material.directory, ignore_errors=True)
