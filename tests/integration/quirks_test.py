# tests/integration/quirks_test.py - SPDX-License-Identifier: Apache-2.0
"""What is odd about ODK Central's data, one test for each: how forms drift,
which names they have, what values they hold. The stand-in sends what a real
Central was seen to send."""

import json
import os
import sys
from urllib.parse import unquote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "quirk"


class Quirk(odks.World):
    """A world with one form that is published as a test goes."""

    def __init__(self, *fields, **job):
        super().__init__()
        self.job("quirk", form=FORM, **job)
        self._fields = list(fields)
        self._version = 0

    def __enter__(self):
        super().__enter__()
        self.init()
        if self._fields:
            self.publish(*self._fields)
        return self

    def publish(self, *fields, **args):
        self._version += 1
        self.central.publish(FORM, str(self._version), list(fields), **args)
        self.central.clock(advance=60)

    def submit(self, data, **args):
        self.central.clock(advance=1)  # so that they have an order
        return self.central.create(FORM, data=data, **args)["id"]

    def sync(self, *args, **kwargs):
        self.central.clock(advance=3600)
        return self.ok("run", *args, **kwargs)

    def cells(self, columns, table=FORM):
        """The rows as lists of text, None for NULL."""
        rows = self.session.rows(
            f"SELECT {columns} FROM odk.{table}"
            f" ORDER BY {'_submitted_at' if table == FORM else '_position'}")
        return [list(row.values()) for row in rows]

    def cell(self, column, table=FORM):
        cells = self.cells(column, table)
        tap.equal(len(cells), 1, "rows")
        return cells[0][0]

    def columns(self, table=FORM):
        """Names and types of the answers, in their order."""
        return self.session.value(
            "SELECT string_agg(attname || ' ' || format_type(atttypid,"
            " atttypmod), ', ' ORDER BY attnum) FROM pg_attribute"
            f" WHERE attrelid = 'odk.{table}'::regclass AND attnum > 0"
            " AND attname !~ '^(_|instance_)'")

    def shape(self):
        """What must never change: where each column is, and in which file
        the rows are."""
        return self.session.rows(
            "SELECT c.relname, c.relfilenode::text AS file, a.attnum,"
            " a.attname, a.atttypid::text AS type, a.attisdropped"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'odk'::regnamespace"
            " AND c.relkind = 'r' AND a.attnum > 0 ORDER BY 1, 3")

    def log(self):
        return [(row["change"], row["detail"]) for row in self.session.rows(
            "SELECT change, detail FROM odk_sync_schema_log ORDER BY id")]

    def rejects(self):
        return [(row["path"], row["reason"], row["value"])
                for row in self.session.rows(
                    "SELECT path, reason, value FROM odk_sync_reject"
                    " ORDER BY path, value")]

    def metadata(self):
        return json.loads(self.history()[-1]["metadata"])


# --- how forms drift --------------------------------------------------------

def test_drift_current_fields_for_all_rows():
    """After v2, rows of v1 come with its fields: a number as text, new ones
    null, dropped ones absent. What was stored of those stays."""
    with Quirk("keep", "num:int", "gone", {"g": ["x:int"]}) as w:
        w.submit({"keep": "k", "num": 2, "gone": "old", "g": {"x": 1}})
        w.sync()
        before = w.shape()
        w.publish("keep", "num", {"g": ["x:int", "added_in_g:decimal"]},
                  "added:date")
        w.submit({"keep": "l", "num": "n2",
                  "g": {"x": 2, "added_in_g": 2.5}, "added": "2026-01-03"})
        result = w.sync("-v")
        w.compare(FORM)
        tap.equal(w.cells("keep, num, num_v2, gone, x, added_in_g, added"),
                  [["k", 2, "2", "old", 1, None, None],
                   ["l", None, "n2", None, 2, 2.5, "2026-01-03"]], "rows")
        after = w.shape()
        tap.equal(after[:len(before)], before,
                  "columns are where they were, and rows in their file")
        words = ("3 new columns: num_v2, added_in_g, added;"
                 " 2 columns out of use")
        tap.check(words in result.err, str(result))
        tap.equal(w.metadata()["schema"], words, "told in the history")
        tap.equal([line for line in w.log() if line[0] != "new table"],
                  [("new column", "num_v2 text for /num"),
                   ("new column", "added_in_g numeric for /g/added_in_g"),
                   ("new column", "added date for /added"),
                   ("column out of use", "gone"),
                   ("column out of use", "num")], "the log")


def test_drift_questions_move_go_and_come_back():
    """A question in another group is another question; one that comes back
    has its column again; the order of groups means nothing."""
    with Quirk("a", {"g": ["x:int"]}, {"h": ["y:int"]}) as w:
        w.submit({"a": "1", "g": {"x": 5}, "h": {"y": 6}})
        w.sync()
        before = w.shape()
        w.publish({"h": ["y:int"]}, {"g": ["z"]}, "a", "x:int")  # x moved out
        w.submit({"a": "2", "x": 7, "g": {"z": "z"}, "h": {"y": 8}})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("a, x, x_2, y"), [["1", 5, None, 6],
                                            ["2", None, 7, 8]], "moved out")
        w.publish("a", {"g": ["x:int"]}, {"h": ["y:int"]})  # and back
        w.sync()
        w.compare(FORM)
        tap.equal(w.shape()[:len(before)], before, "shape")
        tap.check(("column in use again", "x bigint for /g/x") in w.log(),
                  str(w.log()))
        tap.equal(len([r for r in w.shape() if r["relname"] == FORM]),
                  len(before) + 2, "two columns came, and none went")


