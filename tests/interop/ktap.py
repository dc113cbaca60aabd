# SPDX-License-Identifier: GPL-2.0-only
"""Cases and their results, in the format of the kernel's tests (KTAP)."""

import re
import signal
import sys
import time
import traceback

DEADLINE = 60


class Skip(Exception):
    """The case cannot be tried here; the text says why."""


class TooLate(Exception):
    """The case did not come to its end."""


_cases = []


def case(name, *arguments, deadline=DEADLINE):
    """Registers a function as a case; what follows the name is given to it."""

    def register(function):
        # Above one function the last of several is called first.
        behind = [at for at, known in enumerate(_cases) if known[1] is function]
        _cases.insert(behind[0] if behind else len(_cases), (name, function, arguments, deadline))
        return function

    return register


def forget():
    """The cases that have been registered so far."""
    _cases.clear()


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what} is {_short(got)} instead of {_short(wanted)}")


def true(good, what):
    if not good:
        raise AssertionError(what)


def _short(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}... ({len(text)} characters)"


def _ring(_signal, _frame):
    raise TooLate("no end within the time limit")


def _try(function, arguments, deadline):
    """Return: verdict, directive, lines to explain it."""
    signal.setitimer(signal.ITIMER_REAL, deadline)
    try:
        told = function(*arguments)
        return "ok", "", [told] if told else []
    except Skip as reason:
        return "ok", f" # SKIP {reason}", []
    except Exception:  # whatever it is, the next case shall have its turn
        return "not ok", "", traceback.format_exc().splitlines()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(pattern, clean_up):
    """Runs the cases whose names match. Return: how many failed."""
    chosen = [case for case in _cases if re.search(pattern, case[0])]
    counts = {"ok": 0, "not ok": 0, "skipped": 0}
    signal.signal(signal.SIGALRM, _ring)
    print(f"KTAP version 1\n1..{len(chosen)}", flush=True)
    for number, (name, function, arguments, deadline) in enumerate(chosen, 1):
        start = time.monotonic()
        verdict, directive, lines = _try(function, arguments, deadline)
        lines += clean_up(verdict == "not ok")
        for line in lines:
            print("#", line)
        if time.monotonic() - start > 5:
            print(f"# {time.monotonic() - start:.1f} s")
        print(f"{verdict} {number} {name}{directive}", flush=True)
        counts["skipped" if directive else verdict] += 1
    print(f"# Totals: pass:{counts['ok']} fail:{counts['not ok']} xfail:0 xpass:0 "
          f"skip:{counts['skipped']} error:0")
    sys.stdout.flush()
    return counts["not ok"]
