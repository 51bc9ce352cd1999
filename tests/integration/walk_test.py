# tests/integration/walk_test.py - SPDX-License-Identifier: Apache-2.0
"""Whole runs: what happens in Central is in the tables after the next run."""

import contextlib
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"


def new_world(**job):
    world = odks.World()
    world.job("people", form=FORM, **job)
    return world


def ids(world):
    return [row["__id"] for row in world.central.state(FORM)["live"]]


def metadata(world):
    return json.loads(world.history()[-1]["metadata"])


def data_requests(world):
    """The targets of the feed that were asked for since the last call."""
    return [r["path"] for r in world.central.requests()["requests"]
            if ".svc/Submissions" in r["path"]]


def synced(world, count=6):
    world.init()
    if count:
        world.central.create(FORM, count=count, seed=1)
    world.central.clock(advance=3600)
    world.ok("run")
    world.compare(FORM)


def test_first_sync_says_nothing_and_holds_everything():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=20, seed=3)
        world.central.clock(advance=3600)
        result = world.ok("run")
        tap.equal((result.out, result.err), ("", ""), "output")
        world.compare(FORM)
        tap.equal(metadata(world)["counts"],
                  {"central": 20, "table": 20, "proven": True}, "proof")
        tap.equal(metadata(world)["mode"], "full", "mode")
        tap.equal(world.history()[-1]["records_processed"], 20, "records")


def test_empty_form():
    with new_world() as world:
        synced(world, 0)
        tap.equal(metadata(world)["counts"],
                  {"central": 0, "table": 0, "proven": True}, "proof")
        world.central.create(FORM, count=2, seed=3)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare(FORM)


def test_edit_review_delete_and_new():
    with new_world() as world:
        synced(world)
        some = ids(world)
        world.central.edit(FORM, some[0], seed=50)
        world.central.review(FORM, some[1], "approved")
        world.central.delete(FORM, some[2])
        world.central.create(FORM, count=2, seed=60)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare(FORM, known=some)
        got = metadata(world)
        tap.equal((got["inserted"], got["updated"], got["deleted"]),
                  (2, 2, 1), "counts")


def test_restore_and_purge_are_found_by_the_count():
    with new_world(reconcile="10d") as world:
        synced(world)
        some = ids(world)
        world.central.delete(FORM, some[0])
        world.central.clock(advance=3600)
        world.ok("run")
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.delete(FORM, some[2])
        world.central.purge(FORM)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare(FORM, known=some)


def test_restore_and_purge_that_keep_the_count_are_found_by_reconcile():
    with new_world(reconcile="1h") as world:
        synced(world)
        some = ids(world)
        world.central.delete(FORM, some[0])
        world.central.clock(advance=600)
        world.ok("run")
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        world.central.clock(advance=7200)
        world.ok("run")
        world.compare(FORM, known=some)


def test_unchanged_rows_are_not_written():
    with new_world(overlap="1d") as world:
        synced(world)
        query = "SELECT _id, xmin::text AS x FROM odk.household ORDER BY _id"
        before = world.session.rows(query)
        world.ok("run", "--reconcile")
        tap.equal(world.session.rows(query), before, "rows")
        tap.equal(metadata(world)["unchanged"], 6, "unchanged")


def test_windows_are_bounded_and_complete():
    with new_world(window_rows=5) as world:
        world.init()
        for seed in range(23):
            world.central.create(FORM, seed=seed + 1)
            world.central.clock(advance=60)
        world.central.clock(advance=3600)
        world.central.requests()
        world.ok("run")
        world.compare(FORM)
        windows = [p for p in data_requests(world)
                   if "expand" in p and "%20lt%20" in p]
        tap.equal(len(windows), 4, "windows with an end")


def test_submissions_of_one_instant_stay_together():
    with new_world(window_rows=5) as world:
        world.init()
        world.central.clock(set="2026-01-05T10:00:00Z")
        world.central.create(FORM, count=17, seed=5)
        world.central.clock(advance=60)
        world.central.create(FORM, count=3, seed=99)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare(FORM)


def test_cut_response_is_read_again():
    for cut in ("cut", "cut-clean"):
        with new_world() as world:
            world.init()
            world.central.create(FORM, count=10, seed=3)
            world.central.clock(advance=3600)
            world.central.script({"match": "expand", "times": 1,
                                  "action": {cut: 3000}})
            world.ok("run")
            world.compare(FORM)


def test_response_that_stays_cut_is_an_error_and_keeps_the_watermark():
    with new_world() as world:
        synced(world)
        before = world.session.value("SELECT watermark FROM odk_sync_cursor")
        world.central.create(FORM, count=10, seed=77)
        world.central.clock(advance=3600)
        world.central.script({"match": "expand", "times": 3,
                              "action": {"cut-clean": 3000}})
        world.exits(69, "run")
        tap.equal(world.session.value(
            "SELECT watermark FROM odk_sync_cursor"), before, "watermark")
        status = world.session.rows("SELECT * FROM odk_sync_status")[0]
        tap.equal(status["last_sync_status"], "error", "status")
        tap.check("cut short" in status["last_error_message"])
        world.hurry()
        world.ok("run")
        world.compare(FORM)