def test_drift_repeats_come_go_move_and_come_back():
    with Quirk("a", {"r[]": ["x:int"]}) as w:
        w.submit({"a": "1", "r": [{"x": 1}, {"x": 2}]})
        w.sync()
        w.publish("a", {"s[]": ["y", {"t[]": ["z"]}]})  # r goes, s comes
        w.submit({"a": "2", "s": [{"y": "y", "t": [{"z": "z"}]}]})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("x", "quirk__r"), [[1], [2]], "rows stay")
        w.publish("a", {"g": [{"s[]": ["y", {"t[]": ["z"]}]}]},  # s moves
                  {"r[]": ["x:int"]})
        w.submit({"a": "3", "r": [{"x": 3}],
                  "g": {"s": [{"y": "w", "t": [{"z": "v"}]}]}})
        w.sync()
        w.compare(FORM)
        tap.equal(sorted(c[0] for c in w.cells("x", "quirk__r")), [1, 2, 3],
                  "r is in use again")
        tap.equal(w.cells("y", "quirk__s"), [["y"]], "what s had")
        tap.equal(w.cells("y", "quirk__g_s"), [["w"]], "s in its group")
        tap.equal(w.cells("z", "quirk__g_s__t"), [["v"]], "and below it")


def test_drift_type_changes_to_string():
    """The only change of type that Central allows, for each type."""
    types = ["int", "decimal", "boolean", "date", "time", "dateTime",
             "geopoint", "geotrace", "geoshape", "barcode", "binary",
             "selectMultiple"]
    with Quirk(*[f"f{i}:{t}" for i, t in enumerate(types)]) as w:
        w.central.create(FORM, count=3, seed=5)
        w.sync()
        before = w.shape()
        w.publish(*[f"f{i}" for i, t in enumerate(types)])
        w.submit({f"f{i}": f"text {i}" for i in range(len(types))})
        w.sync()
        tap.equal(w.shape()[:len(before)], before, "shape")
        row = w.session.rows(
            "SELECT * FROM odk.quirk ORDER BY _submitted_at DESC LIMIT 1")[0]
        for i, type_ in enumerate(types):
            # text before and after is one column
            same = type_ in ("barcode",)
            tap.equal(row[f"f{i}" if same else f"f{i}_v2"], f"text {i}",
                      type_)


def test_drift_old_versions_still_accept_submissions():
    with Quirk("keep", "gone") as w:
        w.publish("keep", "new")
        w.sync()
        w.submit({"keep": "late v1"})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("keep, new"), [["late v1", None]], "rows")


def test_drift_form_version_is_that_of_the_first_submission():
    with Quirk("a") as w:
        first = w.submit({"a": "1"})
        w.publish("a", "b")
        w.central.edit(FORM, first, data={"a": "2", "b": "x"})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("a, b, _edits, _form_version"),
                  [["2", "x", 1, "1"]], "row")


def test_drift_published_form_has_the_etag_of_before():
    """Nothing but the form's hash tells that the columns changed."""
    with Quirk("a:int") as w:
        w.submit({"a": 1})
        w.sync()
        w.sync()
        w.publish("a", "b")
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("a, a_v2, b"), [[1, "1", None]], "rows")


def test_drift_form_is_renamed():
    with Quirk("a") as w:
        w.submit({"a": "1"})
        w.sync()
        before = w.shape()
        w.publish("a", name="Another title")
        w.sync()
        tap.equal(w.shape(), before, "shape")
        tap.equal(w.metadata().get("schema"), None, "changes")


def test_drift_form_is_closing_and_closed():
    with Quirk("a") as w:
        for state in ("closing", "closed", "open"):
            w.submit({"a": state})
            w.central.close(FORM, state=state)
            w.sync()
            w.compare(FORM)


def test_drift_form_is_deleted_and_restored():
    """An error with a hint; its tables stay, and other jobs go on."""
    with Quirk("a") as w:
        w.job("house", form="household")
        w.submit({"a": "1"})
        w.sync()
        w.central.delete_form(FORM)
        w.central.create("household", count=2, seed=1)
        w.central.clock(advance=3600)
        result = w.exits(78, "run")
        tap.check("was deleted" in result.err
                  and "hint" in result.err.lower(), str(result))
        tap.equal(w.cells("a, _deleted_at"), [["1", None]], "rows")
        w.compare("household")
        w.central.restore_form(FORM)
        w.sync("quirk")
        w.compare(FORM)


def test_drift_form_is_made_anew_under_the_same_id():
    """Its submissions are others: the old ones are gone from Central."""
    with Quirk("a", "b:int") as w:
        w.submit({"a": "old", "b": 1})
        w.sync()
        w.central.delete_form(FORM)
        w.central.publish(FORM, "new 1", ["a", "b"])
        w.central.clock(advance=60)
        w.submit({"a": "new", "b": "x"})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("a, b, b_v2, _deleted_at IS NULL"),
                  [["old", 1, None, False], ["new", None, "x", True]], "rows")


def test_drift_many_submissions_of_a_form_made_anew_need_a_person():
    with Quirk("a") as w:
        w.central.create(FORM, count=30, seed=1)
        w.sync()
        w.central.delete_form(FORM)
        w.central.publish(FORM, "new 1", ["a"])
        w.central.clock(advance=3600)
        w.exits(81, "run")
        w.sync("quirk", "--allow-mass-delete")
        w.compare(FORM)


def test_drift_never_published_form():
    with odks.World() as w:
        w.job("quirk", form="nothing-like-it")
        w.init()
        result = w.exits(78, "run")
        tap.check("nothing-like-it" in result.err, str(result))


# --- names ------------------------------------------------------------------

def test_names_that_collide_when_sanitised():
    """Central's OData calls a-b and a.b both a_b, and hands out one of them.
    The others are in the XML of the submission."""
    with Quirk("a-b", "a.b:int", "c", {"r-1[]": ["v:int"]},
               {"r.1[]": ["v:int", "w"]}) as w:
        w.submit({"a-b": "str", "a.b": 3, "c": "x",
                  "r-1": [{"v": 1}, {"v": 2}],
                  "r.1": [{"v": 3, "w": "three"}]})
        w.submit({"a.b": 7, "c": "y"})
        tap.equal(w.sync().err, "", "warnings")
        tap.equal(w.cells("a_b, a_b_2, c"), [["str", 3, "x"], [None, 7, "y"]],
                  "rows")
        tap.equal(w.cells("v", "quirk__r_1"), [[1], [2]], "repeats")
        tap.equal(w.cells("v, w", "quirk__r_1_2"), [[3, "three"]], "repeats")
        tap.equal(w.sync().err, "", "second run")


