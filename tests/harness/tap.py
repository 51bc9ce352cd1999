# tests/harness/tap.py - SPDX-License-Identifier: Apache-2.0
"""A test runner that speaks TAP: the functions test_* of the calling module.

A test passes when it returns, is skipped when it raises Skip, and fails when
it raises anything else. Arguments on the command line choose tests by name.
"""

import os
import sys
import traceback

import clean  # noqa: F401  # pylint: disable=unused-import


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def note(text):
    """A line for the reader of the log."""
    for line in str(text).splitlines() or [""]:
        print("#", line, flush=True)


def check(condition, message="not so"):
    """assert that -O does not remove."""
    if not condition:
        raise AssertionError(message)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what} is {got!r}, not {wanted!r}")


def need_pg():
    """To be called by what needs PostgreSQL."""
    if "ODKS_TEST_PG" not in os.environ:
        raise Skip("it needs PostgreSQL")


def _run(number, name, function):
    try:
        function()
        print(f"ok {number} - {name}", flush=True)
        return True
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - {name}", flush=True)
        note(traceback.format_exc())
        return False


def main(tests=None):
    """Run the tests and end the program; tests: (name, function) pairs."""
    if tests is None:
        module = sys.modules["__main__"]
        tests = [(name, function) for name, function in vars(module).items()
                 if name.startswith("test_") and callable(function)]
    chosen = sys.argv[1:]
    if chosen:
        tests = [(n, f) for n, f in tests if n in chosen]
        if not tests:
            sys.exit("no such test: " + " ".join(chosen))
    print(f"1..{len(tests)}", flush=True)
    results = [_run(i + 1, name, function)
               for i, (name, function) in enumerate(tests)]
    sys.exit(0 if all(results) else 1)
