# tests/integration/labels_test.py - SPDX-License-Identifier: Apache-2.0
"""Labels of questions and choices, and the views that show them."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402
import xform  # noqa: E402
from xform import group, q, repeat  # noqa: E402

FORM = "census"
LANGUAGES = ("English (en)", "Français (fr)")
SEXES = {"f": {"English (en)": "Female", "Français (fr)": "Femme"},
         "m": {"English (en)": "Male", "Français (fr)": "Homme"},
         "o": {"English (en)": "Other"}}
TOWNS = {"banjul": "Banjul", "bakau": "Bakau, Old Town"}
LANGS = {"c": {"English (en)": "Czech", "Français (fr)": "Tchèque"},
         "w": {"English (en)": "Wolof"}}


def both(english, french):
    return dict(zip(LANGUAGES, (english, french)))


def census(*more):
    return [
        q("town", both("Which town?", "Quelle ville ?"), "select", "towns"),
        group("about", both("About", "De"), [
            q("head-sex", both("Sex of the head", "Sexe"), "select", "sexes")]),
        q("ward", both("Ward", "Quartier"), "select", "wards.csv"),
        repeat("person", both("People", "Gens"), [
            q("sex", both("Sex", "Sexe"), "select", "sexes"),
            q("langs", both("Languages", "Langues"), "selectMultiple",
              "langs"),
            q("wishes", both("Wishes", "Souhaits"), "rank", "langs"),
            q("town", "Born in", "select", "towns")]),
        *more]


def publish(world, version, form=None, **kwargs):
    settings = {"title": "The census", "languages": LANGUAGES,
                "lists": {"sexes": SEXES, "towns": TOWNS, "langs": LANGS},
                **kwargs}
    xform.publish(world.central, FORM, version, form or census(), **settings)


def new_world(**job):
    world = odks.World()
    world.job("census", form=FORM, **job)
    return world


def person(sex, langs, wishes, town):
    return {"sex": sex, "langs": langs, "wishes": wishes, "town": town}


def filled(world):
    """The first version of the form, two submissions, a run."""
    world.init()
    publish(world, "1")
    world.central.create(FORM, data={
        "town": "bakau", "about": {"head_sex": "f"}, "ward": "w7",
        "person": [person("m", "w c", "c w", "banjul"),
                   person("x", None, None, None)]})
    world.central.create(FORM, data={
        "town": None, "about": {"head_sex": "o"}, "ward": None,
        "person": [person(None, "c zz", "w", "gone")]})
    sync(world)


def sync(world, *args):
    world.central.clock(advance=3600)
    world.ok("run", *args)
    world.compare(FORM)


def comment(world, relation, column):
    return world.session.value(
        "SELECT col_description(attrelid, attnum) FROM pg_attribute"
        f" WHERE attrelid = 'odk.{relation}'::regclass"
        f" AND attname = '{column}'")


def views(world):
    return [r["relname"] for r in world.session.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace ="
        " 'odk'::regnamespace ORDER BY relname COLLATE \"C\"")]


def columns(world, view):
    return [r["attname"] for r in world.session.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid ="
        f" 'odk.{view}'::regclass AND attnum > 0 ORDER BY attnum")]


def table(world, query):
    return [tuple(row.values()) for row in world.session.rows(query)]


def xml_requests(world):
    return [r["path"] for r in world.central.requests()["requests"]
            if r["path"].endswith(".xml")]


def xmins(world):
    """Who wrote the rows of catalogs and books that tell of views."""
    return world.session.rows(
        "SELECT c.relname, c.xmin::text AS x FROM pg_class c"
        " WHERE relnamespace = 'odk'::regnamespace"
        " UNION ALL SELECT objoid || '.' || objsubid, xmin::text"
        " FROM pg_description"
        " UNION ALL SELECT list || language || name, xmin::text"
        " FROM odk_sync_choice"
        " UNION ALL SELECT view_name, xmin::text FROM odk_sync_view"
        " UNION ALL SELECT sync_type, xmin::text FROM odk_sync_form"
        " ORDER BY 1, 2")


def test_comments_hold_the_labels():
    with new_world() as world:
        filled(world)
        for relation in ("census", "v_census", "v_census_label_en"):
            tap.equal(comment(world, relation, "town"),
                      "Which town? (/town, select_one, list towns)", relation)
        tap.equal(comment(world, "v_census_label_fr", "head_sex"),
                  "Sexe (/about/head-sex, select_one, list sexes)", "fr")
        tap.equal(comment(world, "census", "ward"),
                  "Ward (/ward, select_one, choices in the file wards.csv)",
                  "file")
        tap.equal(comment(world, "census__person", "langs"),
                  "Languages (/person/langs, select_multiple, list langs)",
                  "multiple")
        tap.equal(comment(world, "census", "_submitted_at"),
                  "when Central received it", "system column")
        tap.equal(world.session.value(
            "SELECT obj_description('odk.census__person'::regclass)"),
            "People (odk-sync: Submissions.person of form census, project 1"
            " of central)", "table")
        tap.equal(world.session.rows(
            "SELECT title, languages FROM odk_sync_form"),
            [{"title": "The census", "languages": list(LANGUAGES)}], "form")


def test_labels_in_each_language():
    with new_world() as world:
        filled(world)
        tap.equal(views(world), [
            "v_census", "v_census__person", "v_census__person_choice_langs",
            "v_census__person_choice_wishes", "v_census__person_label_en",
            "v_census__person_label_fr", "v_census_choices",
            "v_census_label_en", "v_census_label_fr"], "views")
        query = "SELECT town, head_sex, ward FROM odk.{} ORDER BY 2"
        tap.equal(table(world, query.format("v_census_label_en")), [
            ("Bakau, Old Town", "Female", "w7"), (None, "Other", None)], "en")
        # without a translation the default label shows
        tap.equal(table(world, query.format("v_census_label_fr")), [
            ("Bakau, Old Town", "Femme", "w7"), (None, "Other", None)], "fr")
        tap.equal(table(
            world, "SELECT sex, langs, wishes, town FROM"
            " odk.v_census__person_label_fr ORDER BY langs COLLATE \"C\""), [
                (None, "Tchèque, zz", "Wolof", "gone"),
                ("Homme", "Wolof, Tchèque", "Tchèque, Wolof", "Banjul"),
                ("x", None, None, None)], "people")


def test_choices_have_their_tables():
    with new_world() as world:
        filled(world)
        tap.equal(table(
            world, "SELECT position, name, label FROM odk.v_census_choices"
            " WHERE list = 'sexes' AND language = 'Français (fr)'"
            " ORDER BY position"),
            [(1, "f", "Femme"), (2, "m", "Homme"), (3, "o", "Other")], "fr")
        tap.equal(table(
            world, "SELECT DISTINCT list, language FROM odk.v_census_choices"
            " ORDER BY 1, 2"),
            [(name, language) for name in ("langs", "sexes", "towns")
             for language in LANGUAGES], "lists")
        tap.equal(table(
            world, "SELECT central, project, form, list, name, label FROM"
            " odk_sync_choice WHERE name = 'bakau' AND language ~ 'en'"),
            [("central", 1, "census", "towns", "bakau", "Bakau, Old Town")],
            "with the form's names")


def test_one_row_for_each_option_chosen():
    with new_world() as world:
        filled(world)
        for kind in ("langs", "wishes"):
            want = []
            for row in world.central.state(FORM)["live"]:
                for one in row["person"]:
                    want += [(one["__id"], row["__id"], i + 1, name,
                              LANGS.get(name, {}).get(LANGUAGES[0], name))
                             for i, name in
                             enumerate((one[kind] or "").split())]
            got = table(world, "SELECT _id, _submission_id, position, name,"
                        f" label FROM odk.v_census__person_choice_{kind}")
            tap.equal(sorted(got), sorted(want), kind)


def test_nothing_is_asked_or_written_twice():
    with new_world() as world:
        filled(world)
        tap.equal(xml_requests(world), ["/v1/projects/1/forms/census.xml"],
                  "first run")
        before = xmins(world)
        sync(world)
        tap.equal(xml_requests(world), [], "second run")
        tap.equal(xmins(world), before, "books and catalogs")


def test_a_changed_label_changes_no_view():
    with new_world() as world:
        filled(world)
        before = dict(table(world, "SELECT relname, xmin::text FROM pg_class"
                            " WHERE relnamespace = 'odk'::regnamespace"))
        publish(world, "2", census()[:2] + [
            q("ward", both("Which ward?", "Quartier"), "select",
              "wards.csv")] + census()[3:])
        sync(world)
        tap.check(comment(world, "census", "ward").startswith("Which ward? ("))
        tap.equal(dict(table(
            world, "SELECT relname, xmin::text FROM pg_class"
            " WHERE relnamespace = 'odk'::regnamespace")), before, "catalog")


def test_choices_of_new_versions():
    with new_world() as world:
        filled(world)
        lists = {"sexes": {"m": {"English (en)": "Man"},
                           "n": {"English (en)": "None", "Italiano": "Nulla"}},
                 "towns": TOWNS, "langs": LANGS}
        publish(world, "2", lists=lists, languages=(*LANGUAGES, "Italiano"))
        sync(world)
        tap.equal(table(
            world, "SELECT name, position, label, retired_at IS NOT NULL AS r"
            " FROM odk.v_census_choices WHERE list = 'sexes'"
            " AND language = 'English (en)' ORDER BY name"), [
                ("f", 1, "Female", True), ("m", 1, "Man", False),
                ("n", 2, "None", False), ("o", 3, "Other", True)], "choices")
        # old answers keep the label of a choice that is gone
        tap.equal(table(
            world, "SELECT head_sex FROM odk.v_census_label_en ORDER BY 1"),
            [("Female",), ("Other",)], "labels")
        tap.check("v_census_label_italiano" in views(world), "a new language")
        # a language that goes keeps its view, which follows the default
        publish(world, "3", languages=LANGUAGES, lists={
            **lists, "sexes": {**SEXES, "new": {"English (en)": "New"}}})
        world.central.create(FORM, data={"about": {"head_sex": "new"}})
        sync(world)
        tap.equal(table(
            world, "SELECT DISTINCT head_sex FROM odk.v_census_label_italiano"
            " ORDER BY 1"), [("Female",), ("New",), ("Other",)], "italiano")


def test_a_question_and_a_list_change_sides():
    """A column keeps its type in the views whatever becomes of it."""
    with new_world() as world:
        filled(world)
        form = census()
        form[2] = q("ward", "Ward", "string")
        form[3]["kids"][1] = q("langs", "Languages", "string")
        form[3]["kids"][0]["choices"] = "towns"
        publish(world, "2", form)
        world.central.create(FORM, data={"person": [
            person("bakau", "free text", None, None)]})
        sync(world)
        tap.equal(table(
            world, "SELECT sex, langs, langs_v2 FROM"
            " odk.v_census__person_label_en WHERE langs_v2 = 'free text'"),
            [("Bakau, Old Town", None, "free text")], "new row")
        publish(world, "3", census())
        sync(world)
        tap.equal(table(
            world, "SELECT langs FROM odk.v_census__person_label_en"
            " WHERE sex = 'Male'"), [("Wolof, Czech",)], "and back")


GRANTS = """
SELECT relname, relacl::text AS acl, reloptions::text AS options FROM pg_class
WHERE relname IN ('v_census', 'v_census__person_label_en', 'mine')
ORDER BY relname COLLATE "C"
"""


def test_grants_options_and_dependents_survive_drift():
    with new_world() as world:
        filled(world)
        world.session.run(
            "CREATE VIEW odk.mine AS SELECT a.*, b.sex FROM odk.v_census a"
            " JOIN odk.v_census__person_label_en b ON b._submission_id ="
            " a._id;"
            "GRANT SELECT ON odk.v_census, odk.v_census__person_label_en"
            " TO PUBLIC; ALTER VIEW odk.v_census SET (security_barrier);"
            "COMMENT ON COLUMN odk.mine.sex IS 'my own'")
        before = world.session.rows(GRANTS)
        mine = columns(world, "mine")
        for i in range(5):
            more = [q(f"more{k}", f"More {k}", "select", "sexes")
                    for k in range(i + 1)]
            form = census(*more)
            form[3]["kids"].insert(0, q(f"p{i}", f"P {i}", "int"))
            if i % 2 == 0:
                form.reverse()
            publish(world, str(i + 2), form)
            sync(world)
        tap.equal(world.session.rows(GRANTS), before, "grants and options")
        tap.equal(columns(world, "mine"), mine, "columns of the dependent")
        tap.equal(world.session.value("SELECT count(*) FROM odk.mine"), 3,
                  "rows of the dependent")
        tap.equal(columns(world, "v_census")[-5:],
                  [f"more{k}" for k in range(5)], "new columns are behind")
        tap.check({f"p{i}" for i in range(5)}
                  <= set(columns(world, "v_census__person_label_en")))


def test_parent_columns():
    with new_world(parent_columns="head_sex, town, _submitted_at") as world:
        filled(world)
        tap.equal(columns(world, "v_census__person")[-7:],
                  ["sex", "langs", "wishes", "town", "head_sex",
                   "submission_town", "_submitted_at"], "columns")
        tap.equal(table(
            world, "SELECT p.head_sex, p.submission_town, p._submitted_at ="
            " s._submitted_at FROM odk.v_census__person p JOIN odk.v_census s"
            " ON s._id = p._submission_id ORDER BY 1, 2"),
            [("f", "bakau", True)] * 2 + [("o", None, True)], "values")
        tap.equal(table(
            world, "SELECT DISTINCT head_sex, submission_town FROM"
            " odk.v_census__person_label_fr ORDER BY 1"),
            [("Femme", "Bakau, Old Town"), ("Other", None)], "labels")
        # others come behind, and who is there stays
        world.jobs["census"]["parent_columns"] = "ward, town"
        publish(world, "2", census()[:3] + [
            repeat("person", "P", census()[3]["kids"] + [q("ward", "W")])])
        sync(world)
        tap.equal(columns(world, "v_census__person")[-6:],
                  ["town", "head_sex", "submission_town", "_submitted_at",
                   "ward", "submission_ward"], "columns of the second run")


def test_unknown_parent_column():
    with new_world(parent_columns="twn") as world:
        world.init()
        publish(world, "1")
        result = world.exits(78, "run")
        tap.check("parent_columns: table census has no column twn"
                  in result.err and "Did you mean town?" in result.err,
                  result.err)
        world.jobs["census"]["tables"] = "Submissions.person"
        world.session.run("DROP SCHEMA odk CASCADE; CREATE SCHEMA odk;"
                          "TRUNCATE odk_sync_column, odk_sync_view")
        world.hurry()
        result = world.exits(78, "run", "census")
        tap.check("add Submissions to tables" in result.err, result.err)


def test_languages_that_are_asked_for():
    with new_world(languages="FR") as world:
        filled(world)
        tap.equal(comment(world, "census", "head_sex"),
                  "Sexe (/about/head-sex, select_one, list sexes)", "comment")
        tap.equal([v for v in views(world) if "_label_" in v],
                  ["v_census__person_label_fr", "v_census_label_fr"], "views")
        tap.equal(world.session.value(
            "SELECT label FROM odk.v_census__person_choice_langs"
            " WHERE name = 'c' LIMIT 1"), "Tchèque", "options")
        world.jobs["census"]["languages"] = "Klingon"
        result = world.ok("run")
        tap.check("form census has no language Klingon (its default is"
                  " English (en))" in result.err, result.err)
        tap.check(comment(world, "census", "head_sex").startswith("Sex of"))
        tap.check("v_census_label_en" in views(world), "the default instead")


def test_without_labels():
    with new_world(labels="no") as world:
        filled(world)
        tap.equal(xml_requests(world), [], "requests")
        tap.equal(views(world), ["v_census", "v_census__person",
                                 "v_census__person_choice_langs"], "views")
        tap.equal(comment(world, "census", "town"), "/town (text)", "comment")
        tap.equal(table(
            world, "SELECT label FROM odk.v_census__person_choice_langs"
            " ORDER BY 1"), [("c",), ("c",), ("w",), ("zz",)], "options")
        # with them, what is there grows labels
        world.jobs["census"]["labels"] = "yes"
        sync(world)
        tap.equal(table(
            world, "SELECT label FROM odk.v_census__person_choice_langs"
            " ORDER BY 1"), [("Czech",), ("Czech",), ("Wolof",), ("zz",)],
            "with labels")
        tap.equal(table(world, "SELECT town FROM odk.v_census_label_en"
                        " ORDER BY 1"), [("Bakau, Old Town",), (None,)],
                  "view")


def test_a_view_that_was_dropped_comes_back():
    with new_world() as world:
        filled(world)
        before = views(world)
        world.session.run("DROP VIEW odk.v_census_choices CASCADE;"
                          "DROP VIEW odk.v_census")
        sync(world)
        tap.equal(views(world), before, "views")
        tap.equal(comment(world, "v_census", "town"),
                  "Which town? (/town, select_one, list towns)", "comment")
        before = xmins(world)
        sync(world)
        tap.equal(xmins(world), before, "and that is all")


def test_tables_made_anew_have_comments_and_views():
    with new_world() as world:
        filled(world)
        before = views(world)
        world.session.run("DROP TABLE odk.census, odk.census__person CASCADE")
        sync(world)
        tap.equal(views(world), before, "views")
        tap.equal(comment(world, "census", "town"),
                  "Which town? (/town, select_one, list towns)", "comment")


def test_views_of_somebody_else():
    """Names that are taken are not ours, and a view with columns of somebody
    else is left alone; the data do not wait for it."""
    with new_world() as world:
        world.init()
        world.session.run("CREATE VIEW odk.v_census_label_en AS SELECT 1 AS x")
        filled(world)
        tap.check("v_census_label_en_2" in views(world), "another name")
        tap.equal(columns(world, "v_census_label_en"), ["x"], "the other view")
        definition = world.session.value(
            "SELECT pg_get_viewdef('odk.v_census'::regclass)").rstrip(";")
        world.session.run(f"CREATE OR REPLACE VIEW odk.v_census AS SELECT v.*,"
                          f" 1 AS one FROM ({definition}) v")
        publish(world, "2", census(q("more", "More")))
        world.central.clock(advance=3600)
        result = world.ok("run")
        tap.check("view v_census has columns of somebody else" in result.err,
                  result.err)
        world.compare(FORM)
        tap.check("more" in columns(world, "v_census_label_en_2"))
        tap.equal(columns(world, "v_census")[-1], "one", "left alone")


def test_a_busy_view_is_left_for_the_next_run():
    with new_world() as world:
        filled(world)
        reader = odks.pg.Session(world.database)
        try:
            reader.run("BEGIN; SELECT * FROM odk.v_census_choices;"
                       "LOCK TABLE pg_description IN ACCESS SHARE MODE")
            publish(world, "2")
            reader.run("SELECT count(*) FROM odk.v_census_label_fr")
            world.session.run("UPDATE odk_sync_view SET digest = 'old'"
                              " WHERE view_name = 'v_census_label_fr'")
            world.central.clock(advance=3600)
            result = world.ok("run", "-v")
            tap.check("v_census_label_fr not made, the next run tries again"
                      in result.err, result.err)
            tap.equal(world.session.value(
                "SELECT digest FROM odk_sync_view"
                " WHERE view_name = 'v_census_label_fr'"), "old", "digest")
            reader.run("COMMIT")
        finally:
            reader.close()
        sync(world)
        tap.check(world.session.value(
            "SELECT digest FROM odk_sync_view"
            " WHERE view_name = 'v_census_label_fr'") != "old", "digest")


def test_an_xform_of_no_use():
    """Its form is mirrored without labels, and asked for once."""
    with new_world() as world:
        world.init()
        world.central.publish(FORM, "1", xform.fields(census()),
                              xml="<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
        world.central.create(FORM, count=3, seed=4)
        world.central.clock(advance=3600)
        result = world.ok("run")
        tap.check("no labels: the XML of the form has a document type"
                  in result.err, result.err)
        world.compare(FORM)
        world.central.requests()
        tap.equal(world.ok("run").err, "", "said once")
        tap.equal(xml_requests(world), [], "asked once")


def test_an_xform_cut_short_is_an_error():
    with new_world() as world:
        world.init()
        publish(world, "1")
        world.central.script({"match": ".xml", "times": 1,
                              "action": {"cutClean": 500}})
        result = world.exits(69, "run")
        tap.check("the XML of the form was cut short" in result.err,
                  result.err)
        world.hurry()
        sync(world)
        tap.check("v_census_label_en" in views(world), "labels")


def test_dry_run_tells_of_views():
    with new_world() as world:
        world.init()
        publish(world, "1")
        result = world.ok("run", "--dry-run", "census")
        ddl = result.out + result.err
        tap.check("CREATE VIEW \"odk\".\"v_census_label_fr\"" in ddl
                  and "COMMENT ON COLUMN \"odk\".\"census\".\"town\"" in ddl,
                  ddl)
        tap.equal(views(world), [], "views")
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_choice"),
                  0, "choices")


def test_two_jobs_of_one_form():
    with odks.World() as world:
        world.job("a", form=FORM, tables="Submissions")
        world.job("b", form=FORM, tables="Submissions.person", after="a")
        filled(world)
        world.ok("run")
        tap.equal(table(
            world, "SELECT sex FROM odk.v_census__person_label_en ORDER BY 1"),
            [("Male",), ("x",), (None,)], "people")
        world.central.delete(FORM, world.central.state(FORM)["live"][0]["__id"])
        world.central.clock(advance=3600)
        world.ok("run")
        world.ok("run")
        tap.check(world.session.value(
            "SELECT count(*) FROM odk.v_census__person") < 3, "live ones")
        before = xmins(world)
        world.central.requests()
        world.ok("run")
        tap.equal(xml_requests(world), [], "neither is due")
        tap.equal(xmins(world), before, "books and catalogs")


def test_the_plan_leaves_out_what_nobody_asked_for():
    """A join that a query does not need costs nothing."""
    with new_world() as world:
        filled(world)
        world.session.run(
            "CREATE FUNCTION plan(query text) RETURNS json LANGUAGE plpgsql"
            " AS $$ DECLARE j json; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) '"
            " || query INTO j; RETURN j; END $$")
        plan = json.dumps(world.session.value(
            "SELECT plan('SELECT ward FROM odk.v_census_label_en')"))
        tap.check("odk_sync_choice" not in plan, plan)


# --- choices of one name ------------------------------------------------------

VILLAGES = [
    xform.choice("centre", both("Centre of A", "Centre d'A"), parent="A"),
    xform.choice("mill", both("Mill", "Moulin"), parent="A"),
    xform.choice("centre", both("Centre of B", "Centre de B"), parent="B"),
]


def test_choices_of_questions_that_share_a_name():
    """OData calls all of them "__"; each has a list of its own."""
    with new_world() as world:
        world.init()
        xform.publish(world.central, FORM, "1", [
            q("пол", "Пол", "select", {"1": "М", "2": "Ж"}),
            q("раса", "Раса", "select", {"1": "Белый", "2": "Чёрный"}),
            q("роль", "Роль", "selectMultiple", {"1": "Врач", "2": "Иной"})],
            languages=["default"], lists={})
        world.central.create(FORM, data={"пол": "2", "раса": "1",
                                         "роль": "1 2"})
        world.central.clock(advance=3600)
        world.ok("run")
        tap.equal(table(world, "SELECT пол, раса, роль FROM"
                        " odk.v_census_label_default"),
                  [("Ж", "Белый", "Врач, Иной")], "labels")
        tap.equal(table(world, "SELECT label FROM odk.v_census_choice_роль"
                        " ORDER BY position"), [("Врач",), ("Иной",)],
                  "choice view")
        tap.equal(table(world, "SELECT list, label FROM odk.v_census_choices"
                        " WHERE name = '1' ORDER BY 1"),
                  [("/пол", "М"), ("/раса", "Белый"), ("/роль", "Врач")],
                  "lists")


def cascade(world, version, only, **lists):
    """A cascade in the submission, in a repeat and in a repeat within it."""
    here = only.replace("DISTRICT", "/data/district")
    form = [
        q("district", "D"),
        q("village", "V", "select", "vil", only=here),
        q("seen", "S", "selectMultiple", "vil", only=here),
        repeat("trip", "T", [
            q("district", "D"),
            q("goal", "To", "select", "vil", only=here),
            q("near", "Near", "select", "vil", only=only.replace(
                "DISTRICT", "current()/../district")),
            repeat("stop", "Stop", [
                q("at", "At", "select", "vil", only=only.replace(
                    "DISTRICT", "current()/../../district"))])])]
    xform.publish(world.central, FORM, version, form, languages=LANGUAGES,
                  lists={"vil": VILLAGES, **lists})


def fill_cascade(world):
    for district, other in ("AB", "BA"):
        world.central.create(FORM, data={
            "district": district, "village": "centre",
            "seen": "mill centre gone",
            "trip": [{"district": other, "goal": "centre", "near": "centre",
                      "stop": [{"at": "centre"}]}]})


def test_choices_of_one_name_by_their_filter():
    """Each answer has the label of the choice that the person saw: the answers
    that the filter compares are in the row, in one around it or in the
    submission."""
    with new_world(parent_columns="village") as world:
        world.init()
        cascade(world, "1", "[parent = DISTRICT]")
        fill_cascade(world)
        world.central.clock(advance=3600)
        tap.equal(world.ok("run").err, "", "warnings")
        tap.equal(table(world, "SELECT village, seen FROM"
                        " odk.v_census_label_fr ORDER BY district"),
                  [("Centre d'A", "Moulin, Centre d'A, gone"),
                   ("Centre de B", "Moulin, Centre de B, gone")], "submissions")
        tap.equal(table(world, "SELECT goal, near, village FROM"
                        " odk.v_census__trip_label_en ORDER BY district"),
                  [("Centre of B", "Centre of A", "Centre of B"),
                   ("Centre of A", "Centre of B", "Centre of A")], "repeat")
        tap.equal(table(world, "SELECT at FROM"
                        " odk.v_census__trip__stop_label_en ORDER BY 1"),
                  [("Centre of A",), ("Centre of B",)], "inner repeat")
        tap.equal(table(world, "SELECT label FROM odk.v_census_choice_seen"
                        " WHERE name = 'centre' ORDER BY 1"),
                  [("Centre of A",), ("Centre of B",)], "choice view")
        tap.equal(table(world, "SELECT name, label, properties ->> 'parent' p"
                        " FROM odk.v_census_choices WHERE language ~ 'en'"
                        " ORDER BY position"),
                  [("centre", "Centre of A", "A"), ("mill", "Mill", None),
                   ("centre", "Centre of B", "B")], "list")


def test_choices_of_one_name_without_a_filter_that_helps():
    """The name itself is shown, and that is said once for each version."""
    for only in ("", "[selected(DISTRICT, parent)]",
                 "[parent = DISTRICT or parent = 'C']"):
        with new_world() as world:
            world.init()
            cascade(world, "1", only)
            fill_cascade(world)
            world.central.clock(advance=3600)
            result = world.ok("run")
            tap.check("/village" in result.err and "centre" in result.err,
                      str(result))
            tap.equal(table(world, "SELECT DISTINCT village, seen FROM"
                            " odk.v_census_label_en"),
                      [("centre", "Mill, centre, gone")], "labels")
            tap.equal(table(world, "SELECT DISTINCT detail FROM"
                            " odk_sync_schema_log WHERE detail ~ '/village'"),
                      [("/village: centre in list vil",)], "schema log")
            tap.equal(world.ok("run").err, "", "second run")


def test_a_filter_by_an_answer_that_is_hashed():
    """A hash matches no choice: views show the name, and the run warns."""
    with new_world(hash="district") as world:
        world.jobs["census"]["hash_key_file"] = world.path("key")
        world.write("key", "k" * 40)
        world.init()
        cascade(world, "1", "[parent = DISTRICT]")
        fill_cascade(world)
        world.central.clock(advance=3600)
        result = world.ok("run")
        tap.check("/village: several choices of list vil" in result.err,
                  result.err)
        tap.equal(table(world, "SELECT DISTINCT village FROM"
                        " odk.v_census_label_fr"), [("centre",)], "labels")


def test_choices_of_one_name_come_and_go():
    """Old answers can no longer be assigned to one choice: the name is better
    than a wrong label."""
    with new_world() as world:
        world.init()
        cascade(world, "1", "[parent = DISTRICT]", vil=VILLAGES[:2])
        fill_cascade(world)
        sync(world)
        label = ("SELECT village FROM odk.v_census_label_en"
                 " ORDER BY district")
        tap.equal(table(world, label), [("Centre of A",)] * 2, "one")
        cascade(world, "2", "[parent = DISTRICT]")
        sync(world)
        tap.equal(table(world, label), [("Centre of A",), ("Centre of B",)],
                  "two")
        cascade(world, "3", "[parent = DISTRICT]", vil=VILLAGES[:2])
        sync(world)
        tap.check(table(world, label)[1] != ("Centre of A",), "gone")


if __name__ == "__main__":
    tap.main()
