# tests/integration/secrets_test.py - SPDX-License-Identifier: Apache-2.0
"""Passwords reach neither the output of any command nor other programs."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

SECRET = "gehe/im%41@x"
COMMANDS = [["config"], ["config", "--json"], ["status"], ["doctor"],
            ["run", "-vv"], ["init", "--check"], ["discover"],
            ["run", "--log-format=json"]]
STRINGS = [f"postgresql://u:{SECRET}@h/db", f"postgres://u:{SECRET}@h:x/db",
           "postgresql://h/db?pass%77ord=gehe/im",
           "host=h user=u password='gehe/im' dbname=db",
           "host=h password = gehe/im", "host=h Password=gehe/im x"]


def check_hidden(result):
    for text in (result.out, result.err):
        tap.check("gehe" not in text, str(result))


def test_connection_strings_are_refused_and_not_shown():
    with odks.World() as world:
        for text in STRINGS:
            world.settings["database"]["dbname"] = text
            for args in COMMANDS:
                result = world.run(*args)
                check_hidden(result)
                tap.equal(result.code, 78, str(result))
                tap.check("password_file" in result.err + result.out,
                          str(result))
        del world.settings["database"]["dbname"]
        world.settings["database"]["host"] = STRINGS[0]
        check_hidden(world.exits(78, "config"))
        world.settings["database"].update(host=None, dbname=None)
        for name in ("PGDATABASE", "PGHOST"):
            for text in STRINGS:
                check_hidden(world.exits(78, "status", env={name: text}))


def test_an_address_with_a_password():
    with odks.World() as world:
        for url in (f"https://u:{SECRET}@h", "http://gehe:im@127.0.0.1"):
            world.settings["central"]["url"] = url
            for args in (["config"], ["run"], ["doctor"]):
                result = world.exits(78, *args)
                check_hidden(result)
                tap.check("it holds a user or password" in result.err
                          or "password_file" in result.err + result.out,
                          str(result))


def test_passwords_in_options():
    with odks.World() as world:
        world.job("main", form="simple")
        options = "-c app.password=gehe/im -c work_mem=8MB"
        world.settings["database"]["options"] = options
        world.init()
        for args in COMMANDS:
            result = world.ok(*args)
            check_hidden(result)
        tap.check("options = ***" in world.ok("config").out, "config")
        tap.check("8MB" in world.ok(
            "config", env={"ODK_SYNC_DATABASE_OPTIONS": "-c work_mem=8MB"}
        ).out, "other options are shown")
        for text in ("--password=gehe/im",
                     "password=gehe\\ im", "-c x.secret_key=gehe -c y",
                     "-c app.password=gehe -c work_mem=gehe"):
            world.settings["database"]["options"] = text
            for args in (["status"], ["run"], ["doctor"], ["config"]):
                check_hidden(world.run(*args))


def test_programs_get_no_passwords():
    given = {"ODK_SYNC_CENTRAL_PASSWORD": "geheim", "PGPASSWORD": "geheim",
             "OWN_SECRET": "geheim", "PGPASSFILE": "/a/file", "OTHER": "is"}
    with odks.World() as world:
        world.settings["central"].update(password_file=None)
        world.settings["database"].update(password="${OWN_SECRET}")
        world.job("shell", kind="command", command="env >&2; echo $OTHER >&2",
                  project=None)
        world.ok("init", env=given)
        for args in (["exec", "type", "--", "env"], ["run", "shell"]):
            result = world.ok(*args, env=given)
            names = {line.split("=")[0]
                     for line in (result.out + result.err).splitlines()}
            tap.check("geheim" not in result.out + result.err, str(result))
            tap.check({"PGPASSFILE", "OTHER", "SYNC_TYPE"} <= names,
                      str(result))
            tap.check(not names & {"PGPASSWORD", "OWN_SECRET",
                                   "ODK_SYNC_CENTRAL_PASSWORD"}, str(result))


def test_export_follows_no_link_to_nothing():
    with odks.World() as world:
        world.job("main", form="simple")
        world.init()
        world.ok("run")
        world.ok("set", "main", "2024-01-15T10:30:00Z")
        os.symlink(world.path("elsewhere"), world.path("last"))
        result = world.exits(73, "export-state", "main", "-o", "last")
        tap.check("is a link to a file that is not there" in result.err,
                  str(result))
        tap.check(os.path.islink(world.path("last")), "the link")
        tap.check(not os.path.exists(world.path("elsewhere")), "the target")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
