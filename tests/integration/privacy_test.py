# tests/integration/privacy_test.py - SPDX-License-Identifier: Apache-2.0
"""Privacy rules: what they leave of an answer, that it is all that is stored
anywhere, also when they come late; and that no answer is ever told in words."""

import hashlib
import hmac
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "people"
KEY = "0123456789abcdef-of-test"
FIELDS = ["name:string", "nin:int", "born:date", "seen:dateTime",
          "gps:geopoint", "way:geotrace", "langs:selectMultiple",
          {"contact": ["phone:string", "mail:string"]},
          {"person[]": ["name:string", "nin:int", "age:int",
                        {"visit[]": ["note:string", "seen:date"]}]},
          "free:string"]
ALL = {"drop": "name, /contact, visit, _device_id",
       "hash": "nin, langs, free, _submitter",
       "coarsen": "gps 2, way 1, born year, /seen month"}
DEVICE = "CANARY-device"


def plain(n):
    """The answers of a submission: each tells which one it is."""
    return {"name": f"CANARY-name-{n}", "nin": 7700110000 + n,
            "born": f"1987-06-{n + 10}",
            "seen": f"2026-03-{n + 10}T07:31:{n + 10}.000+01:00",
            "gps": {"type": "Point",
                    "coordinates": [13.45432187 + n, -16.67891234, 98.7654],
                    "properties": {"accuracy": 3.14159265}},
            "way": {"type": "LineString",
                    "coordinates": [[13.45432187, -16.67891234, 98.7654],
                                    [13.55432187, -16.77891234, 98.7654]]},
            "langs": "CANARY-en CANARY-fr",
            "contact": {"phone": f"CANARY-phone-{n}",
                        "mail": f"CANARY-mail-{n}"},
            "person": [{"name": f"CANARY-person-{n}", "nin": 7700220000 + n,
                        "age": 41,
                        "visit": [{"note": f"CANARY-note-{n}",
                                   "seen": "2026-05-21"}]}],
            "free": f"CANARY-free-{n}"}


# Of the above, what rules on everything must not leave anywhere. None may be
# a part of a moment at which the test can run, of its microseconds, or of a
# hash: of digits alone there are seven at least.
SECRETS = ["CANARY", "7700110", "7700220", "1987-06-1", "2026-03-1",
           "45432187", "67891234", "98.7654", "3.1415926", "55432187",
           "77891234", "2026-05-21"]


def hashed(value, key=KEY):
    return hmac.new(key.encode(), str(value).encode(), "sha256").hexdigest()


def setup(world, rules=None, count=3):
    """The form with some submissions, under rules or none."""
    world.init()
    world.central.publish(FORM, "1", FIELDS, project=1, name=FORM)
    set_rules(world, rules)
    return [world.central.create(FORM, data=plain(n), deviceId=DEVICE)["id"]
            for n in range(1, count + 1)]


def set_rules(world, rules):
    world.write("key", KEY + "\n")
    for key in ("drop", "hash", "coarsen", "hash_key_file"):
        world.jobs[FORM].pop(key, None)
    if rules:
        world.jobs[FORM].update(rules)
        if "hash" in rules:
            world.jobs[FORM]["hash_key_file"] = world.path("key")


def sync(world, *args):
    world.central.clock(advance=3600)
    return world.ok("run", FORM, *args)


def dump(world):
    host = os.environ.get("PGHOST_DIRECT", os.environ["PGHOST"])
    port = os.environ.get("PGPORT_DIRECT", os.environ.get("PGPORT", "5432"))
    return subprocess.run(
        [pg.find_tool("pg_dump"), "-h", host, "-p", str(port), "-U",
         "postgres", world.database], check=True, stdout=subprocess.PIPE,
        encoding="utf-8").stdout


def nothing_of(world, secrets=tuple(SECRETS)):
    """None of the plain values is anywhere in the database."""
    lines = dump(world).splitlines()
    for secret in secrets:
        found = [line[:300] for line in lines if secret in line]
        tap.check(not found, f"{secret} is in the dump:\n"
                  + "\n".join(found[:5]))


def row(world, table=FORM, where="true"):
    (result,) = world.session.rows(
        f"SELECT * FROM odk.{table} WHERE {where}")
    return result


def columns(world, table=FORM):
    return {r["column_name"] for r in world.session.rows(
        "SELECT column_name FROM information_schema.columns WHERE"
        f" table_schema = 'odk' AND table_name = '{table}'")}


# -- what a rule leaves ------------------------------------------------------