def test_names_of_another_script():
    """OData calls each of them "__". They keep their names in the tables, and
    _raw has all answers under them."""
    with Quirk("Имя", "Возраст:int", "Рост:decimal", "Место:geopoint",
               "Цвета:selectMultiple", {"Семья": ["Дом", {"дети[]": ["Имя",
               "Пол", "Год:int"]}]}, {"Адрес": ["Улица", "дом"]}) as w:
        place = {"type": "Point", "coordinates": [37.5, 55.75, 10],
                 "properties": {"accuracy": 2.5}}
        id = w.submit({
            "Имя": "Анна <& \"x\">", "Возраст": 31, "Рост": 1.5,
            "Место": place, "Цвета": "red blue",
            "Семья": {"Дом": "да", "дети": [
                {"Имя": "Оля", "Пол": "ж", "Год": 2010}, {"Имя": "Ян"}]},
            "Адрес": {"Улица": "Мира", "дом": "5"}})
        w.sync()
        tap.equal(w.cells('Имя, Возраст, Рост::text, Цвета, Дом, Улица, '
                          'дом'),
                  [['Анна <& "x">', 31, "1.5", ["red", "blue"], "да", "Мира",
                    "5"]],
                  "rows")
        tap.equal(w.cells("Имя, Пол, Год", "quirk__дети"),
                  [["Оля", "ж", 2010], ["Ян", None, None]], "repeats")
        raw = w.cell("_raw")
        tap.equal((raw["Имя"], raw["Возраст"], raw["Место"]),
                  ('Анна <& "x">', 31, place), "_raw")
        tap.check("__" not in raw, str(raw))
        # an edit, and a deletion: what is stored stays
        w.central.edit(FORM, id, data={"Имя": "Анна", "Возраст": 32})
        w.sync()
        tap.equal(w.cells("Имя, Возраст, Рост"), [["Анна", 32, None]], "edit")
        w.central.delete(FORM, id)
        w.sync()
        tap.equal(w.cells("Имя, Возраст, _deleted_at IS NULL AS live,"
                          " _raw ->> 'Имя' AS a,"
                          " _raw #>> '{__system,deletedAt}' IS NULL AS b"),
                  [["Анна", 32, False, "Анна", False]], "deleted")


def test_a_question_that_replaces_another_has_its_own_column():
    """Their name in OData is the same: "__"."""
    with Quirk("имя", {"люди[]": ["x"]}) as w:
        w.submit({"имя": "Анна", "люди": [{"x": "p"}]})
        w.sync()
        before = w.shape()
        w.publish("телефон", {"скот[]": ["x"]})
        w.submit({"телефон": "555", "скот": [{"x": "q"}]})
        w.sync()
        tap.equal(w.cells("имя, телефон"), [["Анна", None], [None, "555"]],
                  "answers")
        tap.equal((w.cells("x", "quirk__люди"), w.cells("x", "quirk__скот")),
                  ([["p"]], [["q"]]), "rows")
        w.publish("имя", {"люди[]": ["x"]})
        w.submit({"имя": "Ян", "люди": [{"x": "r"}]})
        w.sync()
        tap.equal(w.cells("имя, телефон"), [["Анна", None], [None, "555"],
                                            ["Ян", None]], "and back")
        tap.equal(len(w.cells("x", "quirk__люди")), 2, "rows and back")
        tap.equal([r for r in w.shape() if r["relname"] == "quirk"][
            :len([r for r in before if r["relname"] == "quirk"])],
            [r for r in before if r["relname"] == "quirk"], "shape")


def test_a_question_keeps_its_column_when_another_shares_its_name():
    with Quirk("a-b", "имя", {"r-1[]": ["x"]}) as w:
        w.submit({"a-b": "1", "имя": "Анна", "r-1": [{"x": "p"}]})
        w.sync()
        w.publish("a-b", "имя", {"r-1[]": ["x"]}, "a.b", "год",
                  {"r.1[]": ["x"]})
        w.submit({"a-b": "2", "a.b": "3", "имя": "Ян", "год": "5",
                  "r-1": [{"x": "q"}], "r.1": [{"x": "s"}]})
        w.sync()
        tap.equal(w.cells("a_b, a_b_2, имя, год"),
                  [["1", None, "Анна", None], ["2", "3", "Ян", "5"]],
                  "answers")
        tap.equal(sorted(w.cells("x", "quirk__r_1")), [["p"], ["q"]], "r-1")
        tap.equal(w.cells("x", "quirk__r_1_2"), [["s"]], "r.1")
        w.publish("a-b", "имя", {"r-1[]": ["x"]})  # alone again
        w.submit({"a-b": "4", "имя": "Оля", "r-1": [{"x": "t"}]})
        w.sync()
        tap.equal(w.cells("a_b, имя")[2], ["4", "Оля"], "alone again")
        tap.equal(len(w.cells("x", "quirk__r_1")), 3, "rows")


def test_names_of_earlier_versions_are_taken_over():
    """They recorded names of OData. Tables, columns and views stay."""
    with Quirk("имя", "a-b:int", {"r-1[]": ["x-y", "z"]}, "c") as w:
        first = w.submit({"имя": "Анна", "a-b": 1, "c": "c",
                          "r-1": [{"x-y": "p", "z": "z"}]})
        w.sync()
        w.session.run(
            "ALTER TABLE odk.quirk RENAME COLUMN имя TO q__;"
            "UPDATE odk_sync_column SET of_form = false, path = CASE path"
            " WHEN '/имя' THEN '/__' WHEN '/a-b' THEN '/a_b'"
            " WHEN '/r-1/x-y' THEN '/r_1/x_y' WHEN '/r-1/z' THEN '/r_1/z'"
            " ELSE path END, column_name = CASE column_name"
            " WHEN 'имя' THEN 'q__' ELSE column_name END,"
            " odata = replace(odata, 'Submissions/r-1', 'Submissions.r_1');"
            "UPDATE odk_sync_view SET digest = NULL, odata ="
            " replace(odata, 'Submissions/r-1', 'Submissions.r_1');"
            "UPDATE odk_sync_cursor SET etag = NULL")
        tap.equal(w.session.value(
            "SELECT count(*) FROM odk_sync_column"
            " WHERE odata = 'Submissions.r_1'"), 3, "columns as before")
        shape, views = w.shape(), w.session.rows(
            "SELECT view_name FROM odk_sync_view ORDER BY 1")
        result = w.ok("schema", "diff", "quirk")
        tap.check("tables of quirk are as its form" in result.out, result.out)
        w.sync()
        w.publish("телефон", "a-b:int", {"r-1[]": ["x-y", "z"]}, "c")
        w.submit({"телефон": "555", "a-b": 2, "r-1": [{"x-y": "q"}]})
        w.sync()
        tap.equal(w.cells("q__, a_b, телефон"),
                  [["Анна", 1, None], [None, 2, "555"]], "replaced")
        w.publish("имя", "a-b:int", {"r-1[]": ["x-y", "z"]}, "c")
        w.central.edit(FORM, first, data={"имя": "Оля", "a-b": 3})
        w.sync()
        tap.equal(w.cells("q__, a_b, телефон"),
                  [["Оля", 3, None], [None, 2, "555"]], "edited")
        tap.equal([r for r in w.shape() if r["attname"] != "телефон"], shape,
                  "shape")
        tap.equal(w.session.rows(
            "SELECT view_name FROM odk_sync_view ORDER BY 1"), views, "views")


