# tests/harness/oracle.py - SPDX-License-Identifier: Apache-2.0
"""Do the tables of a form equal Central, in every cell?

The truth is the `state` of the stand-in (or what else is given as that) and
the form's own list of fields; which column holds which field is looked up in
odk_sync_column.
"""

import datetime
import decimal
import json
import re


def loads(text):
    """JSON with exact decimals, as the comparison needs them."""
    return json.loads(text, parse_float=decimal.Decimal)


def _literal(text):
    """As standard_conforming_strings has it."""
    return "'" + text.replace("'", "''") + "'"


def _state(central, form, project):
    _, _, body = central.request(
        "POST", "/_control/state",
        json.dumps({"form": form, "project": project}),
        {"Content-Type": "application/json"})
    return loads(body)


def read_fields(central, form, project):
    """As OData has them; "form" is the path that the form gives to each."""
    from urllib.parse import quote
    lists = []
    for query in ("?odata=true", ""):
        status, _, body = central.request(
            "GET", f"/v1/projects/{project}/forms/{quote(form, safe='')}"
            f"/fields{query}",
            headers={"Authorization": "Bearer " + central.login()})
        if status != 200:
            raise RuntimeError(f"fields of {form}: {status}")
        lists.append(json.loads(body))
    for field, named in zip(*lists):
        field["form"] = named["path"]
    return lists[0]


class _Names:
    """From the paths of the form to those of OData."""

    def __init__(self, fields):
        self._odata = {field["form"]: field["path"] for field in fields}

    def odata(self, path):
        return self._odata.get(path, path)


def instant(text):
    """A point in time, from any of the ISO forms that are in use here."""
    match = re.fullmatch(
        r"(\d+-\d+-\d+[T ]\d+:\d+:\d+)(?:\.(\d+))?(Z|[+-]\d+(?::?\d+)?)?",
        text)
    if not match:
        raise ValueError(text)
    base, fraction, zone = match.groups()
    zone = (zone or "+00").replace("Z", "+00").replace(":", "").ljust(5, "0")
    return (datetime.datetime.strptime(base.replace("T", " ") + zone,
                                       "%Y-%m-%d %H:%M:%S%z")
            + datetime.timedelta(microseconds=int((fraction or "0")
                                                  .ljust(6, "0")[:6])))


def _same_time(truth, cell):
    return instant(truth) == instant(cell)


def _number(cell):
    return decimal.Decimal(str(cell))


_SAME = {
    "int": lambda truth, cell: truth == cell,
    "decimal": lambda truth, cell: _number(truth) == _number(cell),
    "boolean": lambda truth, cell: (truth == "true") is cell,
    "dateTime": _same_time,
    "multiple": lambda truth, cell: truth.split() == cell,
}


def _is_date(truth):
    try:
        datetime.date.fromisoformat(truth)
        return True
    except ValueError:
        return False


def _is_instant(truth):
    try:
        instant(truth)
        return True
    except ValueError:
        return False


def _has_rings(truth):
    """Three points to a ring at least, closed or not."""
    return all(len(ring) + (ring[0] != ring[-1]) >= 4
               for ring in truth["coordinates"])


# Can a column of the type hold it? Whatever is not named here fits.
_FITS = {
    "int": lambda truth: truth == int(truth) and -2**63 <= truth < 2**63,
    "boolean": lambda truth: truth in ("true", "false"),
    "date": _is_date,
    "dateTime": _is_instant,
    "geoshape": _has_rings,
}


def _fits(kind, truth):
    return truth is None or kind not in _FITS or _FITS[kind](truth)

# how odk_sync_column calls a type, where that differs from Central's word
_REGISTERED = {"string": "text", "barcode": "text", "unknown": "text",
               "multiple": "select_multiple"}


def _equal(kind, truth, cell):
    if truth is None or cell is None:
        return truth is cell
    return _SAME.get(kind, lambda a, b: a == b)(truth, cell)