def test_without_rules_the_dump_shows_all():
    """Each secret is a text that would be found if it were there."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, None, 1)
        sync(world)
        shown = dump(world)
        for secret in SECRETS:
            tap.check(secret in shown, f"{secret} is not in the dump")


def test_rules_leave_what_they_say():
    with odks.World() as world:
        world.job(FORM, form=FORM, timezone="Europe/Prague")
        ids = setup(world, ALL, 1)
        sync(world)
        got = row(world)
        tap.equal(got["_id"], ids[0], "id")
        tap.equal(got["nin"], hashed(7700110001), "hash of a number")
        tap.equal(got["langs"], hashed("CANARY-en CANARY-fr"), "of words")
        tap.equal(got["free"], hashed("CANARY-free-1"), "of a text")
        by = world.central.state(FORM)["live"][0]["__system"]
        tap.equal(got["_submitter"], hashed(by["submitterName"]), "submitter")
        tap.equal(got["_raw"]["__system"]["submitterId"],
                  hashed(by["submitterId"]), "number of the submitter")
        tap.equal(got["born"], "1987-01-01", "year")
        tap.equal(got["seen"], "2026-02-28T23:00:00+00:00", "month")
        tap.equal((got["gps_lat"], got["gps_lon"], got["gps_alt"],
                   got["gps_acc"]), (-16.68, 14.45, None, None), "point")
        tap.equal(got["_device_id"], None, "device")
        for gone in ("name", "phone", "mail"):
            tap.check(gone not in columns(world), f"there is {gone}")
        tap.equal(world.session.value(
            "SELECT count(*) FROM pg_class WHERE relname ~ 'visit'"), 0,
            "tables of visits")
        raw = got["_raw"]
        tap.check("deviceId" not in raw["__system"], "the device in _raw")
        tap.equal(raw["person"][0]["nin"], hashed(7700220001), "in _raw")
        tap.equal(raw["way"], {"type": "LineString", "coordinates":
                               [[13.5, -16.7], [13.6, -16.8]]}, "in _raw")
        tap.equal(sorted(raw["person"][0]), ["__id", "age", "nin"], "keys")
        tap.equal(row(world, "people__person")["nin"], hashed(7700220001),
                  "in a repeat")
        nothing_of(world)


def test_hash_is_what_openssl_prints():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"hash": "free"}, 0)
        world.central.create(FORM, data={"free": "a \"b\"\n\u010d\u2028"})
        sync(world)
        printed = subprocess.run(
            ["openssl", "dgst", "-sha256", "-hmac", KEY],
            input="a \"b\"\n\u010d\u2028".encode(), check=True,
            stdout=subprocess.PIPE).stdout.decode()
        tap.equal(row(world)["free"], printed.split()[-1], "hash")


def test_nothing_else_changes():
    """Of what no rule is about, every cell and all of _raw stay."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"drop": "free"}, 0)
        data = dict(plain(1), nin=9007199254740993, name="line\r\n\ttab \\ \"")
        world.central.create(FORM, data=data)
        sync(world)
        got = row(world)
        truth = world.central.state(FORM)["live"][0]
        del truth["free"]
        tap.equal(got["_raw"], truth, "_raw")
        tap.equal((got["nin"], got["name"]), (data["nin"], data["name"]))


def test_a_run_without_change_writes_nothing():
    """The comparison of keys sees masked names, too, and the tag holds."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, ALL)
        sync(world)
        before = world.session.rows("SELECT xmin::text FROM odk.people")
        sync(world, "--reconcile")
        last = world.history()[-1]
        tap.equal(last["records_processed"], 0, "records")
        world.reconcile_is_due()
        sync(world)
        tap.equal(world.session.rows("SELECT xmin::text FROM odk.people"),
                  before, "rows")
        tap.equal(json.loads(world.history()[-1]["metadata"])["received"], 0,
                  "rows that were read")


def test_a_key_of_a_newer_form_waits():
    """The form is published between the request for its fields and that for
    its rows: what has no field yet is not stored, and comes when it has."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"drop": "name"}, 0)
        later = FIELDS + [{"more": ["name:string", "town:string"]}]
        world.central.script({"match": "Submissions?", "action": {"hook": {
            "before": [
                {"cmd": "publish", "form": FORM, "version": "2",
                 "fields": later},
                {"cmd": "create", "form": FORM, "data": dict(
                    plain(1), more={"name": "CANARY-more", "town": "x"})}]}}})
        sync(world)
        nothing_of(world, ["CANARY-name", "CANARY-more"])
        sync(world)
        tap.equal(row(world)["town"], "x", "town")
        nothing_of(world, ["CANARY-name", "CANARY-more"])


def test_a_group_of_a_newer_form_waits():
    """What was a group or a question is a repeat or a group by the time the
    rows are read: what they hold is not stored, nor rejected, until it is
    known."""
    before = ["phone:string", "q:string", {"g": ["a:string"]}]
    later = ["phone:string", {"q": ["phone:string", "b:string"]},
             {"g[]": ["a:string", "phone:string"]}]
    with odks.World() as world:
        world.job(FORM, form=FORM)
        world.ok("init")
        world.central.publish(FORM, "1", before, project=1, name=FORM)
        set_rules(world, {"drop": "phone"})
        world.central.script({"match": "Submissions?", "action": {"hook": {
            "before": [
                {"cmd": "publish", "form": FORM, "version": "2",
                 "fields": later},
                {"cmd": "create", "form": FORM, "data": {
                    "phone": "CANARY", "q": {"phone": "CANARY", "b": "y"},
                    "g": [{"a": "x", "phone": "CANARY"}]}}]}}})
        sync(world)
        nothing_of(world, ["CANARY"])
        sync(world)
        nothing_of(world, ["CANARY"])
        tap.equal((row(world)["b"], row(world, "people__g")["a"]),
                  ("y", "x"), "answers")


