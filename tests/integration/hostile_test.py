# tests/integration/hostile_test.py - SPDX-License-Identifier: Apache-2.0
"""A server that sends null, another type, an object or nothing where Central
has a value, in every place of every answer: each run ends, with a documented
code and a message, and never asks for ever."""

import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

FORM = "hostile"
LIST = "people"
FIELDS = ["t", "n:int", "p:geopoint", {"g": ["s"]}, {"r[]": ["x"]}]
DATA = {"t": "a", "n": 1, "g": {"s": "b"}, "r": [{"x": "c"}],
        "p": {"type": "Point", "coordinates": [14.5, 50.1]}}
VALUES = (None, 7, "", {})
CODES = (0, 65, 69, 75, 76, 77)
MOST = 60  # requests of a run

# What each answer is recognised by; True: the end of its address.
SESSION = ("/v1/sessions", True)
DOCUMENT = ("/forms/" + FORM, True)
FIELD_LIST = ("/fields?odata=true", True)
DATE = ("$orderby=", False)
ROWS = ("$expand=", False)
KEYS = ("__id,__system/submissionDate,", False)
COUNT = ("$count=true", False)
DATASET = ("/datasets/" + LIST, True)
ENTITIES = (".svc/Entities?$filter=", False)
ENTITY_KEYS = ("$select=__id,__system", False)
TRASH = ("entities?deleted=true", True)


class Hostile(odks.World):
    """A world with a form and a dataset, both mirrored once."""

    def __enter__(self):
        super().__enter__()
        self.job(FORM, form=FORM, window_rows=2, overlap="1m")
        self.job(LIST, kind="entities", dataset=LIST, overlap="1m")
        self.settings["central"].update(retry="0", stall="2s")
        self.init()
        self.central.publish(FORM, "1", FIELDS)
        self.central.dataset(LIST, ["age"])
        for _ in range(3):
            self.central.create(FORM, data=DATA)
            self.central.entity(LIST, data={"label": "l", "age": "3"})
            self.central.clock(advance=60)
        gone = self.central.entity(LIST, data={"label": "gone"})["id"]
        self.central.entity(LIST, "delete", gone)
        self.central.clock(advance=3600)
        self.ok("run")
        return self

    def survives(self, what, answer, action, *args):
        """A run ends well enough while the server does that."""
        match, at_end = answer
        self.central.script({"match": match, "end": at_end, "times": -1,
                             "action": action}, clear=True)
        self.central.requests()
        result = self.run("run", *args)
        asked = self.central.requests()
        self.central.script(clear=True)
        where = f"{what}: {result}"
        paths = [urllib.parse.unquote(r["path"]) for r in asked["requests"]]
        tap.check(match == "*" or any(
            path.endswith(match) if at_end else match in path
            for path in paths), f"not asked for, {where}")
        tap.check(result.code in CODES, where)
        tap.check(result.code == 0 or f"[{result.code}]" in result.err, where)
        tap.check(len(asked["requests"]) <= MOST, "it asked and asked, "
                  + where)
        return result

    def everywhere(self, answer, places, *args):
        """Each value in each place."""
        for at in places:
            for value in VALUES:
                self.survives(f"{answer[0]} {at}: {value!r}", answer,
                              {"put": {"at": at, "value": value}}, *args)
        self.ok("run", args[0], "--full")  # it recovers by itself


def members(*keys):
    return [[], *([key] for key in keys)]


def rows(document, below=()):
    """The places of an answer with rows, of which the first is document."""
    yield from ([], ["value"], ["value", 0], ["@odata.context"])
    for key, value in document.items():
        if "@" in key:
            continue
        yield ["value", 0, key]
        if isinstance(value, dict) and key in ("__system", *below):
            yield from (["value", 0, key, k] for k in value)
        if isinstance(value, list) and value:
            yield ["value", 0, key, 0]
            yield ["value", 0, key, 0, "__id"]


def test_sessions():
    with Hostile() as world:
        world.everywhere(SESSION, members("token"), FORM, "--full")


def test_documents_of_a_form():
    with Hostile() as world:
        world.everywhere(DOCUMENT, members(
            "xmlFormId", "hash", "name", "version", "state", "keyId"),
            FORM, "--full")
        world.everywhere(FIELD_LIST, [[], [0], *(
            [0, key] for key in ("path", "type", "binary",
                                 "selectMultiple"))], FORM, "--full")