def _point_parts(truth):
    numbers = (truth or {}).get("coordinates", []) + [None] * 3
    lon, lat, alt = numbers[:3]
    accuracy = ((truth or {}).get("properties") or {}).get("accuracy")
    return {"lat": lat, "lon": lon, "alt": alt, "acc": accuracy}


# column of the main table, key in __system, kind
_SYSTEM = (
    ("_submitted_at", "submissionDate", "dateTime"),
    ("_updated_at", "updatedAt", "dateTime"),
    ("_deleted_at", "deletedAt", "dateTime"),
    ("_submitter", "submitterName", "string"),
    ("_device_id", "deviceId", "string"),
    ("_edits", "edits", "int"),
    ("_form_version", "formVersion", "string"),
    ("_status", "status", "string"),
    ("_attachments_present", "attachmentsPresent", "int"),
    ("_attachments_expected", "attachmentsExpected", "int"),
)


class _Table:
    """A table of the form: where it is, its fields and its rows."""

    def __init__(self, odata, path):
        self.odata = odata
        self.path = path      # of the repeat, "" for submissions
        self.fields = []      # (path within the row, kind, full path)
        self.columns = {}     # (full path, registered type) -> {part: column}
        self.schema = self.name = None
        self.rows = []


def _kind(field):
    return "multiple" if field.get("selectMultiple") else field["type"]


def _tables(fields):
    """The tables of a form from its list of fields."""
    tables = {"": _Table("Submissions", "")}
    for field in fields:
        path = field["path"]
        if field["type"] == "repeat":
            named = field["form"]
            tables[path] = _Table("Submissions" + (
                path.replace("/", ".") if named == path else named), path)
    for field in fields:
        path = field["path"]
        if field["type"] in ("structure", "repeat"):
            continue
        owner = max((t for t in tables if path.startswith(t + "/")), key=len)
        tables[owner].fields.append(
            (path[len(owner) + 1:].split("/"), _kind(field), path))
    return tables


def _locate(session, tables, names, form, project):
    """Fill in where the tables and columns are."""
    by_odata = {table.odata: table for table in tables.values()}
    for row in session.rows(
            f"SELECT * FROM odk_sync_column WHERE form = {_literal(form)}"
            f" AND project = {project}"):
        table = by_odata.get(row["odata"])
        if table is None:
            continue
        table.schema, table.name = row["table_schema"], row["table_name"]
        if row["path"]:
            path = names.odata(row["path"])
            table.columns.setdefault((path, row["odk_type"]), {})[
                row["part"]] = row["column_name"]


def _read(session, table):
    table.rows = loads(session.run(
        "SELECT coalesce(json_agg(t), '[]')"
        f' FROM "{table.schema}"."{table.name}" AS t'))


def _dig(row, keys):
    for key in keys:
        row = (row or {}).get(key)
    return row


def _read_rejects(session, tables, paths, kept):
    """(id of the submission, id of the row, path) of what did not fit, or of
    what was kept but may be wrong."""
    names = ", ".join(f"'{table.name}'" for table in tables.values())
    return {(r["submission_id"], r["row_id"], paths.odata(r["path"]))
            for r in session.rows("SELECT * FROM odk_sync_reject"
                                  f" WHERE table_name IN ({names})")
            if r["kept"] is kept}