# -- rules that do not fit ---------------------------------------------------

def refused(world, rules, *words):
    set_rules(world, rules)
    world.hurry()
    result = world.exits(78, "run", FORM)
    for word in words:
        tap.check(word in result.err, f"no {word!r} in {result}")
    return result


def test_rules_that_do_not_fit():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world)
        for rules, words in (
                ({"drop": "fone"}, ["drop fone", "names no question"]),
                ({"drop": "contct"}, ["Did you mean contact?"]),
                ({"drop": "/contact/phon"}, ["mean /contact/phone?"]),
                ({"coarsen": "free month"}, ["/free", "type text"]),
                ({"hash": "gps"}, ["/gps", "geopoint"]),
                ({"hash": "free", "drop": "free"}, ["contradict", "/free"])):
            refused(world, rules, *words)
        world.central.requests()
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_column"),
                  0, "columns")


def test_rules_that_are_none():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world)
        for rules, words in (
                ({"coarsen": "gps"}, ["coarsen", "decimals"]),
                ({"coarsen": "gps 7"}, ["coarsen", "\"gps 7\""]),
                ({"coarsen": "seen week"}, ["coarsen", "seen week"]),
                ({"coarsen": "_submitter 3"}, ["_submitter 3"]),
                ({"drop": "a b"}, ["drop", "\"a b\""]),
                ({"drop": "a/b"}, ["a/b"]), ({"drop": "/a//b"}, ["/a//b"]),
                ({"drop": "/"}, ["drop"])):
            refused(world, rules, "odk-sync.ini:", *words)
        set_rules(world, {"hash": "free"})
        del world.jobs[FORM]["hash_key_file"]
        tap.check("hash_key_file" in world.exits(78, "run").err, "no key file")


def test_jobs_that_fill_one_table_have_the_same_rules():
    """Else each would store what the other must not."""
    rules = {"drop": "/name, /free", "hash": "nin", "coarsen": "gps 2"}
    with odks.World() as world:
        world.job(FORM, form=FORM, tables="Submissions")
        setup(world, rules, 1)
        world.job("rest", form=FORM, tables="Submissions",
                  hash_key_file=world.path("key"), **rules)
        sync(world)
        world.ok("run", "rest")
        for key, value in (("drop", "/free"), ("hash", None),
                           ("coarsen", "gps 3"),
                           ("hash_key_file", world.path("other"))):
            before = dict(world.jobs["rest"])
            world.jobs["rest"][key] = value
            said = world.exits(78, "run").err
            for words in ("odk-sync.ini:", f"[job {FORM}]", "[job rest]",
                          "the same table"):
                tap.check(words in said, f"no {words!r} in {said}")
            for elsewhere in ({"schema": "other"}, {"form": "simple"},
                              {"tables": "Submissions.person"}):
                world.jobs["rest"].update(elsewhere)
                tap.check("the same table" not in world.run("config").err,
                          f"{elsewhere} is another table")
                world.jobs["rest"] = {**before, key: value}
            world.jobs["rest"] = before
        world.jobs["rest"]["drop"] = "/free,/name"
        world.ok("config")


def test_key_file():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"hash": "free"})
        world.write("key", "too short\n")
        result = world.exits(78, "run", FORM)
        tap.check("16 bytes" in result.err, str(result))
        world.write("key", KEY, 0o644)
        tap.check("chmod" in world.exits(77, "run", FORM).err, "rights")
        os.unlink(world.path("key"))
        world.exits(66, "run", FORM)
        tap.equal(world.session.value("SELECT count(*) FROM odk_sync_column"),
                  0, "columns")
        world.write("key", KEY)
        world.ok("run", FORM)
        shown = world.ok("config").out + world.ok("config", "--json").out
        tap.check(KEY not in shown and world.path("key") in shown, "config")
        tap.check(KEY not in dump(world), "the key is in the database")


def test_one_job_for_many_forms():
    """A rule that one form has no use for is for another."""
    with odks.World() as world:
        world.write("key", KEY)
        world.job("all", form="*", include=f"{FORM}, simple", drop="contact",
                  hash="free", hash_key_file=world.path("key"))
        world.init()
        world.central.publish(FORM, "1", FIELDS, project=1, name=FORM)
        world.central.create(FORM, data=plain(1))
        world.central.create("simple", count=1)
        world.central.clock(advance=3600)
        world.ok("run")
        tap.equal(row(world)["free"], hashed("CANARY-free-1"), "hash")
        nothing_of(world, ["CANARY-phone", "CANARY-free"])


