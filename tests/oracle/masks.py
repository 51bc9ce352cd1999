# tests/oracle/masks.py - SPDX-License-Identifier: Apache-2.0
"""Privacy rules of a history: chosen at random, and carried out a second time
on what Central says, so that the comparison knows what the tables may hold."""

import copy
import datetime
import decimal
import hashlib
import hmac
import re

KEY = "a key of histories, not secret"
# east of Greenwich by this much, always
ZONE, OFFSET = "Asia/Kathmandu", datetime.timedelta(hours=5, minutes=45)
PLACES = {"geopoint": "Point", "geotrace": "LineString",
          "geoshape": "Polygon"}
# by type; what is not here can be hashed
COARSE = {"date": ("year", "month"), "dateTime": ("year", "month", "day"),
          **dict.fromkeys(PLACES, ("0", "1", "3", "6"))}


class _AnyHash:
    """Equals every hash: of a number whose digits Central alone knows."""

    def __eq__(self, other):
        return isinstance(other, str) and bool(
            re.fullmatch("[0-9a-f]{64}", other))

    def __repr__(self):
        return "a hash"


def hashed(value):
    if value is None:
        return None
    if isinstance(value, decimal.Decimal):
        return _AnyHash()
    if isinstance(value, bool):
        value = str(value).lower()
    return hmac.new(KEY.encode(), str(value).encode(), "sha256").hexdigest()


def _start(moment, to):
    if to != "day":
        moment = moment.replace(day=1)
    return moment.replace(month=1) if to == "year" else moment


def _coarse_date(value, to):
    try:
        return _start(datetime.date.fromisoformat(value), to).isoformat()
    except ValueError:
        return None


def _coarse_time(value, to):
    try:
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment.astimezone(datetime.timezone(OFFSET)).replace(
        hour=0, minute=0, second=0, microsecond=0)
    utc = _start(moment, to).astimezone(datetime.timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _rounded(what, decimals):
    """A position, or a list of them at any depth."""
    if isinstance(what[0], list):
        return [_rounded(one, decimals) for one in what]
    return [decimal.Decimal(f"{float(n):.{decimals}f}") for n in what[:2]]


def _coarse(kind, value, to):
    if value is None:
        return None
    if kind in PLACES:
        return {"type": PLACES[kind],
                "coordinates": _rounded(value["coordinates"], to)}
    return (_coarse_date if kind == "date" else _coarse_time)(value, to)


def _kind(field):
    return "multiple" if field.get("selectMultiple") else field["type"]


class Masks:
    """The rules: by path, ("drop", None), ("hash", None) or ("coarsen", to);
    and for _submitter and _device_id."""

    def __init__(self, rng):
        self.rng = rng
        self.rules = {}

    def settings(self, key_file):
        """For a section of the configuration."""
        lists = {"drop": [], "hash": [], "coarsen": []}
        for path, (action, to) in sorted(self.rules.items()):
            lists[action].append(path + (f" {to}" if to else ""))
        settings = {name: ",\n    ".join(items) or None
                    for name, items in lists.items()}
        settings["hash_key_file"] = key_file if lists["hash"] else None
        return settings

    def above(self, path):
        """The rule for a field: that which drops what it is in, or its own."""
        parts = path.split("/")
        for i in range(2, len(parts)):
            if "/".join(parts[:i]) in self.rules:
                return "drop", None
        return self.rules.get(path)

    def _choose(self, kind, containers):
        choices = [("drop", None)] if kind not in ("structure", "repeat") \
            or containers else []
        if kind in COARSE:
            choices.append(("coarsen", self.rng.choice(COARSE[kind])))
        if kind not in PLACES and kind not in ("structure", "repeat",
                                               "decimal"):
            choices.append(("hash", None))
        return self.rng.choice(choices) if choices else None

    def add(self, fields, containers):
        """One rule more; containers: groups and repeats may be dropped."""
        if self.rng.random() < 0.15:
            name = self.rng.choice(("_submitter", "_device_id"))
            self.rules.setdefault(name, (
                self.rng.choice(("drop", "hash")), None))
            return
        free = [f for f in fields if not f["path"].startswith("/meta")
                and self.above(f["path"]) is None]
        if free:
            field = self.rng.choice(free)
            rule = self._choose(_kind(field), containers)
            if rule:
                self.rules[field["path"]] = rule

    def fit(self, fields):
        """What a person does when a new version has other questions: take
        out what is about none, drop what has another type now."""
        kinds = {f["path"]: _kind(f) for f in fields}
        for path, (action, _) in list(self.rules.items()):
            if not path.startswith("/"):
                continue
            if path not in kinds:
                del self.rules[path]
            elif action == "coarsen" and kinds[path] not in COARSE:
                self.rules[path] = "drop", None

    # -- what the rules leave ----------------------------------------------

    def fields(self, fields):
        left = []
        for field in copy.deepcopy(fields):
            action, _ = self.above(field["path"]) or (None, None)
            if action == "drop":
                continue
            if action == "hash":
                field.update(type="string", selectMultiple=None)
            left.append(field)
        return left

    def _row(self, row, path, kinds):
        for key in list(row):
            where = f"{path}/{key.partition('@')[0]}"
            action, to = self.above(where) or (None, None)
            value = row[key]
            if action == "drop":
                del row[key]
            elif isinstance(value, list) and kinds.get(where) == "repeat":
                for one in value:
                    self._row(one, where, kinds)
            elif isinstance(value, dict) and kinds.get(where) == "structure":
                self._row(value, where, kinds)
            elif action == "hash":
                row[key] = hashed(value)
            elif action == "coarsen":
                row[key] = _coarse(kinds[where], value, to)

    @staticmethod
    def could_leave(action, to, kind, part, cell):
        """Can a rule have left this in a column, of whatever answer?"""
        if cell is None or action is None:
            return True
        if action == "hash":
            return _AnyHash() == cell
        if part:
            return part in ("lat", "lon") and _rounded([cell], to) == [
                decimal.Decimal(str(cell))]
        if kind == "dateTime":
            utc = cell.replace("+00:00", ".000Z")
            return _coarse(kind, cell, to) == utc
        return action == "coarsen" and _coarse(kind, cell, to) == cell

    def disobeyed(self, row, kinds, path=""):
        """The paths of what is in a row of the tables against the rules."""
        for key, value in row.items():
            where = f"{path}/{key}"
            action, to = self.above(where) or (None, None)
            kind = kinds.get(where)
            if value is None:
                continue
            if action == "drop" or (action == "hash"
                                    and _AnyHash() != value) or (
                    action == "coarsen" and _coarse(kind, value, to) != value):
                yield where
            elif kind == "structure":
                yield from self.disobeyed(value, kinds, where)
            elif kind == "repeat":
                for one in value:
                    yield from self.disobeyed(one, kinds, where)

    def truth(self, state, kinds):
        """The submissions of Central, masked; kinds: path -> type."""
        state = copy.deepcopy(state)
        for row in state["live"] + state["deleted"]:
            self._row(row, "", kinds)
            for name, keys in (("_submitter", ("submitterName",
                                               "submitterId")),
                               ("_device_id", ("deviceId",))):
                action, _ = self.rules.get(name, (None, None))
                for key in keys:
                    if action == "drop":
                        row["__system"].pop(key, None)
                    elif action == "hash":
                        row["__system"][key] = hashed(row["__system"][key])
        return state
