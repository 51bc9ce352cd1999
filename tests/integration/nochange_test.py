# tests/integration/nochange_test.py - SPDX-License-Identifier: Apache-2.0
"""Nothing changed costs nothing, and is never believed wrongly."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"
TAG, KEYS, CHANGES, COUNT = "tag", "keys", "changes", "count"


def new_world(etag=True, **job):
    """No looking for attachments, which is another matter."""
    world = odks.World()
    world.job("people", form=FORM,
              **{"overlap": "1m", "attachments_age": "0", **job})
    world.etag = etag
    return world


def synced(world, count=6):
    world.central.config(etag=world.etag)
    world.init()
    world.central.create(FORM, count=count, seed=1)
    later(world)
    world.ok("run")
    world.compare(FORM)
    world.central.requests()


def later(world, seconds=3600):
    world.central.clock(advance=seconds)


def ids(world):
    return [row["__id"] for row in world.central.state(FORM)["live"]]


def metadata(world):
    return json.loads(world.history()[-1]["metadata"])


def cursor(world):
    return world.session.rows("SELECT * FROM odk_sync_cursor")[0]


def kind_of(request):
    """What a request was for, in one word."""
    path = request["path"]
    if ".svc/" not in path:
        return path.rsplit("/", 1)[-1].split("?")[0]
    if "$select=__id&" in path + "&":
        return f"{TAG} {request['status']}"
    if "$select=__id%2C__system%2FsubmissionDate%2C" in path:
        return KEYS
    if "$count=true" in path:
        return COUNT
    return CHANGES if "updatedAt%20ge" in path else "rows"


def requests(world):
    """Those since the last call. The stand-in logs a request at its end, and
    one that we broke off when it notices: they come in no certain order."""
    found = []

    def all_ended():
        got = world.central.requests()
        found.extend(got["requests"])
        return got["inflight"] == 0
    pg.wait_until(all_ended, 30, "all requests end")
    return found


def asked(world):
    """The requests since the last call, without login and logout."""
    return [kind_of(r) for r in requests(world)
            if "/sessions" not in r["path"]]


def run(world, *args):
    """Run and tell what was asked for."""
    requests(world)
    world.ok("run", *args)
    return asked(world)


def test_one_conditional_request_and_no_write():
    with new_world() as world:
        synced(world)
        query = ("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS writes"
                 " FROM pg_stat_user_tables WHERE schemaname = 'odk'"
                 " OR relname ~ 'cursor|attachment|column|key|reject|log'"
                 " ORDER BY 1")
        rows = "SELECT xmin::text, * FROM odk_sync_cursor"
        world.settle()
        before = world.session.rows(query), world.session.rows(rows)
        later(world)
        tap.equal(run(world), [FORM, "tag 304"], "requests")
        world.settle()
        tap.equal((world.session.rows(query), world.session.rows(rows)),
                  before, "writes")
        last = world.history()[-1]
        tap.equal((last["status"], last["records_processed"]),
                  ("success", 0), "history")
        tap.equal(metadata(world)["mode"], "unchanged", "mode")
        tap.equal(metadata(world)["counts"],
                  {"central": 6, "table": 6, "proven": True}, "proof")
        tap.equal(world.queue(), [], "queue")


def changes(world):
    """Each thing that may happen, one after the other; yields its name."""
    central, some = world.central, ids(world)
    central.create(FORM, seed=70)
    yield "create"
    central.edit(FORM, some[0], seed=71)
    yield "edit"
    central.review(FORM, some[1], "approved")
    yield "review"
    central.delete(FORM, some[2])
    yield "delete"
    central.restore(FORM, some[2])
    yield "restore"
    central.delete(FORM, some[2])
    later(world)
    central.restore(FORM, some[2])
    central.delete(FORM, some[2])
    yield "delete again"
    central.purge(FORM)
    yield "purge"
    central.delete(FORM, some[3])
    central.purge(FORM)
    yield "delete and purge"


def test_every_change_is_seen_and_the_next_run_is_free_again():
    with new_world() as world:
        synced(world)
        known = ids(world)
        for what in changes(world):
            later(world)
            tap.check("tag 200" in run(world), what)
            world.compare(FORM, known=known)
            later(world)
            tap.equal(run(world), [FORM, "tag 304"], "after " + what)


def test_what_a_tag_does_not_cover():
    """Publishing a form leaves the tag as it is, and so do settings."""
    with new_world() as world:
        synced(world)
        world.central.publish(FORM, "2", ["hh_id", "new_question:int"])
        later(world)
        tap.check("fields" in run(world), "the fields were asked for")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_column"
            " WHERE path = '/new_question'"), 1, "columns")
        tap.equal(run(world), [FORM, "tag 304"], "the form stays")
        for setting in ({"raw": "no"}, {"on_delete": "hard"},
                        {"timezone": "Asia/Kathmandu"},
                        {"attachments_age": "1d"},
                        {"tables": "Submissions"}):
            world.jobs["people"].update(setting)
            tap.check(COUNT in run(world), f"{setting} was looked at")
            tap.equal(run(world), [FORM, "tag 304"], str(setting))


def test_asked_for_by_a_person():
    with new_world() as world:
        synced(world)
        for how in ("--full", "--reconcile", "--since=2000-01-01"):
            world.session.run("DELETE FROM odk.household WHERE _id = (SELECT"
                              " min(_id) FROM odk.household);"
                              "UPDATE odk_sync_cursor SET counts = counts"
                              " || '{\"table\": 5, \"central\": 5}'")
            tap.equal(run(world)[-1], "tag 304", "nothing is noticed")
            tap.check("tag 304" not in run(world, "people", how), how)
            world.compare(FORM)
            tap.equal(run(world)[-1], "tag 304", "and after " + how)


def test_rows_that_went_away_here():
    with new_world() as world:
        synced(world)
        run(world)
        world.session.run("DELETE FROM odk.household WHERE _id ="
                          " (SELECT min(_id) FROM odk.household)")
        tap.check(KEYS in run(world), "the keys were compared")
        world.compare(FORM)
        tap.equal(run(world)[-1], "tag 304", "afterwards")
        world.session.run("DROP SCHEMA odk CASCADE; CREATE SCHEMA odk")
        run(world)
        world.compare(FORM)


def test_tag_is_never_newer_than_what_was_read():
    """What comes in while we read is read by the next run, or by this one,
    but not believed to have been read."""
    with new_world() as world:
        synced(world)
        late = {"cmd": "create", "form": FORM, "seed": 90}
        for match in ("$count=true", "updatedAt%20ge"):
            world.central.edit(FORM, ids(world)[0], seed=80)
            later(world)
            world.central.script({"match": match, "times": 1, "action": {
                "hook": {"after": [dict(late)]}}})
            run(world)
            later(world)
            tap.check("tag 200" in run(world), "behind " + match)
            world.compare(FORM)
            tap.equal(run(world), [FORM, "tag 304"], "in the end")
            late["seed"] += 1


def test_tag_is_taken_without_reading_on():
    with odks.World(options=("--seed-bulk", "20000")) as world:
        world.job("bulk", form="bulk", overlap="1m")
        world.init()
        world.ok("run")
        world.central.create("bulk", seed=5)
        later(world)
        world.central.requests()
        world.ok("run")
        got = [r for r in requests(world) if kind_of(r) == "tag 200"]
        tap.equal([r["complete"] for r in got], [False], "read to its end")
        tap.check(metadata(world)["bytes"] < 400_000,
                  str(metadata(world)["bytes"]))


def test_older_central_without_tags():
    with new_world(etag=False) as world:
        synced(world)
        later(world)
        tap.equal(run(world), [FORM, "fields", "fields", CHANGES, COUNT],
                  "requests")
        tap.equal(metadata(world)["received"], 0, "rows")
        tap.equal(cursor(world)["etag"], None, "tag")
        later(world, 90000)
        tap.check(KEYS in run(world), "reconciled")
        tap.equal(cursor(world)["etag_compared"], False, "compared")
        # it becomes a newer one: the next comparison shows
        world.central.config(etag=True)
        tap.equal(run(world), [FORM, "fields", "fields", CHANGES, COUNT],
                  "requests")
        later(world, 90000)
        tap.check(KEYS in run(world), "reconciled")
        tap.equal(run(world), [FORM, "tag 304"], "with tags")
        world.central.config(etag=False)
        run(world)
        tap.equal(run(world), [FORM, "fields", "fields", CHANGES, COUNT],
                  "it is an older one again")
        world.compare(FORM)


def test_a_tag_of_compared_keys_is_a_comparison():
    with new_world() as world:
        synced(world)
        later(world, 90000)
        tap.check(KEYS in run(world), "the first time keys are compared")
        first = cursor(world)["last_reconcile"]
        world.central.attach(FORM, world.session.value(
            "SELECT _id FROM odk.household"
            " WHERE _attachments_present < _attachments_expected LIMIT 1"))
        for _ in range(2):
            later(world, 90000)
            tap.equal(run(world), [FORM, "tag 304"], "then no more")
        tap.equal(cursor(world)["last_reconcile"], first, "nor is it said")
        some = ids(world)
        world.central.edit(FORM, some[0], seed=30)
        later(world, 60)
        tap.check(KEYS in run(world), "after a change they are")
        world.compare(FORM)  # with what moved no tag


def test_a_change_that_no_date_explains():
    """A restore and a purge that cancel each other out in the count."""
    with new_world(reconcile="0") as world:
        synced(world)
        some = ids(world)
        world.central.delete(FORM, some[0])
        later(world)
        tap.check(KEYS not in run(world), "a deletion has a date")
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        later(world)
        tap.check(KEYS in run(world), "these have none")
        world.compare(FORM, known=some)
        tap.equal(run(world), [FORM, "tag 304"], "the next run")


def test_a_tag_that_moves_with_other_forms():
    """As in v2026.1.0: two comparisons for nothing are enough."""
    with new_world(reconcile="0") as world:
        world.central.config(oneTag=True)
        synced(world)

        def busy():
            world.central.create("simple", seed=1)
            later(world)
            return run(world)
        compared = [KEYS in busy() for _ in range(8)]
        tap.equal(compared, [True, True] + [False] * 6, "comparisons")
        later(world)
        tap.equal(run(world), [FORM, "tag 304"], "one that holds")
        tap.check(KEYS not in busy(), "once is no proof that it is good")
        tap.equal(cursor(world)["etag_empty"], 2, "it is noise")


def test_what_a_noisy_tag_hides_is_compared_in_its_time():
    with new_world(reconcile="1d") as world:
        world.central.config(oneTag=True)
        synced(world)
        for _ in range(3):
            world.central.create("simple", seed=1)
            later(world)
            run(world)
        some = ids(world)
        world.central.delete(FORM, some[0])
        later(world)
        run(world)
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        later(world, 25 * 3600)
        tap.check(KEYS in run(world), "once a day")
        world.compare(FORM, known=some)
        tap.equal(cursor(world)["etag_empty"], 0, "it found something")


def test_a_tag_that_holds_again_is_believed_again():
    """Central was upgraded: what moves is news once more."""
    with new_world(reconcile="0") as world:
        world.central.config(oneTag=True)
        synced(world)
        for _ in range(2):
            world.central.create("simple", seed=1)
            later(world)
            run(world)
        tap.equal(cursor(world)["etag_empty"], 2, "noise")
        world.central.config(oneTag=False)
        later(world)
        tap.check(KEYS not in run(world), "another tag, once")
        for held in (*range(1, 10), 0):
            later(world)
            tap.equal(run(world), [FORM, "tag 304"], "it holds")
            tap.equal(cursor(world)["etag_held"], held, "how often")
        tap.equal(cursor(world)["etag_empty"], 0, "believed")
        some = ids(world)
        world.central.delete(FORM, some[0])
        later(world)
        run(world)
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        later(world)
        tap.check(KEYS in run(world), "compared at once")
        world.compare(FORM, known=some)


def test_a_tag_of_counted_rows_is_none():
    """The same, hidden behind an edit: until the next comparison."""
    with new_world() as world:
        synced(world)
        some = ids(world)
        world.central.delete(FORM, some[0])
        later(world, 90000)
        run(world)
        world.central.restore(FORM, some[0])
        world.central.delete(FORM, some[1])
        world.central.purge(FORM)
        world.central.edit(FORM, some[2], seed=44)
        later(world)
        tap.check(KEYS not in run(world), "nobody notices, by dates and counts")
        tap.equal(run(world)[-1], "tag 304", "nor by the tag")
        later(world, 90000)
        tap.check(KEYS in run(world), "but the comparison is not saved")
        world.compare(FORM, known=some)
        later(world, 90000)
        tap.equal(run(world), [FORM, "tag 304"], "the next one is")


def test_a_walk_that_did_not_end_leaves_no_tag():
    """It wrote rows by other settings than those that the tag was for."""
    with new_world() as world:
        synced(world)
        run(world, "people", "--reconcile")
        tap.equal(run(world), [FORM, "tag 304"], "nothing changed")
        world.jobs["people"]["raw"] = "no"
        world.central.script({"match": "updatedAt ge",
                              "action": {"status": 403}})
        world.exits(76, "run")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk.household WHERE _raw IS NOT NULL"),
            0, "rows with _raw")
        world.jobs["people"]["raw"] = "yes"
        world.hurry()
        world.ok("run")
        world.compare(FORM)


def test_a_job_without_submissions():
    with new_world(tables="Submissions.person_details") as world:
        world.central.create(FORM, count=4, seed=1)
        world.init()
        later(world)
        world.ok("run")
        later(world)
        tap.equal(run(world), [FORM, "tag 304"], "requests")
        tap.equal(metadata(world)["counts"], {"proven": False}, "proof")
        later(world, 90000)
        tap.equal(run(world)[-2:], [KEYS, "rows"], "all is read once a day")
        later(world, 90000)
        tap.equal(run(world), [FORM, "tag 304"], "unless that covers it")
        world.central.create(FORM, seed=40)
        later(world)
        run(world)
        persons = sum(len(row.get("person_details", []))
                      for row in world.central.state(FORM)["live"])
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk.household__person_details"), persons,
            "persons")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