def test_a_rule_for_another_form_empties_nothing():
    with odks.World() as world:
        world.job("all", form="*", include=f"{FORM}, simple")
        world.ok("init")
        world.central.publish(FORM, "1", FIELDS, project=1, name=FORM)
        world.central.create(FORM, data=plain(1))
        gone = world.central.create("simple", count=2)["id"]
        world.central.clock(advance=3600)
        world.ok("run")
        world.central.delete("simple", gone)
        world.central.purge("simple", gone)
        world.jobs["all"]["drop"] = "contact"
        for _ in range(2):
            world.central.clock(advance=3600)
            world.ok("run")
        nothing_of(world, ["CANARY-phone"])
        tap.check(row(world, "simple", f"_id = '{gone}'")["_raw"] is not None,
                  "_raw of a purged one went")


# -- rules that come late ------------------------------------------------------

def purge(world, id_):
    world.central.delete(FORM, id_)
    world.central.purge(FORM, id_)


def with_everything_stored(world):
    """Without rules: submissions, one that is purged, one in the trash, one
    with a value that does not fit."""
    ids = setup(world, None, 4)
    bad = dict(plain(5), born="CANARY-date", nin="CANARY-number")
    ids.append(world.central.create(FORM, data=bad, deviceId=DEVICE)["id"])
    bad = dict(plain(6), born="CANARY-late", nin=None)
    ids.append(world.central.create(FORM, data=bad, deviceId=DEVICE)["id"])
    sync(world)
    purge(world, ids[1])
    purge(world, ids[5])
    world.central.delete(FORM, ids[2])
    sync(world, "--reconcile")
    # a Central that sends no list of persons: of any of them may be in it
    world.session.run(
        "INSERT INTO odk_sync_reject (sync_type, table_name, submission_id,"
        f" row_id, path, reason, value) VALUES ('{FORM}', 'people__person',"
        f" '{ids[1]}', '{ids[1]}', '/person', 'not a list of rows',"
        " '\"CANARY-rows\"')")
    tap.check("CANARY-name-4" in dump(world), "nothing to find")
    return ids


def test_a_late_rule_reaches_what_is_stored():
    for settings in ({"on_delete": "soft"}, {"on_delete": "keep"},
                     {"on_delete": "hard"},
                     {"on_delete": "soft", "reconcile": "0"},
                     {"on_delete": "soft", "raw": "no"}):
        with odks.World() as world:
            world.job(FORM, form=FORM, **settings)
            ids = with_everything_stored(world)
            live = world.session.value("SELECT count(*) FROM odk.people"
                                       " WHERE _deleted_at IS NULL")
            set_rules(world, ALL)
            sync(world)
            nothing_of(world)
            tap.equal(world.session.value(
                "SELECT count(*) FROM odk.people WHERE _deleted_at IS NULL"),
                live, f"live rows, {settings}")
            got = row(world, where=f"_id = '{ids[0]}'")
            tap.equal(got["nin_v2"], hashed(7700110001), "new column")
            tap.equal(got["nin"], None, "old column")
            tap.equal(world.session.value("SELECT count(*) FROM"
                                          " odk.people__person__visit"), 0,
                      "rows of a dropped repeat")
            if settings["on_delete"] != "hard":
                gone = row(world, where=f"_id = '{ids[1]}'")
                tap.equal(gone["_raw"] if "_raw" in gone else None, None,
                          "_raw of a purged one")
            rows = world.session.rows("SELECT xmin::text FROM odk.people")
            sync(world, "--reconcile")
            tap.equal(world.session.rows(
                "SELECT xmin::text FROM odk.people"), rows, "rows")


