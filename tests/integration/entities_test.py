# tests/integration/entities_test.py - SPDX-License-Identifier: Apache-2.0
"""Kind entities: a dataset of Central in a table, in every cell."""

import json
import os
import random
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import oracle  # noqa: E402
import tap  # noqa: E402

NAME = "people"
PROPERTIES = ["first_name", "age", "home-town", "geometry"]
TABLE = "people__entity"
HOW = ("soft", "hard", "keep")
DAY = 24 * 3600


def new_world(**job):
    world = odks.World()
    world.job("list", kind="entities", dataset=NAME,
              **{"overlap": "1m", **job})
    return world


def data(number, **more):
    return {"label": f"Person {number}", "first_name": f"N{number}",
            "age": str(20 + number), "home_town": "Praha",
            "geometry": f"50.{number} 14.5 200 5", **more}


def add(world, count, start=0):
    return [world.central.entity(NAME, data=data(n))["id"]
            for n in range(start, start + count)]


def later(world, seconds=3600):
    world.central.clock(advance=seconds)


def run(world, *args):
    later(world)
    return world.ok("run", *args)


def synced(world, count=6):
    """Some entities in the table; their ids."""
    world.init()
    world.central.dataset(NAME, PROPERTIES)
    ids = add(world, count)
    run(world)
    compare(world)
    return ids


def compare(world, **rules):
    found = oracle.entities(world.central, world.session, NAME, **rules)
    tap.check(not found, f"{len(found)} differences:\n" + "\n".join(found))


def metadata(world):
    return json.loads(world.history()[-1]["metadata"])


def row(world, id_):
    found = world.session.rows(
        f"SELECT * FROM odk.{TABLE} WHERE _id = '{id_}'")
    return found[0] if found else None


def feed_requests(world):
    return [r["path"] for r in world.central.requests()["requests"]
            if "/Entities" in r["path"]]


def versions(world):
    return world.session.rows(
        f"SELECT _id, xmin::text AS x FROM odk.{TABLE} ORDER BY _id")


# -- what comes --------------------------------------------------------------

def test_first_sync():
    with new_world() as world:
        ids = synced(world, 12)
        tap.equal(metadata(world)["counts"],
                  {"central": 12, "table": 12, "proven": True}, "proof")
        tap.equal(metadata(world)["mode"], "full", "mode")
        tap.check("form_version" not in metadata(world), "a version")
        got = row(world, ids[3])
        tap.equal(
            [got[c] for c in ("_label", "_creator", "_updates", "_version",
                              "_conflict", "first_name", "age", "home_town",
                              "geometry", "geometry_lat", "geometry_lon",
                              "geometry_alt", "geometry_acc")],
            ["Person 3", "admin@example.org", 0, 1, None, "N3", "23",
             "Praha", "50.3 14.5 200 5", 50.3, 14.5, 200, 5], "a row")
        tap.equal(got["_raw"]["home_town"], "Praha", "_raw")


def test_columns_and_comments():
    with new_world() as world:
        synced(world, 1)
        tap.equal(
            world.session.value(
                "SELECT string_agg(column_name || ':' || udt_name, ' ' ORDER"
                " BY ordinal_position) FROM information_schema.columns"
                f" WHERE table_schema = 'odk' AND table_name = '{TABLE}'"),
            "_id:text _label:text _created_at:timestamptz"
            " _updated_at:timestamptz _deleted_at:timestamptz _creator:text"
            " _updates:int4 _version:int4 _conflict:text _raw:jsonb"
            " _synced_at:timestamptz first_name:text age:text home_town:text"
            " geometry_lat:float8 geometry_lon:float8 geometry_alt:float8"
            " geometry_acc:float8 geometry:text", "the columns")
        comment = "SELECT col_description('odk.{}'::regclass, (SELECT attnum" \
            " FROM pg_attribute WHERE attrelid = 'odk.{}'::regclass AND" \
            " attname = '{}'))"
        for name, text in (("_id", "key of the entity"),
                           ("_raw", "the entity as Central sent it"),
                           ("home_town", "/home-town (text)"),
                           ("geometry_lat", "/geometry (place, lat)")):
            tap.equal(world.session.value(comment.format(TABLE, TABLE, name)),
                      text, name)
        tap.equal(
            world.session.value(
                f"SELECT obj_description('odk.v_{TABLE}'::regclass)"),
            "odk-sync: live rows of Entities of dataset people, project 1 of"
            " central", "the view's comment")