def test_a_rule_is_about_the_question_that_it_names():
    with Quirk("a-b", "a.b", "имя", "год", {"r-1[]": ["x"]}, {"r.1[]": ["x"]},
               drop="a.b, /r-1, /год") as w:
        w.submit({"a-b": "1", "a.b": "secret", "имя": "Анна", "год": "secret",
                  "r-1": [{"x": "secret"}], "r.1": [{"x": "q"}]})
        w.sync()
        tap.equal(w.cells("a_b, имя"), [["1", "Анна"]], "answers")
        tap.equal(w.cells("x", "quirk__r_1"), [["q"]], "rows")
        tap.check("secret" not in w.session.value(
            "SELECT to_jsonb(t)::text FROM odk.quirk t"), "dropped")
        w.jobs["quirk"]["drop"] = "чтоугодно"
        result = w.exits(78, "run")
        tap.check("чтоугодно" in result.err, result.err)
        # a name of OData applies to every question that has it
        w.jobs["quirk"]["drop"] = "a_b, /r_1, __"
        w.sync()
        tap.equal(w.cells("a_b, имя"), [[None, None]], "all of them")


def instances(w):
    """The requests for single submissions since the last call."""
    return [r["path"] for r in w.central.requests()["requests"]
            if "/submissions/" in r["path"]]


def test_shared_names_cost_a_request_each():
    """One for each submission that is read, and none when nothing is new."""
    with Quirk("имя", "год:int", overlap="0s") as w:
        for i in range(3):
            w.submit({"имя": f"n{i}", "год": i})
        w.sync()
        tap.equal(len(instances(w)), 3, "requests")
        w.sync()
        tap.equal(instances(w), [], "requests of a quiet run")


def test_shared_names_and_privacy():
    """Rules reach these questions, and what is dropped is nowhere."""
    with Quirk("имя", "год:int", "город", drop="имя", hash="город") as w:
        w.jobs["quirk"]["hash_key_file"] = w.path("key")
        w.write("key", "k" * 40)
        w.submit({"имя": "Анна", "год": 31, "город": "Рига"})
        w.sync()
        text = w.session.value("SELECT to_jsonb(t)::text FROM odk.quirk t")
        tap.check("Анна" not in text and "Рига" not in text
                  and "31" in text, text)
    with Quirk("имя", "год", "a", drop="имя, год") as w:
        w.submit({"имя": "Анна", "год": "31", "a": "x"})
        w.sync()
        text = w.session.value("SELECT to_jsonb(t)::text FROM odk.quirk t")
        tap.check("Анна" not in text and "31\"" not in text
                  and '"x"' in text, text)
        tap.equal(instances(w), [], "requests for nothing")


def test_a_rule_that_comes_late_reaches_what_only_the_xml_has():
    """Central does not hand out the XML of a deleted submission, and what is
    stored of it is kept; but not what a privacy rule forbids by now."""
    with Quirk("имя", "год:int", "город", {"дети[]": ["имя", "пол"]}) as w:
        id = w.submit({"имя": "Анна", "год": 31, "город": "Рига",
                       "дети": [{"имя": "Оля", "пол": "ж"}]})
        w.sync()
        w.central.delete(FORM, id)
        w.sync()
        w.jobs["quirk"].update(hash="город, /дети/имя",
                               hash_key_file=w.path("key"))
        w.write("key", "k" * 40)
        w.sync()
        tap.equal(w.cells("имя, год, город, _deleted_at IS NULL AS live"),
                  [["Анна", 31, None, False]], "submission")
        tap.equal(w.cells("имя, пол", "quirk__дети"), [[None, "ж"]], "repeat")
        text = w.session.value("SELECT to_jsonb(t)::text FROM odk.quirk t")
        tap.check("Рига" not in text and "Оля" not in text, text)


def test_rules_name_questions_as_the_form_does():
    """A group that is alone in its place is called "__" all the same."""
    with Quirk({"Группа": ["имя", "год:int"]}, {"b": ["имя", "год:int"]},
               drop="/Группа/имя") as w:
        w.submit({"Группа": {"имя": "Анна", "год": 31},
                  "b": {"имя": "Ян", "год": 5}})
        w.sync()
        text = w.session.value("SELECT to_jsonb(t)::text FROM odk.quirk t")
        tap.check("Анна" not in text and "31" in text and "Ян" in text, text)


def test_groups_that_share_a_name():
    """OData has all that is in them, in one object: no XML is asked for."""
    with Quirk({"g-1": ["a", "b:int"]}, {"g.1": ["c", {"r[]": ["d"]}]}) as w:
        w.submit({"g-1": {"a": "x", "b": 1},
                  "g.1": {"c": "y", "r": [{"d": "z"}]}})
        w.sync()
        tap.equal(w.cells("a, b, c"), [["x", 1, "y"]], "answers")
        tap.equal(w.cells("d", "quirk__r"), [["z"]], "repeat")
        raw = w.cell("_raw")
        tap.equal((raw["g-1"], raw["g.1"]["c"]), ({"a": "x", "b": 1}, "y"),
                  "_raw")
        tap.equal(instances(w), [], "requests")


