# tests/integration/discover_test.py - SPDX-License-Identifier: Apache-2.0
"""What `odk-sync discover` prints is a configuration that loads as it stands
and mirrors these forms and datasets, whatever their ids are."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import oracle  # noqa: E402
import tap  # noqa: E402

EVIL = "x\nevery = 1m\n[job evil]\nkind = command\ncommand = touch evil\n;"

HOSTILE = [
    EVIL, "tab\there", "cr\rhere", "esc\x1b[31m", "del\x7f", "c1\u009b31m",
    "bidi\u202egnp.exe", "iso\u2066x\u2069", "line\u2028sep", "bom\ufeff",
    "%41", "A", "100%", "%", "%2A", "*", "a*", "?", "[a]", "a]b", "[job x]",
    "x ; y", "; z", "#hash", "x # y", "${HOME}", "$${HOME}", "$", "\\", "a\\b",
    " lead", "trail ", "two  spaces", "\"quoted\"", "'single'", "a = b", "=",
    "日本語", "Обход", "नमस्ते", "e\u0301", "\u00e9", "a\u3000b", "\u00a0",
    "Water Points", "water-points", "water_points", "WATER.POINTS",
    "a" * 64, "b" * 63 + "c", "b" * 63 + "d", "語" * 64, "😀" * 64,
    "household__person", "v_household", "household_pkey", "v_simple_choices",
    "odk_sync_status", "select", "_id", "1st", ".", "/", "a/b", "a?b#c&d=e",
    "long id " + "word " * 50 + "end", "x" * 300, "main", "central",
]
TITLES = ["title\n[job evil]\nkind = command\ncommand = touch evil",
          "t" * 500, "\u202etitle\x1b[2J", "é" * 300]


def sections(text):
    """[job] sections of what was printed: name -> settings."""
    return {m.group(1): m.group(2) for m in re.finditer(
        r"(?m)^\[job (.*)\]\n((?:[^;\[\n].*\n|\n(?! *;))*)", text)}


def publish_all(world):
    """Each form gets one submission of its own."""
    for i, form in enumerate(HOSTILE):
        world.central.publish(form, "1", ["a:string"],
                              name=TITLES[i % len(TITLES)])
        world.central.create(form, count=1, seed=i)
    world.central.clock(advance=3600)


def append(world, text):
    """Let the program use what was printed, behind its own configuration."""
    file = world.write("found.ini", open(world.configure(),
                                         encoding="utf-8").read() + text)
    return {"ODK_SYNC_CONFIG": file}


def test_hostile_ids_load_and_mirror_exactly_these_forms():
    with odks.World() as world:
        world.job("central_job", form="household")
        world.job("main", form="simple")
        world.settings["database"]["schema"] = "public"
        world.init()
        publish_all(world)
        out = world.ok("discover").out
        for i, line in enumerate(out.splitlines()):
            tap.check(len(line.encode()) <= 198, f"line {i}: {line}")
            tap.check(line.isprintable(), repr(line))
        found = sections(out)
        names = list(found)
        tap.equal(len(set(names)), len(names), "one section for each name")
        tap.check(all(len(("job " + name).encode()) <= 49 for name in names),
                  "names are short enough")
        tap.check("evil" not in names and "main" not in names, str(names))
        env = append(world, out)
        conf = json.loads(world.ok("config", "--json", env=env).out)
        tap.equal({job["kind"]["value"] for job in conf["job"].values()},
                  {"submissions"}, "kinds")
        dry = world.ok("run", "--dry-run", "z", "home", env=env).out
        tap.equal(dry.count("would insert 1,"), 2, dry)
        result = world.run("run", env=env, timeout=600)
        tap.check(result.code == 0, str(result)[:3000])
        tap.check(not os.path.exists(world.path("evil")), "a command ran")
        for form in HOSTILE:
            world.compare(form)


def test_what_wants_the_same_table_gets_one_of_its_own():
    """The same id in two projects, ids that fold together, and datasets."""
    with odks.World() as world:
        world.job("list", kind="entities", dataset="known")
        world.init()
        for form in ("Water Points", "water-points"):
            world.central.publish(form, "1", ["a:string"])
        world.central.publish("household", "1", ["a:string"], project=2)
        world.central.create("household", count=2, seed=3, project=2)
        for name in ("known", "people", "per cent %41", "日本語"):
            world.central.dataset(name, ["age"])
            world.central.entity(name, data={"label": name, "age": "1"})
        world.central.publish("people", "1", [{"entity[]": ["a:string"]}])
        world.central.create("people", count=2, seed=4)
        world.central.clock(advance=3600)
        out = world.ok("discover").out
        found = sections(out)
        tap.check({"water_points", "water_points_2", "household",
                   "household_2"} <= set(found), out)
        tap.check("; [job list] mirrors it already\n" in out, out)
        tap.check("dataset = known" not in out, out)
        world.ok("run", env=append(world, out), timeout=600)
        for form in ("Water Points", "water-points", "people"):
            world.compare(form)
        world.compare("household")
        world.compare("household", project=2)
        for name in ("known", "people", "per cent %41", "日本語"):
            tap.equal(oracle.entities(world.central, world.session, name),
                      [], name)
        tap.equal(found, sections(world.ok("discover").out), "it is stable")


def test_nothing_is_printed_for_what_the_file_mirrors():
    with odks.World() as world:
        world.init()
        out = world.ok("discover").out
        again = world.ok("discover", env=append(world, out)).out
        tap.check(sections(out) and not sections(again), again)
        world.job("all", form="*", exclude="simple")
        out = world.ok("discover").out
        tap.equal(set(sections(out)), {"simple", "secret"},
                  "what form = * leaves out")


def test_an_id_that_cannot_be_written_is_left_out():
    with odks.World() as world:
        world.central.script({
            "match": "projects/1/forms", "times": 1, "action": {
                "status": 200,
                "body": json.dumps([
                    {"xmlFormId": x, "name": "n", "publishedAt": "2026"}
                    for x in ("nul\0evil", "z" * 1100, "", "fine", 7)])}})
        out = world.ok("discover").out
        tap.equal(list(sections(out)), ["secret", "fine"], out)
        tap.equal(out.count("left out: "), 4, out)


def test_answers_of_another_kind_end_in_a_message():
    for path in ("v1/projects", "projects/1/forms", "projects/1/datasets"):
        for body in ('{"a": [1]}', "[1]", "[[]]", '"x"') + (
                ('[{"name": "x"}]', '[{"id": "1"}]', '[{"id": 0}]')
                if path == "v1/projects" else ()):
            with odks.World() as world:
                world.central.script({"match": path, "times": 1, "action": {
                    "status": 200, "body": body}})
                result = world.exits(76, "discover")
                tap.check("does not answer like ODK Central" in result.err,
                          result.err)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