def test_no_entities():
    with new_world() as world:
        synced(world, 0)
        tap.equal(metadata(world)["counts"],
                  {"central": 0, "table": 0, "proven": True}, "proof")
        add(world, 2)
        run(world)
        compare(world)


def test_no_properties():
    with new_world() as world:
        world.init()
        world.central.dataset(NAME, [])
        world.central.entity(NAME, data={"label": "alone"})
        run(world)
        compare(world)


def test_labels_and_values_of_every_kind():
    labels = ["x", " ", "O'Brien \"q\" \\ ž \U0001f600", "a\tb\nc\r",
              '","__system":{"createdAt":"x"', "l" * 5000, "NULL", "\\N"]
    places = ["", "50 14", "50 14 0", "50.1 14.2 3 4;50.2 14.3 3 4", "here",
              " 1 2 ", "1,5 2", "1 2 3 4 5", "1e400 2", "-90 -180 -1 0"]
    with new_world() as world:
        world.init()
        world.central.dataset(NAME, PROPERTIES)
        for label in labels:
            world.central.entity(NAME, data={"label": label, "age": label})
        for place in places:
            world.central.entity(NAME, data={"label": "p", "geometry": place})
        run(world)
        compare(world)
        points = world.session.value(
            "SELECT string_agg(geometry, '|' ORDER BY geometry) FROM"
            f" odk.{TABLE} WHERE geometry_lat IS NOT NULL")
        tap.equal(sorted(points.split("|")),
                  [" 1 2 ", "-90 -180 -1 0", "50 14", "50 14 0"], "points")
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_reject"),
                  0, "rejects")


def test_one_response_for_live_and_deleted():
    with new_world() as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        asked(world)
        run(world)
        tap.equal(len([p for p in asked(world) if "/people.svc/" in p
                       and "$count" not in p]), 1, "responses with rows")
        compare(world)


def test_a_central_that_does_not_tell_what_was_deleted():
    """As in August 2026; the trash is asked for there."""
    for how in HOW:
        with new_world(on_delete=how) as world:
            world.central.config(entityDeletedAt=False)
            ids = synced(world)
            for command, number in (("delete", 0), ("update", 1),
                                    ("delete", 1), ("restore", 0)):
                world.central.entity(
                    NAME, command, ids[number],
                    **({"data": {"age": "77"}} if command == "update" else {}))
                run(world)
                compare(world, on_delete=how)
            tap.check(any("deleted=true" in p for p in asked(world)), "trash")
            run(world, "list", "--reconcile")
            compare(world, on_delete=how)


def test_update_delete_restore_purge():
    with new_world() as world:
        ids = synced(world)
        world.central.entity(NAME, "update", ids[0], data={"age": "99"})
        world.central.entity(NAME, "update", ids[1], data={"age": ""})
        world.central.entity(NAME, "delete", ids[2])
        add(world, 2, 20)
        run(world)
        compare(world)
        got = metadata(world)
        tap.equal((got["inserted"], got["updated"], got["deleted"]),
                  (2, 2, 1), "counts")
        tap.equal(row(world, ids[0])["_version"], 2, "version")
        tap.equal(row(world, ids[1])["age"], None, "a value taken away")
        world.central.entity(NAME, "restore", ids[2])
        world.central.entity(NAME, "delete", ids[3])
        run(world)
        compare(world)
        world.central.entity(NAME, "purge")
        run(world, "list", "--reconcile")
        compare(world, known=ids)


def test_made_and_deleted_between_two_runs():
    with new_world() as world:
        synced(world)
        one, = add(world, 1, 30)
        later(world, 60)
        world.central.entity(NAME, "update", one, data={"age": "1"})
        world.central.entity(NAME, "delete", one)
        run(world)
        compare(world, known=[one])


