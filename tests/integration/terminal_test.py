# tests/integration/terminal_test.py - SPDX-License-Identifier: Apache-2.0
"""No command prints a character that a terminal acts on, whoever chose the
text: forms, labels, servers, other programs, the configuration, the caller."""

import json
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402
import xform  # noqa: E402

# C0 but newline and tab, DEL, C1, marks and overrides of direction, line
# separators, the byte order mark; U+FFFD is what is not UTF-8
FORBIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f"
                       "\u2028-\u202e\u2060-\u206f\ufeff\ufffd]")
ESCAPED = re.compile(r"\\x9b|\\xc2\\x9b|\\u009b")
# a configuration file and XML may contain it
C1 = "a\u009b2J\u202e\u2066\u2028b"
ALL = "\x1b[31m\x07\r\x7f" + C1
TYPE = "evil" + C1


def prepare(world):
    form = [xform.q("place", C1, "select", "places"), xform.q("note", "N")]
    world.central.publish(
        ALL, "1", xform.fields(form), name=ALL,
        xml=xform.xform("id", "1", form, title=C1,
                        lists={"places": {"x": C1}}))
    world.central.create(ALL, count=2, seed=1)
    world.central.clock(advance=3600)
    world.job(TYPE, form=urllib.parse.quote(ALL, safe=""), table="t" + C1)
    world.job("plain", form="simple")
    world.job("shell", kind="command", command=": " + C1, project=None)
    world.init()


def write_as_another_program(session):
    """Any program that tracks its work writes what it likes."""
    evil = "E'\\x1b]0;x\\x07\\r\\n\\x7f\\u009b2J\\u202e\\u2028'"
    session.run(
        "INSERT INTO odk_sync_history (sync_type, status, error_message,"
        " metadata, service_instance)"
        f" VALUES ({evil}, 'error', {evil}, {evil}, {evil})")
    session.run(
        "INSERT INTO odk_sync_status (sync_type, last_sync_status,"
        " last_error_message, failed_sync_count,"
        " last_attempt_timestamp, last_sync_timestamp)"
        f" VALUES ({evil}, 'error', {evil}, 9, now(), now())")
    session.run(
        "INSERT INTO odk_sync_queue (sync_type, state, last_error, failures)"
        f" VALUES ({evil}, 'dead', {evil}, 9)")


def check(result, expects_escape):
    for name, text in (("stdout", result.out), ("stderr", result.err)):
        found = FORBIDDEN.search(text)
        tap.check(found is None, f"{name} of {result.args!r} has"
                  f" {found and found.group()!r}: {text!r}")
    if expects_escape:
        tap.check(ESCAPED.search(result.out + result.err),
                  f"nothing hostile to see: {result}")


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


# with what has to appear in an escaped form, and where nothing does
SHOWS = [
    ["config"], ["discover"], ["doctor"], ["status"], ["history"], ["queue"],
    ["health"], ["stats"], ["history", ALL], ["schema", "show", TYPE],
    ["schema", "show", ALL], ["enqueue", ALL], ["cancel", ALL],
    ["retry", ALL], ["pause", ALL], ["resume", ALL], ["forget", TYPE],
    ["get", ALL], ["set", ALL, "2024-01-01"], ["set", "plain", ALL],
    ["import-state", ALL], ["export-state", ALL], ["run", ALL], [ALL],
    ["help", ALL], ["status", "--" + ALL], ["status", "--config", ALL],
    ["exec", "type", "--", "./" + ALL],
]
QUIET = [["init"], ["init", "--check"], ["init", "--print"], ["prune"],
         ["--help"]]


def test_every_command():
    with odks.World() as world:
        prepare(world)
        before = [["schema", "diff", TYPE], ["run", TYPE, "--dry-run"],
                  ["run", "shell", "--dry-run"]]
        for args in before:
            for more in ([], ["--json"]):
                check(world.run(*args, *more), True)
        check(world.ok("run", "-vv"), True)
        write_as_another_program(world.session)
        for args in SHOWS + QUIET:
            for more in ([], ["--json"], ["--log-format=json"]):
                result = world.run(args[0], *more, *args[1:])
                no_option = more == ["--json"] and result.code == 64
                check(result, args in SHOWS and not no_option)
                if more == ["--json"] and result.code == 0 and args in SHOWS:
                    tap.check(_is_json(result.out), str(result))


def test_every_command_is_here():
    with odks.World() as world:
        text = world.ok("--help").out
        listed = text[text.index("Commands:"):text.index("\nOptions")]
        known = {args[0] for args in SHOWS + QUIET}
        for line in listed.splitlines()[1:]:
            name = line.split()[0]
            tap.check(name in known | {"schema", "run"}, name)


def test_what_a_server_says():
    with odks.World() as world:
        prepare(world)
        for body in ({"code": 409.1, "message": ALL}, {"message": [ALL]}, ALL):
            world.central.script({"match": "/v1/", "times": 1, "action": {
                "status": 409, "headers": {"Content-Type": "application/json"},
                "body": json.dumps(body)}})
            check(world.run("run", "plain"), False)
            check(world.run("status"), True)
        world.central.script({"match": "/v1/", "times": 1, "action": {
            "status": 200, "body": "\x1b[2J\u009b\u202e not JSON"}})
        check(world.run("run", "plain", "--log-format=json"), False)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
