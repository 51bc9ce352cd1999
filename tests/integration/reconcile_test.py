# tests/integration/reconcile_test.py - SPDX-License-Identifier: Apache-2.0
"""Deleted, purged, restored: what no date shows, and what may be removed."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

FORM = "household"
HOW = ("soft", "hard", "keep")
LIVE, MARKED, GONE = "live", "marked", "gone"


def new_world(**job):
    world = odks.World()
    world.job("people", form=FORM,
              **{"overlap": "1m", "attachments_age": "0", **job})
    return world


def synced(world, count=6):
    """Some submissions in the tables; their ids."""
    world.init()
    if count:
        world.central.create(FORM, count=count, seed=1)
    later(world)
    world.ok("run")
    world.compare(FORM)
    return [row["__id"] for row in world.central.state(FORM)["live"]]


def later(world, seconds=3600):
    world.central.clock(advance=seconds)


def run(world, *args):
    later(world)
    world.ok("run", *args)


def metadata(world):
    return json.loads(world.history()[-1]["metadata"])


def compared_keys(world):
    return any("submitterName" in r["path"]
               for r in world.central.requests()["requests"])


def fate(world, id):
    """What became of a submission here; nothing of a gone one is left."""
    found = world.session.rows(
        "SELECT _deleted_at IS NULL AS live FROM odk.household"
        f" WHERE _id = '{id}'")
    left = world.session.value(
        "SELECT (SELECT count(*) FROM odk.household__person_details"
        f" WHERE _submission_id = '{id}')"
        " + (SELECT count(*) FROM odk_sync_reject"
        f" WHERE submission_id = '{id}')"
        " + (SELECT count(*) FROM odk_sync_attachment"
        f" WHERE submission_id = '{id}')")
    if not found:
        tap.equal(left, 0, f"what is left of {id}")
        return GONE
    return LIVE if found[0]["live"] else MARKED


def check(world, how, id, **expected):
    tap.equal(fate(world, id), expected[how], how)
    if how == "soft":
        world.compare(FORM, known=[id])


def reject(world, id):
    """A value of the submission is in quarantine."""
    world.session.run(
        "INSERT INTO odk_sync_reject (sync_type, table_name, submission_id,"
        " path, reason) VALUES ('people', 'household', '" + id + "', '/x',"
        " 'made up'), ('people', 'household__person_details', '" + id + "',"
        " '/y', 'made up')")


def test_deleted_restored_and_deleted_again():
    for how in HOW:
        with new_world(on_delete=how) as world:
            one = synced(world)[0]
            reject(world, one)
            world.central.delete(FORM, one)
            run(world)
            check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)
            world.central.restore(FORM, one)
            run(world)
            check(world, how, one, soft=LIVE, hard=LIVE, keep=LIVE)
            world.central.delete(FORM, one)
            run(world)
            check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)
            world.central.restore(FORM, one)
            later(world)
            world.central.delete(FORM, one)
            run(world)
            check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)


def test_purged():
    """Purged after we saw the deletion, and before."""
    for how in HOW:
        with new_world(on_delete=how) as world:
            seen, unseen = synced(world)[:2]
            reject(world, unseen)
            world.central.delete(FORM, seen)
            run(world)
            world.central.delete(FORM, unseen)
            world.central.purge(FORM)
            run(world, "people", "--reconcile")
            for one in (seen, unseen):
                check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)
            run(world, "people", "--reconcile")
            for one in (seen, unseen):
                check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)


def test_what_dates_do_not_show():
    """As the first test, when the runs see nothing but the keys."""
    for how in HOW:
        with new_world(on_delete=how) as world:
            one = synced(world)[0]

            def unseen():
                """Deletions with a date that is long past for us."""
                world.session.run("UPDATE odk_sync_cursor SET watermark ="
                                  " '2999-01-01'")
                world.ok("run", "people", "--reconcile")
            world.central.delete(FORM, one)
            later(world)
            unseen()
            check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)
            world.central.restore(FORM, one)
            unseen()
            check(world, how, one, soft=LIVE, hard=LIVE, keep=LIVE)
            world.central.edit(FORM, one, seed=9)
            world.central.review(FORM, one, "rejected")
            unseen()
            if how == "soft":
                world.compare(FORM)
            world.central.delete(FORM, one)
            unseen()
            world.central.restore(FORM, one)
            later(world)
            world.central.delete(FORM, one)
            unseen()
            check(world, how, one, soft=MARKED, hard=GONE, keep=LIVE)


def test_keep_reads_nothing_again():
    with new_world(on_delete="keep") as world:
        one = synced(world)[0]
        world.central.delete(FORM, one)
        run(world)
        later(world)
        run(world, "people", "--reconcile")
        tap.equal(metadata(world)["received"], 0, "rows")


def test_keep_hides_nothing():
    """What is kept must not make up for what is missing."""
    with new_world(on_delete="keep") as world:
        some = synced(world)
        for one in some[:3]:
            world.central.delete(FORM, one)
        for one in some[:2]:
            world.central.purge(FORM, one)
        run(world)
        kept = {"central": 4, "table": 6, "purged": 2, "proven": True}
        tap.equal(metadata(world)["counts"], kept, "proof")
        for lost in some[2:4]:  # one that is deleted there, one that is live
            world.session.run(f"DELETE FROM odk.household WHERE _id = '{lost}'")
            run(world)
            tap.equal(fate(world, lost), LIVE, "what was missing")
            tap.equal(metadata(world)["counts"], kept, "proof")
        world.session.run(
            f"DELETE FROM odk.household WHERE _id = '{some[0]}'")
        run(world)
        tap.equal(metadata(world)["counts"],
                  {"central": 4, "table": 5, "purged": 1, "proven": True},
                  "nobody can bring a purged one back")
        world.jobs["people"]["on_delete"] = "soft"
        run(world)
        tap.equal(metadata(world)["counts"],
                  {"central": 3, "table": 3, "proven": True}, "soft")


def test_another_on_delete():
    """A person decides otherwise: purged submissions follow, too."""
    with new_world(on_delete="keep") as world:
        deleted, purged, marked = synced(world)[:3]
        world.central.delete(FORM, deleted)
        world.central.delete(FORM, purged)
        world.central.purge(FORM, purged)
        run(world, "people", "--reconcile")
        tap.equal([fate(world, i) for i in (deleted, purged)], [LIVE, LIVE],
                  "keep")
        world.jobs["people"]["on_delete"] = "soft"
        world.central.delete(FORM, marked)
        run(world)
        tap.equal([fate(world, i) for i in (deleted, purged, marked)],
                  [MARKED] * 3, "soft")
        world.central.purge(FORM, marked)
        world.jobs["people"]["on_delete"] = "hard"
        run(world)
        tap.equal([fate(world, i) for i in (deleted, purged, marked)],
                  [GONE] * 3, "hard")
        world.compare(FORM)


def test_a_job_of_its_own_for_a_repeat():
    """Purged for good: also what another job of the form wrote."""
    with odks.World() as world:
        shared = {"form": FORM, "on_delete": "hard", "attachments_age": "0"}
        world.job("submissions", tables="Submissions", **shared)
        world.job("persons", tables="Submissions.person_details", **shared)
        world.init()
        world.central.create(FORM, count=4, seed=1)
        later(world)
        world.ok("run")
        ids = [row["__id"] for row in world.central.state(FORM)["live"]]
        for one in ids:
            reject(world, one)
        world.central.delete(FORM, ids[0])
        world.central.purge(FORM)
        run(world)
        tap.equal(fate(world, ids[0]), GONE, "purged")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_reject"), 6, "rejects of others")


def split_world(on_delete):
    """Two jobs of one form: its submissions, and its repeats."""
    world = odks.World()
    shared = {"form": FORM, "on_delete": on_delete, "overlap": "1m",
              "attachments_age": "0"}
    world.job("submissions", tables="Submissions", **shared)
    world.job("persons", tables="Submissions.person_details,"
              " Submissions.person_details.visits,"
              " Submissions.grp_rep.asset", **shared)
    return world


def test_a_job_without_the_table_of_submissions():
    """It has no keys to compare: what came late is there, what went is not."""
    for how in HOW:
        with split_world(how) as world:
            ids = synced(world, 30)
            late = world.central.create(FORM, seed=40, hold=True)["id"]
            run(world)
            world.central.release(FORM, late)
            world.central.delete(FORM, ids[0])
            run(world, "submissions")  # the other job sees no deletion
            world.central.purge(FORM)
            run(world, "submissions", "persons", "--reconcile")
            world.compare(FORM, known=ids, on_delete=how)
            if how != "hard":
                continue
            world.session.run(
                "INSERT INTO odk.household__person_details"
                " (_id, _parent_id, _submission_id, _position)"
                " SELECT 'x' || i, 's' || i, 's' || i, 1"
                " FROM generate_series(1, 21) i")
            later(world)
            world.exits(81, "run", "persons", "--reconcile")
            world.ok("run", "persons", "--reconcile", "--allow-mass-delete")
            world.compare(FORM, known=ids, on_delete=how)


def test_jobs_that_share_the_submissions():
    """What one has read the other would miss the repeats of, and of two
    settings only one can be true."""
    for setting in ({"tables": "Submissions"}, {"raw": "no"},
                    {"timezone": "Asia/Kathmandu"}, {"on_delete": "hard"}):
        with new_world() as world:
            world.job("other", form=FORM, **setting)
            world.init()
            result = world.exits(78, "run")
            tap.check("fill the same table" in result.err, str(result))
            world.jobs["other"]["form"] = "simple"
            world.ok("config")


def test_repeats_that_come_during_a_full_walk():
    """Behind the walk, before the tag: with that the job looks no more."""
    with split_world("soft") as world:
        synced(world)
        late = world.central.create(FORM, seed=40, hold=True)["id"]
        later(world)
        world.central.script({"match": "submitterName", "action": {"hook": {
            "before": [{"cmd": "release", "form": FORM, "id": late}]}}})
        world.ok("run", "persons", "--full")
        tap.equal(world.central.state(FORM)["held"], [], "released")
        later(world, 90000)
        world.ok("run")
        world.compare(FORM)


def test_repeats_are_compared_when_the_form_changes_too():
    with split_world("hard") as world:
        one, *_ = ids = synced(world)
        world.central.delete(FORM, one)
        run(world, "submissions")  # the other job sees no deletion
        world.central.purge(FORM)
        world.jobs["persons"]["raw"] = "no"  # as a new version of the form
        later(world, 90000)
        world.ok("run")
        world.compare(FORM, known=ids, on_delete="hard")


def test_a_repeat_that_the_form_had():
    """Nothing fills it any more, and what is gone goes from there as well."""
    fields = ["name", {"visit[]": ["note"]}]
    with odks.World() as world:
        shared = {"form": "split", "on_delete": "hard"}
        world.job("submissions", tables="Submissions", **shared)
        world.job("repeats", tables="Submissions.visit, Submissions.asset",
                  **shared)
        world.central.publish("split", "1", [*fields, {"asset[]": ["kind"]}])
        ids = [world.central.create("split", data={
            "name": "a", "visit": [{"note": "b"}], "asset": [{"kind": "c"}],
        })["id"] for _ in range(3)]
        world.init()
        run(world)
        world.central.publish("split", "2", fields)
        world.jobs["repeats"]["tables"] = "Submissions.visit"
        run(world)
        world.central.delete("split", ids[0])
        run(world)
        world.central.delete("split", ids[1])
        world.central.purge("split", ids[1])
        run(world, *world.jobs, "--reconcile")
        world.compare("split", known=ids, on_delete="hard")
        tap.equal(world.session.value(
            "SELECT string_agg(_submission_id, ' ') FROM odk.split__asset"),
            ids[2], "of whom the old repeat is")


def test_two_jobs_become_one():
    """Purged after the job of the submissions saw the deletion, and before
    the one of the repeats did."""
    with split_world("hard") as world:
        one, *_ = ids = synced(world)
        world.central.delete(FORM, one)
        run(world, "submissions")
        world.central.purge(FORM)
        del world.jobs["persons"]
        world.jobs["submissions"]["tables"] = None
        run(world)
        world.compare(FORM, known=ids, on_delete="hard")


def test_records_of_what_is_gone():
    with new_world() as world:
        one = synced(world)[0]
        world.central.delete(FORM, one)
        world.central.purge(FORM)
        run(world)
        tap.equal((metadata(world)["deleted"],
                   world.history()[-1]["records_processed"]), (1, 1),
                  "deleted, records")


def test_clock_of_central_was_ahead():
    """By a year, for one run: keys are compared daily all the same."""
    with new_world() as world:
        world.central.config(etag=False)
        some = synced(world)
        later(world, 365 * 86400)
        world.ok("run")
        later(world, -365 * 86400)
        run(world)
        world.central.delete(FORM, some[0])
        run(world)
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        later(world, 90000)
        world.ok("run")
        world.compare(FORM, known=some)


def test_clock_of_central_goes_back():
    """What changes then has dates that a run has seen already."""
    with new_world() as world:
        world.central.config(etag=False)
        some = synced(world)
        run(world)
        later(world, 600 - 3600)
        world.central.edit(FORM, some[0], seed=31)
        later(world, 600)
        world.ok("run")
        world.compare(FORM)


def test_brake():
    """More than 20 and more than 10 % that are not in Central any more."""
    for count, gone, stops in ((60, 20, False), (60, 21, True),
                               (220, 22, False), (220, 23, True)):
        with new_world(on_delete="hard") as world:
            some = synced(world, count)
            for one in some[:gone]:
                world.central.delete(FORM, one)
            world.central.purge(FORM)
            later(world)
            result = world.run("run", "people", "--reconcile")
            tap.equal(result.code, 81 if stops else 0, f"{gone} of {count}")
            rows = world.session.value("SELECT count(*) FROM odk.household")
            tap.equal(rows, count if stops else count - gone, "rows")
            if stops:
                tap.check("odk-sync run people --allow-mass-delete"
                          in result.err, str(result))
                tap.equal(world.session.value(
                    "SELECT last_sync_status FROM odk_sync_status"), "error",
                    "status")
                # it stays so until a person says otherwise
                world.hurry()
                world.exits(81, "run", "people")
                world.ok("run", "people", "--allow-mass-delete")
            world.compare(FORM)


def test_brake_is_for_what_is_missing():
    """A deletion that Central itself tells of, with its date, is carried out:
    Central can give the submission back."""
    with new_world(on_delete="hard") as world:
        some = synced(world, 60)
        for one in some[:50]:
            world.central.delete(FORM, one)
        run(world)
        tap.equal(world.session.value("SELECT count(*) FROM odk.household"),
                  10, "rows")
        for one in some[:50]:
            world.central.restore(FORM, one)
        run(world)
        world.compare(FORM)


def test_brake_keeps_what_nothing_removes():
    with new_world(on_delete="keep") as world:
        some = synced(world, 60)
        for one in some:
            world.central.delete(FORM, one)
        world.central.purge(FORM)
        run(world, "people", "--reconcile")
        tap.equal(world.session.value("SELECT count(*) FROM odk.household"),
                  60, "rows")


def test_reconcile_by_hand():
    with new_world(reconcile="0", every="300d") as world:
        world.job("second", form="simple", attachments_age="0",
                  every="300d")
        synced(world)
        attempts = len(world.history())
        world.central.requests()
        world.ok("run")
        tap.equal(len(world.history()), attempts, "nothing is due")
        world.ok("run", "--reconcile")
        tap.equal([row["sync_type"] for row in world.history()[attempts:]],
                  ["people", "second"], "all jobs")
        tap.check(compared_keys(world), "keys")
        world.ok("run", "people")
        tap.check(not compared_keys(world), "keys without --reconcile")
        world.ok("enqueue", "people", "--reconcile")
        world.ok("enqueue", "people")
        world.ok("run")
        tap.check(compared_keys(world), "keys by the queue")
        result = world.exits(64, "status", "--reconcile")
        tap.check("--reconcile" in result.err, str(result))


def test_late_attachment_of_any_age():
    """What is not looked for any more, a comparison finds, and what was taken
    away as well."""
    with new_world() as world:
        synced(world)
        late = world.session.value(
            "SELECT _id FROM odk.household"
            " WHERE _attachments_present < _attachments_expected LIMIT 1")
        world.central.attach(FORM, late)
        run(world)
        tap.check(world.differences(FORM), "nobody looked")
        run(world, "people", "--reconcile")
        world.compare(FORM)
        world.session.run("UPDATE odk.household SET _attachments_present ="
                          " _attachments_expected")
        run(world, "people", "--reconcile")
        world.compare(FORM)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