def test_conflicts():
    with new_world() as world:
        one, two = synced(world, 2)
        world.central.entity(NAME, "update", one, conflict="soft",
                             data={"age": "1"})
        world.central.entity(NAME, "update", two, conflict="hard",
                             data={"age": "2"})
        run(world)
        compare(world)
        tap.equal([row(world, i)["_conflict"] for i in (one, two)],
                  ["soft", "hard"], "conflicts")
        world.central.entity(NAME, "resolve", one)
        run(world)
        compare(world)
        tap.equal(row(world, one)["_conflict"], None, "resolved")


def test_properties():
    """A new one becomes a column; one that is gone stays, and comes back."""
    with new_world() as world:
        ids = synced(world)
        world.central.dataset(NAME, PROPERTIES + ["Name 2", "_x"])
        world.central.entity(NAME, "update", ids[0], data={"Name_2": "n"})
        world.central.entity(NAME, "update", ids[1], data={"_x": "x"})
        run(world)
        compare(world)
        tap.equal(row(world, ids[0])["name_2"], "n", "the new column")
        tap.check("2 new columns" in metadata(world)["schema"], "summary")
        world.central.dataset(NAME, ["age", "geometry"])
        run(world)
        compare(world)
        tap.equal(row(world, ids[0])["name_2"], "n", "what nothing fills")
        world.central.dataset(NAME, PROPERTIES)
        run(world)
        compare(world)
        tap.equal(row(world, ids[0])["first_name"], "N0", "back again")


def test_properties_under_one_key():
    """Their values cannot be told apart: an error each time, until they are
    left out."""
    with new_world() as world:
        world.init()
        world.central.dataset(NAME, ["a-b", "a.b", "c"])
        world.central.entity(NAME, data={"label": "x", "a_b": "1", "c": "2"})
        world.central.clock(advance=60)
        for _ in range(2):
            result = world.exits(65, "run", "list")
            tap.check("both /a-b and /a.b a_b" in result.err
                      and "drop =" in result.err, str(result))
        world.jobs["list"]["drop"] = "a.b"
        world.hurry()
        result = world.exits(65, "run", "list")
        tap.check("both /a-b and one that is left out" in result.err,
                  str(result))
        world.jobs["list"]["drop"] = "a-b, a.b"
        world.hurry()
        run(world, "list")
        tap.equal(world.session.rows(
            f"SELECT _label, c, _raw ? 'a_b' AS a FROM odk.{NAME}__entity"),
            [{"_label": "x", "c": "2", "a": False}], "the rest")


# -- what does not change ----------------------------------------------------

def asked(world):
    """What was asked for since the last call, beside logins."""
    return [r["path"] for r in world.central.requests()["requests"]
            if "/sessions" not in r["path"]]


DOCUMENT = f"/v1/projects/1/datasets/{NAME}"


def test_an_unchanged_dataset_costs_one_request():
    with new_world() as world:
        ids = synced(world)
        asked(world)
        run(world)
        tap.equal(asked(world), [DOCUMENT], "requests")
        tap.equal(metadata(world)["mode"], "unchanged", "mode")
        for change in (
                lambda: add(world, 1, 50),
                lambda: world.central.entity(NAME, "update", ids[0],
                                             data={"age": "99"}),
                lambda: world.central.entity(NAME, "delete", ids[1]),
                lambda: world.central.entity(NAME, "restore", ids[1]),
                lambda: world.central.entity(NAME, "delete", ids[2]),
                lambda: world.central.entity(NAME, "restore", ids[2],
                                             bulk=True),
                lambda: world.central.dataset(NAME, PROPERTIES + ["more"]),
                lambda: world.central.entity(NAME, "delete", ids[3]),
                lambda: world.central.entity(NAME, "purge")):
            change()
            run(world)
            compare(world, known=ids)
            asked(world)
            run(world)
            tap.equal(asked(world), [DOCUMENT], "the next run")
        run(world, "list", "--reconcile")
        tap.check(len(asked(world)) > 1, "asked for by a person")
        world.session.run(f"DELETE FROM odk.{TABLE} WHERE _id = '{ids[0]}'")
        run(world)
        tap.check(len(asked(world)) > 1, "a row went away here")
        compare(world, known=ids)


