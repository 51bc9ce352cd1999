# tests/integration/forms_test.py - SPDX-License-Identifier: Apache-2.0
"""Many forms: "form = *", "like", several projects and several Centrals."""

import contextlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

WARNED_OF = "collide"  # two of its questions share a key


def new_world(**job):
    world = odks.World()
    world.job("all", form="*", exclude=WARNED_OF, **job)
    return world


def types(world):
    return [row["sync_type"] for row in world.session.rows(
        "SELECT sync_type FROM odk_sync_status ORDER BY 1")]


def tables(world, schema="odk"):
    return [row["table_name"] for row in world.session.rows(
        "SELECT table_name FROM information_schema.tables"
        f" WHERE table_schema = '{schema}' AND table_type = 'BASE TABLE'"
        " ORDER BY 1")]


def filled(world, *forms):
    world.init()
    for form in forms:
        world.central.create(form, count=3, seed=1)
    world.central.clock(advance=3600)


def test_all_forms_of_a_project_are_mirrored():
    with new_world() as world:
        filled(world, "household", "simple", "odd id-1.2 ž")
        result = world.ok("run")
        tap.equal((result.out, result.err), ("", ""), "output")
        for form in ("household", "simple", "odd id-1.2 ž", "drift"):
            world.compare(form)
        tap.equal(types(world), ["all", "all.bulk", "all.closedform",
                                 "all.drift", "all.household",
                                 "all.odd_id_1_2_ž", "all.simple"],
                  "sync types")


def test_a_broken_form_stops_no_other():
    with odks.World() as world:
        world.job("all", form="*", exclude=WARNED_OF)
        world.settings["central"]["retry"] = "0s"
        filled(world, "household", "drift", "simple")
        world.central.script({"match": "forms/drift", "times": -1,
                              "action": {"status": 500}})
        world.exits(69, "run")
        world.compare("household")
        world.compare("simple")
        tap.equal({row["sync_type"]: row["last_sync_status"]
                   for row in world.session.rows(
                       "SELECT * FROM odk_sync_status")
                   if row["last_sync_status"] != "success"},
                  {"all.drift": "error"}, "what failed")


