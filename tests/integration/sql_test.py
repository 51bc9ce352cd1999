# tests/integration/sql_test.py - SPDX-License-Identifier: Apache-2.0
"""Jobs of kind sql: all of it or nothing, and readers never see a half."""

import contextlib
import json
import os
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

EXAMPLE = os.path.join(HERE, "..", "..", "etc", "examples", "sql",
                       "people_flat.sql")


class NoCentral:
    """For a configuration without any."""
    url, user, password, port = "https://central.invalid", "u", "p", 1


@contextlib.contextmanager
def new_world(text=None, **settings):
    """Ready, with a job x that runs the text, and a table t with 3 rows."""
    with odks.World(NoCentral()) as world:
        world.init()
        world.session.run("CREATE TABLE odk.t AS SELECT generate_series(1, 3)"
                          " AS n; CREATE ROLE reader_" + world.database)
        try:
            if text is not None:
                settings["sql_file"] = world.write("x.sql", text)
            world.jobs["x"] = {"kind": "sql", **settings}
            yield world
        finally:
            world.session.run(f"DROP OWNED BY reader_{world.database};"
                              f"DROP ROLE reader_{world.database}")


def last(world):
    row = world.history()[-1]
    return {**row, "metadata": json.loads(row["metadata"])}


def rows(world):
    return [row["n"] for row in world.session.rows(
        "SELECT n FROM odk.t ORDER BY n")]


def test_many_statements():
    with new_world("""
            -- a comment; with a semicolon
            CREATE TABLE made (a text);
            INSERT INTO made VALUES ('a;b'), ($$c'd$$), (E'e\\nf'), ('$odks$');
            CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;';
            DELETE FROM t WHERE n > 1;
            """) as world:
        result = world.ok("run")
        tap.equal((result.out, result.err), ("", ""), "output")
        row = last(world)
        tap.equal((row["status"], row["records_processed"]), ("success", 2),
                  "the rows of the last statement")
        tap.equal(world.session.value("SELECT count(*) FROM odk.made"), 4,
                  "rows, in the schema of the forms")
        tap.equal(rows(world), [1], "t")
        tap.equal(world.queue(), [], "queue")


def test_settings_do_not_outlive_the_job():
    """Neither for the end of the job itself, nor for the next one."""
    seen = ("INSERT INTO odk.seen SELECT current_setting("
            "'quote_all_identifiers'), current_setting('datestyle'),"
            " current_user::text = session_user::text")
    with new_world("SET quote_all_identifiers = on; SET datestyle = 'German';"
                   " SET ROLE pg_read_all_data; SET search_path = nowhere") \
            as world:
        world.session.run("CREATE TABLE odk.seen (a text, b text, c boolean)")
        world.jobs["y"] = {"kind": "sql", "sql": seen}
        world.ok("run", "x", "y")
        tap.equal(world.session.rows("SELECT a, b, c::text FROM odk.seen"),
                  [{"a": "off", "b": "ISO, MDY", "c": "true"}], "settings")


def test_inline_and_after():
    with new_world(sql="INSERT INTO t VALUES (4)") as world:
        world.jobs["then"] = {"kind": "sql", "after": "x",
                              "sql": "INSERT INTO t SELECT max(n) + 1 FROM t"}
        world.ok("run")
        tap.equal(rows(world), [1, 2, 3, 4, 5], "t")


def test_where_and_when_it_runs():
    with new_world("""
            CREATE TABLE seen AS SELECT
                current_setting('search_path') AS path,
                current_setting('timezone') AS zone,
                current_setting('odk_sync.sync_type') AS sync_type,
                current_setting('odk_sync.history_id')::integer AS history_id;
            SELECT odk_sync_progress(
                current_setting('odk_sync.history_id')::integer, NULL, NULL,
                '{"note": "mine"}');
            SET search_path = pg_catalog; -- must not lead us astray
            SELECT FROM generate_series(1, 7)
            """) as world:
        world.settings["database"]["tracking_schema"] = "books"
        world.init()
        world.ok("run")
        (row,) = world.session.rows("SELECT * FROM books.odk_sync_history")
        tap.equal((row["status"], row["records_processed"],
                   json.loads(row["metadata"])["note"]), ("success", 7, "mine"),
                  "history")
        (seen,) = world.session.rows("SELECT * FROM odk.seen")
        tap.equal(seen, {"path": "odk, books, public, pg_temp", "zone": "UTC",
                         "sync_type": "x", "history_id": row["id"]}, "seen")