class _Comparison:
    def __init__(self, tables, kinds, rejects, doubts, rules):
        self.tables = tables
        self.kinds = kinds  # path -> type, as Central has it
        self.rejects = rejects
        self.doubts = doubts
        self.rules = rules
        self.found = []
        self.by_id = {}
        self.children = {}
        for path, table in tables.items():
            for row in table.rows:
                if path == "":
                    self.by_id[row["_id"]] = row
                else:
                    self.children.setdefault(
                        (path, row["_parent_id"]), []).append(row)

    def say(self, where, what):
        self.found.append(f"{where}: {what}")

    def cell(self, where, kind, truth, row, column):
        if column not in row:
            self.say(where, f"there is no column {column}")
        elif not _equal(kind, truth, row[column]):
            self.say(where, f"{column} is {row[column]!r},"
                     f" Central has {truth!r}")

    def fitting(self, where, kind, value, row, path):
        """The value, or None if no column can hold it: that has to be told
        in odk_sync_reject, and nothing else."""
        key = (row.get("_submission_id", row["_id"]), row["_id"], path)
        fits = _fits(kind, value)
        if fits == (key in self.rejects):
            self.say(where, f"{path} is {value!r}, which is "
                     + ("rejected" if fits else "not rejected"))
        rounded = kind == "int" and fits and abs(value or 0) >= 2**53
        if rounded != (key in self.doubts):
            self.say(where, f"{path} is {value!r}, which is "
                     + ("not doubted" if rounded else "doubted"))
        return value if fits else None

    def answers(self, where, table, truth, row):
        for keys, kind, path in table.fields:
            value = self.fitting(where, kind, _dig(truth, keys), row, path)
            parts = table.columns.get((path, _REGISTERED.get(kind, kind)))
            if not parts:
                if kind == "unknown" and value is None:
                    continue
                self.say(where, f"no column for {path}")
                continue
            if kind == "geopoint":
                wanted = _point_parts(value)
                for part, number in wanted.items():
                    self.cell(where, "decimal", number, row,
                              parts.get(part, path + " " + part))
            if "" in parts:
                self.cell(where, kind, value, row, parts[""])

    def repeats(self, where, path, truth, parent_id, submission_id):
        """The rows of the repeats that hang on a row, level by level."""
        for child_path, table in self.tables.items():
            inside = child_path[len(path) + 1:]
            if not child_path.startswith(path + "/") or any(
                    child_path.startswith(other + "/")
                    and len(other) > len(path)
                    for other in self.tables if other != child_path):
                continue
            wanted = _dig(truth, inside.split("/")) or []
            got = sorted(self.children.pop((child_path, parent_id), []),
                         key=lambda row: row["_position"])
            here = f"{where} {table.odata}"
            if [row["_id"] for row in got] != [w["__id"] for w in wanted]:
                self.say(here, f"{[row['_id'] for row in got]},"
                         f" Central has {[w['__id'] for w in wanted]}")
                continue
            positions = [row["_position"] for row in got]
            if got and positions != list(range(positions[0], positions[0]
                                               + len(got))):
                self.say(here, f"positions {positions}")
            for row, want in zip(got, wanted):
                if row["_submission_id"] != submission_id:
                    self.say(here, f"{row['_id']} is of another submission")
                self.answers(here + "/" + row["_id"], table, want, row)
                self.repeats(here, child_path, want, row["_id"],
                             submission_id)

    def submission(self, truth, row):
        where = truth["__id"]
        system = truth["__system"]
        if where in self.rules.lagging:
            older = row["_attachments_present"]
            if older is None or older <= system["attachmentsPresent"]:
                system["attachmentsPresent"] = older
        if self.rules.on_delete == "keep":  # deleted or not, it is the same
            system["deletedAt"] = None
            if row.get("_raw"):
                row["_raw"]["__system"]["deletedAt"] = None
        for column, key, kind in _SYSTEM:
            self.cell(where, kind, system.get(key), row, column)
        if row.get("_review_state") not in (
                [system["reviewState"]] if system["reviewState"]
                else [None, "received"]):
            self.say(where, f"_review_state is {row.get('_review_state')!r},"
                     f" Central has {system['reviewState']!r}")
        if row.get("_raw") != (truth if self.rules.raw else None):
            self.say(where, "_raw is not what Central sent")
        if (where, where, "") in self.rejects:
            self.say(where, "the database refused it")
        self.answers(where, self.tables[""], truth, row)
        self.repeats(where, "", truth, where, where)

    def obeyed(self, id_, table, row):
        """A row that Central has no more: when rules came, what they are about
        was emptied, or it is as they leave it."""
        masks, where = self.rules.masks, f"{id_} {row['_id']}"
        for column, (action, _) in masks.rules.items():
            if not masks.could_leave(action, None, "", "", row.get(column)):
                self.say(where, f"{column} is {row[column]!r}")
        for path in masks.disobeyed(row.get("_raw") or {}, self.kinds):
            self.say(where, f"_raw has {path}")
        for _, kind, path in table.fields:
            action, to = masks.above(path) or (None, None)
            parts = table.columns.get((path, _REGISTERED.get(kind, kind)))
            for part, column in (parts or {}).items():
                if not masks.could_leave(action, to, kind, part, row[column]):
                    self.say(where, f"{column} is {row[column]!r}")

    def all_obeyed(self, id_):
        """All that the tables have of a submission that Central has no more."""
        if id_ in self.by_id:
            self.obeyed(id_, self.tables[""], self.by_id[id_])
        for (path, _), rows in self.children.items():
            for row in rows:
                if row["_submission_id"] == id_:
                    self.obeyed(id_, self.tables[path], row)

    def forget(self, id_):
        """Do not look at a submission; its row."""
        for key in [k for k, rows in self.children.items()
                    if all(r["_submission_id"] == id_ for r in rows)]:
            del self.children[key]
        return self.by_id.pop(id_, None)

    def deleted(self, truth):
        row = self.by_id.get(truth["__id"])
        if self.rules.on_delete == "hard":
            if row is not None:
                self.say(truth["__id"], "is deleted and still there")
        elif row is not None:
            self.submission(truth, self.by_id.pop(truth["__id"]))
        elif truth["__id"] in self.rules.known:
            self.say(truth["__id"], "is deleted and not there")

    def purged(self, id_):
        """What Central does not have: it stays, marked or not, or has gone."""
        row = self.by_id.get(id_)
        if self.rules.on_delete == "hard":
            return  # what is left of it is told of at the end
        if self.rules.masks:
            self.all_obeyed(id_)
        self.forget(id_)
        if row is None:
            self.say(id_, "is purged and not there")
        elif self.rules.on_delete == "soft" and row["_deleted_at"] is None:
            self.say(id_, "Central does not have it")

    def all(self, truth):
        for id_ in self.rules.skip:
            self.forget(id_)
        here = {row["__id"] for rows in truth.values() for row in rows}
        for one in truth["live"]:
            row = self.by_id.pop(one["__id"], None)
            if one["__id"] in self.rules.skip:
                continue
            if row is None:
                self.say(one["__id"], "is missing")
            else:
                self.submission(one, row)
        for one in truth["deleted"]:
            if one["__id"] not in self.rules.skip:
                self.deleted(one)
        for id_ in (set(self.by_id) | self.rules.known) - here:
            if id_ not in self.rules.skip:
                self.purged(id_)
        for id_ in self.by_id:
            self.say(id_, "Central does not have it")
        if self.rules.apart and self.rules.on_delete != "hard":
            for id_ in {row["_submission_id"] for rows in
                        self.children.values() for row in rows} - here:
                if self.rules.masks:
                    self.all_obeyed(id_)
                self.forget(id_)
        for (path, parent), rows in self.children.items():
            self.say(path, f"{len(rows)} rows below {parent},"
                     " which Central does not have")


