# tests/integration/attachments_test.py - SPDX-License-Identifier: Apache-2.0
"""Attachments that arrive late: nothing tells, so they are looked for."""

import contextlib
import json
import os
import sys
from urllib.parse import unquote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

FORM = "photos"
MINUTE, HOUR, DAY = 60, 3600, 86400


@contextlib.contextmanager
def new_world(**job):
    with odks.World() as world:
        world.job("people", form=FORM, **{"overlap": "1m", "reconcile": "0",
                                          **job})
        world.central.publish(FORM, "1", [
            "name", "front:binary", "back:binary", {"r[]": ["x"]}], project=1)
        world.init()
        yield world


def create(world, id, *files):
    names = dict(zip(("front", "back"), files))
    world.central.create(FORM, id=id, data={"name": "x", **names})


def later(world, seconds):
    world.central.clock(advance=seconds)


def run(world):
    """Run, and tell how many submissions were looked for by date."""
    world.central.requests()
    world.ok("run")
    paths = [r["path"] for r in world.central.requests()["requests"]]
    tap.check(max(map(len, paths)) < 8000, "a proxy would take no more")
    return sum(unquote(path).count("submissionDate eq") for path in paths)


def waiting(world):
    """The list, as id: (present, expected, checks, given up)."""
    rows = world.session.rows("SELECT * FROM odk_sync_attachment ORDER BY 2")
    return {row["submission_id"]: (row["present"], row["expected"],
                                   row["checks"], row["next_check"] is None)
            for row in rows}


def status(world):
    row = json.loads(world.ok("status", "--json").out)[0]
    return tuple(int(row["attachments_" + key]) for key in (
        "waiting", "waiting_files", "failed", "failed_files"))


def test_a_late_file_is_found():
    with new_world() as world:
        create(world, "uuid:late", "a.jpg", "b.jpg")
        create(world, "uuid:whole", "c.jpg")
        create(world, "uuid:none")
        world.central.attach(FORM, "uuid:whole")
        later(world, 5 * MINUTE)
        tap.equal(run(world), 0, "looked for")
        tap.equal(waiting(world), {"uuid:late": (0, 2, 0, False)}, "list")
        tap.equal(status(world), (1, 2, 0, 0), "status")
        said = world.ok("status").out
        tap.check("people: 2 attachments of 1 submission not uploaded by the"
                  " device yet" in said, said)
        world.central.attach(FORM, "uuid:late", name="a.jpg")
        later(world, 14 * MINUTE)
        tap.equal(run(world), 0, "too early")
        tap.equal(json.loads(world.history()[-1]["metadata"])["mode"],
                  "unchanged", "mode")
        later(world, 2 * MINUTE)
        tap.equal(run(world), 1, "looked for")
        world.compare(FORM)
        tap.equal(waiting(world), {"uuid:late": (1, 2, 0, False)},
                  "one of two came: it begins anew")
        world.central.attach(FORM, "uuid:late", name="b.jpg")
        later(world, 16 * MINUTE)
        tap.equal(run(world), 1, "looked for")
        world.compare(FORM)
        tap.equal(waiting(world), {}, "list")
        tap.equal(status(world), (0, 0, 0, 0), "status")
        tap.equal(world.ok("status").out.count("attachment"), 0, "words")
        later(world, 2 * DAY)
        tap.equal(run(world), 0, "nothing to look for")


def test_ever_more_rarely_and_then_no_more():
    with new_world(attachments_age="3d") as world:
        create(world, "uuid:never", "a.jpg")
        later(world, MINUTE)
        run(world)
        pauses, pause = [], 0
        for _ in range(3 * 24 * 4 + 8):  # quarters of an hour
            later(world, 15 * MINUTE)
            pause += 15
            if run(world):
                pauses.append(pause)
                pause = 0
        tap.equal(pauses[:7], [15, 30, 60, 120, 240, 480, 960], "pauses")
        tap.equal(pauses[7], 1440, "then once a day")
        tap.equal(sum(pauses), 3 * 24 * 60, "the last time at the limit")
        tap.equal(waiting(world)["uuid:never"][3], True, "given up")
        tap.equal(status(world), (0, 0, 1, 1), "status")
        said = world.ok("status").out
        tap.check("1 attachment of 1 submission failed" in said, said)
        # more patience, or a person who asks
        world.jobs["people"]["attachments_age"] = "30d"
        run(world)
        tap.equal(status(world), (1, 1, 0, 0), "with more patience")
        world.jobs["people"]["attachments_age"] = "3d"
        run(world)
        tap.equal(status(world), (0, 0, 1, 1), "with less")
        world.central.attach(FORM, "uuid:never")
        world.ok("run", "people", "--reconcile")
        world.compare(FORM)
        tap.equal(waiting(world), {}, "list")


