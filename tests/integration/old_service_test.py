# tests/integration/old_service_test.py - SPDX-License-Identifier: Apache-2.0
"""A service of the old kind, written with SQLAlchemy, before, beside and after
odk-sync, on the same tables."""

import contextlib
import datetime
import importlib.util
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM_PYTHON = "/usr/bin/python3"  # for which Debian packages SQLAlchemy
if (importlib.util.find_spec("sqlalchemy") is None
        and os.path.realpath(sys.executable)
        != os.path.realpath(SYSTEM_PYTHON)
        and os.access(SYSTEM_PYTHON, os.X_OK)):
    os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, __file__, *sys.argv[1:]])

sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import odks  # noqa: E402
import oldtables  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"
TYPE = "main_submissions"
LATEST = datetime.datetime(2025, 1, 1, 10, 0, 0, 123000,
                           datetime.timezone.utc)
ATTEMPTS = 1000  # of each side
BY_PROGRAM = 10  # of ours


@contextlib.contextmanager
def new_world():
    """(world, service): nothing is installed by either."""
    import oldservice  # not there without SQLAlchemy
    with odks.World() as world:
        world.job(TYPE, form=FORM)
        with oldservice.OldService(
                "web-7-12", dbname=world.database, user="postgres",
                host=os.environ.get("PGHOST_DIRECT", os.environ["PGHOST"]),
                port=os.environ.get("PGPORT_DIRECT", os.environ["PGPORT"]),
                ) as service:
            yield world, service


def some_work(service):
    """It succeeds, fails, and succeeds without a timestamp."""
    key = service.start(TYPE)
    service.complete(key, TYPE, 42, LATEST,
                     {"raw_records_fetched": 42, "note": "café ☃"})
    service.fail(service.start("person_details"), "person_details",
                 "Connection aborted → " + "x" * 2000)
    service.complete(service.start("image_processing"), "image_processing", 0)


def all_rows(world):
    return {row["id"]: row for row in world.history()}


def is_kept(world, before):
    """Every attempt of before is there as it was, with both metadata."""
    after = all_rows(world)
    for key, row in before.items():
        wanted = {**row, "metadata": row["sync_metadata"]}
        tap.equal(after.get(key), wanted, f"attempt {key}")


def our_run(world, count, seed):
    world.central.create(FORM, count=count, seed=seed)
    world.central.clock(advance=3600)
    world.ok("run")
    world.compare(FORM)


def test_before_during_and_after():
    with new_world() as (world, service):
        service.create_tables()
        some_work(service)
        under_way = service.start("url_refresh")
        before = all_rows(world)
        seen = service.statistics()

        world.ok("init")
        is_kept(world, before)
        tap.equal(service.statistics(), seen, "statistics after init")
        tap.equal(service.last_sync_time(TYPE), LATEST, "place")
        tap.equal(len(service.history()), 4, "history")
        service.create_tables()
        service.complete(under_way, "url_refresh", 3, None,
                         {"threshold_hours": 2})
        some_work(service)

        before = all_rows(world)
        our_run(world, 6, 1)
        is_kept(world, before)
        statistics = service.statistics()[TYPE]
        tap.equal((statistics["status"], statistics["last_error"],
                   statistics["total"]), ("success", None, 3), "statistics")
        newest = world.session.value(
            "SELECT max(_submitted_at)::text || ':00' FROM odk.household")
        tap.equal(service.last_sync_time(TYPE),
                  datetime.datetime.fromisoformat(newest), "place")
        _, sync_type, status, metadata = service.history(1)[0]
        tap.equal((sync_type, status), (TYPE, "success"), "our attempt")
        tap.equal(metadata["counts"],
                  {"central": 6, "table": 6, "proven": True}, "our metadata")

        before = all_rows(world)
        some_work(service)
        service.fail(service.start(TYPE), TYPE, "broken")
        is_kept(world, before)
        shown = world.ok("status").out
        tap.check("error" in shown and "image_processing" in shown, shown)
        tap.check("broken" in world.ok("history", TYPE).out, "history")
        our_run(world, 2, 7)
        tap.equal(service.statistics()[TYPE]["last_error"], None, "error")
        tap.equal(service.cleanup(30), 0, "too old")


def test_made_by_the_guide():
    """Its tables never worked with its code; adopted ones do."""
    import sqlalchemy
    with new_world() as (world, service):
        world.session.run(oldtables.GUIDE)
        try:
            service.start(TYPE)
            raise AssertionError("it did work")
        except sqlalchemy.exc.ProgrammingError as error:
            tap.check("sync_metadata" in str(error), str(error))
        world.ok("init")
        some_work(service)
        our_run(world, 3, 1)
        tap.equal(service.statistics()[TYPE]["total"], 2, "attempts")
        tap.equal(len(service.history()), 4, "history")