def test_a_first_walk_with_the_xml_has_small_windows():
    """Each submission takes a request of its own: an attempt must be able to
    finish a window, and Central gives up on a response that waits so long."""
    with Quirk("имя", "год:int") as w:
        w.submit({"имя": "Анна", "год": 31})
        w.sync()
        targets = [unquote(r["path"])
                   for r in w.central.requests()["requests"]]
        tap.check(any("$skip=1000&" in t + "&" for t in targets), str(targets))
    with Quirk("a", "b") as w:
        w.submit({"a": "x"})
        w.sync()
        targets = [unquote(r["path"])
                   for r in w.central.requests()["requests"]]
        tap.check(any("$skip=20000&" in t + "&" for t in targets),
                  str(targets))


def test_looking_at_names_of_another_script():
    """What shows a form, or tries it, tells its questions by their names."""
    with Quirk("имя", "год:int", {"дети[]": ["имя", "год:int"]}) as w:
        w.submit({"имя": "Анна", "год": 31, "дети": [{"имя": "Оля"}]})
        w.central.clock(advance=3600)
        plan = w.ok("schema", "diff", "quirk").out
        tap.check("имя" in plan and "quirk__дети" in plan, plan)
        dry = w.ok("run", "quirk", "-v", "--dry-run")
        tap.check("1 submissions new" in dry.err, str(dry))
        tap.check('form "quirk"' in w.ok("doctor").out, "doctor")
        w.sync()
        plan = w.ok("schema", "diff", "quirk").out
        tap.check("имя" not in plan, plan)


def test_an_id_that_no_table_can_hold_is_asked_for_in_no_address():
    """The submission is a reject, and all others are read."""
    with Quirk("имя", "год:int") as w:
        w.submit({"имя": "a", "год": 1}, id="x" * 1001)
        w.submit({"имя": "Анна", "год": 31})
        w.sync()
        tap.equal(w.cells("имя, год"), [["Анна", 31]], "rows")
        tap.equal(len(instances(w)), 1, "requests")


def test_encrypted_and_other_submissions_with_the_xml():
    """Of what is encrypted there is no XML to be had; names of files are
    answers as others are, and rejects are read again."""
    with Quirk("имя", "год:date", "фото:binary") as w:
        w.submit({}, status="notDecrypted")
        w.submit({"имя": "Анна", "год": "2026-02-30", "фото": "p.jpg"})
        w.sync()
        tap.equal(w.cells("имя, год::text, фото, _status"),
                  [[None, None, None, "notDecrypted"],
                   ["Анна", None, "p.jpg", None]], "rows")
        tap.equal([r[0] for r in w.rejects()], ["/год"], "rejects")
        tap.equal(len(instances(w)), 1, "requests")
        w.central.clock(advance=7200)
        w.ok("retry", "--rejects", "quirk")
        w.sync()
        tap.equal(instances(w)[:1] != [], True, "the reject is read again")
        tap.equal(w.cells("имя")[1], ["Анна"], "it is as it was")


def test_xml_that_cannot_be_read():
    """Central takes almost any text for XML. All else of such a submission is
    stored, and what is missing is told."""
    with Quirk("имя", "год:int", "a") as w:
        id = w.submit({"имя": "x\u0007y", "год": 5, "a": "b"})
        w.submit({"имя": "Анна", "год": 31})
        result = w.sync()
        tap.check("cannot be read" in result.err
                  and "odk_sync_reject" in result.err, str(result))
        tap.equal(w.cells("имя, год, a"), [[None, None, "b"],
                                           ["Анна", 31, None]], "rows")
        tap.equal(w.session.rows("SELECT submission_id, reason"
                                 " FROM odk_sync_reject"),
                  [{"submission_id": id, "reason": "the XML of the submission"
                    " cannot be read: line 3: not well-formed (invalid token)"
                    }], "rejects")
        w.central.edit(FORM, id, data={"имя": "xy", "год": 5, "a": "b"})
        tap.equal(w.sync().err, "", "edited")
        tap.equal((w.cells("имя")[0], w.rejects()), (["xy"], []), "edited")


def test_repeats_that_share_a_name_have_the_ids_of_central():
    """Where OData has their rows nowhere they are made from the XML."""
    def ids(w, table):
        return w.cells("_id, _parent_id = _submission_id", table)

    with Quirk("a", {"g": [{"kids[]": ["x", {"pets[]": ["y"]}]}]}) as w:
        id = w.submit({"g": {"kids": [{"x": "1"}, {"x": "2", "pets": [
            {"y": "3"}, {"y": "4"}]}]}})
        w.sync()
        known = ids(w, "quirk__kids"), ids(w, "quirk__kids__pets")
        # another question has a name that OData cannot tell from a repeat's
        w.publish("a", {"g": [{"kids[]": ["x", {"pets[]": ["y"]}]}]},
                  "r.1", {"r-1[]": ["z"]})
        w.sync()
        tap.equal((ids(w, "quirk__kids"), ids(w, "quirk__kids__pets")), known,
                  "ids")
        tap.equal(w.cell("_id"), id, "submission")


def test_name_id_is_refused():
    """It would write into the key of the row."""
    for field in ("__id", {"r[]": ["__id"]}):
        with Quirk("a", field) as w:
            w.central.clock(advance=60)
            result = w.exits(65, "run")
            tap.check("has the name __id in OData, which Central uses itself" in result.err
                      and "Rename it" in result.err, str(result))


def test_names_that_differ_only_in_case():
    with Quirk("Name", "name", "NAME", {"G": ["name:int"]}) as w:
        w.submit({"Name": "a", "name": "b", "NAME": "c", "G": {"name": 1}})
        w.sync()
        w.compare(FORM)
        # none of them is the one that has the plain name by right
        tap.equal(sorted(w.columns().split(", ")),
                  ["g_name bigint", "name text", "name_2 text",
                   "name_3 text"], "columns")


