# tests/oracle/shapes.py - SPDX-License-Identifier: Apache-2.0
"""Forms, their next versions, and answers to them, at random.

A form is a list of fields as tests/contract/backend.py writes them:
'name:type', {'group': [...]}, {'repeat[]': [...]}. Answers have the shape of
an OData row, with sanitised names and without __id and __system.
"""

import copy

from backend import sanitised

KINDS = ("string", "string", "int", "decimal", "date", "time", "dateTime",
         "select", "selectMultiple", "geopoint", "geotrace", "geoshape",
         "barcode", "boolean", "binary")

# names that are reserved, differ only in case, collide once in snake case,
# look like our own columns, or are longer than an identifier may be
NAMES = ("name", "Name", "order", "user", "select", "q1", "q2", "q3", "age",
         "a-b", "A_b", "AB", "zip.code", "_id", "_raw", "status",
         "note", "visited", "deleted_at", "x" * 70 + "_a", "x" * 70 + "_b",
         "žluť", "xmin", "instanceID")
GROUPS = ("g_1", "Group-2", "g_3")
FIRST = "person_details"  # every form has this repeat
REPEATS = ("visit-s", "asset", "Member")

TEXTS = ("a", "tab\tand \"quotes\" \\ back", "two\nlines", "  spaces  ",
         "Žluťoučký kůň 🐎", "comma, 'quote'; {}\\N", "<b>&amp;</b>", "NULL",
         "0", "true", "2026-01-01", "{a,b}", "word " * 300)


def _is_repeat(key):
    return key.endswith("[]")


def _name_of(node):
    if isinstance(node, str):
        return node.split(":")[0]
    (key,) = node
    return key[:-2] if _is_repeat(key) else key


def _containers(fields, path=""):
    """(path, list of fields) of the form and of each group and repeat."""
    yield path, fields
    for node in fields:
        if not isinstance(node, str):
            (inner,) = node.values()
            yield from _containers(inner, path + "/" + _name_of(node))


class Form:
    """A form that changes. Central remembers the type of every path that any
    version had, and lets it change to string only."""

    def __init__(self, rng):
        self.rng = rng
        self.types = {}
        self.version = 1
        self.files = 0
        self.fields = ["name", {FIRST + "[]": ["name", "age:int"]}]
        self.types.update({"/name": "string", f"/{FIRST}/name": "string",
                           f"/{FIRST}/age": "int"})
        for _ in range(rng.randint(0, 3)):
            self._add_container()
        for _ in range(rng.randint(3, 8)):
            self._add()

    def repeats(self):
        """The paths of the repeats, in sanitised names."""
        found = []

        def look(fields, path):
            for node in fields:
                if not isinstance(node, str):
                    ((key, inner),) = node.items()
                    where = path + "/" + sanitised(_name_of(node))
                    if _is_repeat(key):
                        found.append(where)
                    look(inner, where)

        look(self.fields, "")
        return found

    # -- versions ------------------------------------------------------------

    def change(self):
        """The next version, with one to three changes."""
        before = copy.deepcopy(self.fields)
        for _ in range(self.rng.randint(1, 3)):
            self.rng.choice((self._add, self._add, self._add_container,
                             self._remove, self._remove_container, self._move,
                             self._to_string))()
        self.version += 1
        return before != self.fields

    def _free_names(self, fields, names):
        taken = {sanitised(_name_of(node)) for node in fields}
        return [n for n in names if sanitised(n) not in taken]

    def _place(self):
        return self.rng.choice(list(_containers(self.fields)))

    def _put(self, path, fields, name):
        """A leaf at a random place among its siblings; its type is that which
        it had, or string."""
        where = path + "/" + name
        kind = self.types.get(where) or self.rng.choice(KINDS)
        if self.rng.random() < 0.1:
            kind = "string"
        self.types[where] = kind
        fields.insert(self.rng.randint(0, len(fields)),
                      name if kind == "string" else f"{name}:{kind}")

    def _add(self):
        path, fields = self._place()
        free = self._free_names(fields, NAMES)
        if free:
            self._put(path, fields, self.rng.choice(free))

    def _add_container(self):
        path, fields = self._place()
        names = [*GROUPS, *(r + "[]" for r in REPEATS)]
        free = [n for n in names
                if path.count("/") < 3 and n in self._free_names(fields, names)
                and (n[:-2] if _is_repeat(n) else n)
                not in [_name_of(f) for f in fields]]
        if not free:
            return
        key = self.rng.choice(free)
        inner = []
        where = path + "/" + (key[:-2] if _is_repeat(key) else key)
        for name in self.rng.sample(NAMES, 2):
            if self._free_names(inner, [name]):
                self._put(where, inner, name)
        fields.append({key: inner})

    def _remove(self):
        """Anything but the last field of its place, and the first repeat."""
        _, fields = self._place()
        i = self.rng.randrange(len(fields))
        if len(fields) > 1 and _name_of(fields[i]) != FIRST:
            fields.pop(i)

    def _remove_container(self):
        """A group or a repeat, with all that is in it."""
        found = [(fields, node) for _, fields in _containers(self.fields)
                 for node in fields if not isinstance(node, str)
                 and len(fields) > 1 and _name_of(node) != FIRST]
        if found:
            fields, node = self.rng.choice(found)
            fields.remove(node)

    def _move(self):
        """A question into another group or repeat, or to another place."""
        _, fields = self._place()
        leaves = [f for f in fields if isinstance(f, str)]
        if len(fields) < 2 or not leaves:
            return
        leaf = self.rng.choice(leaves)
        fields.remove(leaf)
        path, target = self._place()
        name = _name_of(leaf)
        if self._free_names(target, [name]):
            self.types.setdefault(path + "/" + name, leaf.partition(":")[2]
                                  or "string")
            self._put(path, target, name)

    def _to_string(self):
        path, fields = self._place()
        leaves = [i for i, f in enumerate(fields)
                  if isinstance(f, str) and ":" in f]
        if leaves:
            i = self.rng.choice(leaves)
            fields[i] = _name_of(fields[i])
            self.types[path + "/" + fields[i]] = "string"

    # -- answers -------------------------------------------------------------

    def answers(self):
        return self._row(self.fields, 0)

    def _row(self, fields, depth):
        row = {}
        for node in fields:
            key = sanitised(_name_of(node))
            if isinstance(node, str):
                value = self._value(node.partition(":")[2] or "string")
                if value is not None:
                    row[key] = value
            else:
                ((name, inner),) = node.items()
                if not _is_repeat(name):
                    row[key] = self._row(inner, depth)
                else:
                    count = self.rng.choice((0, 1, 2, 3) if depth == 0
                                            else (0, 1, 2))
                    rows = [self._row(inner, depth + 1) for _ in range(count)]
                    if rows:
                        row[key] = rows
        return row

    def _value(self, kind):
        rng = self.rng
        if rng.random() < 0.15:
            return None
        if rng.random() < 0.04 and kind in _POISON:
            return rng.choice(_POISON[kind])
        return _MAKE.get(kind, _text)(self, rng)

    def next_file(self):
        self.files += 1
        return f"{self.files}.jpg"


