# tests/harness/harness_test.py - SPDX-License-Identifier: Apache-2.0
"""The harness itself: what the other tests rely on without looking."""

import os
import signal
import subprocess
import sys

import pg
import tap

WITH_PG = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "with_pg.py")


def test_session_returns_rows_and_errors():
    tap.need_pg()
    with pg.Session(os.environ["PGDATABASE"]) as session:
        tap.equal(session.rows("SELECT 1 AS a, NULL AS b, 'x;y' AS c"),
                  [{"a": 1, "b": None, "c": "x;y"}])
        tap.equal(session.run("SELECT 'a', 'b' UNION SELECT 'c', 'd'"
                              " ORDER BY 1"), "a|b\nc|d")
        try:
            session.run("SELECT 1/0")
            raise AssertionError("no error")
        except pg.SqlError as error:
            tap.equal(error.state, "22012")
        tap.equal(session.value("SELECT now() = transaction_timestamp()"),
                  True)


def test_database_is_copied_from_template():
    tap.need_pg()
    template = pg.create_database()
    pg.sql(template, "CREATE TABLE t AS SELECT 7 AS n")
    copy = pg.create_database(template=template)
    try:
        with pg.Session(copy) as session:
            tap.equal(session.value("SELECT n FROM t"), 7)
    finally:
        pg.drop_database(copy)
        pg.drop_database(template)


def test_pooler_is_in_the_way_only_when_asked_for():
    tap.need_pg()
    port = subprocess.run(["psql", "-XAtqc", "SHOW port"], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()
    pooled = "ODKS_TEST_POOLER" in os.environ
    tap.equal(port != os.environ["PGPORT"], pooled, "through a pooler")
    if pooled:
        tap.equal(port, os.environ["PGPORT_DIRECT"])


def run_private(*command, **kwargs):
    return subprocess.Popen([sys.executable, WITH_PG, *command],
                            stdout=subprocess.PIPE, encoding="utf-8",
                            **kwargs)


def test_server_goes_with_its_owner():
    tap.need_pg()
    for number, status in ((None, 7), (signal.SIGTERM, 143),
                           (signal.SIGKILL, -9)):
        child = run_private("sh", "-c", "echo $PGHOST; read x; exit 7",
                            stdin=subprocess.PIPE)
        directory = child.stdout.readline().strip()
        tap.check(os.path.isdir(directory), "no directory")
        if number is None:
            child.communicate("\n")
        else:
            child.send_signal(number)
        tap.equal(child.wait(), status, "exit status")
        pg.wait_until(lambda d=directory: not os.path.exists(d), 20,
                      "the server is gone")
        child.stdin.close()
        child.stdout.close()


def test_silent_77_becomes_a_skip():
    child = run_private("sh", "-c", "exit 77")
    said = child.communicate()[0]
    tap.check(said.startswith("1..0 # SKIP"), said)
    tap.equal(child.returncode, 0)


def test_hanging_command_is_ended():
    child = run_private("--limit", "0.1", "sh", "-c", "read x",
                        stdin=subprocess.PIPE)
    said = child.communicate()[0] if child.wait() else ""
    tap.check(said.startswith("Bail out!"), said)
    tap.equal(child.returncode, 99)


if __name__ == "__main__":
    tap.main()
