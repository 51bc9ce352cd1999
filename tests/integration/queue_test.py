# tests/integration/queue_test.py - SPDX-License-Identifier: Apache-2.0
"""The queue as its users see it: what is due, in which order, and by hand."""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402


def new_world(**jobs):
    """A job for each keyword, of the form simple unless it names another."""
    world = odks.World()
    for name, settings in jobs.items():
        world.job(name, **{"form": "simple", **settings})
    return world


def ready(world):
    world.init()
    return world


def attempts(world):
    return [h["sync_type"] for h in world.history()]


def shown(world, command, *args):
    return json.loads(world.ok(command, "--json", *args).out)


def test_without_a_schedule_every_run_is_due():
    with new_world(a={}) as world:
        ready(world)
        world.ok("run")
        world.ok("run")
        tap.equal(attempts(world), ["a", "a"], "attempts")


def test_every_is_due_once_in_its_time():
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        for _ in range(3):
            world.ok("run")
        tap.equal(attempts(world), ["a"], "attempts")
        world.ok("run", "a")
        tap.equal(attempts(world), ["a", "a"], "asked for by name")
        # however many slots were missed, one job catches up
        world.session.run("UPDATE odk_sync_slot SET slot = '2020-01-01Z'")
        world.ok("run")
        world.ok("run")
        tap.equal(len(attempts(world)), 3, "attempts")


def test_schedule_in_its_time_zone():
    with new_world(a={"schedule": "0 2 29 2 *",
                      "timezone": "Africa/Banjul"}) as world:
        ready(world)
        world.ok("run")
        world.ok("run")
        tap.equal(attempts(world), ["a"], "attempts")
        slot = world.session.value("SELECT to_char(slot, 'MM-DD HH24:MI')"
                                   " FROM odk_sync_slot")
        tap.equal(slot, "02-29 02:00", "slot")


def test_after_follows_and_order_is_by_priority():
    with new_world(z={"priority": 1}, a={"priority": 2},
                   b={"after": "a"}, c={"after": "b"}) as world:
        ready(world)
        world.ok("run")
        tap.equal(attempts(world), ["z", "a", "b", "c"], "attempts")


def test_once_and_max_jobs():
    with new_world(a={}, b={}, c={}) as world:
        ready(world)
        world.ok("run", "--once")
        tap.equal(len(attempts(world)), 1, "attempts")
        world.ok("run", "--max-jobs=2")
        tap.equal(len(attempts(world)), 3, "attempts")


def test_one_failing_job_does_not_stop_the_others():
    with new_world(a={"form": "missing"}, b={}, c={"project": 7}) as world:
        ready(world)
        world.exits(78, "run")
        tap.equal({h["sync_type"]: h["status"] for h in world.history()},
                  {"a": "error", "b": "success", "c": "error"}, "attempts")


def test_idle():
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        world.ok("run")
        result = world.ok("run")
        tap.equal((result.out, result.err), ("", ""), "output")
        world.exits(75, "run", "--fail-if-idle")


def test_enqueue_queue_cancel():
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        first = world.ok("enqueue", "a", "--at=2100-01-01").out.strip()
        job = shown(world, "queue")[0]
        tap.equal((str(job["id"]), job["state"], job["priority"]),
                  (first, "waiting", 100), "job")
        again = world.ok("enqueue", "a", "--priority=5", "--full").out.strip()
        tap.equal(again, first, "a second one merges into it")
        job = shown(world, "queue")[0]
        tap.equal((job["state"], job["priority"], job["payload"]),
                  ("due", 5, {"full": True}), "job")
        world.ok("cancel", first)
        tap.equal(shown(world, "queue"), [], "queue")
        tap.check("queue is empty" in world.ok("queue").out)
        world.exits(64, "cancel", first)
        world.exits(64, "retry", first)


def test_pause_and_resume():
    with new_world(a={"every": "1000h"}, b={}) as world:
        ready(world)
        world.ok("pause", "a")
        world.ok("run")
        tap.equal(attempts(world), ["b"], "attempts")
        tap.equal([s["queue"] for s in shown(world, "status")
                   if s["sync_type"] == "a"], ["paused"], "status")
        world.ok("resume", "a")
        world.ok("run", "--once")
        tap.equal(attempts(world), ["b", "a"], "the slot was kept")
        world.exits(64, "pause", "c")


