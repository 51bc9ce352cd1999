# tests/harness/harness_test.py - SPDX-License-Identifier: Apache-2.0
"""The harness itself: what the other tests rely on without looking."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

import clean
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


# --- nothing of the machine reaches a test ----------------------------------

HERE = os.path.dirname(WITH_PG)
BUILD = os.path.abspath(os.environ.get(
    "top_builddir", os.path.join(HERE, "..", "..", "build")))
UNITS = ("tests/unit/config_load", "tests/unit/config_search",
         "tests/unit/core_log", "tests/unit/core_zone",
         "tests/unit/db_connect", "tests/unit/http_client")


class Hostile:
    """What a machine may hold that no test should see: an environment, a
    home directory in which a read never ends, a server that must not be
    asked."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.home = stack.enter_context(tempfile.TemporaryDirectory())
            self.server = stack.enter_context(socket.socket())
            self.stack = stack.pop_all()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen()
        os.mkdir(os.path.join(self.home, ".postgresql"))
        for name in (".pgpass", ".pg_service.conf", ".psqlrc", ".netrc",
                     ".curlrc", ".postgresql/root.crt", "odk-sync.ini"):
            os.mkfifo(os.path.join(self.home, name), 0o600)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def variables(self):
        host, port = self.server.getsockname()
        proxy = f"http://{host}:{port}"
        file = os.path.join(self.home, "odk-sync.ini")
        return {
            "HOME": self.home, "XDG_CONFIG_HOME": self.home,
            "CURL_HOME": self.home, "PGSYSCONFDIR": self.home,
            "PGHOST": host, "PGPORT": str(port), "PGSERVICE": "hostile",
            "PGUSER": "hostile", "PGDATABASE": "hostile",
            "PGOPTIONS": "-c hostile=1", "PGSSLMODE": "verify-full",
            "PGPASSFILE": file, "PGSERVICEFILE": file, "PSQLRC": file,
            "ODKS_TEST_PG": "1", "ODK_SYNC_CONFIG": file,
            "ODK_SYNC_LEASE": "hostile", "ODK_SYNC_DATABASE_HOST": host,
            "ODK_SYNC_CENTRAL_URL": proxy, "ODK_BASE_URL": proxy,
            "PG_HOST": host, "AWS_BUCKET_NAME": "hostile",
            "http_proxy": proxy, "https_proxy": proxy, "ALL_PROXY": proxy,
            "NO_PROXY": "", "TZ": "Asia/Kathmandu", "TZDIR": self.home,
            "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr",
            "TERM": "xterm", "CI": "1", "PYTHONSTARTUP": file,
        }

    def environment(self):
        env = {**os.environ, **self.variables()}
        del env["ODKS_CLEAN"]
        return env

    def was_asked(self):
        self.server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.server.accept()[0].close()
            return True
        return False


def test_environment_is_made_from_nothing():
    with Hostile() as hostile:
        child = run_private(
            sys.executable, "-c",
            "import json, os; print(json.dumps(dict(os.environ)))",
            env=hostile.environment())
        got = json.loads(child.communicate()[0])
        made = {"HOME", "LC_ALL", "TZ", "ODK_SYNC_CONFIG", "PGHOST", "PGPORT",
                "PGUSER", "PGDATABASE", "LC_CTYPE"}
        wrong = [name for name in got
                 if name not in made and name not in clean.KEPT
                 and not name.startswith(clean.KEPT_PREFIXES)]
        tap.equal(wrong, [], "variables")
        wrong = [name for name, value in hostile.variables().items()
                 if got.get(name) == value and name != "ODKS_TEST_PG"]
        tap.equal(wrong, [], "values")
        tap.check(not hostile.was_asked(), "the server was asked")


def survives(hostile, *command):
    done = subprocess.run(
        command, env=hostile.environment(), cwd=hostile.home, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8")
    tap.equal(done.returncode, 0, f"{command}\n{done.stdout}\nexit status")
    tap.check(not hostile.was_asked(),
              f"{command} asked a server that it did not make")


def test_hostile_machine_changes_no_test():
    tap.need_pg()
    units = [path for path in (os.path.join(BUILD, name) for name in UNITS)
             if os.access(path, os.X_OK)]
    script = os.path.join(HERE, "..", "integration", "settings_test.py")
    with Hostile() as hostile:
        # as make starts them, and by hand, where a skip is all right
        survives(hostile, sys.executable, WITH_PG, "sh", "-c",
                 'python=$1 script=$2; shift 2; for t; do "$t" || exit; done;'
                 ' exec "$python" "$script"', "sh", sys.executable, script,
                 *units)
        survives(hostile, "sh", "-c",
                 'for t; do "$t" || [ $? = 77 ] || exit 1; done', "sh", *units)
        survives(hostile, sys.executable, script)


if __name__ == "__main__":
    tap.main()