def test_no_tag_while_something_may_be_under_way():
    """What is committed late does not move lastUpdate."""
    with new_world(overlap="10m", reconcile="10d") as world:
        synced(world)
        late = world.central.entity(NAME, data=data(70), hold=True)["id"]
        later(world, 60)
        add(world, 1, 71)
        later(world, 60)
        world.ok("run")  # within the overlap
        world.central.entity(NAME, "release", late)
        later(world, 60)
        world.ok("run")
        compare(world)
        tap.equal(row(world, late)["age"], "90", "it is here")


def test_what_brings_back_without_a_date_is_compared_at_once():
    with new_world(reconcile="10d") as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        run(world)
        world.central.entity(NAME, "restore", ids[0], bulk=True)
        world.central.entity(NAME, "delete", ids[1])
        world.central.entity(NAME, "purge")
        run(world)
        compare(world, known=ids)


# -- what no date shows ------------------------------------------------------

def test_rows_that_paging_skips_are_here():
    """Of entities whose ids and dates are in another order, Central's pages
    leave some out."""
    with new_world() as world:
        world.init()
        world.central.dataset(NAME, PROPERTIES)
        for hour in (5, 3, 4, 1, 2, 6):
            world.central.entity(NAME, data=data(hour),
                                 createdAt=f"2026-01-01T0{hour}:00:00Z")
        seen, link = 0, (f"/v1/projects/1/datasets/{NAME}.svc/Entities"
                         "?$top=2")
        headers = {"Authorization": "Bearer " + world.central.login()}
        while link is not None:
            _, _, body = world.central.request("GET", link, headers=headers)
            answer = json.loads(body)
            seen += len(answer["value"])
            link = answer.get("@odata.nextLink")
            link = link and "/" + link.split("/", 3)[3]
        tap.check(seen < 6, f"paging found all {seen}")
        run(world)
        compare(world)
        tap.equal(metadata(world)["counts"]["table"], 6, "rows")


def test_windows():
    with new_world(window_rows=4) as world:
        world.init()
        world.central.dataset(NAME, PROPERTIES)
        for n in range(14):
            world.central.entity(NAME, data=data(n))
            if n % 3 == 0:
                later(world, 1)
        later(world)
        world.central.requests()
        world.ok("run")
        compare(world)
        requests = [urllib.parse.unquote(r) for r in feed_requests(world)]
        windows = [r for r in requests if " lt " in r and "$top" not in r]
        tap.check(len(windows) >= 3, windows)
        keys = [r for r in requests if r.endswith("select=__id,__system")
                or "select=__id,__system&" in r]
        tap.equal(keys, [], "requests for keys")


def test_an_update_during_the_first_walk():
    """Behind the window that had the entity: no count shows it."""
    with new_world(window_rows=2) as world:
        world.ok("init")
        world.central.dataset(NAME, PROPERTIES)
        ids = []
        for n in range(5):
            ids += add(world, 1, n)
            later(world, 60)
        world.central.script({
            "match": "__system/createdAt ge", "action": {"hook": {"before": [
                {"cmd": "update", "dataset": NAME, "id": ids[0],
                 "data": {"age": "99"}}]}}})
        world.ok("run")
        tap.equal(row(world, ids[0])["age"], "99", "age")
        compare(world)


def test_bulk_restore_and_purge_are_found_by_the_count():
    with new_world(reconcile="10d") as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        run(world)
        world.central.entity(NAME, "restore", ids[0], bulk=True)
        run(world)
        compare(world)
        world.central.entity(NAME, "delete", ids[1])
        world.central.entity(NAME, "purge")
        run(world)
        compare(world, known=ids)


def test_a_deletion_and_a_bulk_restore_keep_the_count():
    """The date of the one tells, and then the count."""
    with new_world(reconcile="10d") as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        run(world)
        world.central.entity(NAME, "restore", ids[0], bulk=True)
        world.central.entity(NAME, "delete", ids[1])
        run(world)
        compare(world)


