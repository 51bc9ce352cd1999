# tests/integration/trackschema_test.py - SPDX-License-Identifier: Apache-2.0
"""Another role may create in the tracking schema: nothing of what it makes
there is ever called by odk-sync."""

import contextlib
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

# Arguments of our SQL have one of these types, or are literals without one.
TYPES = ("text", "varchar", "name", "int", "bigint", "smallint", "float8",
         "numeric", "timestamptz", "interval", "jsonb", "json", "boolean",
         "oid", "regclass", "text[]", "anyelement")
PAIRED = TYPES[:-2]  # as left and right argument of an operator

# Each trap counts where no rollback reaches, then fails.
TRAP = """
    LANGUAGE plpgsql AS $trap$ BEGIN
        PERFORM pg_catalog.nextval('track.caught');
        RAISE EXCEPTION 'a trap was called as %', current_user;
    END $trap$"""

SET_TRAPS = """
DO $do$
DECLARE
    f record;
    t text;
    i int;
BEGIN
    -- each argument of each function replaced by each type, in turn
    FOR f IN
        SELECT DISTINCT p.proname, p.pronargs, a.args
        FROM pg_catalog.pg_proc p
        CROSS JOIN LATERAL (SELECT ARRAY(
            SELECT CASE WHEN y.typtype = 'p' OR y.typname = 'unknown'
                THEN 'text' ELSE format_type(u, NULL) END
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS x (u, n)
            JOIN pg_catalog.pg_type y ON y.oid = u
            ORDER BY n) AS args) a
        WHERE (p.pronamespace = 'pg_catalog'::regnamespace
                AND p.proname = ANY ('{names}') AND p.pronargs <= 5
            OR p.pronamespace = 'track'::regnamespace
                AND p.proname ^@ 'odk_sync_')
    LOOP
        FOR i IN 1 .. greatest(f.pronargs, 1) LOOP
            FOREACH t IN ARRAY '{types}'::text[] LOOP
                IF f.pronargs > 0 THEN
                    f.args[i] := t;
                END IF;
                BEGIN
                    EXECUTE format('CREATE FUNCTION track.%I(%s)'
                        ' RETURNS text {trap}', f.proname,
                        array_to_string(f.args, ', '));
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END LOOP;
        END LOOP;
    END LOOP;
    -- every operator between every two types
    FOR f IN
        SELECT l, r FROM unnest('{paired}'::text[]) l,
            unnest('{paired}'::text[]) r
    LOOP
        EXECUTE format('CREATE FUNCTION track.trap(%s, %s) RETURNS boolean'
            ' {trap}', f.l, f.r);
        FOR t IN SELECT DISTINCT oprname FROM pg_catalog.pg_operator
            WHERE oprname = ANY ('{operators}')
        LOOP
            EXECUTE format('CREATE OPERATOR track.%s (LEFTARG = %s,'
                ' RIGHTARG = %s, FUNCTION = track.trap)', t, f.l, f.r);
        END LOOP;
    END LOOP;
END $do$
"""


def our_sql():
    """All that the program may send, and more."""
    text = ""
    for pattern in ("sql/*/*.sql", "lib/*/*.c", "jobs/*.c", "bin/*.c"):
        for name in sorted(glob.glob(os.path.join(TOP, pattern))):
            with open(name, encoding="utf-8") as file:
                text += file.read()
    return text


def quote_array(words):
    return "{" + ",".join('"' + word + '"' for word in sorted(words)) + "}"


def become_mallory(session):
    """A role that may create in the schema, and nothing else; its name."""
    name = "mallory_" + session.value("SELECT current_database()")
    session.run(f"CREATE ROLE {name};"
                f" GRANT USAGE, CREATE ON SCHEMA track TO {name}")
    session.run(f"SET ROLE {name}; CREATE SEQUENCE track.caught;"
                " GRANT USAGE ON SEQUENCE track.caught TO PUBLIC")
    return name


def set_traps(session):
    text = our_sql()
    names = set(re.findall(r"\b([a-z_0-9]+)\(", text))
    operators = set(re.findall(r"(?<=[\s\w)])([-+*/<>=~!@#%^&|?]{1,3})"
                               r"(?=[\s\w('$])", text)) - {"=>", "--", "/*"}
    sql = SET_TRAPS
    for key, value in {"names": quote_array(names),
                       "types": quote_array(TYPES),
                       "paired": quote_array(PAIRED),
                       "operators": quote_array(operators),
                       "trap": TRAP.replace("'", "''").replace("%", "%%")
                       }.items():
        sql = sql.replace("{" + key + "}", value)
    become_mallory(session)
    session.run(sql)
    session.run("RESET ROLE")
    for catalog, column in (("pg_proc", "pronamespace"),
                            ("pg_operator", "oprnamespace")):
        made = session.value(f"SELECT count(*) FROM {catalog}"
                             f" WHERE {column} = 'track'::regnamespace")
        tap.check(made > 1000, f"only {made} in {catalog}")


def nothing_was_caught(session):
    tap.check(not session.value("SELECT is_called FROM track.caught"),
              "a function of another role was called")


SAFE_PATH = "search_path=pg_catalog, pg_temp"


def paths(session):
    """The search_path of each function that is not of the other role."""
    return {row["path"] for row in session.rows(
        "SELECT coalesce(s.path, '') AS path FROM pg_proc p LEFT JOIN LATERAL"
        " (SELECT c AS path FROM unnest(p.proconfig) c"
        " WHERE c ^@ 'search_path=') s ON true"
        " WHERE p.pronamespace = 'track'::regnamespace"
        " AND pg_get_userbyid(p.proowner) NOT LIKE 'mallory%'")}


