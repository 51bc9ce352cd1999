# tests/integration/badday_test.py - SPDX-License-Identifier: Apache-2.0
"""Bad input and bad days: each has its exit code, a message and a hint, and
nothing is lost."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

FORM = "household"


def new_world(**job):
    world = odks.World()
    world.job("people", form=FORM, **job)
    return world


def fails(world, code, words, *args, **kwargs):
    """The program ends with code, and stderr holds all of words."""
    result = world.exits(code, *args, **kwargs)
    for word in words:
        tap.check(word in result.err, f"no {word!r} in {result}")
    tap.check(f"[{code}]" in result.err, f"no code in {result}")
    return result


# -- the command line and the configuration ----------------------------------

def test_command_line():
    with new_world() as world:
        for args, words in (
                ([], ["which command"]),
                (["rnu"], ['"rnu"', "Did you mean", "odk-sync run"]),
                (["xyzzy"], ["xyzzy", "--help"]),
                (["run", "--ful"], ['"--ful"', "--full"]),
                (["run", "--max-jobs"], ["wants a value"]),
                (["run", "--max-jobs=x"], ["not a number"]),
                (["run", "people", "--since=yesterday"], ["not a time"]),
                (["run", "--full"], ["TYPE"]),
                (["run", "people", "--full", "--since=2026-01-01"],
                 ["--since"]),
                (["run", "people", "--since=2026-01-02",
                  "--until=2026-01-02"], ["nothing between"]),
                (["status", "--full"], ["does not go with"]),
                (["enqueue"], ["missing", "TYPE"]),
                (["cancel", "0"], ["ID"]),
                (["init", "extra"], ["unexpected"])):
            result = world.exits(64, *args)
            for word in words:
                tap.check(word in result.err, f"no {word!r} in {result}")
            tap.equal(result.out, "", f"stdout of {args}")


def test_doctor_refuses_what_a_run_would():
    with new_world() as world:
        world.init()
        world.central.create(FORM, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        job = world.jobs["people"]
        for setting, word in (({"tables": "Submissions, Submissions.persons"},
                               "has no table Submissions.persons"),
                              ({"table": "elsewhere"}, "household"),
                              ({"schema": "elsewhere"}, "schema odk")):
            before = dict(job)
            job.update(setting)
            said = world.exits(78, "doctor").out
            tap.check("FAIL  people" in said and word in said, said)
            tap.check(word in world.exits(78, "run").err, word)
            world.session.run("DELETE FROM odk_sync_queue")
            world.jobs["people"] = job = before
        tap.check("FAIL" not in world.ok("doctor").out, "doctor")


def test_help_and_version():
    with new_world() as world:
        for args in (["--help"], ["run", "--help"], ["--version"], ["-h"]):
            result = world.ok(*args)
            tap.check(result.out != "" and result.err == "", str(result))
        tap.check(world.ok("--help").out.index("Examples")
                  < world.ok("--help").out.index("Options"), "examples first")
        tap.equal(world.ok("help").out, world.ok("--help").out, "help")
        tap.equal(world.ok("help", "run").out, world.ok("run", "--help").out,
                  "help run")
        fails(world, 64, ["there is no command", "odk-sync run"], "help", "rum")
        fails(world, 64, ["unexpected argument"], "help", "run", "now")


def test_no_configuration_at_all():
    with new_world() as world, tempfile.TemporaryDirectory() as empty:
        fails(world, 78, ["odk-sync.ini"], "run", cwd=empty,
              env={"ODK_SYNC_CONFIG": ""})


def test_named_configuration_is_missing():
    with new_world() as world:
        fails(world, 66, ["/nowhere.ini"], "run", "--config=/nowhere.ini")


def test_unknown_variable():
    """A mistyped rule would mask nothing."""
    with new_world() as world:
        fails(world, 78, ["ODK_SYNC_JOB_PEOPEL_DROP",
                          "Did you mean ODK_SYNC_JOB_PEOPLE_DROP?"],
              "run", env={"ODK_SYNC_JOB_PEOPEL_DROP": "name"})


def test_unknown_key_and_wrong_type():
    with new_world() as world:
        world.jobs["people"]["overlapp"] = "5m"
        fails(world, 78, ["overlapp", "overlap", "odk-sync.ini:"], "run")
        del world.jobs["people"]["overlapp"]
        world.jobs["people"]["overlap"] = "soon"
        fails(world, 78, ["overlap", "soon", "odk-sync.ini:"], "run")


def test_wrong_schedule_and_time_zone():
    with new_world(schedule="61 * * * *") as world:
        fails(world, 78, ["people", "schedule"], "run")
        world.jobs["people"].update(schedule="1 * * * *", timezone="Mars/Base")
        fails(world, 78, ["people", "Mars/Base"], "run")


def test_secrets():
    with new_world() as world:
        world.init()
        world.settings["central"]["password_file"] = world.path("nothing")
        result = world.run("run")
        tap.check(result.code in (66, 77), str(result))
        tap.check("nothing" in result.err, str(result))
        world.settings["central"]["password_file"] = world.write(
            "open", "standin-secret\n", 0o644)
        fails(world, 77, ["chmod"], "run")


def test_too_few_descriptors():
    """Whatever it is that cannot be opened for it: never a missing file."""
    def with_limit(count):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                          (count, count))
    with new_world() as world:
        world.init()
        world.central.create(FORM, seed=1)
        world.central.clock(advance=3600)
        for count in range(4, 40):
            # what cannot load its libraries is not ours to explain
            if world.run("--version", preexec_fn=with_limit(count)).code != 0:
                continue
            result = world.run("run", preexec_fn=with_limit(count))
            if result.code == 0:
                break
            tap.equal(result.code, 71, str(result))
            tap.check(f"the limit is {count}" in result.err
                      or "start a process" in result.err, str(result))
            tap.check("ulimit -n" in result.err, str(result))
            world.hurry()
        tap.equal(result.code, 0, str(result))
        world.compare(FORM)


def test_a_wrong_password_is_sent_once():
    with new_world() as world:
        world.init()
        world.central.password = "wrong"
        fails(world, 77, ["the password"], "run")
        tap.equal([r["path"] for r in world.central.requests()["requests"]],
                  ["/v1/sessions"], "requests")


def test_unknown_type():
    with new_world() as world:
        world.init()
        fails(world, 64, ["peopel", "people"], "run", "peopel")
        fails(world, 64, ["peopel", "people"], "enqueue", "peopel")


# -- the database -------------------------------------------------------------

def test_database_is_down():
    with new_world() as world:
        world.settings["database"].update(host="127.0.0.1",
                                          port=pg.free_port())
        fails(world, 75, ["cannot connect to the database", "hint"], "run")


def test_database_refuses():
    if "ODKS_TEST_POOLER" in os.environ:
        raise tap.Skip("a pooler answers in the server's place")
    with new_world() as world:
        world.settings["database"]["dbname"] = "no_such_database"
        fails(world, 78, ["no_such_database", "dbname"], "run")
        world.session.run(
            "DO $$ BEGIN CREATE ROLE with_password LOGIN PASSWORD 'right'"
            " IN ROLE needs_password; EXCEPTION WHEN duplicate_object"
            " THEN NULL; END $$")
        world.settings["database"].update(
            dbname=world.database, user="with_password",
            password_file=world.write("pg", "wrong\n"))
        result = fails(world, 77, ["password"], "run")
        tap.check("wrong\n" not in result.err, "the password is shown")
        world.settings["database"]["password_file"] = None
        fails(world, 77, ["password"], "run")


def test_tables_are_missing_or_newer():
    with new_world() as world:
        fails(world, 78, ["odk-sync init"], "run")
        fails(world, 78, ["odk-sync init"], "init", "--check")
        world.init()
        world.ok("init", "--check")
        world.init()
        world.session.run("INSERT INTO odk_sync_schema (version, name,"
                          " checksum) VALUES (9999, 'later', 'x')")
        fails(world, 78, ["older than the database"], "run")
        fails(world, 78, ["older than the database"], "init")


def test_init_prints_sql_that_works():
    with new_world() as world:
        sql = world.ok("init", "--print").out
        tap.equal(world.session.value(
            "SELECT count(*) FROM pg_tables WHERE tablename"
            " = 'odk_sync_queue'"), 0, "tables after --print")
        world.session.run(sql)
        world.ok("init", "--check")
        world.ok("run")


def test_rights_are_missing():
    with new_world() as world:
        world.init()
        world.session.run(
            "DO $$ BEGIN CREATE ROLE poor LOGIN; EXCEPTION WHEN"
            " duplicate_object THEN NULL; END $$")
        world.settings["database"]["user"] = "poor"
        fails(world, 77, ["permission denied", "doctor"], "run")
        result = world.exits(77, "doctor")
        tap.check("GRANT" in result.out, str(result))
        world.session.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO"
                          " poor; GRANT CREATE ON SCHEMA odk TO poor")
        said = world.exits(77, "doctor").out
        tap.check("GRANT INSERT, UPDATE, DELETE ON public.odk_sync_attachment"
                  in said, said)
        world.session.run("GRANT ALL ON ALL TABLES IN SCHEMA public TO poor")
        said = world.exits(77, "doctor").out
        tap.check("GRANT USAGE ON SEQUENCE public.odk_sync_history_id_seq"
                  in said, said)
        world.session.run("REVOKE CREATE ON SCHEMA odk FROM poor;"
                          "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO poor")
        world.central.create(FORM, count=1, seed=1)
        fails(world, 77, ["permission denied"], "run")
        tap.check("CREATE ON SCHEMA odk" in world.exits(77, "doctor").out)
        world.session.run("GRANT USAGE, CREATE ON SCHEMA odk TO poor")
        world.central.clock(advance=60)
        world.hurry()
        world.ok("run", "people")
        world.compare(FORM)


# -- Central ------------------------------------------------------------------

def test_central_is_down():
    with new_world() as world:
        world.init()
        world.settings["central"]["url"] = \
            f"http://127.0.0.1:{pg.free_port()}"
        world.settings["central"]["retry"] = "1s"
        fails(world, 69, ["127.0.0.1"], "run")
        job = world.queue()[0]
        tap.equal((job["state"], job["failures"]), ("pending", 1), "job")
        tap.equal(world.history()[-1]["status"], "error", "history")
        # waiting for its back-off, a slot of the schedule does not hurry it
        world.ok("run")
        tap.equal(len(world.history()), 1, "attempts")


def test_central_refuses():
    with new_world() as world:
        world.init()
        world.settings["central"]["user"] = "nobody@example.org"
        fails(world, 77, ["Project Viewer"], "run")
        tap.equal(world.queue()[0]["state"], "dead", "job")
        world.settings["central"]["user"] = "unknown@example.org"
        fails(world, 77, ["password"], "run", "people")


def test_no_such_form():
    with new_world() as world:
        world.init()
        world.jobs["people"]["form"] = "houshold"
        fails(world, 78, ["houshold", "household"], "run")
        world.jobs["people"].update(form=FORM, project=77)
        fails(world, 78, ["77"], "run", "people")


def test_closed_form_is_read():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=2, seed=1)
        world.central.close(FORM)
        world.central.clock(advance=60)
        world.ok("run")
        world.compare(FORM)


def test_not_a_central():
    with new_world() as world:
        world.init()
        world.central.script({"match": "*", "times": 9,
                              "action": {"html": True}})
        fails(world, 76, ["ODK Central"], "run")


def test_link_to_elsewhere():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=60)
        world.central.script({"match": "expand", "times": 1,
                              "action": {"pageSize": 1, "offOriginNextlink": True}})
        fails(world, 76, ["another place", "elsewhere.example"], "run")


def test_wrong_certificate():
    with tempfile.TemporaryDirectory() as directory:
        key, cert = (os.path.join(directory, n) for n in ("key", "cert"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        from standin import StandIn
        with StandIn(tls=(cert, key)) as central, \
                odks.World(central=central) as world:
            world.job("people", form=FORM)
            world.init()
            fails(world, 76, ["certificate", "ca_file"], "run")
            world.settings["central"]["ca_file"] = cert
            world.hurry()
            world.ok("run", "people")
            world.compare(FORM)


def test_token_expires_in_the_middle():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=60)
        world.central.script({"match": "expand", "times": 1,
                              "action": {"expireToken": True}})
        world.ok("run")
        world.compare(FORM)


def test_bad_json_is_permanent():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=60)
        world.central.script({"match": "expand", "times": 1,
                              "action": {"badJson": 1}})
        fails(world, 65, [], "run")
        world.ok("run", "people")
        world.compare(FORM)


def test_server_errors_pass():
    for action in ({"status": 500}, {"status": 502}, {"status": 503}):
        with new_world() as world:
            world.init()
            world.central.create(FORM, count=3, seed=1)
            world.central.clock(advance=60)
            world.central.script({"match": "forms", "times": 2,
                                  "action": action})
            world.ok("run")
            world.compare(FORM)


# -- two at once, signals, limits ---------------------------------------------

def test_gives_up_after_the_last_attempt():
    with new_world(max_failures=2) as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=60)
        world.central.script({"match": "expand", "times": 6,
                              "action": {"cut-clean": 300}})
        fails(world, 69, [], "run")
        world.hurry()
        result = fails(world, 80, ["gave up", "odk-sync retry"], "run")
        job = world.queue()[0]
        tap.equal(job["state"], "dead", "job")
        tap.check("odk-sync retry people" in result.err, str(result))
        world.ok("retry", str(job["id"]))
        world.ok("run")
        world.compare(FORM)


def stalled(world):
    """A run that waits for Central in the middle of a response."""
    world.central.create(FORM, count=10, seed=1)
    world.central.clock(advance=60)
    world.central.script({"match": "expand", "times": 1,
                          "action": {"stall": [2000, 60]}})
    process = world.start("run")
    seen = []

    def reading():
        answer = world.central.requests()
        seen.extend(r["path"] for r in answer["requests"])
        return answer["inflight"] > 0 and any("orderby" in p for p in seen)

    pg.wait_until(reading, 30, "the run reads rows")
    return process


def test_a_second_run_finds_it_busy():
    with new_world() as world:
        world.init()
        process = stalled(world)
        world.ok("run", "people")
        tap.equal([h["status"] for h in world.history()], ["in_progress"],
                  "attempts")
        world.exits(75, "run", "people", "--fail-if-idle")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_sigterm_hands_the_job_back():
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with new_world() as world:
            world.init()
            process = stalled(world)
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
            tap.equal(process.returncode, -number, "it dies by the signal")
            tap.check(f"[{code}]" in err, err)
            job = world.queue()[0]
            tap.equal((job["state"], job["failures"]), ("pending", 0), "job")
            tap.check("interrupted" in world.history()[-1]["error_message"])
            tap.equal(world.session.value(
                "SELECT failed_sync_count FROM odk_sync_status"), 0,
                "failures")
            world.ok("run")
            world.compare(FORM)


def test_a_runner_that_lost_its_claim_is_fenced():
    with new_world() as world:
        world.settings["odk-sync"]["lease"] = "15s"
        world.init()
        process = stalled(world)
        process.send_signal(signal.SIGSTOP)
        world.hurry()
        result = world.ok("run", "-v")
        tap.check("took back 1 abandoned job" in result.err, str(result))
        world.hurry()
        world.ok("run")
        world.compare(FORM)
        before = world.history()
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=60)
        tap.equal(process.returncode, 79, err)
        tap.check("lost to another runner" in err, err)
        tap.equal(world.history(), before, "history")
        tap.check("abandoned" in before[0]["error_message"], str(before[0]))
        tap.equal({h["status"] for h in before[1:]}, {"success"}, "the rest")


def last_commit(world):
    """With three submissions to come: where a run awaits the answer to the
    commit that ends its job. That run is undone."""
    world.init()
    world.central.create(FORM, count=3, seed=1)
    world.central.clock(advance=60)
    snapshot = world.snapshot()
    log = world.path("points")
    world.ok("run", shim={"kind": "sql", "log": log})
    with open(log, encoding="utf-8") as file:
        points = [line.split(" ", 2) for line in file]
    # the statement that finishes the job, and what follows it
    finish = max(i for i, (_, when, what) in enumerate(points)
                 if when == "before" and what.startswith("WITH r AS"))
    at = next(int(n) for n, when, what in points[finish:]
              if what.startswith("COMMIT") and when != "before")
    world.restore(snapshot)
    return at


def done_once(world):
    tap.equal([h["status"] for h in world.history()], ["success"], "attempts")
    tap.equal(world.queue(), [], "queue")
    world.compare(FORM)


def test_an_answer_lost_at_the_last_commit():
    with new_world() as world:
        at = last_commit(world)
        world.ok("run", shim={"kind": "sql", "at": at, "action": "drop"})
        done_once(world)


def test_an_answer_lost_before_the_last_commit_was_through():
    """The server is still at it when the failure is to be recorded."""
    with new_world() as world:
        at = last_commit(world)
        world.session.run(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;"
            " CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON odk_sync_history"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " WHEN (NEW.status = 'success') EXECUTE FUNCTION wait();"
            " SELECT pg_advisory_lock(1)")
        process = world.start("run", shim={"kind": "sql", "at": at,
                                           "action": "drop"})
        pg.wait_until(lambda: world.session.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname ="
            " current_database() AND wait_event_type = 'Lock'") == 2, 30,
            "the commit waits, and who would record a failure")
        world.session.run("SELECT pg_advisory_unlock(1)")
        _, err = process.communicate(timeout=60)
        tap.equal((process.returncode, err), (0, ""), "the end of the run")
        done_once(world)


def test_counts_that_never_agree_are_no_success():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=86400)
        world.central.script({"match": "count=true", "times": -1, "action": {
            "hook": {"before": [{"cmd": "create", "form": FORM,
                                 "submissionDate": "2020-01-01T00:00:00Z"}]}}})
        fails(world, 75, ["Central counts", "the table"], "run")
        tap.equal(world.history()[-1]["status"], "error", "history")
        world.central.script(clear=True)
        world.hurry()
        world.ok("run")
        world.compare(FORM)


def test_a_full_walk_goes_on_where_it_stopped():
    with new_world(window_rows=5) as world:
        world.init()
        for seed in range(23):
            world.central.create(FORM, seed=seed + 1)
            world.central.clock(advance=60)
        world.central.clock(advance=3600)
        world.ok("run")
        world.central.script({"match": "expand", "skip": 2, "action": {
            "stall": [100, 60]}})
        process = world.start("run", "people", "--full")
        answered = []

        def third_window():
            seen = world.central.requests()
            answered.extend(r for r in seen["requests"]
                            if "expand" in r["path"])
            return seen["inflight"] > 0 and len(answered) == 2

        world.central.requests()
        pg.wait_until(third_window, 30, "the run reads its third window")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        tap.equal(process.returncode, -signal.SIGTERM, "it was stopped")
        world.ok("run", "people")
        windows = [r for r in world.central.requests()["requests"]
                   if "expand" in r["path"] and "submissionDate" in r["path"]
                   and "updatedAt" not in r["path"]]
        tap.equal(len(windows), 3, "windows that were left")
        world.compare(FORM)


def test_values_that_do_not_fit_are_kept_aside():
    with odks.World() as world:
        world.job("simple", form="simple")
        world.init()
        made = world.central.create("simple", count=2, seed=1)["ids"]
        data = dict(next(r for r in world.central.state("simple")["live"]
                         if r["__id"] == made[0]))
        for key in ("__id", "__system"):
            data.pop(key)
        data["n_int"] = 1.2345678901234568e+29
        world.central.edit("simple", made[0], data=data)
        world.central.clock(advance=60)
        result = world.ok("run", "-v")
        tap.check("did not fit" in result.err, str(result))
        row = world.session.rows(
            "SELECT n_int FROM odk.simple WHERE _edits > 0")[0]
        tap.equal(row["n_int"], None, "the cell")
        tap.equal(world.session.rows(
            "SELECT submission_id FROM odk_sync_reject"
            " WHERE column_name = 'n_int'"), [{"submission_id": made[0]}],
            "rejects")


def test_max_time():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=10, seed=1)
        world.central.clock(advance=60)
        world.central.script({"match": "expand", "times": 1, "action": {
            "stall": [2000, 60]}})
        fails(world, 75, ["time limit", "Nothing was stored"], "run",
              "--max-time=1s")
        world.ok("run")
        world.compare(FORM)


def test_cancel_ends_a_running_job():
    with new_world() as world:
        world.settings["odk-sync"]["lease"] = "15s"
        world.init()
        process = stalled(world)
        job = world.queue()[0]
        world.ok("cancel", str(job["id"]))
        process.communicate(timeout=60)
        tap.equal(world.queue(), [], "queue")


def test_database_disk_is_full():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(directory, 0o777)
        place = os.path.join(directory, "disk")
        os.mkdir(place)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m,mode=777",
                           "none", place], stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            raise tap.Skip("it needs to mount a small file system")
        stack.callback(subprocess.run, ["umount", place], check=True)
        os.mkdir(place + "/space")
        shutil.chown(place + "/space", "postgres", "postgres")
        stack.callback(pg.sql, "postgres", "DROP TABLESPACE small")
        with new_world() as world:
            # before the first connection, which a pooler would keep
            world.session.run(
                f"CREATE TABLESPACE small LOCATION '{place}/space';"
                f'ALTER DATABASE "{world.database}"'
                " SET default_tablespace = small")
            world.init()
            world.central.create(FORM, count=4000, seed=1)
            world.central.clock(advance=60)
            fails(world, 75, ["No space left", "disk is full"], "run")
            tap.equal(world.history()[-1]["status"], "error", "history")
            subprocess.run(["mount", "-o", "remount,size=300m", place],
                           check=True)
            world.hurry()
            world.ok("run")
            world.compare(FORM)


def test_output_cannot_be_written():
    with new_world() as world:
        world.init()
        with open("/dev/full", "w", encoding="utf-8") as full:
            process = world.start("--help", stdout=full)
            _, err = process.communicate()
        tap.equal(process.returncode, 74, err)


def test_no_secret_in_any_output():
    with new_world() as world:
        world.init()
        world.central.create(FORM, count=3, seed=1)
        world.central.clock(advance=60)
        secrets = [world.central.password]
        for args in (["run", "people", "-v", "-v", "--log-format=json"],
                     ["config"], ["config", "--json"], ["doctor"],
                     ["status", "--json"], ["history", "--json"]):
            result = world.ok(*args)
            for secret in secrets:
                tap.check(secret not in result.out + result.err,
                          f"a secret in {result}")


if __name__ == "__main__":
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