def test_what_keeps_the_count_is_found_by_reconcile():
    with new_world(reconcile="3h") as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        run(world)
        world.central.entity(NAME, "restore", ids[0], bulk=True)
        world.central.entity(NAME, "delete", ids[1])
        world.central.entity(NAME, "purge")
        later(world, 3 * 3600)
        world.ok("run")
        compare(world, known=ids)


def test_a_comparison_reads_what_differs_and_no_more():
    """Also a deletion that was committed later than the overlap covers."""
    for how in HOW:
        with new_world(on_delete=how) as world:
            one, two, *_ = synced(world)
            world.central.entity(NAME, "delete", one)
            run(world)
            run(world, "list", "--reconcile")
            tap.equal(metadata(world)["received"], 0, f"rows read, {how}")
            world.central.entity(NAME, "delete", two, hold=True)
            run(world)
            world.central.entity(NAME, "release", two)
            run(world, "list", "--reconcile")
            compare(world, on_delete=how)


def test_late_commit_within_the_overlap():
    with new_world(overlap="10m") as world:
        synced(world)
        late = world.central.entity(NAME, data=data(50), hold=True)["id"]
        later(world, 300)
        world.ok("run")
        world.central.entity(NAME, "release", late)
        later(world, 60)
        world.ok("run")
        compare(world)
        # of that no count tells
        world.central.entity(NAME, "update", late, data={"age": "1"},
                             hold=True)
        later(world, 300)
        world.ok("run")
        world.central.entity(NAME, "release", late)
        later(world, 60)
        world.ok("run")
        compare(world)
        world.central.entity(NAME, "delete", late, hold=True)
        later(world, 300)
        world.ok("run")
        world.central.entity(NAME, "release", late)
        later(world, 60)
        world.ok("run")
        compare(world)


def test_the_clock_of_central_counts():
    with new_world() as world:
        world.central.clock(set="2021-03-04T05:06:07Z", run=True)
        synced(world)
        add(world, 1, 40)
        run(world)
        compare(world)
        tap.equal(world.session.value(
            "SELECT extract(year FROM watermark)::int FROM odk_sync_cursor"),
            2021, "watermark")


def test_changes_in_the_middle_of_a_run():
    """Deleted between the live rows and the trash: that run has it. What is
    restored there was live here all the time; the next run has its date."""
    for command in ("delete", "restore"):
        with new_world() as world:
            ids = synced(world)
            if command == "restore":
                world.central.entity(NAME, "delete", ids[0])
            world.central.entity(NAME, "delete", ids[1])
            later(world)
            world.central.script({
                "match": "entities?deleted=true", "action": {"hook": {
                    "before": [{"cmd": command, "dataset": NAME,
                                "id": ids[0]}]}}})
            world.ok("run")
            if command == "restore":
                run(world)
            compare(world)


# -- deletions ---------------------------------------------------------------

def test_on_delete():
    for how in HOW:
        with new_world(on_delete=how) as world:
            one, two, three = synced(world, 3)
            world.central.entity(NAME, "delete", one)
            run(world)
            compare(world, on_delete=how)
            world.central.entity(NAME, "restore", one)
            world.central.entity(NAME, "delete", two)
            run(world)
            compare(world, on_delete=how)
            world.central.entity(NAME, "delete", three)
            world.central.entity(NAME, "purge")
            run(world, "list", "--reconcile")
            compare(world, on_delete=how, known=[one, two, three])


def test_the_brake():
    with new_world() as world:
        ids = synced(world, 40)
        for one in ids[:25]:
            world.central.entity(NAME, "delete", one)
        world.central.entity(NAME, "purge")
        later(world)
        result = world.exits(81, "run", "list", "--reconcile")
        tap.check("25 of 40 entities are gone" in result.err, result.err)
        tap.equal(world.session.value(
            f"SELECT count(*) FROM odk.v_{TABLE}"), 40, "rows")
        run(world, "list", "--reconcile", "--allow-mass-delete")
        compare(world, known=ids)


