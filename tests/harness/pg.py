# tests/harness/pg.py - SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL, a PgBouncer in front of it, and SQL for the tests.

Tests speak to the server through a psql that stays open (Session), so that
they need nothing but the standard library and the client tools.
"""

import contextlib
import functools
import glob
import itertools
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import clean  # noqa: F401  # pylint: disable=unused-import


def wait_until(condition, seconds, what):
    """Poll condition() until it is true and return its value."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


@functools.cache
def find_tool(name):
    """The path of a program of PostgreSQL, or None. Those in PATH are slow
    Perl scripts on Debian, which choose one of these."""
    newest_first = sorted(
        glob.glob("/usr/lib/postgresql/*/bin/" + name),
        key=lambda path: int(path.split("/")[4]), reverse=True)
    return newest_first[0] if newest_first else shutil.which(
        name, path=os.environ.get("PATH", "") + ":/usr/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _identity():
    """Popen arguments that leave root: neither server runs as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid,
                    "extra_groups": []}
    return {}


def _accepts(directory, port):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(f"{directory}/.s.PGSQL.{port}")
            return True
        except OSError:
            return False


class _Server:
    """A child process with a log file, stopped with a signal of its own."""

    def __init__(self, directory, name, stop_signal):
        self.directory = directory
        self.log = os.path.join(directory, name + ".log")
        self._stop_signal = stop_signal
        self.process = None

    def _spawn(self, args, ready, seconds):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, start_new_session=True, **_identity())
        wait_until(lambda: self.process.poll() is not None or ready(),
                   seconds, " ".join(args))
        if self.process.returncode is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise RuntimeError(f"{args[0]} ended at once:\n{log.read()}")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self._stop_signal)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# The settings differ from the defaults wherever a program could come to
# depend on them: zone, date style, the form of bytea.
_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 120
max_wal_size = 2GB
shared_buffers = 128MB
track_commit_timestamp = on
autovacuum_naptime = 10s
timezone = 'America/St_Johns'
datestyle = 'SQL, DMY'
intervalstyle = 'sql_standard'
bytea_output = 'escape'
log_line_prefix = '%m [%p] %a '
log_timezone = 'UTC'
"""

# Members of needs_password have to give one; everybody else is let in.
_HBA = """
local all +needs_password scram-sha-256
host all +needs_password 127.0.0.1/32 scram-sha-256
local all all trust
host all all 127.0.0.1/32 trust
"""


class Cluster(_Server):
    """PostgreSQL on a Unix socket in a directory of its own and on a free
    port of 127.0.0.1; the superuser is postgres, without a password."""

    def __init__(self):
        directory = tempfile.mkdtemp(prefix="odks-pg-")
        identity = _identity()
        if identity:
            os.chown(directory, identity["user"], identity["group"])
        super().__init__(directory, "postgres", signal.SIGQUIT)
        self.port = None

    def start(self):
        data = os.path.join(self.directory, "data")
        done = subprocess.run(
            [find_tool("initdb"), "-D", data, "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--locale=C", "--no-sync"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=self.directory, check=False,
            **_identity())
        if done.returncode != 0:
            raise RuntimeError("initdb failed:\n" + done.stdout.decode())
        with open(os.path.join(data, "postgresql.conf"), "a",
                  encoding="utf-8") as conf:
            conf.write(_SETTINGS)
        with open(os.path.join(data, "pg_hba.conf"), "w",
                  encoding="utf-8") as hba:
            hba.write(_HBA)
        self.run()
        with Session("postgres", self.directory, self.port) as session:
            session.run("CREATE ROLE needs_password NOLOGIN")

    def run(self):
        """Start the server (again) on the port it had, or on a free one."""
        for attempt in itertools.count():
            port = self.port or free_port()
            try:
                self._spawn(
                    [find_tool("postgres"), "-D",
                     os.path.join(self.directory, "data"), "-p", str(port),
                     "-k", self.directory, "-c", "listen_addresses=127.0.0.1"],
                    lambda p=port: self._ready(p), 60)
                self.port = port
                return
            except RuntimeError:
                if self.port or attempt == 4:  # not a port somebody took
                    raise

    def _ready(self, port):
        """Accepts connections, and is done with starting up."""
        if not _accepts(self.directory, port):
            return False
        return subprocess.run(
            [find_tool("psql"), "-XAtqc", "SELECT", "-h", self.directory, "-p", str(port),
             "-U", "postgres", "postgres"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False).returncode == 0

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Pooler(_Server):
    """PgBouncer in transaction mode in front of a cluster, on a socket in
    the same directory and on a free port of 127.0.0.1."""

    def __init__(self, cluster):
        super().__init__(cluster.directory, "pgbouncer", signal.SIGQUIT)
        self.cluster = cluster
        self.port = None

    def start(self):
        self.port = free_port()
        ini = os.path.join(self.directory, "pgbouncer.ini")
        with open(ini, "w", encoding="utf-8") as conf:
            conf.write(f"""
[databases]
* = host={self.directory} port={self.cluster.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir = {self.directory}
auth_type = trust
auth_user = postgres
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits
""")
        os.chmod(ini, 0o644)
        self._spawn([find_tool("pgbouncer"), ini],
                    lambda: _accepts(self.directory, self.port), 20)


class SqlError(Exception):
    def __init__(self, state, message, statement):
        super().__init__(f"{state}: {message}\n{statement}")
        self.state = state


_MESSAGE = re.compile(
    r"psql:<stdin>:\d+: (?:ERROR|FATAL|PANIC):  ([0-9A-Z]{5}): ")


class Session:
    """A psql that stays open: one connection, in UTC and ISO dates."""

    def __init__(self, database, host=None, port=None):
        host = host or os.environ.get("PGHOST_DIRECT", os.environ["PGHOST"])
        port = port or os.environ.get("PGPORT_DIRECT",
                                      os.environ.get("PGPORT", "5432"))
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env["PGCLIENTENCODING"] = "UTF8"
        env["PGAPPNAME"] = "test"
        # -f -: messages then carry a prefix that no data has
        self._psql = subprocess.Popen(
            [find_tool("psql"), "-XAtq", "-h", host, "-p", str(port),
             "-U", "postgres", "-d", database, "-v", "VERBOSITY=verbose",
             "-f", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=env, encoding="utf-8",
            start_new_session=True)
        self._mark = "end-" + secrets.token_hex(8)
        self.run("SET timezone = 'UTC'; SET datestyle = 'ISO';"
                 " SET intervalstyle = 'postgres'; SET bytea_output = 'hex';"
                 " SET client_min_messages = 'error'")

    def run(self, statements):
        """Run SQL and return what psql prints of it. SqlError on the first
        failure; what comes after it has been tried all the same."""
        self._psql.stdin.write(f"{statements}\n;\\echo '{self._mark}'\n")
        self._psql.stdin.flush()
        lines, wrong = [], None
        for line in self._psql.stdout:
            line = line.rstrip("\n")
            if line == self._mark:
                break
            message = _MESSAGE.match(line)
            if message and not wrong:
                wrong = SqlError(message[1], line[message.end():],
                                 statements)
            lines.append(line)
        else:
            raise SqlError("08006", "psql ended: " + "\n".join(lines),
                           statements)
        if wrong:
            raise wrong
        return "\n".join(lines)

    def rows(self, select):
        """The rows of a SELECT as dicts."""
        return json.loads(self.run(
            "SELECT coalesce(json_agg(odks_row), '[]')"
            f" FROM ({select}) AS odks_row"))

    def value(self, select):
        """The single value of a SELECT."""
        (row,) = self.rows(select)
        (value,) = row.values()
        return value

    def close(self):
        with contextlib.suppress(OSError, ValueError):
            self._psql.stdin.close()
        self._psql.stdout.close()
        try:
            self._psql.wait(10)
        except subprocess.TimeoutExpired:
            self._psql.kill()
            self._psql.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@functools.cache
def server():
    """The session, one for each process, in which databases come and go."""
    return Session("postgres")


def create_database(name=None, template=None):
    """A fresh database, copied from template if one is given; its name."""
    name = name or "odks_" + secrets.token_hex(6)
    server().run(f'CREATE DATABASE "{name}" TEMPLATE '
                 f'"{template or "template0"}"')
    return name


def drop_database(name):
    server().run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def sql(database, statement):
    """One statement on a connection of its own."""
    with Session(database) as session:
        return session.run(statement)
