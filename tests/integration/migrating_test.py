# tests/integration/migrating_test.py - SPDX-License-Identifier: Apache-2.0
"""MIGRATING.md, with the commands taken from the file itself: forward, back,
and forward again, beside a service that does what the old one did."""

import datetime
import json
import os
import re
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import clean  # noqa: E402
import odks  # noqa: E402
import oldtables  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

SOURCE = os.environ.get("top_srcdir", os.path.join(HERE, "..", ".."))
FORM = "bulk"
MAIN, PERSONS = "main_submissions", "person_details"


# --- the guide ---------------------------------------------------------------

def guide():
    with open(os.path.join(SOURCE, "MIGRATING.md"), encoding="utf-8") as file:
        return file.read()


def steps():
    """{number of a step: its text}"""
    return {int(number): text for number, text in re.findall(
        r"^## (\d+)\. .*\n((?:(?!^## ).*\n)*)", guide(), re.M)}


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.S | re.M)


def commands(number):
    found = blocks(steps()[number], "sh run")
    tap.check(found, f"step {number} has no commands")
    return "".join(found)


# --- the old service ---------------------------------------------------------

class OldService:
    """Reads what is newer than its last sync time, by submission date alone,
    writes it into tables of its own, and goes on from the newest it saw."""

    def __init__(self, world, directory):
        self.world, self.directory = world, directory
        world.session.run('CREATE TABLE "GRARentalDataCollection" ("UUID"'
                          ' varchar PRIMARY KEY, "SubmittedDate" timestamp)')

    def get(self):
        raise NotImplementedError

    def begin(self):
        pass

    def end(self, latest, count):
        raise NotImplementedError

    def fetch(self, since):
        query = ""
        if since is not None:
            wall = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            query = "?" + urllib.parse.urlencode(
                {"$filter": f"__system/submissionDate gt {wall}"})
        central = self.world.central
        status, _, body = central.request(
            "GET", f"/v1/projects/1/forms/{FORM}.svc/Submissions{query}", None,
            {"Authorization": "Bearer " + central.login()})
        tap.equal(status, 200, "the old service's request")
        return [(r["__id"], r["__system"]["submissionDate"])
                for r in json.loads(body)["value"]]

    def cycle(self):
        """How many it found."""
        self.begin()
        found = self.fetch(self.get())
        for uuid, date in found:
            self.world.session.run(
                'INSERT INTO "GRARentalDataCollection" VALUES'
                f" ('{uuid}', '{date}') ON CONFLICT DO NOTHING")
        latest = max((datetime.datetime.fromisoformat(
            date.replace("Z", "+00:00")) for _, date in found), default=None)
        self.end(latest, len(found))
        return len(found)

    def missing(self):
        """What Central has and its table has not."""
        live = {r["__id"] for r in self.world.central.state(FORM)["live"]}
        return live - {r["UUID"] for r in self.world.session.rows(
            'SELECT "UUID" FROM "GRARentalDataCollection"')}


class WithFile(OldService):
    """The one with last_sync.txt."""

    def path(self):
        return os.path.join(self.directory, "last_sync.txt")

    def get(self):
        if not os.path.exists(self.path()):
            return None
        with open(self.path(), encoding="utf-8") as file:
            return datetime.datetime.fromisoformat(file.read().strip())

    def end(self, latest, count):
        if latest is not None:
            with open(self.path(), "w", encoding="utf-8") as file:
                file.write(latest.isoformat())


class WithTables(OldService):
    """The one with odk_sync_status and odk_sync_history, as create_all made
    them; an SQLAlchemy model writes every column."""

    def __init__(self, world, directory):
        super().__init__(world, directory)
        self.attempt = None
        world.session.run(oldtables.CODE)

    def get(self):
        rows = self.world.session.rows(
            "SELECT last_sync_timestamp FROM odk_sync_status"
            f" WHERE sync_type = '{MAIN}'")
        text = rows[0]["last_sync_timestamp"] if rows else None
        return text and datetime.datetime.fromisoformat(text)

    def begin(self):
        self.attempt = int(self.world.session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status,"
            f" service_instance) VALUES ('{MAIN}', now(), 'in_progress',"
            " 'old-1') RETURNING id"))
        self.world.session.run(
            "INSERT INTO odk_sync_status (sync_type, last_attempt_timestamp,"
            " last_sync_status, successful_sync_count, failed_sync_count,"
            f" created_at, updated_at) VALUES ('{MAIN}', now(), 'in_progress',"
            " 0, 0, now(), now()) ON CONFLICT (sync_type) DO UPDATE"
            " SET last_sync_status = 'in_progress', last_error_message = NULL")

    def end(self, latest, count):
        moved = f", last_sync_timestamp = '{latest}'" if latest else ""
        self.world.session.run(
            f"UPDATE odk_sync_history SET status = 'success',"
            f" records_processed = {count}, duration_seconds = 0,"
            f""" sync_metadata = '{{"raw_records_fetched": {count}}}'"""
            f" WHERE id = {self.attempt};"
            "UPDATE odk_sync_status SET last_sync_status = 'success',"
            " successful_sync_count = successful_sync_count + 1,"
            f" last_records_processed = {count}{moved}"
            f" WHERE sync_type = '{MAIN}'")


