# tests/oracle/mutants.py - SPDX-License-Identifier: Apache-2.0
"""Builds that are broken on purpose: the histories have to find each of them.

    mutants.py [NAME...]

Each mutants/NAME.patch is applied to a copy of the source, which is built and
put through histories until one fails. The first line of the patch says what it
does; a second one, "set: KNOB=VALUE...", where it is to be looked for, or,
"test: NAME...", which tests have to fail instead: unit/NAME, or
integration/NAME.py. TAP; a mutant that survives is a failure, of the tests or
of the patch.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

SOURCE = os.path.join(HERE, "..", "..")
SEEDS = range(1, 41)
LENGTH = 100


def run(command, directory):
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          encoding="utf-8", errors="replace")
    tap.check(done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}")


def not_source(directory, names):
    """What is not in an archive: git's own, and whatever was built."""
    skip = shutil.ignore_patterns(".git", "*.o", "*.a", ".deps", "Makefile",
                                  "config.status", "config.log", "stamp-h1",
                                  "autom4te.cache")(directory, names)
    return skip | {name for name in names if os.path.exists(
        os.path.join(directory, name, "config.status"))}


def copy_source(to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(SOURCE, to, ignore=not_source, symlinks=True)
    os.makedirs(os.path.join(to, "build"))
    run(["../configure", "--enable-debug", "--disable-dependency-tracking"],
        os.path.join(to, "build"))


def histories(program, settings):
    """The seed, step and complaint of the first history that fails."""
    for seed in SEEDS:
        done = subprocess.run(
            [sys.executable, os.path.join(HERE, "history.py"), "--seed",
             str(seed), "--steps", str(LENGTH), "--length", str(LENGTH),
             "--set=privacy=False", *("--set=" + one for one in settings)],
            env={**os.environ, "ODKS_PROGRAM": program}, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace")
        if done.returncode != 0:
            step = re.search(r"step (\d+)", done.stdout)
            why = re.search(r"^# AssertionError: (.*(?:\n.*)?)", done.stdout,
                            re.M)
            tap.check(step and why, done.stdout[-3000:])
            return f"seed {seed}, step {step[1]}: {why[1][:300]}"
    raise AssertionError(f"it survives {len(SEEDS)} histories of {LENGTH}"
                         " steps")


def failing(build, names):
    """The first of the tests that fails: each is run with the broken build."""
    for name in names:
        path = os.path.join("tests", name)
        if name.endswith(".py"):
            command = [sys.executable, os.path.join(SOURCE, path)]
        else:
            run(["make", "-s", path], build)
            command = [os.path.join(build, path)]
        done = subprocess.run(
            command, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
            env={**os.environ, "CK_TAP_LOG_FILE_NAME": "-",
                 "CK_VERBOSITY": "silent",
                 "ODKS_PROGRAM": os.path.join(build, "odk-sync")})
        found = re.search(r"^not ok .*", done.stdout, re.M)
        if found:
            return f"{name}: {found[0]}"
        tap.check(done.returncode == 0, f"{name} ends with "
                  f"{done.returncode}:\n{done.stdout[-3000:]}")
    raise AssertionError("it survives " + " ".join(names))


def make_test(copy, patch):
    def test():
        with open(patch, encoding="utf-8") as file:
            tap.note(file.readline().strip())
            word, _, rest = file.readline().partition(":")
        apply = ["patch", "-p0", "-s", "-f", "-i", patch]
        run([*apply, "--dry-run"], copy)  # all of it, or nothing
        run(apply, copy)
        try:
            build = os.path.join(copy, "build")
            run(["make", "-s", "-j2"], build)
            if word == "test":
                tap.note(failing(build, rest.split()))
            else:
                tap.note(histories(os.path.join(build, "odk-sync"),
                                   rest.split() if word == "set" else []))
        finally:
            run(apply + ["-R"], copy)
    return test


def main():
    odks.need_all()
    copy = os.path.join(os.path.abspath(odks.BUILD), "tests", "oracle",
                        "mutant")
    copy_source(copy)
    try:
        tap.main([(os.path.basename(patch)[:-len(".patch")],
                   make_test(copy, os.path.abspath(patch)))
                  for patch in sorted(glob.glob(
                      os.path.join(HERE, "mutants", "*.patch")))])
    finally:
        shutil.rmtree(copy)


if __name__ == "__main__":
    try:
        main()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
