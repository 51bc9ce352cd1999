# tests/harness/clean.py - SPDX-License-Identifier: Apache-2.0
"""The environment of the tests, made from nothing.

A test must not depend on the machine that it runs on, nor reach what belongs
to it: a database that PGHOST names, a password in the home directory, a proxy,
a configuration of odk-sync. pg.py, tap.py and standin.py import this module,
which replaces os.environ, so that everything below `make check`, and a test
that is started by hand, begins with the same variables.
"""

import os

# How programs are found, built and watched here, and what the tests are told.
KEPT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE",
        "top_builddir", "top_srcdir", "abs_top_builddir", "LLVM_PROFILE_FILE")
KEPT_PREFIXES = (
    "ODKS_",    # settings of the tests
    "ODKC_",    # a real Central that somebody named for them
    "RC_",      # likewise
    "CK_",      # settings of Check
    "ASAN_", "LSAN_", "UBSAN_", "GCOV_", "CCACHE_")

# A home directory in which nothing can be, and nothing can be made.
HOME = "/dev/null"
# For a program that is started without a configuration: it would look for one
# in /etc otherwise.
NO_CONFIG = "/dev/null/odk-sync.ini"

_MARK = "ODKS_CLEAN"  # this process descends from one that was made clean


def make():
    """Replace the environment, unless an ancestor did."""
    if _MARK in os.environ:
        return
    kept = {name: value for name, value in os.environ.items()
            if name in KEPT or name.startswith(KEPT_PREFIXES)}
    # only the harness knows which server is one of the tests'
    for name in ("ODKS_TEST_PG", "ODKS_TEST_POOLER"):
        kept.pop(name, None)
    os.environ.clear()
    os.environ.update({**kept, "HOME": HOME, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                       "ODK_SYNC_CONFIG": NO_CONFIG, _MARK: "1"})


make()