def install(session, before):
    session.run("CREATE SCHEMA track; BEGIN;"
                " SET LOCAL search_path = track, pg_temp")
    for version, name, text, checksum in odks.migrations("track"):
        if version < before:
            session.run(f"{text}; INSERT INTO odk_sync_schema (version, name,"
                        f" checksum) VALUES ({version}, '{name}',"
                        f" '{checksum}')")
    session.run("COMMIT")


@contextlib.contextmanager
def new_world(before=None):
    """With tables in which a program with the migrations before that number
    made some."""
    with odks.World() as world:
        world.settings["database"] = {"tracking_schema": "track",
                                      "schema": "odk"}
        world.job("form", form="household")
        world.job("people", kind="entities", dataset="people")
        world.jobs["own"] = {"kind": "sql", "sql_file": world.write(
            "own.sql", "CREATE TABLE IF NOT EXISTS odk.own (n int);"
            "INSERT INTO odk.own SELECT 1;")}
        world.central.dataset("people", ["age"])
        world.central.entity("people", data={"label": "A", "age": "1"})
        world.central.create("household", count=4)
        if before is None:
            world.ok("init")
        else:
            install(world.session, before)
        try:
            yield world
        finally:
            mallory = "mallory_" + world.database
            world.session.run(
                "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles"
                f" WHERE rolname = '{mallory}') THEN"
                f" DROP OWNED BY {mallory} CASCADE;"
                f" DROP ROLE {mallory}; END IF; END $$")


def use_everything(world):
    """Every command that talks to the database."""
    world.ok("init")
    world.ok("init", "--check")
    world.ok("run")
    world.central.clock(advance=3600)
    world.central.create("household", count=2)
    world.central.entity("people", data={"label": "B", "age": "2"})
    world.ok("run")
    world.ok("run", "--full", "form")
    world.ok("run", "--reconcile", "form", "people")
    world.ok("run", "--dry-run", "form")
    tap.equal(world.session.value("SELECT count(*) FROM odk.household"), 6)
    world.ok("enqueue", "form")
    world.ok("enqueue", "form", "--at", "2030-01-01T00:00:00Z")
    world.ok("enqueue", "form")
    world.ok("queue")
    world.ok("retry", "form")
    world.ok("pause", "form")
    world.ok("resume", "form")
    world.ok("cancel", "form")
    world.ok("exec", "other", "--", "true")
    for command in (("status",), ("status", "--json"), ("history",),
                    ("stats",), ("health",), ("get", "form"),
                    ("export-state", "form"), ("schema", "show", "form"),
                    ("schema", "diff", "form"), ("prune",)):
        world.ok(*command)
    world.ok("set", "form", "2030-01-01T00:00:00Z")
    world.ok("doctor")
    for view in ("current_status", "recent_attempts", "failed_syncs",
                 "hourly_performance", "refused"):
        world.session.rows(f"SELECT * FROM track.odk_sync_{view}")
    del world.jobs["own"]
    world.ok("forget", "own")


def test_no_trap_is_called():
    with new_world() as world:
        set_traps(world.session)
        use_everything(world)
        nothing_was_caught(world.session)


def test_upgrade():
    """From functions with the tracking schema in their path."""
    with new_world(before=14) as world:
        tap.check(paths(world.session) != {SAFE_PATH}, "they have it")
        set_traps(world.session)
        use_everything(world)
        nothing_was_caught(world.session)
        tap.equal(paths(world.session), {SAFE_PATH})


def test_a_function_that_makes_calls_ambiguous():
    """It does not run, and doctor tells how to be rid of it."""
    with new_world() as world:
        mallory = become_mallory(world.session)
        world.session.run("CREATE FUNCTION track.odk_sync_start(text, text,"
                          f" int DEFAULT 1) RETURNS int {TRAP}")
        world.session.run("RESET ROLE")
        said = world.exits(78, "run").err
        tap.check('"odk-sync doctor" names it' in said, said)
        said = world.run("doctor").out
        tap.check(f"was made by role {mallory}, not by odk-sync" in said, said)
        world.session.run(re.search(r"DROP FUNCTION .*;", said).group())
        world.ok("run")
        nothing_was_caught(world.session)


def test_warnings():
    """With the statement that helps, word for word."""
    with new_world() as world:
        for grantee in ("PUBLIC", f'"mallory_{world.database}"'):
            if grantee != "PUBLIC":
                world.session.run(f"CREATE ROLE {grantee}")
            tap.check("REVOKE CREATE" not in world.ok("doctor").out)
            world.session.run(f"GRANT CREATE ON SCHEMA track TO {grantee}")
            said = world.ok("init").err
            statement = re.search(r"REVOKE CREATE ON SCHEMA .*;", said)
            tap.check(statement is not None, said)
            tap.check(statement.group() in world.ok("doctor").out)
            world.session.run(statement.group())
            tap.check("REVOKE CREATE" not in world.ok("init").err)


def test_odd_names():
    """A name that has to be quoted, inside a function, too."""
    with odks.World() as world:
        world.settings["database"] = {"tracking_schema": "it's \"x\" $ {schema}",
                                      "schema": "odk"}
        world.job("form", form="household")
        world.central.create("household", count=2)
        world.ok("init")
        world.ok("run")
        world.ok("health")
        tap.equal(world.session.value("SELECT count(*) FROM odk.household"), 2)


def test_refused_name():
    with odks.World() as world:
        world.settings["database"] = {"tracking_schema": "a$$b"}
        world.job("form", form="household")
        said = world.exits(78, "init").err
        tap.check("more than one $" in said, said)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