def test_no_brake_where_nothing_is_removed():
    with new_world(on_delete="keep") as world:
        ids = synced(world, 40)
        for one in ids[:25]:
            world.central.entity(NAME, "delete", one)
        world.central.entity(NAME, "purge")
        run(world, "list", "--reconcile")
        compare(world, on_delete="keep", known=ids)
        kept = {"central": 15, "table": 40, "purged": 25, "proven": True}
        tap.equal(metadata(world)["counts"], kept, "proof")
        world.central.entity(NAME, "delete", ids[30])
        run(world)
        tap.equal(metadata(world)["counts"], kept, "a deleted one counts")


# -- what must not be written ------------------------------------------------

def test_unchanged_rows_are_not_written():
    with new_world(overlap="1d") as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        run(world)
        before = versions(world)
        for args in ((), ("list", "--full"), ("list", "--reconcile")):
            run(world, *args)
            tap.equal(versions(world), before, "rows")
        tap.equal(metadata(world)["updated"], 0, "updated")


def test_a_dry_run_writes_nothing():
    with new_world() as world:
        world.init()
        world.central.dataset(NAME, PROPERTIES)
        add(world, 3)
        later(world)
        result = world.ok("run", "list", "--dry-run")
        tap.check(TABLE in result.out, result.out)
        tap.equal(world.session.value("SELECT to_regclass('odk.people__entity')"),
                  None, "the table")


def test_a_response_that_is_cut_short():
    """Of all rows; or of live ones, of the trash, and of what tells when."""
    for told, match in (
            (True, "ne%20null%29"),
            (False, "Entities?$filter=__system%2FdeletedAt%20eq%20null"),
            (False, "Entities?$filter=__system%2FdeletedAt%20ne%20null"),
            (False, "entities?deleted=true")):
        with new_world() as world:
            world.init()
            world.central.config(entityDeletedAt=told)
            world.central.dataset(NAME, PROPERTIES)
            ids = add(world, 9)
            world.central.entity(NAME, "delete", ids[0])
            later(world)
            for action in ({"cutClean": 70}, {"cut": 70}):
                world.central.script({"match": match, "end": True,
                                      "action": action})
            world.ok("run")
            compare(world, known=ids)
            tap.check(metadata(world)["counts"]["proven"], "proof")


def test_cut_short_again_and_again_is_an_error():
    for told, match in ((True, "__system/updatedAt ge"),
                        (False, "entities?deleted=true")):
        with new_world() as world:
            world.central.config(entityDeletedAt=told)
            ids = synced(world)
            world.central.entity(NAME, "delete", ids[0])
            later(world)
            world.central.script({"match": match, "times": -1,
                                  "action": {"cutClean": 30}})
            world.exits(69, "run")
            tap.equal(world.history()[-1]["status"], "error", "status")


def test_killed_anywhere():
    """The next run finishes what a killed one began."""
    with new_world(batch_bytes=2000, window_rows=5, max_failures=1000) as world:
        world.init()
        world.central.dataset(NAME, PROPERTIES)
        ids = add(world, 20)
        for one in ids[:3]:
            world.central.entity(NAME, "delete", one)
        later(world)
        step = int(os.environ.get("ODKS_FAULT_STEP", "149"))
        at, done = random.randint(1, step), False
        tap.note(f"from point {at} on, every {step}")
        start = world.snapshot()
        while not done:
            world.restore(start)
            result = world.run("run", shim={"at": at, "action": "kill"})
            done = result.code == 0
            tap.check(result.code in (0, -9), str(result))
            world.settle()
            world.hurry()
            world.ok("run")
            compare(world, known=ids)
            at += step


# -- forms and datasets ------------------------------------------------------

def test_a_form_of_the_same_name():
    with new_world() as world:
        world.job("form", form=NAME)
        world.init()
        world.central.publish(NAME, "1", ["first_name", "age:int"])
        world.central.create(NAME, data={"first_name": "F", "age": 1})
        world.central.dataset(NAME, PROPERTIES)
        add(world, 4)
        run(world)
        compare(world)
        world.compare(NAME)
        world.central.publish(NAME, "2", ["first_name"])
        world.central.dataset(NAME, ["age"])
        run(world)
        compare(world)
        world.compare(NAME)
        out = world.ok("schema", "show", "list").out
        tap.check("Entities" in out and "Submissions" not in out, out)
        out = world.ok("schema", "show", "form").out
        tap.check("Submissions" in out and "Entities" not in out, out)