class Rules:
    """How to compare.

    known: ids of submissions that were in the tables before they were
    deleted or purged, so that they have to be there still, or gone;
    skip: ids that are not looked at;
    lagging: ids whose count of attachments may be an earlier one;
    on_delete, raw: the settings of the job;
    masks: its privacy rules, as tests/oracle/masks.py has them;
    apart: a job of its own fills the repeats: it may have seen a submission
    that was purged before the other job came to it."""

    def __init__(self, known=(), skip=(), lagging=(), on_delete="soft",
                 raw=True, masks=None, apart=False):
        self.known, self.skip = set(known), set(skip)
        self.lagging, self.on_delete, self.raw = set(lagging), on_delete, raw
        self.masks = masks
        self.apart = apart


def _hidden(session, tables):
    """The views show what is live, and nothing else."""
    root = tables[""]
    live = f'SELECT _id FROM "{root.schema}"."{root.name}"' \
        " WHERE _deleted_at IS NULL"
    for table in tables.values():
        column = "_id" if table is root else "_submission_id"
        wrong = session.value(
            f'SELECT count(*) FROM (SELECT _id FROM "{table.schema}"'
            f'."{table.name}" WHERE {column} IN ({live})'
            f') t FULL JOIN "{table.schema}"."v_{table.name}" v'
            " ON v._id = t._id WHERE v._id IS NULL OR t._id IS NULL")
        if wrong:
            yield f"v_{table.name}: {wrong} rows too many or too few"