def test_retry_hurries_a_failed_job():
    with new_world(a={"every": "1000h", "project": 7}) as world:
        ready(world)
        world.exits(78, "run")
        job = shown(world, "queue")[0]
        tap.equal(job["state"], "dead", "job")
        world.jobs["a"]["project"] = 1
        world.ok("run")
        tap.equal(len(attempts(world)), 1, "a dead job stays dead")
        world.ok("retry", str(job["id"]))
        world.ok("run")
        tap.equal(world.history()[-1]["status"], "success", "status")


def test_a_new_slot_revives_a_dead_job():
    with new_world(a={"every": "1000h", "project": 7}) as world:
        ready(world)
        world.exits(78, "run")
        world.jobs["a"]["project"] = 1
        world.session.run("UPDATE odk_sync_slot SET slot = '2020-01-01Z'")
        world.ok("run")
        tap.equal(world.queue(), [], "queue")


def test_abandoned_job_is_taken_back_and_told():
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        process = world.start("run", shim={"at": 30, "action": "kill"})
        process.communicate(timeout=60)
        tap.equal(process.returncode, -9, "exit code")
        world.settle()
        world.hurry()
        result = world.ok("run", "-v")
        tap.check("took back 1 abandoned job" in result.err, str(result))
        world.hurry()
        world.ok("run")
        tap.equal([h["status"] for h in world.history()],
                  ["error", "success"], "attempts")
        tap.check("abandoned" in world.history()[0]["error_message"])


def test_status_and_history_show_the_proof():
    with new_world(a={}, b={"every": "1h"}) as world:
        ready(world)
        tap.check("has not run yet" in world.ok("status").out)
        world.central.create("simple", count=3, seed=1)
        world.central.clock(advance=60)
        world.ok("run", "a")
        row = shown(world, "status")[0]
        tap.equal((row["submissions"], row["central"], row["rejects"]),
                  (3, 3, 0), "status")
        table = world.ok("status").out
        tap.check("SUBMISSIONS" in table and "b: has not run yet" in table)
        row = shown(world, "history", "a")[0]
        tap.equal((row["status"], row["records"]), ("success", 3), "history")
        tap.equal(row["metadata"]["inserted"], 3, "metadata")
        for text in ("no JSON", '{"x": 1} and more', "[1]"):
            world.session.run(
                "INSERT INTO odk_sync_history (sync_type, status, metadata)"
                f" VALUES ('c', 'success', '{text}')")
            tap.equal(shown(world, "history", "c")[0]["metadata"], text,
                      "what others wrote")
        tap.equal(shown(world, "history", "b"), [], "history of b")
        tap.equal(len(shown(world, "history", "--limit=1")), 1, "limit")


def test_old_history_is_pruned():
    with new_world(a={}) as world:
        ready(world)
        world.session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status)"
            " SELECT 'old', now() - interval '31 days', 'success'"
            " FROM generate_series(1, 6000)")
        world.ok("run")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_history WHERE sync_type = 'old'"),
            1000, "in batches")
        world.ok("run")
        tap.equal(attempts(world), ["a", "a"], "attempts")


def test_old_history_that_somebody_refers_to():
    """The jobs are done: that is no failure of theirs."""
    with odks.World() as world:
        world.job("people", form="household")
        world.init()
        world.session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status)"
            " VALUES ('people', now() - interval '40 days', 'success');"
            "CREATE TABLE note (id int REFERENCES odk_sync_history);"
            "INSERT INTO note SELECT id FROM odk_sync_history")
        for command in (("run",), ("exec", "other", "--", "true")):
            result = world.ok(*command)
            tap.check("old history stays" in result.err and "note"
                      in result.err, str(result))
        tap.equal([h["status"] for h in world.history()], ["success"] * 3,
                  "attempts")


def test_old_services_variables_are_enough():
    with odks.World() as world:
        world.central.create("household", count=2, seed=1)
        world.central.clock(advance=60)
        env = {"ODK_SYNC_CONFIG": "", "HOME": world.directory,
               "ODK_BASE_URL": world.central.url, "ODK_PROJECT_ID": "1",
               "ODK_FORM_ID": "household", "ODATA_USER": world.central.user,
               "ODATA_PASS": world.central.password,
               "PG_HOST": os.environ["PGHOST"],
               "PG_PORT": os.environ["PGPORT"], "PG_DB": world.database,
               "PG_USER": "postgres", "PG_PASS": "x"}
        with tempfile.TemporaryDirectory() as empty:
            world.ok("init", env=env, cwd=empty)
            world.ok("run", env=env, cwd=empty)
        tap.equal(attempts(world), ["main_submissions", "person_details"],
                  "attempts")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