def test_a_table_that_is_taken():
    with new_world() as world:
        world.init()
        world.session.run(f"CREATE TABLE odk.{TABLE} (x int)")
        world.central.dataset(NAME, PROPERTIES)
        result = world.exits(78, "run")
        tap.check("is not of dataset people" in result.err, result.err)
        world.job("list", kind="entities", dataset=NAME, table="folk")
        world.hurry()
        world.ok("run", "list")
        tap.equal(world.session.value("SELECT count(*) FROM odk.v_folk"), 0,
                  "rows")


def test_the_view():
    with new_world() as world:
        ids = synced(world)
        world.central.entity(NAME, "delete", ids[0])
        world.session.run("CREATE ROLE reader; GRANT USAGE ON SCHEMA odk TO"
                          f" reader; GRANT SELECT ON odk.v_{TABLE} TO reader")
        world.central.dataset(NAME, PROPERTIES + ["more"])
        run(world)
        compare(world)
        tap.equal(world.session.value(
            "SELECT string_agg(attname, ' ' ORDER BY attnum DESC) FROM"
            f" pg_attribute WHERE attrelid = 'odk.v_{TABLE}'::regclass"
            " AND (attname = '_raw' OR attname = 'more')"), "more", "columns")
        tap.check(world.session.value(
            f"SELECT has_table_privilege('reader', 'odk.v_{TABLE}',"
            " 'SELECT')"), "the grant is gone")
        world.session.run("DROP OWNED BY reader; DROP ROLE reader")


# -- the commands ------------------------------------------------------------

def test_a_deleted_dataset():
    with new_world() as world:
        synced(world)
        world.central.control("delete-form", {"dataset": NAME})
        result = world.exits(78, "run", "list")
        tap.check("dataset people of project 1 was deleted" in result.err
                  and "remove its job" in result.err, result.err)
        tap.equal(world.session.value(f"SELECT count(*) FROM odk.{TABLE}"), 6,
                  "its rows stay")


def test_no_such_dataset_and_no_rights():
    with new_world() as world:
        world.init()
        world.central.dataset("peoples", PROPERTIES)
        result = world.exits(78, "run")
        tap.check("project 1 has no dataset people" in result.err
                  and "Did you mean peoples?" in result.err, result.err)
        result = world.exits(78, "doctor")
        tap.check("no dataset people" in result.out, result.out)
        world.central.dataset(NAME, PROPERTIES)
        world.settings["central"] = {"user": "nobody@example.org"}
        world.hurry()
        world.exits(77, "run", "list")


def test_discover_doctor_status_schema():
    with new_world() as world:
        synced(world, 3)
        tap.check("; dataset people\n; [job list] mirrors it already\n"
                  in world.ok("discover").out, "discover")
        del world.jobs["list"]
        out = world.ok("discover").out
        section = re.search(r"\[job people_entities\]\n(.*\n)*?every", out)
        tap.check(section is not None
                  and "kind = entities\nproject = 1\ndataset = people\n"
                  in section.group(0), out)
        world.job("list", kind="entities", dataset="people")
        tap.check('dataset "people": 3 entities' in world.ok("doctor").out,
                  "doctor")
        tap.check("list" in world.ok("status").out, "status")
        tap.check("list" in world.ok("history").out, "history")
        tap.check("/home-town" in world.ok("schema", "show", "list").out,
                  "schema show")
        tap.equal(world.ok("schema", "diff", "list").out,
                  "the tables of list are as its dataset\n", "schema diff")
        world.central.dataset(NAME, PROPERTIES + ["more"])
        tap.check("1 new column: more"
                  in world.ok("schema", "diff", "list").out, "schema diff")