def test_edit_begins_anew():
    with new_world(attachments_age="1d") as world:
        create(world, "uuid:old", "a.jpg")
        later(world, 2 * DAY)
        run(world)
        tap.equal(status(world), (0, 0, 1, 1), "too old from the start")
        world.central.edit(FORM, "uuid:old",
                           data={"front": "a.jpg", "back": "new.jpg"})
        run(world)
        tap.equal(status(world), (1, 2, 0, 0), "edited")


def test_any_id_and_any_number():
    """Ids that no filter can name, and more than go into one request."""
    with new_world() as world:
        odd = ["it's", 'a "b" \\ c', "weird/?#&amp;é", "x) or (true"]
        for number in range(170):
            create(world, odd[number] if number < len(odd)
                   else f"uuid:{number}", "a.jpg")
            later(world, 1)
        run(world)
        for row in world.central.state(FORM)["live"]:
            world.central.attach(FORM, row["__id"])
        later(world, 20 * MINUTE)
        tap.equal(run(world), 170, "looked for")
        world.compare(FORM)
        tap.equal(waiting(world), {}, "list")


def test_one_instant():
    with new_world() as world:
        world.central.clock(set="2026-01-05T10:00:00Z")
        for number in range(200):
            create(world, f"uuid:{number}", "a.jpg")
        world.central.clock(set="2026-01-05T11:00:00Z")
        run(world)
        world.central.attach(FORM, "uuid:7")
        world.central.clock(set="2026-01-05T12:00:00Z")
        run(world)
        world.compare(FORM)
        tap.equal(len(waiting(world)), 199, "list")


def test_deleted_submissions_wait_for_nothing():
    for how in ("soft", "hard"):
        with new_world(on_delete=how) as world:
            create(world, "uuid:a", "a.jpg")
            create(world, "uuid:b", "a.jpg")
            later(world, MINUTE)
            run(world)
            world.central.delete(FORM, "uuid:a")
            world.central.delete(FORM, "uuid:b")
            world.central.purge(FORM, "uuid:b")
            later(world, MINUTE)
            run(world)
            tap.equal(waiting(world), {}, how)
            world.central.restore(FORM, "uuid:a")
            later(world, MINUTE)
            run(world)
            tap.equal(list(waiting(world)), ["uuid:a"], "restored")


def test_a_killed_run_forgets_nothing():
    """A run that fails after the look leaves the list for the next one."""
    with new_world() as world:
        create(world, "uuid:a", "a.jpg")
        later(world, MINUTE)
        run(world)
        world.central.attach(FORM, "uuid:a")
        later(world, HOUR)
        world.central.script({"match": "submissionDate%20eq", "times": 3,
                              "action": {"cut-clean": 5}})
        world.exits(69, "run")
        tap.equal(waiting(world), {"uuid:a": (0, 1, 0, False)}, "list")
        world.hurry()
        tap.equal(run(world), 1, "looked for")
        world.compare(FORM)


def test_dry_run_and_other_tables_look_for_nothing():
    with new_world() as world:
        create(world, "uuid:a", "a.jpg")
        later(world, MINUTE)
        run(world)
        later(world, HOUR)
        world.central.requests()
        world.ok("run", "people", "--dry-run")
        tap.check(not any("submissionDate%20eq" in r["path"] for r
                          in world.central.requests()["requests"]), "dry run")
        world.jobs["people"]["tables"] = "Submissions.r"
        tap.equal(run(world), 0, "looked for")
        tap.equal(waiting(world), {}, "list")


def test_never():
    with new_world(attachments_age="0") as world:
        create(world, "uuid:a", "a.jpg")
        later(world, MINUTE)
        run(world)
        tap.equal(status(world), (0, 0, 1, 1), "given up at once")
        later(world, DAY)
        tap.equal(run(world), 0, "looked for")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