def test_late_commit_behind_the_watermark():
    with new_world(overlap="5m") as world:
        synced(world)
        held = world.central.create(FORM, seed=8, hold=True)["id"]
        world.central.clock(advance=30)
        world.central.create(FORM, seed=9)
        world.ok("run")
        world.central.release(FORM, held)
        world.central.clock(advance=30)
        world.ok("run")
        world.compare(FORM)
        tap.check(held in ids(world), "it was released")


def test_new_question_and_changed_type_reach_old_submissions():
    with new_world() as world:
        synced(world)
        world.central.publish(FORM, "2", [
            "hh_id", "order", "user", "new_question:int",
            {"person_details[]": ["p_name", "age:decimal", "order"]}])
        world.central.clock(advance=60)
        world.central.create(FORM, count=2, seed=301)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare(FORM)
        tap.check("schema" in metadata(world), "told in the metadata")


def test_full_reads_everything_again():
    with new_world() as world:
        synced(world)
        world.session.run("UPDATE odk.household SET _device_id = 'wrong'")
        world.ok("run", "people", "--full")
        world.compare(FORM)
        tap.equal(metadata(world)["updated"], 6, "updated")


def test_window_by_hand():
    with new_world(overlap="1m") as world:
        synced(world)
        world.session.run("UPDATE odk.household SET _device_id = 'wrong'")
        world.ok("run", "people", "--since=2000-01-01", "--until=2001-01-01")
        tap.equal(metadata(world)["updated"], 0, "updated")
        world.ok("run", "people", "--since=2000-01-01")
        world.compare(FORM)


def test_terminal_shows_progress_and_a_summary():
    with odks.World(options=("--seed-bulk", "2000", "--rate", "2000")) as world:
        world.job("bulk", form="bulk", batch_bytes=20000)
        world.init()
        ours, theirs = os.openpty()
        process = world.start("run", stderr=theirs,
                              env={"TERM": "xterm", "CI": ""})
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        tap.equal(process.wait(60), 0, "exit code")
        process.stdout.close()
        shown = shown.decode()
        tap.check(" of 2000 submissions, " in shown, shown)
        tap.check(" s left" in shown, shown)
        tap.check("bulk: 2000 submissions new, 0 changed" in shown, shown)


def test_dry_run_writes_nothing():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=3)
        world.central.clock(advance=60)  # within overlap
        result = world.ok("run", "people", "--dry-run")
        tap.check("insert 3" in result.out, str(result))
        tap.check("CREATE TABLE" in result.out, str(result))
        tap.equal(world.session.value(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'odk'"), 0,
            "tables")
        tap.equal(world.history(), [], "history")
        tap.equal(world.queue(), [], "queue")


def test_mass_deletion_needs_a_person():
    with new_world(reconcile="1s") as world:
        synced(world, 60)
        some = ids(world)
        for one in some[:40]:
            world.central.delete(FORM, one)
        world.central.purge(FORM)
        world.central.clock(advance=3600)
        result = world.exits(81, "run")
        tap.check("--allow-mass-delete" in result.err, str(result))
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk.household"
            " WHERE _deleted_at IS NULL"), 60, "live rows")
        world.ok("run", "people", "--allow-mass-delete")
        world.compare(FORM, known=some)


def test_on_delete():
    for how, rows, live in (("soft", 6, 5), ("hard", 5, 5), ("keep", 6, 6)):
        with new_world(on_delete=how) as world:
            synced(world)
            world.central.delete(FORM, ids(world)[0])
            world.central.clock(advance=3600)
            world.ok("run")
            got = world.session.rows(
                "SELECT count(*) AS rows, count(*) FILTER"
                " (WHERE _deleted_at IS NULL) AS live FROM odk.household")[0]
            tap.equal(got, {"rows": rows, "live": live}, how)
            orphans = world.session.value(
                "SELECT count(*) FROM odk.household__person_details p"
                " WHERE NOT EXISTS (SELECT FROM odk.household h"
                " WHERE h._id = p._submission_id)")
            tap.equal(orphans, 0, "repeat rows without a submission")


def test_one_job_for_each_table():
    with odks.World() as world:
        world.job("main_submissions", form=FORM, tables="Submissions",
                  every="1h")
        world.job("person_details", form=FORM, after="main_submissions",
                  tables="Submissions.person_details")
        synced_types = ["main_submissions", "person_details"]
        world.init()
        world.central.create(FORM, count=5, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        tap.equal([h["sync_type"] for h in world.history()], synced_types,
                  "attempts")
        persons = sum(len(row.get("person_details", []))
                      for row in world.central.state(FORM)["live"])
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk.household__person_details"), persons,
            "persons")