def test_what_obeys_already_is_kept():
    """Rows that go after the rule was carried through keep what they have,
    and so do others when a further rule comes, or one goes."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        ids = setup(world, {"hash": "free", "coarsen": "gps 2"})
        sync(world)
        purge(world, ids[0])
        sync(world, "--reconcile")
        where = f"_id = '{ids[0]}'"
        before = row(world, where=where)
        tap.equal(before["free"], hashed("CANARY-free-1"), "hash")
        set_rules(world, {"hash": "free", "coarsen": "gps 3"})
        sync(world)  # less strict: nothing to be emptied
        after = row(world, where=where)
        tap.equal((after["free"], after["gps_lat"]),
                  (before["free"], before["gps_lat"]), "less strict")
        tap.check(after["_raw"] is not None, "_raw went")
        tap.equal(row(world, where=f"_id = '{ids[1]}'")["gps_lat"], -16.679,
                  "more decimals")
        set_rules(world, {"hash": "free", "coarsen": "gps 3, born year"})
        sync(world)  # another one: only that, and _raw
        after = row(world, where=where)
        tap.equal((after["free"], after["gps_lat"], after["born"],
                   after["_raw"]),
                  (before["free"], before["gps_lat"], None, None), "stricter")
        set_rules(world, None)
        sync(world)
        after = row(world, where=where)
        tap.equal(after["free"], before["free"], "no rules")
        tap.equal(row(world, where=f"_id = '{ids[1]}'")["free"],
                  "CANARY-free-2", "read again")


def test_rejects_of_a_walk_that_was_stopped_stay():
    """Those of the rows that were read before it was, too."""
    privacy = ("SELECT privacy FROM odk_sync_column WHERE odk_type = 'table'"
               " AND odata = 'Submissions'")
    with odks.World() as world:
        world.job(FORM, form=FORM, window_rows=1)
        setup(world, None, 0)
        world.central.create(FORM, data=dict(plain(1), born="1987-02-30"))
        world.central.clock(advance=60)
        world.central.create(FORM, data=plain(2))
        sync(world)
        # a reject that may be about anything, of the first window
        world.session.run("ALTER TABLE odk.people ADD CHECK (free <>"
                          " 'CANARY-free-1') NOT VALID")
        set_rules(world, {"coarsen": "/seen month"})
        world.settings["central"]["retry"] = "0"
        # the rows of the second window
        world.central.script({"match": "expand=", "skip": 1, "times": -1,
                              "action": {"status": 500}})
        world.central.clock(advance=3600)
        tap.check(world.run("run", FORM).code != 0, "it was not stopped")
        tap.equal(world.session.value(privacy), "late-month /seen", "privacy")
        rejects = world.session.rows("SELECT id, path FROM odk_sync_reject")
        tap.equal(sorted(r["path"] for r in rejects), ["/born", "/free"],
                  "rejects")
        tap.equal(world.session.value("SELECT count(*) FROM odk.people WHERE"
                                      " free IS NULL AND seen < '2026-03-02'"),
                  1, "rows that are refused and obey")
        world.central.script(clear=True)
        # something to do for the tables, but not for the rows
        world.central.publish(FORM, "2", FIELDS)
        world.hurry()
        sync(world)
        tap.equal(world.session.rows("SELECT id, path FROM odk_sync_reject"),
                  rejects, "rejects")
        tap.equal(world.session.value(privacy), "month /seen", "privacy")


def test_a_purged_row_keeps_what_no_rule_is_about():
    """Its other rejects as well, which nothing would bring back; who follows
    _synced_at sees that it changed."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, None, 1)
        gone = world.central.create(FORM, data=dict(
            plain(2), born="not a date", seen="nor a time"))["id"]
        sync(world)
        purge(world, gone)
        sync(world, "--reconcile")
        before = row(world, where=f"_id = '{gone}'")
        set_rules(world, {"drop": "free", "coarsen": "/seen month"})
        sync(world)
        after = row(world, where=f"_id = '{gone}'")
        tap.check(after["_synced_at"] > before["_synced_at"], "_synced_at")
        tap.equal({k: v for k, v in before.items() if after[k] != v}.keys(),
                  {"free", "_raw", "_synced_at"}, "columns that changed")
        tap.equal([r["path"] for r in world.session.rows(
            "SELECT path FROM odk_sync_reject")], ["/born"], "rejects")


def test_rejects_of_an_earlier_job():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, None, 1)
        gone = world.central.create(FORM, data=dict(
            plain(2), born="CANARY-date"))["id"]
        sync(world)
        purge(world, gone)
        set_rules(world, ALL)
        world.jobs["renamed"] = world.jobs.pop(FORM)
        world.central.clock(advance=3600)
        world.ok("run", "renamed")
        nothing_of(world)


def test_rules_of_a_job_that_comes_back():
    """What another job of the form, which has none, wrote meanwhile obeys
    again: its own cursor does not tell of that."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"coarsen": "gps 2, way 1"})
        sync(world)
        ours = world.jobs.pop(FORM)
        world.job("other", form=FORM)
        world.ok("run", "other")
        tap.check("45432187" in dump(world), "nothing to find")
        del world.jobs["other"]
        world.jobs[FORM] = ours
        for mode in ("full", "unchanged"):
            sync(world)
            nothing_of(world, ["45432187"])
            tap.equal(json.loads(world.history()[-1]["metadata"])["mode"],
                      mode, "mode")


def test_rejects_of_tables_that_were_dropped():
    """The tables are made anew; of a purged row there was a reject."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, None, 1)
        gone = world.central.create(FORM, data=dict(
            plain(2), born="CANARY-date", person=[
                dict(plain(2)["person"][0], age="CANARY-age")]))["id"]
        sync(world)
        purge(world, gone)
        for table in ("people__person__visit", "people__person", "people"):
            world.session.run(f"DROP TABLE odk.{table} CASCADE")
        set_rules(world, ALL)
        sync(world)
        nothing_of(world)
        tap.equal(row(world)["free"], hashed("CANARY-free-1"), "hash")


def test_another_key_hashes_anew():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        ids = setup(world, {"hash": "free, _submitter"})
        sync(world)
        purge(world, ids[0])
        sync(world, "--reconcile")
        world.write("key2", "another-key-of-this-test")
        world.jobs[FORM]["hash_key_file"] = world.path("key2")
        sync(world)
        tap.equal(row(world, where=f"_id = '{ids[1]}'")["free"],
                  hashed("CANARY-free-2", "another-key-of-this-test"), "hash")
        gone = row(world, where=f"_id = '{ids[0]}'")
        tap.equal((gone["free"], gone["_submitter"]), (None, None), "purged")
        tap.check(hashed("CANARY-free-1") not in dump(world), "an old hash")


