# tests/harness/lint_test.py - SPDX-License-Identifier: Apache-2.0
"""Each rule of build-aux/lint finds what it is there for, and nothing else."""

import os
import shutil
import subprocess
import tempfile

import tap

SOURCE = os.environ.get("top_srcdir", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def c_file(path, *lines):
    return path, "\n".join([f"/* {path} - {LICENCE} */",
                            "#include <config.h>", "", *lines]) + "\n"


def header(path, guard, *lines):
    return path, "\n".join([f"/* {path} - {LICENCE} */", f"#ifndef {guard}",
                            f"#define {guard}", "", *lines, "", "#endif"]
                           ) + "\n"


def function(lines):
    return ["int", "f(void)", "{"] + ["    g();"] * (lines - 2) + ["}"]


def lint(*files):
    """What lint says of a tree with these files."""
    with tempfile.TemporaryDirectory(prefix="odks-lint-") as tree:
        os.mkdir(os.path.join(tree, "build-aux"))
        for name in ("build-aux/lint", ".clang-format"):
            shutil.copy(os.path.join(SOURCE, name), os.path.join(tree, name))
        for path, text in files:
            path = os.path.join(tree, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        env = {**os.environ, "GIT_DIR": "/nonexistent"}
        env.pop("CI", None)
        done = subprocess.run(
            ["sh", os.path.join(tree, "build-aux", "lint")], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
            encoding="utf-8")
        tap.check(done.returncode in (0, 1), done.stderr)
        tap.equal(done.returncode == 0, "nothing found" in done.stdout,
                  "status")
        return [] if done.returncode == 0 else done.stdout.splitlines()


def finds(word, *files):
    said = lint(*files)
    tap.check(len(said) == 1 and word in said[0],
              f"not one finding with {word!r}: {said}")


def test_what_is_right_passes():
    tap.equal(lint(
        c_file("lib/db/a.c", '#include "core/b.h"', "", *function(60)),
        c_file("bin/odk-sync.c", '#include "run/c.h"', "", "int",
               "main(void)", "{", "    exit(0);", "}"),
        header("lib/core/b.h", "ODKS_CORE_B_H", "int b(void);"),
        header("lib/run/c.h", "ODKS_RUN_C_H", "int c(void);"),
        ("sql/queries/q.sql",
         "-- returns 0..* rows of 1 columns, takes 0 parameters\nSELECT 1\n"),
        ("tests/x.py", f"# tests/x.py - {LICENCE}\nprint(1)\n")), [])


def test_format():
    if shutil.which("clang-format") is None:
        raise tap.Skip("it needs clang-format")
    finds("clang-format", c_file("lib/core/a.c", "int  a;"))


def test_layers():
    finds("must not include from queue",
          c_file("lib/db/a.c", '#include "queue/queue.h"'))
    finds("must not include from bin",
          c_file("jobs/a.c", '#include "bin/cmd.h"'))
    finds("is no layer", c_file("lib/new/a.c", '#include "core/err.h"'))


def test_size():
    finds("a function of 61 lines", c_file("lib/db/a.c", *function(61)))
    finds("501 lines", c_file("lib/db/a.c", *["int a;"] * 498))


def test_calls():
    call = ["int", "f(void)", "{", "    %s;", "}"]

    def with_call(path, what):
        return c_file(path, *[line.replace("%s", what) for line in call])

    finds("only lib/db", with_call("lib/queue/a.c", "PQexec(0, 0)"))
    finds("only lib/http", with_call("lib/central/a.c", "curl_easy_init()"))
    finds("only main()", with_call("lib/core/a.c", "exit(1)"))
    prints = ("printf(s)", "fprintf(stderr, s)", "puts(s)", "fputs(s, out)",
              "putchar(c)", "fputc(c, out)", "fwrite(s, 1, n, out)",
              "vfprintf(out, s, args)", "dprintf(2, s)", "perror(s)",
              "write(STDERR_FILENO, s, n)")
    said = lint(with_call("bin/a.c", prints[0]),
                *(with_call(f"lib/run/{i}.c", what)
                  for i, what in enumerate(prints)))
    tap.equal([line for line in said if "only lib/core/safe.c" not in line],
              [], "other findings")
    tap.equal(len(said), len(prints) + 1, "prints")
    finds("comments are", with_call("lib/core/a.c", "f(); // no"))
    finds("no typedef", c_file("lib/core/a.c", "typedef struct a b;"))
    tap.equal(lint(with_call("lib/db/a.c", "PQsendQuery(0, 0)"),
                   with_call("lib/http/a.c", "curl_easy_init()"),
                   with_call("lib/core/a.c", "_exit(1)"),
                   with_call("lib/core/safe.c", "fputs(s, out)"),
                   with_call("bin/a.c", "snprintf(s, n, t)"),
                   with_call("bin/b.c", "write(fd, s, n)")), [])


def test_first_lines():
    finds("path and licence", ("lib/core/a.c",
                               "/* elsewhere */\n#include <config.h>\n"))
    finds("does not include", ("lib/core/a.c",
                               f"/* lib/core/a.c - {LICENCE} */\nint a;\n"))
    finds("without its licence", ("tests/x.py", "print(1)\n"))
    finds("does not declare its shape", ("sql/queries/q.sql", "SELECT 1\n"))


def test_mutants():
    source = c_file("lib/core/x.c", "int x;")
    patch = ("A fault.\n--- lib/core/x.c\n+++ lib/core/x.c\n@@ -4 +4 @@\n"
             "-int {};\n+long x;\n")
    name = "tests/oracle/mutants/x.patch"
    tap.equal(lint(source, (name, patch.format("x"))), [], "it applies")
    finds("does not apply", source, (name, patch.format("y")))


def test_headers():
    finds("unknown type", header("lib/core/a.h", "ODKS_CORE_A_H",
                                 "size_t a(void);"))
    finds("the guard is not", header("lib/core/a.h", "A_H", "int a(void);"))


def test_scripts():
    finds("Python 3.10",
          ("tests/x.py", f"# {LICENCE}\nmatch 1:\n    case 1: pass\n"))
    if shutil.which("shellcheck") is None:
        raise tap.Skip("it needs shellcheck")
    finds("SC2086", ("etc/x", f"#!/bin/sh\n# {LICENCE}\necho $1\n"))


if __name__ == "__main__":
    tap.main()
