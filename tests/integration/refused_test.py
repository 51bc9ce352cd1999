# tests/integration/refused_test.py - SPDX-License-Identifier: Apache-2.0
"""What users add to the tables or set on the server never loses an answer."""

import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "reg"
FIELDS = ["name:string", "age:int", {"m[]": ["x:string"]}]


@contextlib.contextmanager
def new_world(fields=FIELDS):
    with odks.World() as world:
        world.job("f", form=FORM)
        world.central.publish(FORM, "1", fields)
        world.init()
        yield world


def fill(world):
    """Two submissions with a repeat row each, stored."""
    for name in ("Ana", "Ben"):
        world.central.create(FORM, id=name, data={
            "name": name, "age": 30, "m": [{"x": "kid"}]})
    world.central.clock(advance=3600)
    world.ok("run")


def edit(world, id, **data):
    world.central.edit(FORM, id=id, data=data)
    world.central.clock(advance=3600)


def row(world, id):
    return world.session.rows(
        "SELECT name, age, (SELECT count(*) FROM odk.reg__m m"
        f" WHERE m._submission_id = r._id) AS kids FROM odk.reg r"
        f" WHERE _id = '{id}'")[0]


def health(world):
    return world.session.value("SELECT odk_sync_health()")


def counts(world):
    return json.loads(world.history()[-1]["metadata"])["counts"]


def test_a_refused_edit_keeps_what_is_stored():
    with new_world() as world:
        fill(world)
        world.session.run("ALTER TABLE odk.reg ADD CONSTRAINT old CHECK"
                          " (age < 120)")
        edit(world, "Ana", name="Anna", age=300)
        result = world.ok("run", "f")
        tap.check("PostgreSQL refused 1 submissions" in result.err
                  and '"old"' in result.err, str(result))
        tap.equal(row(world, "Ana"), {"name": "Ana", "age": 30, "kids": 1},
                  "the stored row")
        tap.equal(world.session.rows(
            "SELECT path, column_name, value, constraint_name, refused::text"
            " FROM odk_sync_reject"), [{
                "path": "/age", "column_name": "age", "value": "300",
                "constraint_name": "old", "refused": "true"}], "rejects")
        tap.check("1 row is not stored as Central has it"
                  in world.ok("status").out, "status")
        tap.equal(health(world)["healthy"], False, "health")
        tap.equal(counts(world)["proven"], True, "proof")
        # it stays so, is told once, and every run tries again
        tap.equal(world.ok("run", "f").err, "", "the second run")
        world.session.run("ALTER TABLE odk.reg DROP CONSTRAINT old")
        world.ok("run", "f")
        tap.equal(row(world, "Ana"), {"name": "Anna", "age": 300, "kids": 0},
                  "the row of Central")
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_reject"),
                  0, "rejects")
        tap.equal(health(world)["healthy"], True, "health")
        world.compare(FORM)


def test_a_refused_submission_is_deleted_all_the_same():
    with new_world() as world:
        fill(world)
        world.session.run("ALTER TABLE odk.reg ADD CHECK (age < 120)")
        edit(world, "Ana", name="Ana", age=300)
        world.ok("run", "f")
        world.central.delete(FORM, id="Ana")
        world.central.clock(advance=3600)
        world.ok("run", "f")
        tap.equal(world.session.value("SELECT count(*) FROM odk.v_reg"), 1,
                  "live rows")
        tap.equal(counts(world)["proven"], True, "proof")


def test_a_submission_that_cannot_be_stored_at_all():
    """It waits, the proof tells, and a purge ends it."""
    with new_world() as world:
        fill(world)
        world.session.run("ALTER TABLE odk.reg ALTER age SET NOT NULL")
        world.central.create(FORM, id="Cy", data={"name": "Cy"})
        world.central.clock(advance=3600)
        world.ok("run", "f")
        tap.equal(counts(world)["left_out"], 1, "left out")
        world.central.delete(FORM, id="Cy")
        world.central.purge(FORM, id="Cy")
        world.central.clock(advance=3600)
        world.ok("run", "f", "--reconcile")
        tap.equal(counts(world).get("left_out"), None, "left out")
        world.compare(FORM)


def test_an_id_that_no_index_takes():
    with new_world() as world:
        world.central.create(FORM, id="k" * 1500, data={"name": "long"})
        fill(world)
        tap.equal(world.session.value("SELECT count(*) FROM odk.reg"), 2,
                  "rows")
        tap.equal([counts(world)[key] for key in ("central", "table",
                                                  "left_out")], [3, 2, 1],
                  "proof")
        tap.check("longer than 1,000 bytes" in world.ok("status").out,
                  "status")
        world.ok("run", "f", "--reconcile")
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_reject"),
                  1, "rejects")
        world.central.delete(FORM, id="k" * 1500)
        world.central.clock(advance=3600)
        world.ok("run", "f")
        tap.equal(counts(world).get("left_out"), None, "left out")


def test_settings_of_the_database():
    """Types are compared, not the words for them."""
    with new_world(["name:string", "age:int", "gps:geopoint"]) as world:
        for i in range(5):
            world.central.create(FORM, id=f"n{i}", data={
                "name": f"n{i}", "age": i,
                "gps": {"type": "Point", "coordinates": [1, 2]}})
        pg.server().run(f'ALTER DATABASE "{world.database}" SET'
                        " quote_all_identifiers = on")
        world.central.clock(advance=3600)
        world.ok("run")
        world.central.review(FORM, id="n0", state="approved")
        world.central.clock(advance=3600)
        world.ok("run", "f")
        tap.equal(world.session.rows(
            "SELECT count(name) AS names, count(gps) AS places,"
            " count(*) FILTER (WHERE _review_state = 'approved') AS approved"
            " FROM odk.reg"), [{"names": 5, "places": 5, "approved": 1}],
            "answers")
        world.compare(FORM)


if __name__ == "__main__":
    tap.main()