def test_a_rule_for_a_question_that_the_form_had():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world)
        sync(world)
        world.central.publish(FORM, "2", [f for f in FIELDS
                                          if f != "free:string"])
        sync(world)
        set_rules(world, {"drop": "free"})
        said = sync(world).err
        tap.check("\"drop free\" names no question of the form any more" in
                  said, said)
        nothing_of(world, ["CANARY-free"])
        tap.equal(sync(world).err, "", "told again")


def test_a_question_that_comes_back_with_a_rule():
    """Its column is filled again, but not in a row that Central has purged
    since."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        ids = setup(world)
        sync(world)
        purge(world, ids[0])
        world.central.publish(FORM, "2", [f for f in FIELDS
                                          if f != "free:string"])
        sync(world)
        world.central.publish(FORM, "3", FIELDS)
        set_rules(world, {"hash": "free"})
        sync(world)
        nothing_of(world, ["CANARY-free"])
        tap.equal(row(world, where=f"_id = '{ids[1]}'")["free"],
                  hashed("CANARY-free-2"), "hash")


def test_what_is_dropped_and_renamed_stops_the_job():
    """Nothing here tells a group that was renamed from one that is gone."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world, {"drop": "/contact"})
        sync(world)
        fields = [f for f in FIELDS if not isinstance(f, dict)
                  or "contact" not in f]
        world.central.publish(FORM, "2", fields + [{"kontakt": [
            "phone:string"]}])
        world.central.create(FORM, data=dict(plain(4), kontakt={
            "phone": "CANARY-phone-4"}))
        refused(world, {"drop": "/contact"}, "drop /contact",
                "Did you mean /kontakt?")
        nothing_of(world, ["CANARY-phone"])
        set_rules(world, {"drop": "/kontakt"})
        world.hurry()
        sync(world)
        nothing_of(world, ["CANARY-phone"])


def test_new_questions_are_no_reason_to_empty():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        ids = setup(world, {"drop": "name"})
        sync(world)
        purge(world, ids[0])
        sync(world, "--reconcile")
        world.central.publish(FORM, "2", FIELDS + [{"more": ["name:string"]}])
        world.central.create(FORM, data=dict(plain(4), more={
            "name": "CANARY-more"}))
        sync(world)
        tap.check(row(world, where=f"_id = '{ids[0]}'")["_raw"] is not None,
                  "_raw of a purged one went")
        nothing_of(world, ["CANARY-more", "CANARY-name"])


def test_only_repeats():
    """A job that has no table of submissions."""
    with odks.World() as world:
        world.job(FORM, form=FORM, tables="Submissions.person")
        ids = setup(world)
        sync(world)
        purge(world, ids[0])
        set_rules(world, {"hash": "nin", "drop": "/person/name"})
        sync(world)
        nothing_of(world, ["7700220", "CANARY-person"])


def test_all_of_a_repeat_is_hashed_late():
    """It is not dropped: of a purged submission rows without answers stay."""
    with odks.World() as world:
        world.job(FORM, form=FORM)
        ids = setup(world)
        sync(world)
        purge(world, ids[0])
        set_rules(world, {"hash": "/person"})
        sync(world)
        nothing_of(world, ["7700220", "CANARY-person", "CANARY-note"])
        tap.equal(world.session.rows(
            "SELECT _submission_id = '%s' AS gone, count(*), count(nin_v2)"
            " AS nin FROM odk.people__person GROUP BY 1 ORDER BY 1" % ids[0]),
            [{"gone": False, "count": 2, "nin": 2},
             {"gone": True, "count": 1, "nin": 0}], "persons")


def test_rules_are_those_of_a_job():
    """What one job drops, for its _raw, another one may keep in its table."""
    with odks.World() as world:
        world.job(FORM, form=FORM, tables="Submissions")
        world.job("persons", form=FORM, tables="Submissions.person")
        setup(world, {"drop": "/person"})
        world.central.clock(advance=3600)
        for _ in range(2):
            world.ok("run")
            tap.equal(world.session.value(
                "SELECT count(*) FROM odk.people__person"), 3, "persons")
            tap.check("person" not in row(world, where="free ~ '1'")["_raw"],
                      "_raw")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_column WHERE odata ~ 'person'"
            " AND retired_at IS NOT NULL"), 0, "columns out of use")


