# tests/integration/adopt_test.py - SPDX-License-Identifier: Apache-2.0
"""The tables of the Python service become ours: no row, no grant and nothing
else that hangs on them is lost, and the service goes on with them."""

import contextlib
import difflib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import oldtables  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"
TYPE = "main_submissions"
TABLES = ("odk_sync_status", "odk_sync_history")
OUR_INDEXES = ("odk_sync_history_time", "odk_sync_history_type_time")
EQUAL = ("metadata", "sync_metadata")

# All that must be the same before and after, by names.
THINGS = """
SELECT 'relation' AS what, c.relname AS name, c.oid::text AS oid,
    c.relacl::text AS grants, c.relowner::regrole::text AS owner
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
    AND c.relkind IN ('r', 'v', 'S', 'i')
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname, a.attnum::text,
    a.attacl::text, NULL
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
    AND c.relkind IN ('r', 'v')
UNION ALL
SELECT 'trigger', tgname, oid::text, tgenabled::text, tgrelid::text
FROM pg_trigger
UNION ALL
SELECT 'rule', ev_class::regclass || '.' || rulename, oid::text, pg_get_ruledef(oid),
    ev_enabled::text || ev_class
FROM pg_rewrite WHERE ev_class::regclass::text !~ '[.]'
UNION ALL
SELECT 'constraint', conname, oid::text, pg_get_constraintdef(oid),
    conrelid::text
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
"""


@contextlib.contextmanager
def new_world(variant=None, schema="public", people=True):
    """A world with the tables of a variant, filled, unless it is None."""
    role = None
    try:
        with odks.World() as world:
            world.job(TYPE, form=FORM)
            world.settings["database"]["tracking_schema"] = schema
            world.session.run(f"CREATE SCHEMA IF NOT EXISTS {schema};"
                              f" SET search_path = {schema}")
            if variant is not None:
                world.session.run(oldtables.VARIANTS.get(variant, variant))
                for table in TABLES:
                    if world.session.run(f"SELECT to_regclass('{table}')"):
                        oldtables.fill(world.session, table)
                if people:
                    role = world.database
                    oldtables.hang_on(world.session, role)
            yield world
    finally:
        if role is not None:
            for name in oldtables.ROLES:
                pg.server().run(f"DROP ROLE IF EXISTS {role}_{name}")


def things(world):
    return {(t["what"], t["name"]): t for t in world.session.rows(THINGS)}


def rows(world):
    """{table: [row]} with the rows of a table in the order of its key."""
    return {table: world.session.rows(f"SELECT * FROM {table} ORDER BY"
                                      f" {'id' if key else 'sync_type'}")
            for key, table in enumerate(TABLES)}


def kept(table, old, new):
    """The old row as it has to be in the new table."""
    wanted = {**new, **old}
    for name in wanted:
        if name.endswith("_sync_count"):
            wanted[name] = old.get(name) or 0
    if table == "odk_sync_history":
        text = old.get("metadata")
        text = old.get("sync_metadata") if text is None else text
        wanted.update(dict.fromkeys(EQUAL, text))
    return wanted


def compare(world, before, things_before):
    after = rows(world)
    for table in TABLES:
        tap.equal(len(after[table]), len(before[table]), table)
        for old, new in zip(before[table], after[table]):
            tap.equal(new, kept(table, old, new), table)
    now = things(world)
    for key, thing in things_before.items():
        if key[1] in OUR_INDEXES:  # made anew
            thing = {**thing, "oid": now[key]["oid"]}
        tap.equal(now.get(key), thing, str(key))


def dump(world, *options):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    done = subprocess.run(
        [pg.find_tool("pg_dump"), "-h",
         os.environ.get("PGHOST_DIRECT", os.environ["PGHOST"]), "-p",
         os.environ.get("PGPORT_DIRECT", os.environ["PGPORT"]), "-U",
         "postgres", *options, world.database],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=env, check=False, encoding="utf-8")
    tap.check(done.returncode == 0, done.stdout)
    return [line for line in done.stdout.splitlines()
            if not line.startswith(("\\restrict", "\\unrestrict"))]


def same(got, wanted, what):
    lines = list(difflib.unified_diff(wanted, got, "wanted", "got",
                                      lineterm="", n=1))
    tap.check(not lines, what + ":\n" + "\n".join(lines[:50]))


