# tests/integration/quirks_test.py - SPDX-License-Identifier: Apache-2.0
"""What is odd about ODK Central's data, one test for each: how forms drift,
which names they have, what values they hold. The stand-in sends what a real
Central was seen to send."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
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
        self.ok("init")
        if self._fields:
            self.publish(*self._fields)
        return self

    def publish(self, *fields, **args):
        self._version += 1
        self.central.publish(FORM, str(self._version), list(fields), **args)
        self.central.clock(advance=60)

    def submit(self, data, **args):
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
        w.ok("init")
        result = w.exits(78, "run")
        tap.check("nothing-like-it" in result.err, str(result))


# --- names ------------------------------------------------------------------

def test_names_that_collide_when_sanitised():
    """Central hands out a-b and a.b as one a_b and keeps the last value. The
    rest of the form is mirrored, and the loss is told."""
    with Quirk("a-b", "a.b:int", "c", {"r-1[]": ["v:int"]},
               {"r.1[]": ["v:int", "w"]}) as w:
        w.submit({"a_b": "str", "c": "x", "r_1": [{"v": 1}, {"v": 2}]})
        w.submit({"a_b": 7, "c": "y"})
        result = w.sync()
        tap.check("/a-b, /a.b" in result.err and "/r-1, /r.1" in result.err,
                  str(result))
        tap.equal(w.cells("a_b, c"), [["str", "x"], ["7", "y"]], "rows")
        tap.equal(sorted(c[0] for c in w.cells("v", "quirk__r_1")), [1, 2],
                  "repeats")
        tap.check(("one value for several questions", "/a-b, /a.b")
                  in w.log(), str(w.log()))
        tap.check("/a-b, /a.b" in w.metadata()["schema_warning"], "metadata")
        tap.equal(w.sync().err, "", "it is told once")
        # renamed: both are there again
        w.publish("a-b", "ab2:int", "c", {"r-1[]": ["v:int", "w"]})
        w.submit({"a_b": "s", "ab2": 8, "c": "z"})
        w.sync()
        tap.equal(w.cells("a_b, ab2")[2], ["s", 8], "renamed")


def test_name_id_is_refused():
    """It would write into the key of the row."""
    for field in ("__id", {"r[]": ["__id"]}):
        with Quirk("a", field) as w:
            w.central.clock(advance=60)
            result = w.exits(65, "run")
            tap.check("__id has a name that Central uses itself" in result.err
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
        w.ok("init")
        w.central.create(form, data={"a": "1"})
        w.central.clock(advance=60)
        w.ok("run")
        w.compare(form)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