def test_entities():
    """Properties, label and creator; a rule that comes late; a purged one."""
    with odks.World() as world:
        world.job("list", kind="entities", dataset="folk")
        world.init()
        world.central.dataset("folk", ["first-name", "nin", "town"])
        ids = [world.central.entity("folk", data={
            "label": f"CANARY-label-{n}", "first_name": f"CANARY-first-{n}",
            "nin": f"CANARY-nin-{n}" if n else "", "town": "x"})["id"]
            for n in range(3)]
        world.central.clock(advance=3600)
        world.ok("run")
        world.central.entity("folk", "delete", ids[2])
        world.central.entity("folk", "purge")
        world.write("key", KEY)
        world.jobs["list"].update(drop="first-name", hash="nin, _label,"
                                  " _creator", hash_key_file=world.path("key"))
        world.central.clock(advance=3600)
        said = world.ok("doctor").out
        tap.check("drop first-name: /first-name" in said, said)
        world.ok("run")
        nothing_of(world, ["CANARY"])
        got = row(world, "folk__entity", f"_id = '{ids[1]}'")
        tap.equal((got["_label"], got["nin"], got["town"],
                   got["_raw"]["label"]),
                  (hashed("CANARY-label-1"), hashed("CANARY-nin-1"), "x",
                   hashed("CANARY-label-1")), "cells")
        tap.equal((got["_creator"], got["_raw"]["__system"]["creatorId"]),
                  (hashed("admin@example.org"), hashed("5")), "creator")
        tap.equal(row(world, "folk__entity", f"_id = '{ids[0]}'")["nin"],
                  None, "what is not set")
        gone = row(world, "folk__entity", f"_id = '{ids[2]}'")
        tap.equal((gone["_label"], gone["_raw"], gone["town"]),
                  (None, None, "x"), "what is purged")
        world.central.clock(advance=3600)
        world.ok("run", "list", "--reconcile")
        tap.equal(world.history()[-1]["records_processed"], 0, "records")