def by_init(world):
    world.ok("init")


def by_hand(world):
    """What an administrator does with the printed SQL, without a program."""
    script = world.ok("init", "--print").out
    with pg.Session(world.database) as session:
        session.run(script)


def insert_as_of_old(world, column):
    """The statements of the service: start, then complete; the row."""
    session = world.session
    session.run(f"SET ROLE {world.database}_service")
    try:
        key = session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status,"
            " records_processed, duration_seconds, error_message,"
            f" {column}, service_instance) VALUES ('{TYPE}', now(),"
            " 'in_progress', NULL, NULL, NULL, NULL, 'web-7-12')"
            " RETURNING id").split()[0]
        session.run(
            "UPDATE odk_sync_history SET status = 'success',"
            " records_processed = 5, duration_seconds = 1,"
            f" {column} = '{{\"total_fetched\": 5}}' WHERE id = {key};"
            "UPDATE odk_sync_status SET last_sync_status = 'success',"
            " successful_sync_count = successful_sync_count + 1,"
            f" updated_at = now() WHERE sync_type = '{TYPE}'")
    finally:
        session.run("RESET ROLE")
    (row,) = session.rows(f"SELECT * FROM odk_sync_history WHERE id = {key}")
    return row


def side_by_side(world):
    """The service writes as it did, and we sync; both can read it."""
    for column in EQUAL:
        row = insert_as_of_old(world, column)
        tap.equal([row[name] for name in EQUAL],
                  ['{"total_fetched": 5}'] * 2, column)
    before = status(world)
    world.central.create(FORM, count=6, seed=1)
    world.central.clock(advance=3600)
    world.ok("run")
    world.compare(FORM)
    ours, after = world.history()[-1], status(world)
    tap.equal(ours["status"], "success", "our attempt")
    tap.equal(ours["metadata"], ours["sync_metadata"], "our metadata")
    tap.equal(json.loads(ours["sync_metadata"])["counts"]["table"], 6, "counts")
    tap.check(None not in (ours["sync_timestamp"], ours["duration_seconds"],
                           ours["service_instance"]), ours)
    tap.equal(after["successful_sync_count"],
              before["successful_sync_count"] + 1, "successes")
    tap.equal(after["created_at"], before["created_at"], "created_at")
    for command in ("status", "history", "queue", "doctor"):
        world.ok(command)


def status(world):
    (row,) = world.session.rows("SELECT * FROM odk_sync_status"
                                f" WHERE sync_type = '{TYPE}'")
    return row


def adopt_variant(variant, adopt, schema="public"):
    with new_world(variant, schema) as world:
        before, hung = rows(world), things(world)
        adopt(world)
        compare(world, before, hung)
        tap.equal(world.session.rows("SELECT * FROM written"), [],
                  "what their triggers and rules did")
        once = dump(world)
        adopt(world)
        by_init(world)
        same(dump(world), once, "the second time")
        tap.equal(world.ok("init", "--check").out,
                  "the tables are as they should be\n", "--check")
        if adopt is by_init or variant == "code":
            side_by_side(world)


def make_test(variant, adopt):
    return (f"test_{variant}_{adopt.__name__}",
            lambda: adopt_variant(variant, adopt))


VARIANT_TESTS = [make_test(variant, adopt) for variant in oldtables.VARIANTS
                 for adopt in (by_init, by_hand)]



# -- what else may be found ---------------------------------------------------

def test_another_schema():
    adopt_variant("code", by_init, "tracking")


def test_one_of_the_two():
    for table in TABLES:
        with new_world(oldtables.CODE + f"DROP TABLE {table}",
                       people=False) as world:
            (other,) = set(TABLES) - {table}
            before = world.session.rows(f"SELECT * FROM {other} ORDER BY 1")
            world.ok("init")
            after = world.session.rows(f"SELECT * FROM {other} ORDER BY 1")
            for old, new in zip(before, after):
                tap.equal(new, kept(other, old, new), other)
            world.session.run(f"CREATE ROLE {world.database}_service SUPERUSER")
            try:
                world.ok("run")
                side_by_side(world)
            finally:
                world.session.run(f"DROP ROLE {world.database}_service")