# --- the way there and back --------------------------------------------------

class Move:
    """A world in which the old service runs and the guide is followed."""

    def __init__(self, world, service):
        self.world = world
        self.old = world.path("okd_sync")
        self.new = world.path("etc")
        os.mkdir(self.old)
        os.mkdir(self.new)
        self.service = service(world, self.old)
        with open(os.path.join(self.old, ".env"), "w",
                  encoding="utf-8") as file:
            file.write(
                f"ODK_BASE_URL={world.central.url}/\nODK_PROJECT_ID=1\n"
                f"ODK_FORM_ID={FORM}\nODATA_USER={world.central.user}\n"
                "ODATA_PASS='not this one'\n"
                f"PG_HOST={os.environ['PGHOST']}\nPG_PASS=\"nor this\"\n"
                f"PG_PORT={os.environ['PGPORT']}\nPG_DB={world.database}\n"
                "PG_USER=postgres\nSYNC_INTERVAL=60\n")
        tools = os.path.dirname(pg.find_tool("psql"))
        self.env = {
            "PATH": os.pathsep.join([os.path.abspath(odks.BUILD), tools,
                                     "/usr/bin:/bin"]),
            "HOME": self.old, "OLD": self.old, "NEW": self.new,
            "ODK_SYNC_CONFIG": clean.NO_CONFIG,
            "PGHOST": os.environ["PGHOST"], "PGPORT": os.environ["PGPORT"],
            "PGDATABASE": world.database, "PGUSER": "postgres",
        }

    def shell(self, script, stdin=""):
        said = subprocess.run(
            ["/bin/sh", "-euc", script], input=stdin, capture_output=True,
            encoding="utf-8", env=self.env, check=False, timeout=120,
            cwd=self.old)
        tap.check(said.returncode == 0, f"exit {said.returncode} of:\n{script}"
                  f"\nstdout: {said.stdout}\nstderr: {said.stderr}")
        return said

    def follow(self, number, stdin=""):
        """Run the commands of a step; what was printed."""
        said = self.shell(commands(1) + commands(number), stdin)
        for line in said.stderr.splitlines():
            # only "init --check" may end with 78
            tap.check(line.startswith(("odk-sync: warning: ", "  hint: "))
                      or line.endswith(" [78]") and number == 6,
                      f"step {number} says: {said.stderr}")
        return said.stdout

    def submit(self, count, seed):
        self.world.central.create(FORM, count=count, seed=seed)
        self.world.central.clock(advance=3600)

    def last_sync(self):
        return self.world.session.value(
            "SELECT last_sync_timestamp::text AS t FROM odk_sync_status"
            f" WHERE sync_type = '{MAIN}'")


def configured(move):
    """Steps 2 and 3, with the service at work."""
    move.submit(5, seed=1)
    tap.equal(move.service.cycle(), 5, "found by the old service")
    move.follow(2)
    names = os.listdir(os.path.join(move.new, "before"))
    tap.check("database.dump" in names, f"the backup: {names}")
    out = move.follow(3, stdin=f"{move.world.central.password}\nunused\n")
    tap.check("password_file = " + move.new in out, out)
    for name in os.listdir(move.new):
        if name != "before":
            mode = os.stat(os.path.join(move.new, name)).st_mode
            tap.equal(mode & 0o077, 0, "others' rights on " + name)


def tried(move):
    """Step 4: the old service sees nothing of it."""
    move.submit(2, seed=2)
    before = move.service.get()
    out = move.follow(4)
    tap.check(re.search(rf"^{MAIN} .* 7 +7 ", out, re.M), out)
    tap.equal(move.service.get(), before, "the old service's place")
    tap.equal(move.service.cycle(), 2, "found after the trial")
    tap.equal(move.world.session.value(
        "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'odk%'"), 0,
        "schemas left by the trial")