def test_it_goes_on_after_a_kill():
    """Killed at any statement: the next run ends it."""
    if not os.access(odks.SHIM, os.R_OK):
        raise tap.Skip("it needs the fault library")
    with odks.World() as world:
        world.job(FORM, form=FORM, window_rows=2)
        with_everything_stored(world)
        set_rules(world, ALL)
        world.central.clock(advance=3600)
        before = world.snapshot()
        step = int(os.environ.get("ODKS_FAULT_STEP", "149"))
        struck = 0
        for at in range(step // 2 + 1, 1000, step):
            world.restore(before)
            result = world.run("run", FORM, shim={
                "kind": "sql", "at": at, "action": "kill"})
            if result.code == 0:
                break
            struck += 1
            world.settle()
            world.hurry()
            world.ok("run", FORM)
            nothing_of(world)
        tap.check(struck > 1, f"struck {struck} times")


# -- what people see -----------------------------------------------------------

def test_doctor_and_schema_tell():
    with odks.World() as world:
        world.job(FORM, form=FORM)
        setup(world)
        sync(world)
        set_rules(world, ALL)
        said = world.ok("doctor").out
        for line in ("the key of hash can be read",
                     "drop name: /name, /person/name",
                     "drop /contact: /contact", "hash nin: /nin, /person/nin",
                     "hash _submitter: __system/submitterName",
                     "coarsen gps 2: /gps"):
            tap.check(line in said, f"no {line!r} in {said}")
        planned = world.ok("schema", "diff", FORM).out
        for words in ("UPDATE", "\"phone\" = NULL", "DELETE FROM",
                      "people__person__visit"):
            tap.check(words in planned, f"no {words!r} in {planned}")
        tap.check("CANARY-phone-1" in dump(world), "schema diff did it")
        dry = world.ok("run", FORM, "--dry-run")
        tap.check("CANARY-phone-1" in dump(world), "a dry run did it")
        tap.check("CANARY" not in dry.out + dry.err, str(dry))
        sync(world)
        shown = json.loads(world.ok("schema", "show", FORM, "--json").out)
        rules = {(r["table"], r["column"]): r["rule"] for r in shown}
        tap.equal(rules[FORM, "phone"], "drop", "phone")
        tap.equal(rules[FORM, "nin_v2"], "hash", "nin")
        tap.equal(rules[FORM, "gps_lat"], "2", "gps")
        tap.equal(rules[FORM, "born"], "year", "born")
        tap.equal(rules["people__person__visit", None], "drop", "visit")
        tap.equal(rules["people__person", "age"], None, "age")
        set_rules(world, {"drop": "/contact/fone"})
        said = world.exits(78, "doctor").out
        tap.check("there is no such question" in said
                  and "Did you mean /contact/phone?" in said, said)
        set_rules(world, {"hash": "gps"})
        tap.check("geopoint" in world.exits(78, "doctor").out, "no geopoint")
        os.unlink(world.path("key"))
        tap.check("hash_key_file" in world.exits(66, "doctor").out, "no file")


# -- and that no answer is in words ----------------------------------------------

LOUD = {"log_level": "debug"}


def silent(world, *results):
    """No answer in what the runs said, nor in the books that people read."""
    said = [str(r) for r in results]
    said += [world.ok(*args).out for args in (
        ("status",), ("history", "--json"), ("queue", "--json"), ("stats",),
        ("health",), ("status", "--json"), ("schema", "diff", FORM))]
    for table in ("status", "history", "queue", "cursor", "schema_log",
                  "column", "view", "form"):
        said.append(world.session.run(f"SELECT * FROM odk_sync_{table}"))
    for text in said:
        at = text.find("CANARY")
        tap.check(at < 0, f"an answer is told: {text[max(at - 300, 0):][:500]}")


def provoked(prepare, *codes, formats=("text", "json"), purged=False, **job):
    """A run under conditions that prepare makes says no answer, whatever
    comes of it."""
    for log_format in formats:
        with odks.World() as world:
            world.job(FORM, form=FORM, **job)
            world.settings["odk-sync"].update(LOUD, log_format=log_format)
            ids = setup(world, None, 2)
            sync(world)
            world.central.create(FORM, data=plain(3), deviceId=DEVICE)
            prepare(world)
            if purged:
                purge(world, ids[0])
            world.central.clock(advance=3600)
            world.hurry()
            result = world.run("run", FORM, "-v")
            tap.check(result.code in codes, f"not {codes}: {result}")
            tap.check(result.err != "", "nothing is said at debug level")
            world.central.script(clear=True)
            silent(world, result, world.run("doctor"))


def reject(world):
    world.central.create(FORM, data=dict(
        plain(4), born="CANARY-date", nin="CANARY-number",
        gps="CANARY-place", contact="CANARY-group", person="CANARY-rows"))


def test_rejects_are_not_told():
    provoked(reject, 0)
    provoked(reject, 65, max_rejects=1)


def test_what_the_database_refuses_is_not_told():
    def sql(*statements):
        return lambda world: world.session.run(";".join(statements))

    provoked(sql("UPDATE odk.people SET free = 'CANARY-free-3' WHERE _id ="
                 " (SELECT min(_id) FROM odk.people)",
                 "CREATE UNIQUE INDEX ON odk.people (free)"), 0)
    provoked(sql("ALTER TABLE odk.people ADD CHECK (free <>"
                 " 'CANARY-free-3')"), 0)
    provoked(sql("CREATE FUNCTION odk.cast() RETURNS trigger LANGUAGE plpgsql"
                 " AS $$ BEGIN PERFORM NEW.free::integer; RETURN NEW; END $$",
                 "CREATE TRIGGER t BEFORE INSERT ON odk.people FOR EACH ROW"
                 " EXECUTE FUNCTION odk.cast()"), 0, 65)
    provoked(sql("CREATE FUNCTION odk.say() RETURNS trigger LANGUAGE plpgsql"
                 " AS $$ BEGIN RAISE EXCEPTION 'not %', NEW.free USING DETAIL"
                 " = NEW.name, HINT = NEW.phone; END $$",
                 "CREATE TRIGGER t BEFORE INSERT ON odk.people FOR EACH ROW"
                 " EXECUTE FUNCTION odk.say()"), 0)
    # of its own choice, whatever is done to the row
    for state, codes in (("check_violation", (0, 65)), ("P0001", (0, 65)),
                         ("serialization_failure", (75,))):
        provoked(trigger("INSERT", state), *codes, formats=["text"])
        provoked(lambda world, s=state: (
            trigger("UPDATE", s)(world), set_rules(world, {"drop": "name"})),
            65 if codes[0] == 0 else codes[0], formats=["text"])
    provoked(trigger("DELETE", "23000"), 65, formats=["text"],
             purged=True, on_delete="hard")


def trigger(event, state):
    """One of the user's that tells an answer in words of its own."""
    row = "OLD" if event == "DELETE" else "NEW"
    return lambda world: world.session.run(
        "CREATE FUNCTION odk.tell() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN RAISE EXCEPTION 'not %', {row}.free USING ERRCODE ="
        f" '{state}'; END $$; CREATE TRIGGER t BEFORE {event} ON odk.people"
        " FOR EACH ROW EXECUTE FUNCTION odk.tell()")


def test_what_the_connection_loses_is_not_told():
    def kill(world):
        world.session.run(
            "CREATE FUNCTION odk.kill() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid());"
            " PERFORM pg_sleep(1); RETURN NEW; END $$;"
            "CREATE TRIGGER t BEFORE INSERT ON odk.people FOR EACH ROW"
            " EXECUTE FUNCTION odk.kill()")

    provoked(kill, 75, 79)


def test_what_central_sends_wrongly_is_not_told():
    for action, codes in (
            ({"cut": 900}, (0, 69, 75)), ({"cutClean": 900}, (0, 69, 75)),
            ({"badJson": 0}, (65, 69)), ({"html": True}, (65, 69, 76)),
            ({"status": 400, "body": json.dumps(
                {"message": "quotes our query", "code": 400.1,
                 "details": {"value": "CANARY-body"}})}, (65, 76)),
            ({"status": 500, "body": json.dumps({"message": "CANARY"})},
             (69, 75))):
        provoked(lambda world, a=action: (
            world.settings["central"].update(retry="0"),
            world.central.script({"match": "Submissions?", "times": -1,
                                  "action": a})), *codes, formats=["text"])
    provoked(lambda world: world.settings["central"].update(
        max_row_bytes=1024) or world.central.create(
            FORM, data=dict(plain(5), free="CANARY" * 1000)), 65)


if __name__ == "__main__":
    tap.main()