def _left_over(session, tables, form, project, ids):
    """Repeats that the form had: with hard nothing is left of what is gone."""
    now = {table.odata for table in tables.values()}
    for row in session.rows(
            "SELECT odata, table_schema, table_name FROM odk_sync_column"
            f" WHERE source = 'form' AND form = {_literal(form)}"
            f" AND project = {project} AND path = ''"
            " AND odk_type = 'table'"):
        if row["odata"] in now:
            continue
        found = {r["_submission_id"] for r in session.rows(
            "SELECT DISTINCT _submission_id FROM"
            f' "{row["table_schema"]}"."{row["table_name"]}"')}
        for id_ in found - ids:
            yield f"{id_}: {row['odata']} still has rows"


def _forbidden(session, masks, names, form, project):
    """Columns that the rules leave nothing of hold nothing, in any row."""
    for row in session.rows(
            "SELECT c.* FROM odk_sync_column c JOIN information_schema.columns"
            " i USING (table_schema, table_name, column_name)"
            f" WHERE source = 'form' AND form = {_literal(form)}"
            f" AND project = {project} AND path <> ''"):
        action, _ = masks.above(names.odata(row["path"])) or (None, None)
        if action == "drop" or (action == "hash"
                                and row["odk_type"] != "text"):
            column = f'"{row["table_name"]}"."{row["column_name"]}"'
            count = session.value(f'SELECT count({column}) FROM "'
                                  f'{row["table_schema"]}"."'
                                  f'{row["table_name"]}"')
            if count:
                yield f"{column}: {count} values of {row['path']}"


def differences(central, session, form, project=1, truth=None, **rules):
    """What differs, as lines of text. truth: the submissions, if not those
    of the stand-in; rules: see Rules."""
    rules = Rules(**rules)
    fields = read_fields(central, form, project)
    state = truth or _state(central, form, project)
    kinds = {field["path"]: field["type"] for field in fields}
    names = _Names(fields)
    if rules.masks:
        state = rules.masks.truth(state, kinds)
        fields = rules.masks.fields(fields)
    tables = _tables(fields)
    _locate(session, tables, names, form, project)
    for table in tables.values():
        if table.name is None:
            return [f"{table.odata}: there is no table"]
        _read(session, table)
    comparison = _Comparison(tables, kinds,
                             _read_rejects(session, tables, names, False),
                             _read_rejects(session, tables, names, True),
                             rules)
    comparison.all({kind: state[kind] for kind in ("live", "deleted")})
    found = comparison.found + list(_hidden(session, tables))
    if rules.masks:
        found += _forbidden(session, rules.masks, names, form, project)
    if rules.on_delete == "hard":
        found += _left_over(session, tables, form, project,
                            rules.skip
                            | {row["__id"] for row in state["live"]})
    return found


# --- datasets ----------------------------------------------------------------

_ENTITY = (
    ("_created_at", "createdAt", "dateTime"),
    ("_updated_at", "updatedAt", "dateTime"),
    ("_deleted_at", "deletedAt", "dateTime"),
    ("_creator", "creatorName", "string"),
    ("_updates", "updates", "int"),
    ("_version", "version", "int"),
    ("_conflict", "conflict", "string"),
)