def test_rows_of_a_form():
    with Hostile() as world:
        row = world.central.state(FORM)["live"][0]
        world.everywhere(ROWS, rows(row, ("g", "p")), FORM, "--full")


def test_dates_and_counts_of_a_form():
    with Hostile() as world:
        world.everywhere(DATE, [[], ["value"], ["value", 0], [
            "value", 0, "__system"], ["value", 0, "__system",
                                      "submissionDate"]], FORM, "--full")
        world.everywhere(COUNT, members("@odata.count", "value"), FORM,
                         "--full")
        for count in (-1, 1.5, 2**63 - 1, 2**64 - 1, 10**30, "1"):
            world.survives(f"count {count}", COUNT, {
                "put": {"at": ["@odata.count"], "value": count}}, FORM,
                "--full")


def test_keys_of_a_form():
    with Hostile() as world:
        row = world.central.state(FORM)["live"][0]
        keys = {"__id": row["__id"], "__system": {
            k: None for k in ("submissionDate", "updatedAt", "deletedAt",
                              "reviewState", "submitterName", "status",
                              "attachmentsPresent", "attachmentsExpected")}}
        world.everywhere(KEYS, rows(keys), FORM, "--reconcile")


def test_a_dataset():
    with Hostile() as world:
        world.everywhere(DATASET, [*members(
            "name", "properties", "lastUpdate"), ["properties", 0], [
                "properties", 0, "name"], ["properties", 0, "odataName"]],
            LIST, "--full")
        row = world.central.entities(LIST)["live"][0]
        world.everywhere(ENTITIES, rows(row), LIST, "--full")
        world.everywhere(ENTITY_KEYS, rows(row), LIST, "--reconcile")


def test_the_trash_of_a_dataset():
    with Hostile() as world:
        world.central.config(entityDeletedAt=False)
        world.everywhere(TRASH, [[], [0], [0, "uuid"], [0, "deletedAt"]],
                         LIST, "--full")
        row = world.central.entities(LIST)["live"][0]
        world.everywhere(ENTITIES, [["value", 0, "__system"]] + [
            ["value", 0, "__system", k] for k in row["__system"]],
            LIST, "--full")


def test_headers():
    with Hostile() as world:
        for answer, job in ((DOCUMENT, FORM), (DATASET, LIST)):
            for date in (None, "", "soon", "Mon, 23 Nov 9999999 17:00:00 GMT",
                         "Fri, 31 Dec 9999 23:59:59 GMT",
                         "Mon, 01 Jan 1601 00:00:00 GMT"):
                world.survives(f"Date: {date}", answer,
                               {"headers": {"Date": date}}, job, "--full")
        for tag in (None, "", "x", 'W/"eventhash:"', 'W/"eventhash:xyz"',
                    'W/"eventhash:0', 'W/"eventhash:' + "0" * 4000 + '"',
                    'W/"eventhash:\u017e"'):
            for args in (["--reconcile"], []):
                world.survives(f"ETag: {tag}", (".svc/Submissions", False),
                               {"headers": {"ETag": tag}}, FORM, *args)
        for kind in (None, "", "text/html", "application/json;" + "x" * 4000):
            world.survives(f"Content-Type: {kind}", (FORM, False),
                           {"headers": {"Content-Type": kind}}, FORM)


def test_options_that_the_server_ignores():
    """A server that ignored $filter and $skip was asked for ever."""
    with Hostile() as world:
        for options in (["$filter"], ["$skip"], ["$filter", "$skip"],
                        ["$orderby"], ["$top"], ["$top", "$skip"],
                        ["$count"], ["$filter", "$orderby"],
                        ["$filter", "$skip", "$top", "$orderby"]):
            for job in (FORM, LIST):
                result = world.survives(f"ignores {options}", ("*", False),
                                        {"ignore": options}, job, "--full")
                if options == ["$skip"]:
                    tap.check(result.code == 65 and "ignores $skip"
                              in result.err, str(result))
        for job in (FORM, LIST):
            world.ok("run", job, "--full")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
