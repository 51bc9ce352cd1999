# tests/integration/doctor_test.py - SPDX-License-Identifier: Apache-2.0
"""doctor finds what a run would be refused for, and prints what helps."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "reg"


@contextlib.contextmanager
def new_world(role=False):
    """A world with one form; with role, odk-sync runs as that of its own."""
    with odks.World() as world, contextlib.ExitStack() as stack:
        world.job("f", form=FORM)
        world.settings["central"]["retry"] = "0s"
        world.central.publish(FORM, "1", ["name:string"])
        world.central.create(FORM, seed=1)
        if role:
            world.role = "r_" + world.database
            pg.server().run(f"CREATE ROLE {world.role} LOGIN")
            stack.callback(pg.server().run, f"DROP ROLE {world.role}")
            stack.callback(world.drop_database)
            world.session.run(
                f"CREATE SCHEMA odk AUTHORIZATION {world.role};"
                f"GRANT USAGE, CREATE ON SCHEMA public TO {world.role}")
            world.settings["database"]["user"] = world.role
        world.ok("init")
        yield world


def more(world):
    """A submission more, and a job that is due."""
    world.central.create(FORM, count=1)
    world.central.clock(advance=3600)
    world.session.run("DELETE FROM odk_sync_queue;"
                      "UPDATE odk_sync_slot SET slot = slot - interval '1 d'")


def problems(world):
    """(message, fix) of what doctor finds wrong."""
    return [(f["message"], f["fix"])
            for f in json.loads(world.run("doctor", "--json").out)
            if f["verdict"] == "FAIL"]


def cure(world):
    """Run the SQL that doctor prints; of two ways the first."""
    for message, fix in problems(world):
        statement = fix.split("; or: ")[0]
        tap.check(re.match("(GRANT|ALTER|CREATE UNIQUE)", statement),
                  f"{message}: {fix}")
        world.session.run(statement)


def is_found_and_cured(world, code, words):
    """A run fails; doctor says why, with statements that help."""
    more(world)
    world.exits(code, "run", "f")
    result = world.run("doctor")
    tap.check(result.code != 0 and all(w in result.out for w in words),
              result)
    cure(world)
    world.ok("doctor")
    more(world)
    world.ok("run", "f")
    world.compare(FORM)


def test_no_right_to_temporary_tables():
    with new_world(role=True) as world:
        world.ok("run")
        world.session.run(
            f"REVOKE TEMP ON DATABASE {world.database} FROM PUBLIC")
        is_found_and_cured(world, 77, ["GRANT TEMPORARY ON DATABASE"])


def test_a_table_of_another_role():
    with new_world(role=True) as world:
        world.ok("run")
        world.session.run(
            f"ALTER TABLE odk.{FORM} OWNER TO postgres;"
            f"GRANT ALL ON odk.{FORM} TO {world.role}")
        said = world.ok("doctor").out
        tap.check("warn  f" in said and "belongs to role postgres" in said,
                  said)
        world.central.publish(FORM, "2", ["name:string", "x:int"])
        is_found_and_cured(world, 77, [f"ALTER TABLE odk.{FORM} OWNER TO"])


def test_row_level_security():
    with new_world(role=True) as world:
        world.ok("run")
        world.session.run(
            f"ALTER TABLE odk.{FORM} ENABLE ROW LEVEL SECURITY;"
            f"ALTER TABLE odk.{FORM} FORCE ROW LEVEL SECURITY;"
            f"CREATE POLICY p ON odk.{FORM} USING (name IS NULL)")
        said = world.exits(77, "doctor").out
        tap.check("row level security applies" in said, said)
        world.session.run(re.search("CREATE POLICY [^;]*;", said)[0])
        world.ok("doctor")
        world.session.run(f"DROP POLICY odk_sync ON odk.{FORM}")
        is_found_and_cured(world, 78, ["BYPASSRLS", "DISABLE ROW LEVEL"])


def test_a_database_that_may_only_be_read():
    with new_world() as world:
        world.ok("run")
        pg.server().run(f"ALTER DATABASE {world.database}"
                        " SET default_transaction_read_only = on")
        said = world.exits(75, "doctor").out
        fix = re.search("ALTER DATABASE .*;", said)[0]
        more_run = world.exits(75, "run")
        tap.check("doctor" in more_run.err, more_run)
        pg.server().run(fix)
        world.ok("doctor")
        world.ok("run")


def test_keys_that_were_not_restored():
    with new_world() as world:
        world.ok("run")
        world.session.run(
            f"ALTER TABLE odk.{FORM} DROP CONSTRAINT {FORM}_pkey;"
            "ALTER TABLE odk_sync_status DROP CONSTRAINT odk_sync_status_pkey;"
            "DROP INDEX odk_sync_queue_waiting")
        tap.equal(len(problems(world)), 3, "all at once")
        is_found_and_cured(world, 78, ["ADD PRIMARY KEY (_id)",
                                       "ADD PRIMARY KEY (sync_type)",
                                       "odk_sync_queue_waiting"])


def test_rights_on_tables_are_listed_all_at_once():
    with new_world(role=True) as world:
        world.ok("run")
        world.session.run(
            f"ALTER TABLE odk.{FORM} OWNER TO postgres;"
            f"GRANT SELECT ON odk.{FORM} TO {world.role};"
            "ALTER TABLE odk_sync_status OWNER TO postgres;"
            "ALTER TABLE odk_sync_reject OWNER TO postgres;"
            "ALTER FUNCTION odk_sync_reap() OWNER TO postgres;"
            "REVOKE EXECUTE ON FUNCTION odk_sync_reap() FROM PUBLIC")
        fixes = " ".join(fix for _, fix in problems(world))
        for grant in ("GRANT SELECT, INSERT, UPDATE ON public.odk_sync_status",
                      "GRANT SELECT, INSERT, UPDATE, DELETE ON"
                      " public.odk_sync_reject",
                      f"GRANT INSERT, UPDATE, DELETE ON odk.{FORM}",
                      "GRANT EXECUTE ON FUNCTION public.odk_sync_reap()"):
            tap.check(grant in fixes, fixes)
        cure(world)
        world.ok("doctor")
        more(world)
        world.ok("run")


def test_doctor_changes_nothing():
    with new_world() as world:
        world.ok("doctor")
        tap.equal(world.session.value(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'odk'"), 0,
            "tables")
        world.ok("run")
        world.central.publish(FORM, "2", ["name:string", "x:int"])
        world.ok("doctor")
        tap.equal(world.session.value(
            "SELECT count(*) FROM odk_sync_column WHERE column_name = 'x'"),
            0, "columns")


def test_a_database_in_another_encoding():
    name = pg.create_database() + "_latin1"
    pg.server().run(f"CREATE DATABASE {name} TEMPLATE template0"
                    " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with odks.World() as world:
            world.settings["database"]["dbname"] = name
            world.job("f", form=FORM)
            world.central.publish(FORM, "1", ["name:string"])
            for command in ("init", "doctor"):
                result = world.exits(78, command)
                tap.check("LATIN1, not in UTF8" in result.out + result.err,
                          result)
    finally:
        pg.drop_database(name)
        pg.drop_database(name.removesuffix("_latin1"))


def test_a_value_that_the_encoding_cannot_hold():
    """Of a database that an earlier version took."""
    with new_world() as world:
        world.ok("run")
        world.session.run(
            "CREATE FUNCTION latin() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN PERFORM convert_to(NEW.name, 'LATIN1'); RETURN NEW;"
            " END $$; CREATE TRIGGER t BEFORE INSERT ON odk.reg"
            " FOR EACH ROW EXECUTE FUNCTION latin()")
        world.central.create(FORM, data={"name": "Łódź"})
        world.central.clock(advance=3600)
        world.session.run("DELETE FROM odk_sync_slot")
        world.exits(78, "run")


def test_a_form_of_many_that_cannot_be_mirrored():
    with new_world() as world:
        world.jobs = {}
        world.job("all", form="*", include="reg, simple, households")
        world.session.run("CREATE TABLE odk.simple (x int)")
        result = world.exits(78, "doctor")
        tap.check("FAIL  all.simple odk.simple exists already" in result.out
                  and "ok    all.reg" in result.out, result)
        world.exits(78, "run")
        world.session.run("DROP TABLE odk.simple")
        world.ok("doctor")


def test_a_trigger_of_the_user_is_named():
    with new_world() as world:
        world.ok("run")
        world.session.run(
            "CREATE FUNCTION public.audit() RETURNS trigger"
            " LANGUAGE plpgsql AS $$"
            " BEGIN INSERT INTO no_such_table VALUES (1); RETURN NEW; END $$;"
            f"CREATE TRIGGER t BEFORE INSERT ON odk.{FORM}"
            " FOR EACH ROW EXECUTE FUNCTION public.audit()")
        more(world)
        err = world.exits(78, "run", "f").err
        tap.check("Function public.audit() is not part of odk-sync" in err
                  and "ALTER FUNCTION public.audit() SET search_path" in err
                  and "odk-sync init" not in err, err)
        said = world.ok("doctor").out
        tap.check(f"trigger t on odk.{FORM}, which calls" in said, said)
        world.session.run(
            "CREATE OR REPLACE FUNCTION audit() RETURNS trigger"
            " LANGUAGE plpgsql AS $$ BEGIN INSERT INTO no_such_table"
            " VALUES (1); RETURN NULL; END $$;"
            f"DROP TRIGGER t ON odk.{FORM};"
            f"CREATE TRIGGER t AFTER INSERT ON odk.{FORM}"
            " EXECUTE FUNCTION audit()")
        said = world.exits(78, "doctor").out
        tap.check("FAIL  f" in said and "audit()" in said, said)


def test_what_libpq_refuses_is_permanent():
    with new_world() as world:
        world.settings["database"]["service"] = "nowhere"
        for command in ("doctor", "run"):
            result = world.exits(78, command)
            tap.check("PGSERVICE" in result.out + result.err, result)


def test_a_byte_order_mark_in_a_password_file():
    with new_world() as world:
        path = world.write("marked", "\ufeff" + world.central.password + "\r\n")
        world.settings["central"]["password_file"] = path
        world.ok("doctor")


@contextlib.contextmanager
def plain_http():
    """The port of a server without TLS. It reads all that it is sent: one that
    closes earlier resets the connection, perhaps before its answer is read."""
    def serve(connection):
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n"
                               b"Content-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                serve(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_https_where_http_is_spoken():
    with new_world() as world, plain_http() as port:
        world.settings["central"]["url"] = f"https://127.0.0.1:{port}"
        result = world.exits(76, "doctor")
        tap.check("does not speak https" in result.out
                  and "Write http:// instead of https://" in result.out,
                  result)


def test_the_detail_of_a_tls_error_is_shown():
    from standin import StandIn
    with new_world() as world:
        cert, key = world.path("cert"), world.path("key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
             "/CN=other", "-addext", "subjectAltName=DNS:other", "-keyout",
             key, "-out", cert], check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with StandIn(tls=(cert, key)) as secure:
            world.settings["central"].update(url=secure.url, ca_file=cert)
            out = world.exits(76, "doctor").out
            tap.check("is for another name (" in out
                      and "127.0.0.1" in out.split("another name (")[1], out)


def test_what_is_found_is_printed_at_once():
    with new_world() as world, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        world.settings["central"].update(
            url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        process = world.start("doctor")
        lines = iter(process.stdout.readline, "")
        tap.check(any("the tracking tables" in line for line in lines),
                  "the database's part came")
        connection, _ = silent.accept()  # it waits for an answer
        tap.equal(process.poll(), None, "still running")
        connection.close()
        tap.check("FAIL  central" in process.communicate()[0], "it says so")
        tap.equal(process.returncode, 69, "exit code")


def test_central_is_asked_once():
    with new_world() as world:
        world.settings["central"]["retry"] = "3s"
        world.central.stop()
        said = world.exits(69, "doctor").out
        tap.check("FAIL  central" in said and "tried" not in said, said)


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
