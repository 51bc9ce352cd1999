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


def test_why_a_run_does_nothing():
    """With -v it says so, for each type; without, cron hears nothing."""
    with new_world(due={"every": "1000h"}, held={"every": "1000h"},
                   bad={"every": "1000h", "project": 7},
                   late={"every": "1000h"}, busy={"every": "1000h"}) as world:
        ready(world)
        world.ok("run", "due")
        world.ok("run", "held")
        world.ok("pause", "held")
        world.exits(78, "run", "bad")
        world.session.run(
            "UPDATE odk_sync_slot SET slot = '2100-01-01Z'"
            " WHERE sync_type = 'due';"
            "INSERT INTO odk_sync_slot (sync_type, slot) VALUES"
            " ('late', '2100-01-01Z'), ('busy', '2100-01-01Z'),"
            " ('bad', '2100-01-01Z') ON CONFLICT (sync_type) DO UPDATE"
            " SET slot = EXCLUDED.slot;"
            "INSERT INTO odk_sync_queue (sync_type, state, run_at, failures,"
            " claimed_by, claimed_at, lease_until, direct, history_id) VALUES"
            " ('late', 'pending', '2100-01-01Z', 2, NULL, NULL, NULL, NULL,"
            " NULL), ('busy', 'running', now(), 0, 'h-1-0000abcd',"
            " '2026-11-01Z', '2100-01-01Z', false, 1)")
        result = world.ok("run")
        tap.equal((result.out, result.err), ("", ""), "for cron")
        err = world.ok("run", "-v").err
        for text in ("bad: gave up at 20", "after 1 failure",
                     "odk-sync retry bad",
                     "busy: it runs elsewhere, on h-1-0000abcd since"
                     " 2026-11-01T00:00:00Z",
                     "held: it is paused since 20", "odk-sync resume held",
                     "late: failed 2 times; the next attempt is at"
                     " 2100-01-01T00:00:00Z", "odk-sync retry late",
                     "due is due next, at "):
            tap.check(text in err, f"no {text!r} in {err}")
        # who named it did not expect it to be paused
        tap.check("it is paused" in world.ok("run", "held").err, "named")
        tap.equal(world.ok("run", "-q", "held").err, "", "quiet")
        tap.equal(world.ok("run", "busy").err, "", "named and at work")
        # one that gave up is told after work, too; the others are not
        err = world.ok("run", "-v", "due", "bad", "--max-jobs=1").err
        tap.check("held" not in err and "busy" not in err, err)


def test_enqueue_queue_cancel():
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        first = world.ok("enqueue", "a").out.strip()
        job = shown(world, "queue")[0]
        tap.equal((str(job["id"]), job["state"], job["priority"]),
                  (first, "due", 100), "job")
        again = world.ok("enqueue", "a", "--priority=5", "--full").out.strip()
        tap.equal(again, first, "a second one merges into it")
        job = shown(world, "queue")[0]
        tap.equal((job["state"], job["priority"], job["payload"]),
                  ("due", 5, {"full": True}), "job")
        world.ok("cancel", first)
        tap.equal(shown(world, "queue"), [], "queue")
        tap.check("queue is empty" in world.ok("queue").out)
        for command in ("cancel", "retry"):
            world.exits(64, command, first)
            world.exits(64, command, "0")
            world.exits(64, command, "99999999999999999999")
            result = world.exits(64, command, "a")
            tap.check("odk-sync run a" in result.err, str(result))
            result = world.exits(64, command, "aa")
            tap.check('Did you mean "a"?' in result.err, str(result))


def test_enqueue_at():
    """Neither the schedule nor a person who wants the type now takes along
    what was asked for at a time of its own."""
    with new_world(a={"every": "1000h"}) as world:
        ready(world)
        at = world.ok("enqueue", "a", "--at=2100-01-01", "--full").out.strip()
        tap.equal(world.ok("enqueue", "a", "--at=2100-01-01",
                           "--priority=7").out.strip(), at, "the same time")
        other = world.ok("enqueue", "a", "--at=2101-01-01").out.strip()
        world.ok("run")
        world.ok("run", "a")
        tap.equal(len(attempts(world)), 2, "attempts")
        tap.equal([(str(j["id"]), j["state"], j["run_at"], j["priority"],
                    j["payload"]) for j in shown(world, "queue")],
                  [(at, "waiting", "2100-01-01T00:00:00Z", 7, {"full": True}),
                   (other, "waiting", "2101-01-01T00:00:00Z", 100, {})],
                  "queue")
        row = shown(world, "status")[0]
        tap.equal((row["queue"], row["run_at"]),
                  ("waiting", "2100-01-01T00:00:00Z"), "status")
        world.ok("retry", at)  # or its time comes
        world.ok("run")
        tap.equal([h["metadata"]["mode"] for h in shown(world, "history")],
                  ["full", "unchanged", "full"], "modes")
        tap.equal([str(j["id"]) for j in shown(world, "queue")], [other],
                  "queue")
        world.ok("cancel", "a")
        tap.equal(shown(world, "queue"), [], "queue")
        # a time that has come is now
        world.ok("enqueue", "a", "--at=2020-01-01")
        tap.equal([j["state"] for j in shown(world, "queue")], ["due"],
                  "queue")


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
    with new_world(a={"every": "1000h", "form": "missing"}) as world:
        ready(world)
        for what in ("id", "a"):
            world.exits(78, "run")
            job = shown(world, "queue")[0]
            tap.equal(job["state"], "dead", "job")
            before = len(attempts(world))
            world.ok("run")
            tap.equal(len(attempts(world)), before, "a dead job stays dead")
            world.ok("retry", str(job["id"]) if what == "id" else what)
        world.central.publish("missing", "1", ["a:string"])
        world.ok("run")
        tap.equal(world.history()[-1]["status"], "success", "status")