def test_names_over_63_bytes():
    long = "x" * 70
    with Quirk(long + "_a", long + "_b:geopoint",
               {long + "_r[]": [long + "_c"]}) as w:
        w.submit({long + "_a": "1", long + "_r": [{long + "_c": "2"}]})
        w.sync()
        w.compare(FORM)


def test_names_that_sql_reserves():
    with Quirk("user", "order:int", "select", "_x", "1st", "ctid") as w:
        w.submit({"user": "u", "order": 1, "select": "s", "_x": "x",
                  "_1st": "f", "ctid": "c"})
        w.sync()
        w.compare(FORM)
        tap.equal(w.columns(), "q_user text, q_order bigint, q_select text,"
                  " q_x text, q_1st text, q_ctid text", "columns")


def test_names_of_forms_in_addresses():
    with odks.World() as w:
        form = "odd id-1.2 ž"
        w.job("odd", form=form)
        w.init()
        w.central.create(form, data={"a": "1"})
        w.central.clock(advance=60)
        w.ok("run")
        w.compare(form)


# --- tables that somebody reads ---------------------------------------------

class Reader:
    """Somebody who has read a table and not ended the transaction."""

    def __init__(self, world, table):
        self.session = pg.Session(world.database)
        self.session.run(f"BEGIN; SELECT FROM odk.{table} LIMIT 1")

    def close(self):
        self.session.run("COMMIT")
        self.session.close()


def test_drift_waits_for_readers_without_making_others_wait():
    """A queued lock would stop all who come after it: it is given up and
    asked for again, until the reader is gone."""
    with Quirk("a") as w:
        w.submit({"a": "1"})
        w.sync()
        w.publish("a", "b")
        w.submit({"a": "2", "b": "x"})
        w.central.clock(advance=60)
        reader = Reader(w, FORM)
        process = w.start("run", "-v")
        for line in process.stderr:
            if "trying again" in line:
                break
        # between two tries nobody waits, and nothing is locked
        tap.equal(len(w.cells("a")), 1, "rows for others")
        tap.equal(w.session.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname ="
            " current_database() AND state = 'idle in transaction'"
            " AND application_name LIKE 'odk-sync%'"), 0,
            "transactions that wait")
        reader.close()
        _, err = process.communicate(timeout=60)
        tap.equal(process.returncode, 0, err)
        w.compare(FORM)


def test_drift_gives_up_on_a_reader_that_stays():
    with Quirk("a") as w:
        w.submit({"a": "1"})
        w.sync()
        before = w.shape()
        w.settings["database"]["lock_wait"] = "0"
        w.publish("a", "b")
        reader = Reader(w, FORM)
        result = w.exits(75, "run")
        reader.close()
        tap.check("A long query" in result.err, str(result))
        tap.equal(w.shape(), before, "shape")
        tap.equal(w.queue()[0]["state"], "pending", "job")
        w.hurry()
        w.sync()
        w.compare(FORM)


# --- looking at it ----------------------------------------------------------

def test_schema_show_and_diff():
    with Quirk("a", "num:int", {"r[]": ["x"]}) as w:
        tap.equal(w.ok("schema", "show", "quirk").out,
                  "quirk has no tables yet\n", "before")
        out = w.ok("schema", "diff", "quirk").out
        tap.check(out.startswith("-- 2 new tables: quirk, quirk__r\n"
                                 "CREATE TABLE"), out)
        tap.equal(w.session.value("SELECT count(*) FROM pg_class WHERE"
                                  " relname = 'quirk'"), 0, "tables")
        w.sync()
        tap.equal(w.ok("schema", "diff", "quirk").out,
                  "the tables of quirk are as its form\n", "in step")
        w.publish("a", "num", {"r[]": ["x"]})
        out = w.ok("schema", "diff", "quirk").out
        tap.check("-- 1 new column: num_v2; 1 column out of use\n" in out
                  and 'ADD COLUMN "num_v2" text' in out, out)
        diff = json.loads(w.ok("schema", "diff", "quirk", "--json").out)
        tap.equal((diff["summary"], diff["warning"]),
                  ("1 new column: num_v2; 1 column out of use", ""), "JSON")
        w.sync()
        out = w.ok("schema", "show", "quirk").out
        tap.check("num_v2" in out and "out of use" in out
                  and "Submissions.r" in out, out)
        shown = {c["column"]: c for c in json.loads(
            w.ok("schema", "show", "quirk", "--json").out)}
        tap.equal([(shown[c]["type"], shown[c]["path"], shown[c]["state"],
                    shown[c]["version"]) for c in ("num", "num_v2", "x")],
                  [("bigint", "/num", "out of use", "1"),
                   ("text", "/num", "in use", "2"),
                   ("text", "/r/x", "in use", "1 to 2")], "columns")
        w.exits(64, "schema", "list", "quirk")
        w.exits(64, "schema", "show", "nothing")
        w.exits(64, "schema", "show")


def test_rejects_are_tried_again_on_request():
    """Those submissions and no others are read again."""
    with Quirk("b", "d:date", overlap="0") as w:
        tap.equal(w.ok("retry", "--rejects", "quirk").out, "", "nothing yet")
        w.sync()
        odd = w.submit({"b": "x" * 30, "d": "2026-02-30"})
        w.submit({"b": "fine", "d": "2026-02-28"})
        w.session.run("CREATE INDEX only_short ON odk.quirk"
                      " ((1 / CASE WHEN length(b) > 9 THEN 0"
                      " ELSE length(b) END))")
        w.sync()
        tap.equal(w.cells("b, d::text"), [[None, None],
                                          ["fine", "2026-02-28"]], "before")
        tap.equal([r[:2] for r in w.rejects()],
                  [("/b", "refused: PostgreSQL refuses a value"),
                   ("/d", "no such date")], "rejects")
        w.session.run("DROP INDEX odk.only_short")
        w.sync()
        tap.equal([r[0] for r in w.rejects()], ["/d"], "what was refused")
        w.sync()
        w.central.requests()
        w.sync()
        tap.equal([r["path"] for r in w.central.requests()["requests"]
                   if "__id%20eq" in r["path"]], [],
                  "a usual run does not look for more")
        w.central.requests()
        job = w.ok("retry", "--rejects", "quirk").out.strip()
        tap.equal([str(w.queue()[0]["id"]), w.queue()[0]["payload"]],
                  [job, {"rejects": True}], "job")
        w.sync()
        asked = [r["path"] for r in w.central.requests()["requests"]
                 if "__id%20eq" in r["path"]]
        tap.equal(len(asked), 1, "requests by id")
        tap.equal(w.cells("b, d::text"), [["x" * 30, None],
                                          ["fine", "2026-02-28"]], "after")
        tap.equal(w.rejects(), [("/d", "no such date", '"2026-02-30"')],
                  "what is left")
        w.central.edit(FORM, odd, data={"b": "y", "d": "2026-02-27"})
        w.sync()
        tap.equal(w.rejects(), [], "rejects")
        w.compare(FORM)