def test_metadata_is_filled_from_each_other():
    with new_world(oldtables.BOTH, people=False) as world:
        world.session.run(
            "UPDATE odk_sync_history SET metadata = NULL WHERE id % 3 = 0;"
            "UPDATE odk_sync_history SET sync_metadata = NULL"
            " WHERE id % 3 = 1;"
            "UPDATE odk_sync_history SET metadata = 'a', sync_metadata = 'b'"
            " WHERE id = 2")
        before = rows(world)["odk_sync_history"]
        world.ok("init")
        after = rows(world)["odk_sync_history"]
        tap.equal((after[1]["metadata"], after[1]["sync_metadata"]),
                  ("a", "b"), "what differed")
        for old, new in zip(before[2:], after[2:]):
            tap.equal(new, kept("odk_sync_history", old, new), "row")


def test_statuses_of_their_own():
    with new_world(oldtables.CODE, people=False) as world:
        world.session.run(
            f"UPDATE odk_sync_status SET last_sync_status = 'paused by Ada'"
            f" WHERE sync_type = '{TYPE}'")
        before, hung = rows(world), things(world)
        world.ok("init")
        compare(world, before, hung)
        # a check would stand in the way of any change of that row
        world.session.run("UPDATE odk_sync_status SET updated_at = now()")
        tap.equal(world.session.rows(
            "SELECT conname AS name FROM pg_constraint WHERE contype = 'c'"
            " AND conname ~ '^odk_sync_(status|history)_'"),
            [{"name": "odk_sync_history_status_check"}], "checks")
        world.ok("run")


CHECKED = """\
create schema odk
public.odk_sync_history: add column metadata
public.odk_sync_history: default of column sync_timestamp is now()
public.odk_sync_status: default of column last_attempt_timestamp is now()
public.odk_sync_status: default of column last_sync_status is 'pending'
public.odk_sync_status: default of column successful_sync_count is 0
public.odk_sync_status: default of column failed_sync_count is 0
public.odk_sync_status: default of column created_at is now()
public.odk_sync_status: default of column updated_at is now()
public.odk_sync_history: fill metadata and sync_metadata from each other
public.odk_sync_history: check status, unless it has other values
public.odk_sync_status: check last_sync_status, unless it has other values
public.odk_sync_history: say what it is for
public.odk_sync_history: index it by time; keep metadata and sync_metadata equal
apply 0001_base
apply 0002_adoption
"""


def test_check_says_what_init_would_do():
    with new_world("code") as world:
        before = dump(world)
        result = world.exits(78, "init", "--check")
        tap.check(result.out.startswith(CHECKED), str(result))
        tap.check("not adopted yet" in result.err, str(result))
        same(dump(world), before, "--check")
        for command in ("run", "status", "doctor"):
            result = world.exits(78, command)
            tap.check("not adopted yet" in result.out + result.err,
                      str(result))
        world.ok("init")
        tap.equal(world.ok("init", "--check").out,
                  "the tables are as they should be\n", "--check")


def refused(world, code, words, *args):
    """init and --check refuse, and change nothing."""
    before = dump(world)
    for command in ["init"], ["init", "--check"]:
        result = world.exits(code, *command, *args)
        for word in words:
            tap.check(word in result.err, f"no {word!r}: {result}")
    same(dump(world), before, "after the refusal")


def test_the_printed_sql_refuses_too():
    with new_world(people=False) as world:
        world.session.run("CREATE VIEW odk_sync_status AS SELECT 1 AS n")
        refused(world, 78, ["public.odk_sync_status is a view",
                            "tracking_schema"])
        before = dump(world)
        try:
            by_hand(world)
            raise AssertionError("the SQL went through")
        except pg.SqlError as error:
            tap.check("is a view" in str(error), str(error))
        same(dump(world), before, "after the SQL")


def test_numbers_behind_those_of_the_rows():
    with new_world("code", people=False) as world:
        world.session.run("SELECT setval('odk_sync_history_id_seq', 1, false)")
        world.ok("init")
        world.ok("exec", "t", "--", "true")
        tap.equal(world.history()[-1]["id"], 401, "the number of our attempt")
    with new_world("code", people=False) as world:
        world.ok("init")
        world.session.run("SELECT setval('odk_sync_history_id_seq', 1, false)")
        result = world.exits(65, "exec", "t", "--", "true")
        tap.check("odk_sync_history_pkey" in result.err, str(result))