def test_failure_leaves_nothing():
    for text, code, words in (
            ("DELETE FROM t;\nSELECT 1 / 0", 65, ["division by zero"]),
            ("DELETE FROM t;\n\nSELECT no_column FROM t", 78,
             ["no_column", "line 3"]),
            ("DELETE FROM t; SELCT 1", 78, ["syntax error", "line 1"]),
            ("DELETE FROM t; INSERT INTO missing VALUES (1)", 78,
             ["missing", "[job x]"]),
            ("DELETE FROM t; COPY t FROM STDIN", 78, ["COPY"]),
            ("DELETE FROM t; DO 'BEGIN RAISE EXCEPTION $$no$$; END'", 65,
             ["no"])):
        with new_world(text) as world:
            result = world.exits(code, "run")
            for word in words:
                tap.check(word in result.err, f"no {word!r} in {result}")
            tap.equal(rows(world), [1, 2, 3], "t")
            tap.equal((last(world)["status"],
                       last(world)["metadata"]["exit_code"]), ("error", code),
                      "history")


def test_transaction_control_is_refused():
    """Else what comes behind it would not be of one piece."""
    for text in ("COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT s", "END",
                 "START TRANSACTION", "COMMIT AND CHAIN", "ABORT",
                 "PREPARE TRANSACTION 'x'", "CALL ends()",
                 "DO 'BEGIN COMMIT; END'"):
        with new_world(f"DELETE FROM t; {text}; DELETE FROM t") as world:
            world.session.run("CREATE PROCEDURE odk.ends() LANGUAGE plpgsql"
                              " AS 'BEGIN COMMIT; END'")
            result = world.exits(78, "run")
            tap.check("ends the transaction that it runs in" in result.err,
                      str(result))
            tap.equal(rows(world), [1, 2, 3], text)
            tap.equal(last(world)["status"], "error", "history")