def test_rejects_with_a_quote_in_the_id():
    """Central cannot be asked for them one by one."""
    with Quirk("n:int") as w:
        w.submit({"n": "x"}, id="it's odd")
        w.sync()
        w.ok("retry", "--rejects", "quirk")
        w.central.requests()
        result = w.sync("-v")
        tap.check("it's odd: read all with --full" in result.err, str(result))
        tap.check(not any("__id%20eq" in r["path"] for r in
                          w.central.requests()["requests"]), "requests")


def test_rejects_of_many_submissions_are_tried_again():
    with Quirk("n:int", overlap="0") as w:
        for i in range(90):
            w.submit({"n": "x"}, id=f"a rather long id of {i:03} " + "i" * 40)
        w.sync()
        tap.equal(len(w.rejects()), 90, "rejects")
        w.central.requests()
        w.ok("retry", "--rejects", "quirk")
        w.sync()
        asked = [r["path"] for r in w.central.requests()["requests"]
                 if "__id%20eq" in r["path"]]
        tap.check(2 <= len(asked) <= 4
                  and max(len(path) for path in asked) < 12000, str(asked))
        tap.equal(len(w.rejects()), 90, "rejects")


def test_rejects_go_when_the_form_changes():
    with Quirk("n:int") as w:
        w.submit({"n": "x"})
        w.sync()
        tap.equal(len(w.rejects()), 1, "rejects")
        w.publish("n")
        w.sync()
        tap.equal(w.cells("n, n_v2"), [[None, "x"]], "cells")
        tap.equal(w.rejects(), [], "rejects")


def test_rejects_beyond_the_limit_are_an_error():
    with Quirk("n:int", max_rejects=2) as w:
        w.sync()
        for value in ("x", "secret", 5):
            w.submit({"n": value})
        w.sync()
        w.submit({"n": "another secret"})
        w.submit({"n": 6})
        w.central.clock(advance=3600)
        result = w.exits(65, "run")
        tap.check("3 values do not fit" in result.err
                  and "/n (not a number)" in result.err, str(result))
        tap.check("secret" not in result.err, str(result))
        tap.equal(len(w.cells("n")), 3, "rows")
        w.jobs["quirk"]["max_rejects"] = 3
        w.sync("quirk")
        tap.equal(len(w.cells("n")), 5, "rows")
        tap.equal(w.metadata()["counts"]["proven"], True, "proof")


# --- encrypted forms --------------------------------------------------------

def test_encrypted_submissions_are_metadata():
    """Never an error, never a silent zero: with plain ones among them."""
    with odks.World() as w:
        w.job("secret", form="secret", project=2)
        w.init()
        w.central.create("secret", count=2, seed=1)
        w.central.create("secret", data={}, status="missingEncryptedFormData")
        w.central.create("secret", plain=True, data={
            "a": "plain", "b": 1, "rep": [{"c": "r"}]})
        w.central.clock(advance=3600)
        result = w.ok("run", "-v")
        tap.check("3 submissions are encrypted: metadata only" in result.err
                  and "Central hands out its metadata" in result.err,
                  str(result))
        rows = w.session.rows("SELECT _status, a, b FROM odk.secret"
                              " ORDER BY _submitted_at, _status")
        tap.equal(sorted((r["_status"] or "", r["a"], r["b"])
                         for r in rows),
                  [("", "plain", 1),
                   ("missingEncryptedFormData", None, None),
                   ("notDecrypted", None, None),
                   ("notDecrypted", None, None)], "rows")
        tap.equal(w.session.value("SELECT count(*) FROM odk.secret__rep"), 1,
                  "repeats of the plain one")
        metadata = json.loads(w.history()[-1]["metadata"])
        tap.equal((metadata["encrypted"], metadata["counts"]),
                  (3, {"central": 4, "table": 4, "proven": True}), "metadata")
        w.compare("secret", project=2)


def test_encrypted_submissions_count_once():
    """Those of the overlap are read twice in one run."""
    with odks.World() as w:
        w.job("secret", form="secret", project=2, overlap="1h")
        w.init()
        w.central.create("secret", count=2, seed=1)
        w.central.clock(advance=60)
        for _ in range(2):
            result = w.ok("run", "-v", "--full", "secret")
            tap.check("2 submissions are encrypted: metadata only"
                      in result.err, str(result))
            tap.equal(json.loads(w.history()[-1]["metadata"])["encrypted"], 2,
                      "metadata")


# --- values -----------------------------------------------------------------

def value_test(type_, *cases):
    """Values as Central sends them, the cells they become, and why not."""
    with Quirk(f"v:{type_}", timezone="Europe/Prague") as w:
        for value, _, _ in cases:
            w.submit({"v": value})
        w.sync()
        got = [row[0] for row in w.cells("v::text")]
        for (value, cell, reason), is_ in zip(cases, got):
            tap.equal(is_, cell, f"the cell of {value!r}")
        wanted = sorted((reason, value) for value, _, reason in cases
                        if reason)
        found = sorted((r["reason"], json.loads(r["value"]))
                       for r in w.session.rows(
                           "SELECT reason, value FROM odk_sync_reject"))
        tap.equal(found, wanted, "rejects")
        raw = [row[0] for row in w.cells("_raw->'v'")]
        for is_, (value, _, _) in zip(raw, cases):
            if isinstance(value, float):  # jsonb writes all digits out
                is_ = float(is_)
            tap.equal(is_, value, "_raw")