def test_our_tables_out_of_a_backup():
    with new_world() as world:
        world.ok("init")
        world.ok("exec", "t", "--", "true")
        before = rows(world)
        world.session.run(
            "ALTER TABLE odk_sync_history RENAME TO h;"
            "ALTER TABLE odk_sync_status RENAME TO s;"
            "CREATE SCHEMA kept; ALTER TABLE h SET SCHEMA kept;"
            "ALTER TABLE s SET SCHEMA kept")
        for name in ("schema", "queue", "slot", "cursor", "column", "reject"):
            world.session.run(f"DROP TABLE odk_sync_{name} CASCADE")
        world.session.run(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
            "ALTER SCHEMA kept RENAME TO back;"
            "ALTER TABLE back.h RENAME TO odk_sync_history;"
            "ALTER TABLE back.s RENAME TO odk_sync_status")
        world.settings["database"]["tracking_schema"] = "back"
        world.session.run("SET search_path = back")
        world.ok("init")
        after = rows(world)
        for table in TABLES:
            for old, new in zip(before[table], after[table]):
                tap.equal(new, kept(table, old, new), table)


def test_names_that_are_taken():
    for taken in ("VIEW odk_sync_current_status AS SELECT 1 AS n",
                  "FUNCTION odk_sync_statistics() RETURNS json"
                  " LANGUAGE sql AS 'SELECT NULL::json'"):
        with new_world("code", people=False) as world:
            world.session.run("CREATE " + taken)
            before = dump(world)
            result = world.exits(78, "init")
            tap.check("Rename what is there" in result.err, str(result))
            same(dump(world), before, "after the refusal")


def test_a_generated_column():
    with new_world("code", people=False) as world:
        world.session.run("ALTER TABLE odk_sync_history ADD metadata text"
                          " GENERATED ALWAYS AS (sync_metadata) STORED")
        refused(world, 78, ["column metadata of public.odk_sync_history is"
                            " generated", "DROP EXPRESSION"])
        help_with(world, world.exits(78, "init").err)
        world.ok("init")
        world.ok("exec", "t", "--", "true")


def test_a_column_that_something_uses():
    with new_world("bare", people=False) as world:
        world.session.run(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END';"
            "CREATE TRIGGER t BEFORE UPDATE OF service_instance"
            " ON odk_sync_history FOR EACH ROW EXECUTE FUNCTION f()")
        result = world.exits(78, "init")
        tap.check("Take away what uses the column" in result.err, str(result))


# -- rights -------------------------------------------------------------------

@contextlib.contextmanager
def role_of(world, name, options=""):
    """A role that odk-sync logs in as, and that owns nothing."""
    role = f"{world.database}_{name}"
    world.session.run(f"CREATE ROLE {role} LOGIN {options}")
    world.settings["database"]["user"] = role
    try:
        yield role
    finally:
        world.session.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def help_with(world, hint):
    """Do what the hint says, to the letter."""
    statement = hint.split("hint: ")[1].split(";")[0]
    world.session.run(statement)


def test_rights_are_named():
    with new_world("code") as world, \
            role_of(world, "owner") as owner, role_of(world, "sync") as role:
        for table in TABLES:
            world.session.run(f"ALTER TABLE {table} OWNER TO {owner}")
        for words in ([f"CREATE SCHEMA odk AUTHORIZATION {role};"],
                      [f"GRANT USAGE, CREATE ON SCHEMA public TO {role};"],
                      [f"belongs to role {owner}",
                       f"GRANT {owner} TO {role};"]):
            refused(world, 77, words)
            help_with(world, world.exits(77, "init").err)
        if world.session.value(
                "SELECT current_setting('server_version_num')::int") >= 160000:
            world.session.run(f"REVOKE INHERIT OPTION FOR {owner} FROM {role}")
            refused(world, 77, [f"GRANT {owner} TO {role} WITH INHERIT TRUE;"])
        else:
            world.session.run(f"ALTER ROLE {role} NOINHERIT")
            refused(world, 77, [f"ALTER ROLE {role} INHERIT;"])
        help_with(world, world.exits(77, "init").err)
        before, hung = rows(world), things(world)
        tap.check("odk_sync_history: add column metadata"
                  in world.ok("init", "-v").err, "what it does")
        compare(world, before, hung)
        world.session.run(f"GRANT INSERT ON written TO {owner}")
        side_by_side(world)
        # and the owner goes on with its tables
        world.session.run(f"SET ROLE {owner};"
                          "UPDATE odk_sync_history SET sync_metadata = 'x';"
                          "RESET ROLE")
        tap.equal(rows(world)["odk_sync_history"][-1]["metadata"], "x",
                  "metadata")