def switched(move, submissions):
    """Steps 6 and 7; what came in since the old service stopped is there."""
    place = move.service.get()
    move.submit(3, seed=3 + submissions)
    move.follow(6)
    with open(os.path.join(move.new, "before", "last_sync.txt"),
              encoding="ascii") as file:
        kept = datetime.datetime.fromisoformat(file.read().strip())
    tap.equal(kept, place, "what is kept for going back")
    move.world.compare(FORM)
    out = move.follow(7)
    tap.check(re.search(rf"^{MAIN} .* {submissions} +{submissions} ", out,
                        re.M), out)
    tap.check("\nhealthy\n" in out, out)
    tap.check(datetime.datetime.fromisoformat(
        move.last_sync().replace(" ", "T") + ":00") > place,
        "odk-sync's last sync time")


def scheduled(move):
    """Step 8: what the crontab and Compose start, on these files."""
    text = steps()[8]
    (line,) = blocks(text, "cron")
    command = line.split(None, 5)[5].strip()
    command = command.replace("/etc/odk-sync", move.new)
    command = command.replace("/usr/local/bin/", "")  # it is not installed
    move.submit(1, seed=50)
    said = move.shell(command)
    tap.equal((said.stdout, said.stderr), ("", ""), "said by cron's command")
    move.world.compare(FORM)
    (compose,) = blocks(text, "yaml")
    try:
        import yaml
    except ImportError:
        return
    service = yaml.safe_load(compose)["services"]["odk_sync"]
    move.submit(1, seed=51)
    setting = service["environment"]["ODK_SYNC_CONFIG"]
    source, target = service["volumes"][0].split(":")[:2]
    tap.equal((source, setting), (target, source + "/odk-sync.ini"), "paths")
    move.shell(f"ODK_SYNC_CONFIG={move.new}/odk-sync.ini "
               + " ".join(service["command"]))
    move.world.compare(FORM)


def gone_back(move):
    """Step 9: the old tables get all that came in meanwhile."""
    attempts = [row["id"] for row in move.world.history()]
    missing = len(move.service.missing())
    tap.check(missing >= 4, "nothing came in meanwhile")
    move.follow(9)
    move.submit(1, seed=60)
    tap.equal(move.service.cycle(), missing + 1, "found by the old service")
    tap.equal(move.service.missing(), set(), "missing in the old tables")
    move.shell(commands(1) + "odk-sync run\n")  # a forgotten crontab
    tap.equal(move.service.cycle(), 0, "found in the next cycle")
    move.submit(1, seed=61)
    tap.equal(move.service.cycle(), 1, "found in the one after it")
    tap.equal([row["id"] for row in move.world.history()][:len(attempts)],
              attempts, "the history")


def follow_the_guide(service):
    with odks.World() as world:
        move = Move(world, service)
        configured(move)
        tried(move)
        if service is WithTables:
            old_rows = world.session.rows(
                "SELECT id, status, records_processed, sync_metadata"
                " FROM odk_sync_history ORDER BY id")
        switched(move, 10)
        scheduled(move)
        gone_back(move)
        total = len(world.central.state(FORM)["live"])
        move.follow(10)
        switched(move, total + 3)
        if service is WithTables:
            tap.equal(world.session.rows(
                "SELECT id, status, records_processed, sync_metadata FROM"
                f" odk_sync_history WHERE id <= {old_rows[-1]['id']}"
                " ORDER BY id"), old_rows, "the history of the old service")


def test_guide_for_the_service_with_the_file():
    follow_the_guide(WithFile)


def test_guide_for_the_service_with_the_tables():
    follow_the_guide(WithTables)


def test_every_block_is_known():
    kinds = re.findall(r"^```(.*)$", guide(), re.M)
    tap.equal(set(kinds), {"", "sh run", "sh choose", "cron", "yaml"}, "blocks")
    tap.equal(sorted(steps()), list(range(1, 11)), "the steps")


def test_blocks_to_choose_from_are_shell():
    for text in blocks(guide(), "sh choose"):
        said = subprocess.run(["/bin/sh", "-n"], input=text, check=False,
                              capture_output=True, encoding="utf-8")
        tap.equal((said.returncode, said.stderr), (0, ""), text)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