ROUNDED = "2^53 or more: Central may have rounded it"


def test_value_int():
    """Central reads a double and hands out what it became."""
    value_test("int", (12, "12", None), (42, "42", None), (0, "0", None),
               (None, None, None), (-262309, "-262309", None),
               (9007199254740992, "9007199254740992", ROUNDED),
               (1.2345678901234568e+29, None, "out of range"))


def test_value_decimal():
    value_test("decimal", (12, "12", None), (812, "812", None),
               (0.1, "0.1", None), (-2989.468635136367, "-2989.468635136367",
                                    None),
               (1.2345678901234568e+24, "1234567890123456800000000", None),
               (5e-324, "0." + "0" * 323 + "5", None), (None, None, None))


def test_value_date():
    value_test("date", ("2026-02-28", "2026-02-28", None),
               (" 2026-01-01 ", "2026-01-01", None),
               ("2024-02-29", "2024-02-29", None),
               ("2026-02-30", None, "no such date"),
               ("0000-01-01", None, "no such date"),
               ("294277-01-01", None, "no such date"),
               ("not a date", None, "no such date"), (None, None, None))


def test_value_time():
    value_test("time", ("14:21:11.123+02:00", "14:21:11.123+02:00", None),
               ("10:11", "10:11", None), ("whenever", "whenever", None))


def utc(text):
    """An instant as the session of the tests prints it."""
    return text + "+00"


def test_value_dateTime():  # pylint: disable=invalid-name
    """Without a zone it is read in that of the job."""
    value_test("dateTime",
               ("2026-06-11T13:05:09.234+00:00",
                utc("2026-06-11 13:05:09.234"), None),
               ("2026-03-11T18:05:09.829+01:00",
                utc("2026-03-11 17:05:09.829"), None),
               ("2026-03-29T01:30:00", utc("2026-03-29 00:30:00"), None),
               ("2026-07-01T12:00", utc("2026-07-01 10:00:00"), None),
               ("yesterday", None, "no such date and time"),
               ("2026-02-30T10:00:00Z", None, "no such date and time"))


def test_value_select_one():
    value_test("select", ("a", "a", None), ("no such choice",
                                            "no such choice", None))


def test_value_select_multiple():
    """Words with a space between, or two."""
    value_test("selectMultiple", ("a b", "{a,b}", None),
               ("a  c", "{a,c}", None), (" a ", "{a}", None),
               ("", None, None), (None, None, None),
               ('a "b" c,d', '{a,"\\"b\\"","c,d"}', None))


def test_value_rank():
    value_test("odk:rank", ("c a b", "{c,a,b}", None), (None, None, None))


def test_value_boolean():
    value_test("boolean", ("true", "true", None), ("0", "false", None),
               ("yes", None, "neither true nor false"))


def test_value_text():
    """CR, LF and tab, control characters, what was NUL or half a character,
    entities, 5 kB: as it comes."""
    texts = ["   ", "line\r\nbreak\ttab", "bell\u0007", "x\ufffdy",
             "<b>&amp;</b> ]]>", "row 90004second", "back\\slash \\n \\N",
             "Žluťoučký kůň 🐎", "x" * 5000, "'quote' \"double\"", ""]
    value_test("string", *[(text, text, None) for text in texts])


def test_value_barcode_and_file_name():
    value_test("barcode", ("0012", "0012", None))
    value_test("binary", ("fotka - 1 (2).png", "fotka - 1 (2).png", None))


def test_value_field_missing_or_empty():
    """Both are null, in groups too; a repeat without rows has no key."""
    with Quirk("a", {"g": ["b", {"h": ["c:int"]}]}, {"r[]": ["x"]}) as w:
        w.submit({})
        w.submit({"a": None, "g": {"h": {}}, "r": []})
        w.submit({"r": [{}]})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("a, b, c"), [[None] * 3] * 3, "cells")
        tap.equal(w.cells("x", "quirk__r"), [[None]], "rows of the repeat")


def test_value_field_unknown_to_the_form():
    """Central drops it; should one come, it is in _raw."""
    with Quirk("a") as w:
        w.submit({"a": "1"})
        w.sync()
        w.compare(FORM)


POINT = {"type": "Point", "coordinates": [-85.6131359, 25.9691958, 407.3],
         "properties": {"accuracy": 10.09}}


def geo(type_, coordinates, **properties):
    value = {"type": type_, "coordinates": coordinates}
    return {**value, "properties": properties} if properties else value


def test_value_geopoint():
    with Quirk("gp:geopoint") as w:
        for value in (POINT, geo("Point", [14.5, 50.5]), None,
                      geo("Point", [0, 0, 0], accuracy=0)):
            w.submit({"gp": value})
        w.sync()
        w.compare(FORM)
        tap.equal(w.cells("gp_lat, gp_lon, gp_alt, gp_acc, gp IS NULL"),
                  [[25.9691958, -85.6131359, 407.3, 10.09, False],
                   [50.5, 14.5, None, None, False],
                   [None, None, None, None, True], [0, 0, 0, 0, False]],
                  "cells")


RING = [[14, 50, 1], [15, 50, 2], [15, 51, 3]]


def test_value_geotrace_and_geoshape():
    """As GeoJSON where there is no PostGIS: one point is a trace, a ring is
    closed."""
    with Quirk("gt:geotrace", "gs:geoshape") as w:
        w.submit({"gt": geo("LineString", RING, accuracies=[1, None, 3]),
                  "gs": geo("Polygon", [RING + RING[:1]])})
        w.submit({"gt": geo("LineString", [[14, 50]]),
                  "gs": geo("Polygon", [RING])})
        w.submit({"gt": geo("LineString", []), "gs": geo("Polygon", [[]])})
        w.sync()
        tap.equal(w.cells("gt->'coordinates' AS gt, gs->'coordinates' AS gs"),
                  [[RING, [RING + RING[:1]]], [[[14, 50]],
                                               [RING + RING[:1]]],
                   [None, None]], "cells")
        tap.equal([r[:2] for r in w.rejects()],
                  [("/gs", "no positions"), ("/gt", "no positions")],
                  "rejects")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
