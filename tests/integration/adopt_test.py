# tests/integration/adopt_test.py - SPDX-License-Identifier: Apache-2.0
"""The tables of the Python service become ours: no row, no grant and nothing
else that hangs on them is lost, and the service goes on with them."""

import contextlib
import difflib
import hashlib
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
MIGRATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "..", "..", "sql", "migrations")
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
SELECT 'rule', rulename, oid::text, pg_get_ruledef(oid), ev_class::text
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
            with pg.Session("postgres") as session:
                for name in oldtables.ROLES:
                    session.run(f"DROP ROLE IF EXISTS {role}_{name}")


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
        once = dump(world)
        adopt(world)
        by_init(world)
        same(dump(world), once, "the second time")
        tap.equal(world.ok("init", "--check").out,
                  "the tables are as they should be\n", "--check")
        side_by_side(world)


def make_test(variant, adopt):
    return (f"test_{variant}_{adopt.__name__}",
            lambda: adopt_variant(variant, adopt))


VARIANT_TESTS = [make_test(variant, adopt) for variant in oldtables.VARIANTS
                 for adopt in (by_init, by_hand)]

if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main(VARIANT_TESTS)
