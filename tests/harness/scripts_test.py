#!/usr/bin/env python3
# tests/harness/scripts_test.py - SPDX-License-Identifier: Apache-2.0
"""The scripts that people start first: what they say, and when they stop.

Commands that would change the machine are replaced by stubs on a PATH that has
nothing else but the stubs and the base system.
"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402

ROOT = os.environ["top_srcdir"]


def run(*args, stubs=(), cwd=ROOT):
    """Run a script with stubs, a list of (name, shell text)."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in stubs:
            path = os.path.join(directory, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + text)
            os.chmod(path, 0o755)
        # no /usr/sbin and no sudo but that of a stub
        for name in ("sh", "cat", "grep", "env", "mkdir", "dirname", "nproc",
                     "bash"):
            if not os.path.exists(os.path.join(directory, name)):
                os.symlink(shutil.which(name), os.path.join(directory, name))
        return subprocess.run(
            args, cwd=cwd, env={"PATH": directory}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60)


def scripts():
    """Those that are here: a release archive has no .ci."""
    return [path for path in ("autogen.sh", ".ci/run",
                              "tests/platform/bare_debian.sh")
            if os.path.exists(os.path.join(ROOT, path))]


def test_help_is_an_answer():
    for script in scripts():
        answer = run(os.path.join(ROOT, script), "--help")
        tap.equal((script, answer.returncode, answer.stderr),
                  (script, 0, ""))
        tap.check("usage:" in answer.stdout, script)


def test_unknown_arguments_are_refused():
    for script in scripts():
        answer = run(os.path.join(ROOT, script), "--nosuch")
        tap.equal((script, answer.returncode, answer.stdout),
                  (script, 64, ""))
        tap.check("usage:" in answer.stderr, script)


MISSING = ("dpkg-query", 'case $4 in make) exit 1;; esac; echo ok installed\n')


def test_without_sudo_the_command_for_root_is_printed():
    answer = run(os.path.join(ROOT, "etc/install-deps"),
                 stubs=[MISSING, ("id", "echo 1000\n")])
    tap.equal(answer.returncode, 77)
    tap.check("as root:\n    apt-get update\n"
              "    apt-get install --no-install-recommends make\n"
              in answer.stderr, answer.stderr)


def test_the_same_when_sudo_refuses():
    answer = run(os.path.join(ROOT, "etc/install-deps"),
                 stubs=[MISSING, ("id", "echo 1000\n"),
                        ("sudo", "exit 1\n")])
    tap.equal(answer.returncode, 77)
    tap.check("apt-get install" in answer.stderr, answer.stderr)


def test_named_packages_are_installed_too():
    answer = run(os.path.join(ROOT, "etc/install-deps"), "make", "shellcheck",
                 stubs=[("dpkg-query", "exit 1\n"), ("id", "echo 0\n"),
                        ("apt-get", 'echo "apt-get $*"\n')])
    tap.equal(answer.returncode, 0)
    tap.check("apt-get update -q" in answer.stderr, answer.stderr)
    tap.check("--no-install-recommends gcc libc6-dev" in answer.stderr
              and "shellcheck" in answer.stderr, answer.stderr)


def test_nothing_missing_asks_nothing():
    answer = run(os.path.join(ROOT, "etc/install-deps"),
                 stubs=[("dpkg-query", "echo ok installed\n")])
    tap.equal((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))


def test_a_configured_source_tree_is_used():
    """configure in build/ would refuse to work beside it."""
    make = ("make", 'echo "make in $PWD: $*"\n')
    with tempfile.TemporaryDirectory() as tree:
        shutil.copy(os.path.join(ROOT, "autogen.sh"), tree)
        os.mkdir(os.path.join(tree, "etc"))
        for name in ("etc/install-deps", "configure"):
            path = os.path.join(tree, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho $0\n")
            os.chmod(path, 0o755)
        stubs = [make, ("autoreconf", "exit 0\n")]
        fresh = run("./autogen.sh", "check", stubs=stubs, cwd=tree)
        tap.equal(fresh.returncode, 0)
        tap.check("../configure" in fresh.stdout, fresh.stdout)
        tap.check(f"make in {os.path.realpath(tree)}/build: " in fresh.stdout,
                  fresh.stdout)
        with open(os.path.join(tree, "config.status"), "w",
                  encoding="utf-8"):
            pass
        configured = run("./autogen.sh", "check", stubs=stubs, cwd=tree)
        tap.equal(configured.returncode, 0)
        tap.check("../configure" not in configured.stdout, configured.stdout)
        tap.check(f"make in {os.path.realpath(tree)}: " in configured.stdout,
                  configured.stdout)


if __name__ == "__main__":
    tap.main()