def _place_parts(text):
    """Of a point as text; nothing of a trace, or of what is no place."""
    words = (text or "").split()
    parts = dict.fromkeys(("lat", "lon", "alt", "acc"))
    if 2 <= len(words) <= 4 and all(
            re.fullmatch(r"-?\d+(\.\d+)?", w) for w in words):
        parts.update(zip(parts, map(decimal.Decimal, words)))
    return {**parts, "": text}


class _Entities:
    def __init__(self, session, name, project, rules):
        self.rules, self.found = rules, []
        self.columns, self.table = {}, None
        for row in session.rows(
                "SELECT * FROM odk_sync_column WHERE source = 'dataset'"
                f" AND form = '{name}' AND project = {project}"):
            self.table = f'"{row["table_schema"]}"."{row["table_name"]}"'
            self.view = f'"{row["table_schema"]}"."v_{row["table_name"]}"'
            if row["path"]:
                self.columns.setdefault(row["path"], {})[
                    row["part"]] = row["column_name"]
        if self.table is not None:
            self.rows = {r["_id"]: r for r in loads(session.run(
                f"SELECT coalesce(json_agg(t), '[]') FROM {self.table} t"))}
            self.shown = {r["_id"] for r in session.rows(
                f"SELECT _id FROM {self.view}")}

    def say(self, id_, what):
        self.found.append(f"{id_}: {what}")

    def cell(self, row, column, kind, truth):
        if column is None or column not in row:
            self.say(row["_id"], f"there is no column {column}")
        elif not _equal(kind, truth, row[column]):
            self.say(row["_id"], f"{column} is {row[column]!r}, Central has"
                     f" {truth!r}")

    def entity(self, truth, properties):
        row = self.rows.pop(truth["__id"], None)
        if row is None:
            self.say(truth["__id"], "is missing")
            return
        self.cell(row, "_label", "string", truth["label"])
        for column, key, kind in _ENTITY:
            value = truth["__system"][key]
            if key == "deletedAt" and self.rules.on_delete == "keep":
                value = None
            self.cell(row, column, kind, value)
        for name, path in properties:
            parts = {"": truth[name] or None}
            if name == "geometry":
                parts = _place_parts(truth[name] or None)
            for part, value in parts.items():
                self.cell(row, self.columns.get("/" + path, {}).get(part),
                          "decimal" if part else "string", value)

    def gone(self, id_):
        """Not in Central any more."""
        row = self.rows.pop(id_, None)
        if self.rules.on_delete == "hard":
            if row is not None:
                self.say(id_, "is gone and still there")
        elif row is None:
            self.say(id_, "is purged and not there")
        elif (row["_deleted_at"] is None) != (self.rules.on_delete == "keep"):
            self.say(id_, f"is purged, and _deleted_at {row['_deleted_at']!r}")

    def all(self, state):
        properties = {(p["odataName"], p["name"])
                      for p in state["form"]["properties"]}
        live = {i for i, r in self.rows.items() if r["_deleted_at"] is None}
        if live != self.shown:
            self.say(self.view, "shows other rows than the live ones")
        for truth in state["live"]:
            self.entity(truth, properties)
        for truth in state["deleted"]:
            if self.rules.on_delete == "hard":
                self.gone(truth["__id"])
            else:
                self.entity(truth, properties)
        here = {r["__id"] for k in ("live", "deleted") for r in state[k]}
        for id_ in self.rules.known - here:
            self.gone(id_)
        for id_ in self.rows:
            self.say(id_, "Central does not have it")


def entities(central, session, dataset, project=1, truth=None, **rules):
    """As differences(), for a dataset and its table of entities."""
    comparison = _Entities(session, dataset, project, Rules(**rules))
    if comparison.table is None:
        return [f"{dataset}: there is no table"]
    comparison.all(truth or loads(json.dumps(
        central.entities(dataset, project=project))))
    return comparison.found