def test_rejects_of_tables_that_were_dropped():
    """They come again with their rows, and are not there twice."""
    with odks.World() as world:
        world.job("rejects", form="rejects", batch_bytes="1", max_rejects="1")
        world.central.publish("rejects", "1", ["name", "born:date"])
        for i in range(4):
            world.central.create("rejects", data={
                "name": "a", "born": "never" if i == 1 else "2026-01-01"})
        world.init()
        world.central.clock(advance=3600)
        world.ok("run")
        world.session.run("DROP TABLE odk.rejects CASCADE")
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare("rejects")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_reject"), 1, "rejects")


def test_a_job_of_a_repeat_becomes_one_of_all():
    """A repeat that an edit took away meanwhile, in the second batch."""
    with odks.World() as world:
        world.job("visits", form="visits", batch_bytes="1",
                  tables="Submissions.visit")
        world.central.publish("visits", "1", ["name", {"visit[]": ["note"]}])
        ids = [world.central.create("visits", data={
            "name": "a", "visit": [{"note": "b"}] if i == 1 else []})["id"]
               for i in range(3)]
        world.init()
        world.central.clock(advance=3600)
        world.ok("run")
        world.jobs["visits"]["tables"] = None
        world.central.edit("visits", ids[1], data={"name": "c"})
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare("visits")


def test_encrypted_form_gives_metadata():
    with odks.World() as world:
        world.job("secret", form="secret", project=2)
        world.init()
        world.central.create("secret", count=2, seed=1)
        world.central.clock(advance=3600)
        result = world.ok("run", "-v")
        tap.check("encrypted" in result.err, str(result))
        rows = world.session.rows("SELECT _status FROM odk.secret")
        tap.check(any(r["_status"] for r in rows), str(rows))


# -- how far it is -------------------------------------------------------------

def status(world):
    rows = json.loads(world.ok("status", "--json").out)
    row = rows[0] if rows else {}
    return [row.get("backfill_" + key) for key in
            ("done", "total", "percent", "seconds_left")], row


def stall_window(world, number):
    """Central answers the number-th window up to its first rows."""
    world.central.script({"match": "expand", "skip": number, "action": {
        "stall": [9000, 60]}})


def read_until(world, process, window):
    """The run has stored some of the window, and waits for the rest."""
    def stored():
        done = status(world)[0][0]
        tap.check(process.poll() is None, "the run ended")
        return done is not None and done > window

    pg.wait_until(stored, 60, "the run stores rows of the window")


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_progress_of_a_first_sync():
    """While it runs, when it was stopped, when it goes on, and with --full."""
    with new_world(window_rows=5, batch_bytes=1) as world:
        world.init()
        for seed in range(23):
            world.central.create(FORM, seed=seed + 1)
            world.central.clock(advance=60)
        world.central.clock(advance=3600)
        stall_window(world, 2)
        process = world.start("run")
        read_until(world, process, 10)
        (done, total, percent, left), row = status(world)
        tap.equal((total, percent), (23, done * 100 // 23), "progress")
        tap.check(10 < done < 15 and left is not None
                  and row["backfill_rate"] is not None, str(row))
        text = world.ok("status").out
        tap.check(f"people: first sync: {done} of 23 submissions ({percent} %)"
                  in text and f" on {row['claimed_by']}" in text, text)
        stop(process)
        (done, *rest), row = status(world)
        tap.check(10 < done < 15, str(row))
        tap.equal((rest[0], rest[2], row["backfill_rate"]), (23, None, None),
                  "stopped")
        text = world.ok("status").out
        tap.check("the next run continues" in text, text)
        # what the next attempt reads again does not count twice
        stall_window(world, 1)
        world.central.requests()
        process = world.start("run")
        read_until(world, process, 15)
        (done, total, *_), row = status(world)
        tap.check(15 < done < 20 and total == 23, str(row))
        asked = [r["path"] for r in world.central.requests()["requests"]
                 if "count=true" in r["path"]]
        tap.equal(asked, [], "the total is known")
        stop(process)
        world.central.script(clear=True)
        world.ok("run")
        world.compare(FORM)
        tap.equal(status(world)[0], [None] * 4, "it is over")
        tap.check("sync:" not in world.ok("status").out, "it is over")
        # once more, all of it
        stall_window(world, 1)
        process = world.start("run", "people", "--full")
        read_until(world, process, 5)
        (done, total, *_), row = status(world)
        tap.check(5 < done < 10 and total == 23, str(row))
        tap.check("people: full sync: " in world.ok("status").out, "full")
        stop(process)


def test_a_total_that_cannot_be_had():
    """It is for the display alone."""
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=3600)
        world.central.script({"match": "$count=true", "action": {"cut": 20}})
        result = world.ok("run", "-v")
        tap.check("the progress is not known" in result.err, str(result))
        world.compare(FORM)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