def test_a_new_form_needs_no_new_section():
    with new_world(include="house*, new*") as world:
        filled(world, "household")
        world.ok("run")
        world.central.publish("newest", "1", ["a:string", "b:int"])
        world.central.create("newest", count=2, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare("newest")
        tap.equal(types(world), ["all", "all.household", "all.newest"],
                  "sync types")


def test_forms_of_like_names_get_sync_types_of_their_own():
    with new_world(include="a?b") as world:
        world.init()
        for form in ("a-b", "a b", "a.b"):
            world.central.publish(form, "1", ["x:string"])
        world.ok("run")
        tap.equal(types(world), ["all", "all.a_b", "all.a_b_2", "all.a_b_3"],
                  "sync types")
        found = world.session.rows(
            "SELECT sync_type, form FROM odk_sync_form_job ORDER BY 1")
        world.ok("run")
        tap.equal(world.session.rows(
            "SELECT sync_type, form FROM odk_sync_form_job ORDER BY 1"),
            found, "names given once")


def forms_of_tables(world):
    return {row["name"]: (row["project"], row["form"])
            for row in world.session.rows(
                "SELECT table_schema || '.' || table_name AS name, project,"
                " form FROM odk_sync_column WHERE odk_type = 'table'")}


def test_forms_of_like_names_get_tables_of_their_own():
    wanted = {"odk.water_points": (1, "Water Points"),
              "odk.water_points_2": (1, "water_points")}
    for forms in (("Water Points", "water_points"),
                  ("water_points", "Water Points")):
        with new_world(include="?ater*") as world:
            world.init()
            for form in forms:
                world.central.publish(form, "1", ["x:string"])
                world.central.create(form, count=2, seed=1)
            world.central.clock(advance=3600)
            # the second one is the first to be mirrored
            world.ok("run", "all", "--once")
            world.session.run("UPDATE odk_sync_queue SET priority = 1"
                              " WHERE sync_type = 'all.water_points_2'")
            world.ok("run")
            tap.equal(forms_of_tables(world), wanted, f"published {forms}")
            world.ok("run", "all", "--full")
            for form in forms:
                world.compare(form)
            tap.equal(forms_of_tables(world), wanted, "names given once")


def test_a_table_keeps_clear_of_views_and_repeats_of_others():
    with new_world(include="a, a__r, v_a, v_a__r") as world:
        world.init()
        world.central.publish("a", "1", ["x:string", {"r[]": ["y:int"]}])
        world.ok("run")
        for form in ("a__r", "v_a", "v_a__r"):
            world.central.publish(form, "1", ["x:string"])
            world.central.create(form, count=1, seed=1)
        world.central.create("a", count=1, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        for form in ("a", "a__r", "v_a", "v_a__r"):
            world.compare(form)
        tap.equal(tables(world), ["a", "a__r", "a__r_2", "v_a_2",
                                  "v_a__r_3"], "tables")


def test_a_repeat_keeps_clear_of_the_tables_of_others():
    with new_world(include="b, b__r") as world:
        world.init()
        world.central.publish("b__r", "1", ["x:string"])
        world.ok("run")
        world.central.publish("b", "1", ["x:string", {"r[]": ["y:int"]}])
        world.central.create("b", count=2, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare("b")
        tap.equal(tables(world), ["b", "b__r", "b__r_2"], "tables")


def test_one_form_id_in_two_projects():
    with odks.World() as world:
        world.job("one", form="household")
        world.job("two", form="household", project=2)
        world.init()
        world.central.publish("household", "1", ["x:string"], project=2)
        world.central.create("household", project=2, data={"x": "y"})
        world.central.create("household", project=1, count=2, seed=1)
        world.central.clock(advance=3600)
        world.ok("run", "one")
        world.ok("run", "two")
        found = forms_of_tables(world)
        tap.equal((found["odk.household"], found["odk.household_2"],
                   world.session.value("SELECT x FROM odk.household_2")),
                  ((1, "household"), (2, "household"), "y"), "tables")


def test_the_hint_about_a_foreign_table_works_word_for_word():
    form = 'pumps 5%25 "x*'
    with new_world(include="pumps*") as world:
        world.init()
        world.central.publish(form, "1", ["x:string"])
        world.session.run("CREATE TABLE odk.pumps_5_25_x_ (x int)")
        result = world.exits(78, "run")
        lines = re.search(r"add these four lines: (.*)\.", result.err)[1]
        header, *rest = re.findall(r'"([^"]*)"', lines)
        world.more = [(header.strip("[]"),
                       dict(line.split(" = ") for line in rest))]
        world.ok("run")
        world.compare(form)
        world.more = []
        world.job("single", form="simple", project=2,
                  table="pumps_5_25_x_")
        world.central.publish("simple", "1", ["x:string"], project=2)
        result = world.exits(78, "run", "single")
        table = re.search(r"set table = (\S+) in \[job single\]",
                          result.err)[1]
        world.jobs["single"]["table"] = table
        world.hurry()
        world.ok("run", "single")


def test_a_job_of_a_form_is_forgotten_once_the_form_is_excluded():
    with new_world(include="simple") as world:
        filled(world, "simple")
        world.ok("run")
        result = world.exits(64, "forget", "all.simple")
        tap.check("exclude in [job all]" in result.err, result.err)
        world.jobs["all"]["include"] = "none"
        world.hurry()
        world.ok("run")
        world.ok("forget", "all.simple")
        tap.equal(types(world), ["all"], "sync types")


def test_a_form_with_a_section_of_its_own_is_left_to_it():
    with new_world(include="house*, simple", raw="no") as world:
        world.jobs["homes"] = {"like": "all", "form": "household",
                               "table": "homes"}
        filled(world, "household", "simple")
        world.ok("run")
        tap.equal(types(world), ["all", "all.simple", "homes"], "sync types")
        tap.check("homes" in tables(world)
                  and "household" not in tables(world), "its table")
        tap.equal(world.session.value(
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_schema = 'odk' AND column_name = '_raw'"), 0,
            "raw = no came from the other section")


def test_a_section_of_its_own_later_takes_the_form_over():
    with new_world(include="house*, simple") as world:
        filled(world, "household", "simple")
        world.ok("run")
        world.jobs["homes"] = {"like": "all", "form": "household"}
        result = world.ok("run")
        tap.check("form household is no longer one" in result.err, result)
        tap.equal(types(world), ["all", "all.household", "all.simple",
                                 "homes"], "sync types")
        world.compare("household")
        tap.equal(world.ok("run").err, "", "said once")


def test_a_deleted_form_keeps_its_tables_and_may_come_back():
    with new_world(include="house*, simple") as world:
        filled(world, "household", "simple")
        world.ok("run")
        world.session.run(
            "INSERT INTO odk_sync_queue (sync_type, run_at)"
            " VALUES ('all.household', clock_timestamp() + '1 h')")
        world.central.delete_form("household")
        world.ok("run")
        tap.equal(world.queue(), [], "nothing waits for it")
        tap.equal(world.session.value("SELECT count(*) FROM odk.household"),
                  3, "rows")
        world.exits(64, "run", "all.household")
        world.central.restore_form("household")
        world.central.create("household", count=1, seed=9)
        world.central.clock(advance=3600)
        world.ok("run")
        world.compare("household")
        tap.equal(types(world), ["all", "all.household", "all.simple"],
                  "sync types")


def test_what_is_asked_of_all_is_asked_of_each():
    with new_world(include="house*, simple", every="10d") as world:
        filled(world, "household", "simple")
        world.ok("run")
        world.ok("run", "all", "--full")
        modes = world.session.rows(
            "SELECT sync_type, metadata::json->>'mode' AS mode"
            " FROM odk_sync_history WHERE sync_type <> 'all' ORDER BY id DESC"
            " LIMIT 2")
        tap.equal({row["mode"] for row in modes}, {"full"}, "modes")
        before = len(world.history())
        world.ok("run", "all.simple")
        tap.equal([row["sync_type"] for row in world.history()[before:]],
                  ["all.simple"], "one form alone")
        world.ok("pause", "all.simple")
        world.ok("resume", "all.simple")
        world.ok("enqueue", "all.simple", "--full")
        tap.check("all.household" in world.ok("status").out, "status")


def test_dry_run_of_all_writes_nothing():
    with new_world(include="house*, simple") as world:
        filled(world, "household", "simple")
        out = world.ok("run", "--dry-run", "all").out
        tap.check("all.household: would insert 3" in out
                  and "all.simple: would insert 3" in out, out)
        tap.equal((world.history(), tables(world)), ([], []), "nothing")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_form_job"), 0, "no forms")


def test_several_projects_with_forms_of_one_name():
    with new_world(include="household") as world:
        world.job("other", form="*", project=2, include="household",
                  schema="other")
        world.central.publish("household", "1", ["x:string"], project=2)
        tap.check('SCHEMA IF NOT EXISTS "other"'
                  in world.ok("init", "--print").out, "init --print")
        filled(world)
        said = world.ok("doctor").out
        tap.check("ok    rights" in said, said)
        world.central.create("household", project=2, data={"x": "y"})
        world.central.create("household", project=1, count=2, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        tap.equal((tables(world, "other"),
                   world.session.value("SELECT x FROM other.household")),
                  (["household"], "y"), "the other project's")
        tap.equal(world.session.value("SELECT count(*) FROM odk.household"),
                  2, "the first one's")


def test_several_centrals():
    from standin import StandIn
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(new_world(include="household"))
        second = stack.enter_context(StandIn())
        world.more = [("central second", {
            "url": second.url, "user": second.user,
            "password_file": world.path("central-password")})]
        world.job("more", form="*", include="simple", central="second")
        filled(world, "household")
        second.create("simple", count=4, seed=1)
        second.clock(advance=3600)
        world.ok("run")
        world.compare("household")
        tap.equal(world.session.value("SELECT count(*) FROM odk.simple"), 4,
                  "from the second")
        second.stop()
        world.central.create("household", count=1, seed=7)
        world.central.clock(advance=3600)
        world.settings["central"]["retry"] = "0s"
        world.more[0][1]["retry"] = "0s"
        world.exits(69, "run")
        world.compare("household")


def test_mistakes_in_sections_are_named():
    with odks.World() as world:
        for settings, word in (
                ({"form": "household", "include": "a"},
                 "include goes with form = * only"),
                ({"form": "*", "table": "a"},
                 "table does not go with form = *"),
                ({"like": "nobody", "form": "x"}, "no such [job] section"),
                ({"like": "one", "form": "x"}, "leads back"),
        ):
            world.jobs = {"one": {"kind": "submissions", "project": 1,
                                  **settings}}
            result = world.exits(78, "config")
            tap.check(word in result.err, result)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