def test_other_settings_give_a_failed_job_another_chance():
    """Of the job, of its Central and of the database; whatever it waits for."""
    with new_world(a={"every": "1000h", "project": 7},
                   b={"every": "1000h"}) as world:
        ready(world)
        world.exits(78, "run")
        world.ok("run")
        count = len(attempts(world))
        tap.equal(count, 2, "it stays dead")
        world.jobs["b"]["priority"] = 7
        world.ok("run")
        tap.equal(len(attempts(world)), count, "another job's settings")
        world.settings["central"]["timeout"] = "61s"
        world.exits(78, "run")
        tap.equal(attempts(world)[count:], ["a"], "Central's settings")
        world.jobs["a"]["project"] = 1
        result = world.ok("run", "-v")
        tap.equal(attempts(world)[count + 1:], ["a"], "its own settings")
        tap.check("a failed with other settings" in result.err, str(result))
        tap.equal(world.queue(), [], "queue")


def test_settings_of_a_form_that_was_just_found():
    """It has no past: what it failed with is what it was found with."""
    with new_world() as world:
        world.job("all", form="*", include="simple", every="1000h",
                  tables="Submissions.nosuch")
        ready(world)
        world.exits(78, "run")
        world.ok("run")
        tap.equal(attempts(world), ["all", "all.simple"], "it stays dead")
        del world.jobs["all"]["tables"]
        world.ok("run")
        tap.equal(attempts(world)[2:], ["all.simple"], "another chance")
        tap.equal(world.queue(), [], "queue")


def test_forget():
    with new_world(a={"every": "1000h"},
                   old={"every": "1000h", "form": "missing"}) as world:
        ready(world)
        world.exits(78, "run")
        result = world.exits(64, "forget", "old")
        tap.check("is a job of the configuration" in result.err, str(result))
        del world.jobs["old"]
        out = world.ok("health").out
        tap.check(out.startswith("not healthy"), out)
        tap.check("odk-sync forget old" in out, out)
        result = world.exits(64, "forget", "olt")
        tap.check('Did you mean "old"?' in result.err, str(result))
        world.ok("forget", "old")
        tap.check(world.ok("health").out.startswith("healthy"), "health")
        tap.equal([r["sync_type"] for r in shown(world, "status")], ["a"],
                  "status")
        tap.equal(shown(world, "queue"), [], "queue")
        tap.check("old" not in shown(world, "stats"), "stats")
        rows = shown(world, "history", "old")
        tap.equal([r["status"] for r in rows], ["pending", "error"],
                  "the history stays")
        tap.equal((rows[0]["metadata"]["action"], rows[0]["metadata"]["by"]),
                  ("forget", "postgres"), "and tells who did it")


def test_forget_keeps_a_job_that_runs():
    with new_world(a={}) as world:
        ready(world)
        world.session.run(
            "INSERT INTO odk_sync_queue (sync_type, state, claimed_by,"
            " lease_until, direct, history_id)"
            " VALUES ('old', 'running', 'h', '2100-01-01Z', false, 1)")
        result = world.exits(75, "forget", "old")
        tap.check("odk-sync cancel old" in result.err, str(result))
        tap.equal(len(world.queue()), 1, "queue")


def test_forget_leaves_no_table_out():
    """Every table with a sync type is either emptied or kept on purpose."""
    kept = {"odk_sync_history", "odk_sync_schema_log", "odk_sync_form",
            "odk_sync_form_job"}
    with new_world(a={}) as world:
        ready(world)
        tables = {r["relname"] for r in world.session.rows(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a"
            " ON a.attrelid = c.oid WHERE a.attname = 'sync_type'"
            " AND c.relkind = 'r' AND c.relname LIKE 'odk\\_sync\\_%'")}
        source = world.session.value(
            "SELECT prosrc FROM pg_proc WHERE proname = 'odk_sync_forget'")
        tap.equal({t for t in tables if f'DELETE FROM "public".{t} ' in source},
                  tables - kept, "tables")


def test_types_that_nobody_knows():
    """A type is known by the configuration or by any trace of it."""
    with new_world(people={}) as world:
        ready(world)
        world.session.run("INSERT INTO odk_sync_history (sync_type, status)"
                          " VALUES ('census', 'success')")
        for command in ("history", "get", "pause", "resume", "enqueue",
                        "export-state", "run"):
            result = world.exits(64, command, "peopel")
            tap.check('Did you mean "people"?' in result.err, str(result))
        for args in (("set", "peopel", "2026-01-01"),
                     ("schema", "show", "peopel")):
            world.exits(64, *args)
        tap.equal(len(shown(world, "history", "census")), 1, "history")
        tap.equal(shown(world, "history", "people"), [], "no attempts yet")
        world.ok("get", "census")
        result = world.exits(64, "history", "cenus")
        tap.check('Did you mean "census"?' in result.err, str(result))


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
        process = world.start("run", shim={"at": 40, "action": "kill"})
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
        # one of these submissions has a ring of two points
        tap.equal((row["submissions"], row["central"], row["rejects"]),
                  (3, 3, 1), "status")
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