# what Central passes on although no column of the type can hold it
_POISON = {"int": (123456789012345678901234567890.0, 2**53 - 1, 2**53, -2**60),
           "decimal": (123456789012345678901234567890.0, 1e-7),
           "date": ("2026-02-30", "not a date"),
           "dateTime": ("yesterday", "2026-13-01T00:00:00Z"),
           "boolean": ("perhaps",)}


def _text(_, rng):
    return rng.choice(TEXTS) if rng.random() < 0.3 \
        else "text %d" % rng.randrange(10**6)


def _coordinates(rng, accuracy):
    c = [round(rng.uniform(-179, 179), 6) or 1.5,
         round(rng.uniform(-89, 89), 6) or 1.5]
    return c + [round(rng.uniform(1, 900), 1)] if accuracy else c


def _point(_, rng):
    exact = rng.random() < 0.7
    point = {"type": "Point", "coordinates": _coordinates(rng, exact)}
    if exact:
        point["properties"] = {"accuracy": round(rng.uniform(0.5, 30), 2)}
    return point


def _line(rng, kind, coordinates, count):
    """What is drawn on a map has no heights; some devices tell no accuracy."""
    exact = rng.random() < 0.7
    line = [_coordinates(rng, exact) for _ in range(count)]
    line += [line[0]] * (kind == "Polygon")
    accuracies = [rng.choice((1.5, None)) for _ in line] if exact else []
    return {"type": kind, "coordinates": coordinates(line),
            "properties": {"accuracies": accuracies or [None] * len(line)}}


def _trace(_, rng):
    """Of one point at times, as Central hands out."""
    return _line(rng, "LineString", lambda line: line, rng.randint(1, 4))


def _shape(_, rng):
    return _line(rng, "Polygon", lambda line: [line], 3)


_MAKE = {
    "int": lambda _, rng: rng.randint(-10**9, 10**9),
    "decimal": lambda _, rng: round(rng.uniform(-999, 999), 3),
    "date": lambda _, rng: "20%02d-%02d-%02d" % (
        rng.randint(0, 40), rng.randint(1, 12), rng.randint(1, 28)),
    "time": lambda _, rng: "%02d:%02d:%02d.%03d+02:00" % (
        rng.randrange(24), rng.randrange(60), rng.randrange(60),
        rng.randrange(1000)),
    "dateTime": lambda _, rng: "20%02d-%02d-%02dT%02d:%02d:%02d.%03d%s" % (
        rng.randint(0, 40), rng.randint(1, 12), rng.randint(1, 28),
        rng.randrange(24), rng.randrange(60), rng.randrange(60),
        rng.randrange(1000), rng.choice(("Z", "+01:00", "-05:30"))),
    "select": lambda _, rng: rng.choice("abc"),
    "selectMultiple": lambda _, rng: rng.choice(("a", "a b", "b  c", "c a b")),
    "geopoint": _point, "geotrace": _trace, "geoshape": _shape,
    "barcode": lambda _, rng: "%010d" % rng.randrange(10**10),
    "boolean": lambda _, rng: rng.choice(("true", "false")),
    "binary": lambda form, _: form.next_file(),
}
