# tests/harness/odks.py - SPDX-License-Identifier: Apache-2.0
"""A world for odk-sync to run in: a database of its own, a stand-in Central,
a configuration in a directory of its own; and the program in it.

    with odks.World() as world:
        world.job("people", form="household")
        world.init()
        world.central.create("household", count=3)
        world.ok("run")
        world.compare("household")
"""

import atexit
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

import oracle
import pg
import tap

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("top_builddir",
                       os.path.join(HERE, "..", "..", "build"))
SHIM = os.path.join(BUILD, "tests", "fault", "shim.so")

sys.path.insert(0, os.path.join(HERE, "..", "contract"))


def migrations(schema="public"):
    """Number, name, text and checksum of each migration, the text as the
    program that came with it sent it: before 14, names had no schema, and
    search_path led to it."""
    folder = os.path.join(HERE, "..", "..", "sql", "migrations")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        plain = text.replace("{schema}.", "").replace(
            "quote_ident({schema_name}) || '.' || ", "")
        checksum = hashlib.sha256(plain.encode()).hexdigest()
        if int(name[:4]) >= 14:
            plain = text.replace("{schema}", f'"{schema}"')
        yield int(name[:4]), name[5:-4], plain, checksum


def need_all():
    """To be called by what needs PostgreSQL and the stand-in."""
    tap.need_pg()
    if not os.access(os.path.join(BUILD, "tests", "contract",
                                  "central-standin"), os.X_OK) \
            and "ODKS_STANDIN" not in os.environ:
        raise tap.Skip("it needs the stand-in (libmicrohttpd)")


def need_no_system_config():
    """To be called by what starts the program without naming a file for it:
    the program would read the one of this machine."""
    if os.path.lexists("/etc/odk-sync/odk-sync.ini"):
        raise tap.Skip("this machine has an /etc/odk-sync/odk-sync.ini")


class Result:
    """How a run of the program ended; code is negative after a signal."""

    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    def __str__(self):
        return (f"odk-sync {' '.join(self.args)}: exit {self.code}\n"
                f"stdout: {self.out}\nstderr: {self.err}")