def test_it_reads_while_we_work():
    with new_world() as (world, service):
        service.create_tables()
        some_work(service)
        world.ok("init")
        world.central.create(FORM, count=400, seed=1)
        world.central.clock(advance=3600)
        process = world.start("run", TYPE)
        seen = set()
        while process.poll() is None:
            seen.add(service.statistics()[TYPE]["status"])
            seen.add(service.history(1)[0][2])
        process.communicate()
        tap.equal(process.returncode, 0, "run")
        tap.check(seen <= {"success", "in_progress"}, str(seen))
        world.compare(FORM)


class Writer(threading.Thread):
    """A thread of the old service with its share of attempts."""

    def __init__(self, service, number, count):
        super().__init__(daemon=True)
        self.service, self.number, self.count = service, number, count
        self.written = {}
        self.failure = None

    def run(self):
        try:
            for n in range(self.count):
                # one type that both sides count, one of this thread alone
                sync_type = TYPE if n % 2 else f"old_{self.number}"
                key = self.service.start(sync_type)
                if n % 5:
                    self.service.complete(key, sync_type, n, None, {"n": n})
                else:
                    self.service.fail(key, sync_type, f"failure {n}")
                self.written[key] = (sync_type, "success" if n % 5
                                     else "error", {"n": n} if n % 5 else None)
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error


def write_ours(session, first, count):
    """Attempts as any other language writes them; {id: (type, status)}."""
    written = {}
    statements = []
    for n in range(first, first + count):
        sync_type = TYPE if n % 2 else "ours"
        end = (f"odk_sync_complete(:id, '{sync_type}', {n}, NULL,"
               f" '{{\"n\": {n}}}')" if n % 5
               else f"odk_sync_fail(:id, '{sync_type}', 'failure {n}')")
        statements.append(
            f"SELECT odk_sync_start('{sync_type}', 'psql-1') AS id \\gset\n"
            f"SELECT :id, {end};")
        written[n] = (sync_type, "success" if n % 5 else "error",
                      {"n": n} if n % 5 else None)
    lines = session.run("\n".join(statements)).split("\n")
    return dict(zip((int(line.split("|")[0]) for line in lines),
                    written.values()))


def test_both_write_at_once():
    with new_world() as (world, service):
        service.create_tables()
        world.ok("init")
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=3600)
        service.know(TYPE)
        writers = [Writer(service, number, ATTEMPTS // 2)
                   for number in range(2)]
        for writer in writers:
            writer.start()
        wanted = {}
        steps = BY_PROGRAM
        share = (ATTEMPTS - BY_PROGRAM) // steps
        for step in range(steps):
            # neither side is done before the other is half way
            pg.wait_until(lambda s=step: any(w.failure for w in writers)
                          or sum(len(w.written) for w in writers)
                          >= s * ATTEMPTS // steps, 60, "the service writes")
            wanted.update(write_ours(world.session, step * share, share))
            world.ok("run", TYPE)
        for writer in writers:
            writer.join(60)
            if writer.failure:
                raise writer.failure
            wanted.update(writer.written)
        tap.equal(len(wanted), 2 * ATTEMPTS - BY_PROGRAM, "written")

        # every attempt once, as it was written
        found = {key: rest for key, *rest in service.history()}
        tap.equal(len(found), 2 * ATTEMPTS, "attempts")
        for key, attempt in wanted.items():
            tap.equal(tuple(found.pop(key)), attempt, f"attempt {key}")
        tap.equal([rest[:2] for rest in found.values()],
                  [[TYPE, "success"]] * BY_PROGRAM, "of the program")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_history"
            " WHERE metadata IS DISTINCT FROM sync_metadata"), 0, "unequal")

        # the counters add up
        tap.equal(world.session.rows(
            "SELECT sync_type, successful_sync_count AS good,"
            " failed_sync_count AS bad FROM odk_sync_status ORDER BY 1"),
            world.session.rows(
                "SELECT sync_type, count(*) FILTER (WHERE status = 'success')"
                " AS good, count(*) FILTER (WHERE status = 'error') AS bad"
                " FROM odk_sync_history GROUP BY 1 ORDER BY 1"), "counters")
        world.compare(FORM)


if __name__ == "__main__":
    try:
        odks.need_all()
        for module in ("sqlalchemy", "psycopg2"):
            if importlib.util.find_spec(module) is None:
                raise tap.Skip(f"it needs python3-{module}")
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