def test_readers_see_before_or_after():
    """It stands still in its middle, with a lock that we hold."""
    with new_world("DELETE FROM t; SELECT pg_advisory_xact_lock(1);"
                   "INSERT INTO t VALUES (10)") as world:
        with pg.Session(world.database) as holder:
            holder.run("SELECT pg_advisory_lock(1)")
            process = world.start("run")
            pg.wait_until(lambda: world.session.value(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND NOT granted") == 1, 30, "the middle")
            tap.equal(rows(world), [1, 2, 3], "before")
            # nobody takes the job meanwhile, whatever the lease says
            world.ok("run")
            tap.equal(len(world.history()), 1, "attempts")
            holder.run("SELECT pg_advisory_unlock(1)")
            process.communicate(timeout=60)
        tap.equal(process.returncode, 0, "exit code")
        tap.equal(rows(world), [10], "after")


def test_stop():
    with new_world("DELETE FROM t; SELECT pg_sleep(1000)") as world:
        process = world.start("run")
        pg.wait_until(lambda: world.session.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event = 'PgSleep'") == 1, 30, "the middle")
        process.terminate()
        process.communicate(timeout=60)
        tap.equal(process.returncode, -signal.SIGTERM, "exit code")
        tap.equal(rows(world), [1, 2, 3], "t")
        (job,) = world.queue()
        tap.equal((job["state"], job["failures"]), ("pending", 0), "queue")


def test_limits():
    for settings, database in (({"max_runtime": "1s"}, {}),
                               ({}, {"statement_timeout": "1s"})):
        with new_world("DELETE FROM t; SELECT pg_sleep(1000)",
                       **settings) as world:
            world.settings["database"].update(database)
            result = world.exits(75, "run")
            tap.check("max_runtime in [job x]" in result.err, str(result))
            tap.equal(rows(world), [1, 2, 3], "t")
            tap.equal(world.queue()[0]["state"], "pending", "queue")
    # and one that is longer than statement_timeout
    with new_world("SELECT pg_sleep(1.1)", max_runtime="60s") as world:
        world.settings["database"]["statement_timeout"] = "1s"
        world.ok("run")


def test_dry_run():
    with new_world("DELETE FROM t WHERE n < 3") as world:
        tap.equal(world.ok("run", "x", "--dry-run").out,
                  "x: the SQL runs; rows of its last statement: 2\n", "stdout")
        tap.equal(json.loads(world.ok("run", "x", "-n", "--json").out),
                  {"sync_type": "x", "dry_run": {"rows": 2}}, "JSON")
        tap.equal(rows(world), [1, 2, 3], "t")
        tap.equal(world.history(), [], "history")
        world.write("x.sql", "SELECT nothing")
        world.exits(78, "run", "x", "--dry-run")


def test_the_file():
    with new_world("") as world:
        world.settings["central"]["retry"] = "0"
        for text, mode, code, word in (
                ("", 0o600, 78, "is empty"),
                ("SELECT 1\0", 0o600, 78, "not UTF-8"),
                ("SELECT 1", 0o666, 77, "written by everybody"),
                ("--" + "x" * (1 << 20), 0o600, 78, "bytes"),
                (None, None, 66, "sql_file of [job x]")):
            if text is None:
                os.remove(world.path("x.sql"))
            else:
                world.write("x.sql", text, mode)
            result = world.exits(code, "run")
            tap.check(word in result.err, str(result))
            found = world.run("doctor", "--json").out
            tap.check(any(f["check"] == "x" and f["verdict"] == "FAIL"
                          for f in json.loads(found)), found)
            world.session.run("DELETE FROM odk_sync_queue")
        world.write("x.sql", "--" + "x" * 500000 + "\nDELETE FROM t")
        world.ok("run")
        tap.equal(rows(world), [], "t")
        found = json.loads(world.run("doctor", "--json").out)
        tap.equal([f["verdict"] for f in found if f["check"] == "x"], ["ok"],
                  "doctor")


def test_example():
    """The one of the manual: what stands on its table stays, and a refresh
    without news writes nothing."""
    with new_world("SELECT 1") as world:
        role = "reader_" + world.database
        shutil.copyfile(EXAMPLE, world.path("x.sql"))
        world.session.run("""
            CREATE TABLE odk.v_household_survey (_id text, district text,
                _submitted_at timestamptz, _review_state text);
            CREATE TABLE odk.v_household_survey__person (_id text, sex text,
                _submission_id text, age bigint);
            INSERT INTO odk.v_household_survey VALUES ('a', 'd1'), ('b', NULL);
            INSERT INTO odk.v_household_survey__person VALUES
                ('1', 'f', 'a', 30), ('2', 'm', 'a', NULL), ('3', 'f', 'b', 5),
                ('4', 'f', 'gone', 6)""")
        world.ok("run")
        tap.equal(last(world)["records_processed"], 3, "new")
        world.session.run(f"CREATE VIEW odk.top AS SELECT * FROM"
                          f" odk.people_flat; GRANT SELECT ON odk.people_flat"
                          f" TO {role}")

        def state():
            return world.session.rows(
                "SELECT person_id, district, age, xmin::text"
                " FROM odk.people_flat ORDER BY 1")

        before = state()
        world.ok("run")
        tap.equal(last(world)["records_processed"], 0, "nothing new")
        tap.equal(state(), before, "not even written")
        world.session.run("""
            UPDATE odk.v_household_survey__person SET age = 31 WHERE _id = '1';
            DELETE FROM odk.v_household_survey__person WHERE _id = '2';
            INSERT INTO odk.v_household_survey__person
                VALUES ('5', 'm', 'b', 7)""")
        world.ok("run")
        tap.equal(last(world)["records_processed"], 2, "changed and new")
        after = state()
        tap.equal([(r["person_id"], r["age"]) for r in after],
                  [("1", 31), ("3", 5), ("5", 7)], "people_flat")
        tap.equal(after[1], before[2], "what did not change is not written")
        tap.equal(world.session.value("SELECT count(*) FROM odk.top"), 3,
                  "the view stays")
        tap.check(world.session.value(
            f"SELECT has_table_privilege('{role}', 'odk.people_flat',"
            " 'SELECT')"), "the GRANT stays")


if __name__ == "__main__":
    try:
        tap.need_pg()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