def test_tables_of_a_superuser_are_handed_over():
    with new_world("code", people=False) as world, \
            role_of(world, "sync") as role:
        world.session.run(f"CREATE SCHEMA odk AUTHORIZATION {role};"
                          f"GRANT USAGE, CREATE ON SCHEMA public TO {role}")
        for table in ("history", "status"):
            refused(world, 77, [f"ALTER TABLE public.odk_sync_{table}"
                                f" OWNER TO {role};"])
            help_with(world, world.exits(77, "init").err)
        world.ok("init")


def test_an_upgrade_by_who_does_not_own_the_tables():
    with new_world(people=False) as world, role_of(world, "sync") as role:
        install(world, 1)
        world.session.run(f"CREATE SCHEMA odk AUTHORIZATION {role};"
                          f"GRANT USAGE, CREATE ON SCHEMA public TO {role};"
                          f"GRANT SELECT ON odk_sync_schema TO {role}")
        refused(world, 77, ["belong to role postgres", "init --print"])
        by_hand(world)
        world.ok("init", "--check")


def test_the_sql_was_run_by_an_administrator():
    with new_world(people=False) as world, role_of(world, "sync") as role:
        by_hand(world)
        for _ in range(9):
            result = world.run("doctor")
            fixes = [line.split("fix: ")[1] for line
                     in result.out.splitlines() if "fix: GRANT" in line]
            if not fixes:
                break
            for fix in fixes:
                world.session.run(fix)
        tap.check(f"role {role} may do all that a run does" in result.out,
                  str(result))
        world.ok("exec", "t", "--", "true")


# -- the old service at the same time -----------------------------------------

def test_the_old_service_holds_the_table():
    with new_world("code") as world:
        before = dump(world)
        with pg.Session(world.database) as service:
            service.run("BEGIN; UPDATE odk_sync_status SET updated_at = now()")
            result = world.exits(75, "init")
            service.run("ROLLBACK")
        tap.check("odk_sync_status or odk_sync_history is in use; nothing was"
                  " changed" in result.err, str(result))
        same(dump(world), before, "after the refusal")
        world.ok("init")


def test_the_old_service_is_seen():
    with new_world("code") as world:
        world.session.run(
            "UPDATE odk_sync_history SET sync_timestamp = now(),"
            " service_instance = 'web-7-12' WHERE id = 400")
        words = "the old service still runs: web-7-12 wrote history at 2"
        tap.check(words in world.ok("init").err, "init")
        tap.check(words not in world.ok("init").err, "init again")
        tap.check("warn  tables    " + words in world.ok("doctor").out,
                  "doctor")


# -- upgrades -----------------------------------------------------------------

def install(world, count):
    """The first migrations, as the programs that had no more of them did."""
    world.session.run("BEGIN; SET LOCAL search_path = public, pg_temp")
    for version, name, text, checksum in list(odks.migrations())[:count]:
        world.session.run(f"{text}; INSERT INTO odk_sync_schema (version,"
                          f" name, checksum) VALUES ({version}, '{name}',"
                          f" '{checksum}')")
    world.session.run("COMMIT")


def test_upgrades_end_where_a_new_install_does():
    with new_world() as world:
        world.ok("init")
        fresh = dump(world, "-s")
    for count in range(1, len(list(odks.migrations()))):
        with new_world() as world:
            install(world, count)
            for table in TABLES:
                oldtables.fill(world.session, table)
            before = rows(world)
            steps = [f"apply {version:04}_{name}" for version, name, _, _
                     in list(odks.migrations())[count:]]
            tap.equal(world.exits(78, "init", "--check").out.splitlines(),
                      ["create schema odk", *steps], "--check")
            world.ok("init")
            same(dump(world, "-s"), fresh, f"from {count}")
            tap.equal(rows(world), before, "rows")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main(VARIANT_TESTS + [(name, function) for name, function
                              in list(globals().items())
                              if name.startswith("test_")])
