# tests/integration/claims_test.py - SPDX-License-Identifier: Apache-2.0
"""A job keeps its claim while it waits, and hands it back when the run's own
time is over."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"


def test_waiting_for_a_table_keeps_the_claim():
    with odks.World() as world:
        world.settings["odk-sync"]["lease"] = "15s"
        world.settings["database"]["lock_wait"] = "10m"
        world.job("f", form="f")
        world.central.publish("f", "1", ["a:string"])
        world.init()
        world.central.create("f", seed=1)
        world.ok("run")
        world.central.publish("f", "2", ["a:string", "b:int"])
        world.central.create("f", seed=2)
        reader = pg.Session(world.database)
        reader.run("BEGIN; SELECT count(*) FROM odk.f")
        process = world.start("run", "f")
        until = pg.wait_until(
            lambda: world.session.value(
                "SELECT max(lease_until)::text FROM odk_sync_queue"), 60,
            "the claim")
        claim = world.queue()[0]
        for _ in range(2):  # the first renewal may be from before the wait
            until = pg.wait_until(
                lambda: world.session.value(
                    "SELECT max(lease_until)::text FROM odk_sync_queue"
                    f" WHERE lease_until > '{until}'"), 120,
                "the lease is extended while the table is in use")
        tap.equal(world.queue()[0]["claim_no"], claim["claim_no"], "the claim")
        reader.run("ROLLBACK")
        reader.close()
        _, err = process.communicate(timeout=120)
        tap.equal((process.returncode, err), (0, ""), "the run")
        tap.equal([r["status"] for r in world.history()],
                  ["success", "success"], "history")


def test_waiting_for_views_keeps_the_claim():
    """Each try to change a view that is in use is rolled back, and there are
    more of them than the lease lasts."""
    def form(*more):
        return ["a:string"] + [{f"r{i}[]": ["x:string", *more]}
                               for i in range(10)]

    with odks.World() as world:
        world.settings["odk-sync"]["lease"] = "15s"
        world.job("f", form="f", every="1000h")
        world.central.publish("f", "1", form())
        world.init()
        world.central.create("f", seed=1)
        world.ok("run")
        world.central.publish("f", "2", form("y:int"))
        world.central.create("f", seed=2)
        views = world.session.rows(
            "SELECT oid::regclass::text AS name FROM pg_class"
            " WHERE relkind = 'v' AND relnamespace = 'odk'::regnamespace")
        tap.check(len(views) > 10, str(views))
        other = pg.Session(world.database)
        other.run("BEGIN;" + "".join(
            f"COMMENT ON VIEW {v['name']} IS 'in use';" for v in views))
        process = world.start("run", "f")
        while process.poll() is None:
            world.ok("run")  # would take the job back, if it could
        other.close()
        tap.equal((process.returncode, process.communicate()[1]), (0, ""),
                  "the run")
        tap.equal([r["status"] for r in world.history()],
                  ["success", "success"], "history")


def stopped_in_the_middle(world):
    """A run whose time is over after the first of three windows."""
    for limit in (2, 10, 50):  # what a slow machine takes to get there
        world.central.script({"match": "expand", "skip": 1, "times": 1,
                              "action": {"stall": [2000, 600]}})
        result = world.run("run", f"--max-time={limit}s")
        if result.code != 75:
            return result
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_cursor"
                                      " WHERE backfill_position IS NOT NULL"),
                  0, "75 when nothing was stored")
        world.central.script({"match": "none"}, clear=True)
    raise AssertionError(str(result))


def test_a_first_sync_that_is_out_of_time_is_no_error():
    with odks.World() as world:
        world.job("people", form=FORM, window_rows=10)
        world.init()
        world.central.create(FORM, count=30, seed=1)
        world.central.clock(advance=60)
        result = stopped_in_the_middle(world)
        tap.equal((result.code, result.out, result.err), (0, "", ""),
                  "cron has nothing to mail, and nobody counts a failure")
        row = world.history()[-1]
        metadata = json.loads(row["metadata"])
        stored = world.session.value(f"SELECT count(*) FROM odk.{FORM}")
        tap.equal((row["status"], row["error_message"],
                   row["records_processed"], metadata["outcome"],
                   metadata["exit_code"]),
                  ("error", f"interrupted: time limit reached; {stored}"
                   " submissions stored, the next run continues", stored,
                   "interrupted", 0), "history")
        (job,) = world.queue()
        tap.equal((job["state"], job["failures"], job["last_error"]),
                  ("pending", 0, None), "queue")
        (status,) = world.session.rows(
            "SELECT last_sync_status, failed_sync_count, last_error_message"
            " FROM odk_sync_status")
        tap.equal(tuple(status.values()), ("pending", 0, None), "status")
        world.ok("run")  # it is due
        world.compare(FORM)
        tap.equal(json.loads(world.history()[-1]["metadata"])["inserted"],
                  30 - stored, "what was stored is not read again")


def test_out_of_time_between_two_jobs_is_no_error():
    with odks.World() as world:
        for name in ("one", "two"):
            world.jobs[name] = {"kind": "sql", "sql": "SELECT 1",
                                "every": "1000h"}
        world.jobs["one"]["sql"] = "SELECT pg_sleep(1.5)"
        world.init()
        result = world.run("run", "--max-time=1s")
        done = [r["status"] for r in world.history()]
        tap.check(result.code in (0, 75), str(result))
        tap.check("success" not in done or result.code == 0, str(result))
        world.ok("run")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