class World:
    """What the tests share: see the module. central may be a StandIn that
    runs already; template is a database to start from."""

    _with_tables = None  # a database in which init ran, for all worlds

    def __init__(self, central=None, template=None, options=()):
        self._stack = contextlib.ExitStack()
        self._options = options
        self._template = template
        self.central = central
        self.jobs = {}
        self.more = []  # sections: (header, settings)
        self.settings = {"odk-sync": {}, "database": {}, "central": {}}
        self.directory = self._database = self._session = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.directory = tempfile.mkdtemp(prefix="odks-test-")
            stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            if self.central is None:
                from standin import StandIn
                self.central = stack.enter_context(StandIn(*self._options))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.drop_database()
        self._stack.close()

    # -- the database ------------------------------------------------------

    @property
    def database(self):
        """The name of the database, which is made when it is needed."""
        if self._database is None:
            self._database = pg.create_database(template=self._template)
        return self._database

    @property
    def session(self):
        if self._session is None:
            self._session = pg.Session(self.database)
        return self._session

    def init(self):
        """What `odk-sync init` makes of an empty database: a copy of one in
        which it ran. The tests of init itself let it run."""
        if self._database is not None or self.settings["database"]:
            self.ok("init")
            return
        if World._with_tables is None:
            with World(self.central) as world:
                world.ok("init")
                world.settle()
                World._with_tables = pg.create_database(
                    template=world.database)
            atexit.register(pg.drop_database, World._with_tables)
        self._database = pg.create_database(template=World._with_tables)

    def _leave_database(self):
        if self._session is not None:
            self._session.close()
            self._session = None

    def drop_database(self):
        self._leave_database()
        if self._database is not None:
            pg.drop_database(self._database)
            self._database = None

    def snapshot(self):
        """A copy of the database to restore() from; its name."""
        self._leave_database()
        self.settle()
        name = pg.create_database(template=self.database)
        self._stack.callback(pg.drop_database, name)
        return name

    def restore(self, snapshot):
        self.drop_database()
        self._database = pg.create_database(template=snapshot)

    def settle(self):
        """Wait until the server has noticed that killed programs are gone; a
        pooler keeps their connections, and has to be made to let go."""
        pooled = "ODKS_TEST_POOLER" in os.environ
        others = (f"datname = '{self.database}'"
                  " AND application_name <> 'test'"
                  " AND backend_type = 'client backend'")

        def gone():
            if pooled:
                pg.server().run("SELECT pg_terminate_backend(pid)"
                                f" FROM pg_stat_activity WHERE {others}"
                                " AND state = 'idle'")
            return pg.server().value("SELECT count(*) FROM pg_stat_activity"
                                     f" WHERE {others}") == 0

        pg.wait_until(gone, 30, "the backends of killed programs end")

    def hurry(self):
        """As if time had passed: waiting jobs are due, leases are over."""
        self.session.run(
            "UPDATE odk_sync_queue SET run_at = clock_timestamp()"
            " WHERE state = 'pending' AND run_at > clock_timestamp();"
            "UPDATE odk_sync_queue"
            " SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE state = 'running'")

    def reconcile_is_due(self):
        """As if the time between two reconciles had passed."""
        self.session.run("UPDATE odk_sync_cursor SET last_reconcile"
                         " = last_reconcile - interval '1000 days'")

    # -- the configuration -------------------------------------------------

    def job(self, name, **settings):
        """A job of kind submissions in project 1, unless said otherwise."""
        self.jobs[name] = {"kind": "submissions", "project": 1, **settings}

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o600):
        """A file in the directory of the world; its path. Who has it open
        reads on in the old one."""
        new = self.path(name + ".new")
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(new, mode)
        os.rename(new, self.path(name))
        return self.path(name)

    def sections(self):
        database = {"host": os.environ["PGHOST"],
                    "port": os.environ["PGPORT"], "user": "postgres",
                    "dbname": self.database, **self.settings["database"]}
        central = {"url": self.central.url, "user": self.central.user,
                   "password_file": self.path("central-password"),
                   **self.settings["central"]}
        yield "odk-sync", self.settings["odk-sync"]
        yield "database", database
        yield "central", central
        yield from self.more
        for name, settings in self.jobs.items():
            yield "job " + name, settings

    def configure(self):
        """Write the configuration file; a setting of None is left out."""
        self.write("central-password", self.central.password)
        lines = []
        for section, settings in self.sections():
            if settings:
                lines.append(f"[{section}]")
            lines += [f"{key} = {value}" for key, value in settings.items()
                      if value is not None]
        return self.write("odk-sync.ini", "\n".join(lines) + "\n")

    # -- the program -------------------------------------------------------

    def start(self, *args, env=None, shim=None, **popen):
        """Start the program and return its Popen. shim: settings of the
        fault library without their prefix, at=3 for ODKS_FAULT_AT."""
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("PG")}
        environment["ODK_SYNC_CONFIG"] = self.configure()
        environment["TZ"] = "Australia/Lord_Howe"
        if shim is not None:
            environment["LD_PRELOAD"] = os.path.abspath(SHIM)
            environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
            environment["ODKS_FAULT_HTTP_PORT"] = str(self.central.port)
            for key, value in shim.items():
                environment["ODKS_FAULT_" + key.upper()] = str(value)
        environment.update(env or {})
        if not environment["ODK_SYNC_CONFIG"]:
            need_no_system_config()
        program = os.environ.get("ODKS_PROGRAM",
                                 os.path.join(BUILD, "odk-sync"))
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                 "stderr": subprocess.PIPE, "cwd": self.directory,
                 "encoding": "utf-8", "errors": "replace", **popen}
        return subprocess.Popen([os.path.abspath(program), *args],
                                env=environment, **popen)

    def run(self, *args, timeout=120, **kwargs):
        """Run the program to its end."""
        process = self.start(*args, **kwargs)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Result(args, process.returncode, out, err)

    def exits(self, code, *args, **kwargs):
        """Run the program, which has to end with that code."""
        result = self.run(*args, **kwargs)
        tap.check(result.code == code, f"not exit {code}: {result}")
        return result

    def ok(self, *args, **kwargs):
        return self.exits(0, *args, **kwargs)

    # -- what came of it ---------------------------------------------------

    def differences(self, form, **kwargs):
        return oracle.differences(self.central, self.session, form, **kwargs)

    def compare(self, form, **kwargs):
        """The tables of the form equal Central, in every cell."""
        found = self.differences(form, **kwargs)
        tap.check(not found, f"{form}: {len(found)} differences:\n"
                  + "\n".join(found[:20]))

    def history(self):
        return self.session.rows("SELECT * FROM odk_sync_history ORDER BY id")

    def queue(self):
        return self.session.rows("SELECT * FROM odk_sync_queue ORDER BY id")