def test_rejects():
    """An index of the user's own that takes no long text."""
    with new_world() as world:
        ids = synced(world)
        world.session.run(f"CREATE INDEX mine ON odk.{TABLE} (age)")
        world.central.entity(NAME, "update", ids[0], data={
            "age": "".join(random.Random(1).choices("abcdefghij", k=9000))})
        run(world)
        tap.equal(world.session.value("SELECT submission_id"
                                      " FROM odk_sync_reject"), ids[0], "reject")
        world.session.run("DROP INDEX odk.mine")
        world.ok("retry", "--rejects", "list")
        run(world)
        compare(world)
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_reject"),
                  0, "rejects")


# -- long histories ----------------------------------------------------------

class History:
    """What may happen to entities, drawn from a seed."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.live, self.dead, self.known = [], [], set()
        self.properties = list(PROPERTIES)
        self.number = 0

    def value(self):
        return self.random.choice(["", "x", "žluť", "1 2 3 4", "a;b", "\n"])

    def data(self):
        names = [re.sub("[^a-z0-9_]+", "_", p) for p in self.properties]
        return {n: self.value() for n in names if self.random.random() < .7}

    def create(self):
        self.number += 1
        self.live.append(self.world.central.entity(
            NAME, data={"label": f"L{self.number}", **self.data()})["id"])

    def update(self):
        if self.live:
            self.world.central.entity(
                NAME, "update", self.random.choice(self.live),
                data=self.data(),
                conflict=self.random.choice([None, "soft", "hard"]))

    def resolve(self):
        if self.live:
            self.world.central.entity(NAME, "resolve",
                                      self.random.choice(self.live))

    def delete(self):
        if self.live:
            self.dead.append(self.live.pop(
                self.random.randrange(len(self.live))))
            self.world.central.entity(NAME, "delete", self.dead[-1])

    def restore(self):
        if self.dead:
            self.live.append(self.dead.pop(
                self.random.randrange(len(self.dead))))
            self.world.central.entity(NAME, "restore", self.live[-1],
                                      bulk=self.random.random() < .3)

    def purge(self):
        self.world.central.entity(NAME, "purge")
        self.dead.clear()

    def publish(self):
        if self.random.random() < .3:
            self.properties.append(f"p{len(self.properties)}")
            self.world.central.dataset(NAME, self.properties)

    def step(self):
        kinds = [self.create] * 5 + [self.update] * 4 + [self.delete] * 2 \
            + [self.resolve, self.restore, self.purge, self.publish]
        self.random.choice(kinds)()
        later(self.world, self.random.choice([0, 0.001, 1, 300]))

    def bad_run(self):
        """One that is killed, or has a response cut short."""
        later(self.world)
        shim = None
        if self.random.random() < .5:
            shim = {"at": self.random.randint(1, 90), "action": "kill"}
        else:
            self.world.central.script({
                "match": self.random.choice(["/Entities", "/entities"]),
                "action": {"cutClean": self.random.randint(5, 400)}})
        result = self.world.run("run", shim=shim)
        tap.check(result.code in (0, -9, 69), str(result))
        self.world.central.script(clear=True)
        self.world.settle()
        self.world.hurry()

    def sync(self):
        """All that dates or counts show, or all there is."""
        full = self.random.random() < .1
        if self.random.random() < .5:
            self.bad_run()
        run(self.world, "list", *(["--full"] if full else ["--reconcile"]))
        self.known |= {r["_id"] for r in self.world.session.rows(
            f"SELECT _id FROM odk.{TABLE}")}


def test_random_histories():
    first = int(os.environ.get("ODKS_SEED", "1"))
    for seed in range(first, first + 6):
        how = HOW[seed % 3]
        with new_world(on_delete=how, window_rows=3 + seed % 5,
                       batch_bytes=1500) as world:
            world.init()
            world.central.dataset(NAME, PROPERTIES)
            history = History(world, seed)
            for turn in range(8):
                for _ in range(history.random.randrange(8)):
                    history.step()
                try:
                    history.sync()
                    compare(world, on_delete=how, known=history.known)
                except AssertionError as e:
                    raise AssertionError(f"seed {seed}, turn {turn}: {e}")


if __name__ == "__main__":
    tap.main()
