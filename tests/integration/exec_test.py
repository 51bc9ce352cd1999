# tests/integration/exec_test.py - SPDX-License-Identifier: Apache-2.0
"""odk-sync exec, and jobs of kind command: programs of other people, whatever
they do; what the tables say of it, with which code it ends, and that nothing
of them stays behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402


class NoCentral:
    """For a configuration without any."""
    url, user, password, port = "https://central.invalid", "u", "p", 1


@contextlib.contextmanager
def new_world(**run):
    """Ready, with the settings of [odk-sync]."""
    with odks.World(NoCentral()) as world:
        world.settings["odk-sync"] = run
        world.init()
        yield world


def command(world, name="c", **settings):
    world.jobs[name] = {"kind": "command", **settings}


def sh(script, *args):
    """The words for exec that run a script of the shell."""
    return ["--", "sh", "-c", script, "sh", *args]


def last(world):
    """The newest attempt, with its metadata as a dict."""
    row = world.history()[-1]
    return {**row, "metadata": json.loads(row["metadata"])}


def status(world, name="t"):
    (row,) = world.session.rows(
        f"SELECT * FROM odk_sync_status WHERE sync_type = '{name}'")
    return row


def runs(pid):
    """Does the process run? One that nobody has reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def pids(world, name="pids"):
    with open(world.path(name), encoding="ascii") as file:
        return [int(line) for line in file.read().split()]


class Running:
    """A command that runs until a line is written to its fifo "go", and then
    does what that says; at the start it has written the number of its process,
    and that of a child in another session, into the file "pids". It waits with
    wait, which a trap interrupts. What else it reads comes from a second fifo,
    "more": one who opens the first again may still see the writer of before,
    and then his end."""

    SCRIPT = """
        %s
        setsid sleep 1000 &
        echo $$ $! >new && mv new pids
        (read line <go; echo "$line" >line) & wait $!
        eval "$(cat line)"
        """

    def __init__(self, world, before="", args=("exec", "t"), **popen):
        self.world = world
        for name in ("go", "more"):
            os.mkfifo(world.path(name))
        script = world.write("script", self.SCRIPT % before)
        tail = ["--", "sh", script] if args[0] == "exec" else []
        self.process = world.start(*args, *tail, **popen)
        pg.wait_until(lambda: os.path.exists(world.path("pids")), 30, "start")
        self.pids = pids(world)

    def go(self, line, name="go"):
        with open(self.world.path(name), "w", encoding="utf-8") as fifo:
            fifo.write(line + "\n")

    def end(self):
        """Wait for the end of odk-sync, when nothing may be left."""
        out, err = self.process.communicate(timeout=60)
        tap.equal([pid for pid in self.pids if runs(pid)], [], "survivors")
        return odks.Result(["..."], self.process.returncode, out, err)


# -- it succeeds ---------------------------------------------------------------

def test_success():
    with new_world() as world:
        result = world.ok("exec", "t", *sh("""
            echo out; echo told >&2
            echo '{"records_processed": 3}' >&3
            echo '{"records_processed": 10, "metadata": {"file": "x.csv"},
                   "latest_timestamp": "2026-11-23T12:00:00+01:00"}' |
                tr -d '\\n' >/dev/fd/3
            """))
        tap.equal((result.out, result.err), ("out\n", "told\n"), "output")
        row = last(world)
        tap.equal((row["sync_type"], row["status"], row["records_processed"],
                   row["error_message"]), ("t", "success", 10, None), "history")
        tap.equal({k: row["metadata"][k] for k in (
            "file", "latest", "outcome", "exit_code")},
            {"file": "x.csv", "latest": "2026-11-23T11:00:00+00:00",
             "outcome": "success", "exit_code": 0}, "metadata")
        row = status(world)
        tap.equal((row["last_sync_status"], row["last_sync_timestamp"],
                   row["successful_sync_count"], row["last_records_processed"]),
                  ("success", "2026-11-23T11:00:00+00:00", 1, 10), "status")
        tap.equal(world.queue(), [], "queue")


def test_environment():
    with new_world() as world:
        world.session.run("SELECT odk_sync_set_last_sync_time("
                          "'2026-11-23T12:00:00.5Z', 't')")
        secret = world.write("pg_password", "geheim\n")
        world.settings["database"]["password_file"] = secret
        result = world.ok("exec", "t", "--", "env",
                          env={"HOME": "/x", "SYNC_TYPE": "other"})
        found = dict(line.split("=", 1) for line in result.out.splitlines())
        row = last(world)
        tap.equal({k: found[k] for k in (
            "LAST_SYNC_TIMESTAMP", "SYNC_TYPE", "HISTORY_ID",
            "SERVICE_INSTANCE", "ODK_SYNC_REPORT_FD", "HOME")}, {
                "LAST_SYNC_TIMESTAMP": "2026-11-23T12:00:00.500Z",
                "SYNC_TYPE": "t", "HISTORY_ID": str(row["id"]),
                "SERVICE_INSTANCE": row["service_instance"],
                "ODK_SYNC_REPORT_FD": "3", "HOME": "/x"}, "environment")
        tap.check("geheim" not in result.out, "the password is not handed on")
        tap.equal(world.ok("exec", "first", *sh(
            'echo "<$LAST_SYNC_TIMESTAMP>"')).out, "<>\n", "the first time")


def test_descriptors_and_words_are_its_own():
    with new_world() as world:
        result = world.ok("exec", "t", "--", "sh", "-c",
                          "ls /proc/$$/fd; cat; printf '%s|' \"$@\"", "sh",
                          "-v", "--", "--help", "a b",
                          stdin=open(world.write("in", "read\n"),
                                     encoding="ascii"))
        # dash keeps no descriptor of its own; ls is not among them
        tap.equal(result.out, "0\n1\n2\n3\nread\n-v|--|--help|a b|", "stdout")


def test_without_standard_streams():
    with new_world() as world:
        program = os.environ.get("ODKS_PROGRAM",
                                 os.path.join(odks.BUILD, "odk-sync"))
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
             os.path.abspath(program), "exec", "t",
             *sh('echo x; echo y >&2; echo \'{"records_processed": 1}\' >&3')],
            env={**os.environ, "ODK_SYNC_CONFIG": world.configure()},
            check=False, timeout=60)
        tap.equal(done.returncode, 0, "exit code")
        tap.equal(last(world)["records_processed"], 1, "records")


# -- it fails ------------------------------------------------------------------

def test_failure():
    with new_world() as world:
        result = world.exits(3, "exec", "t", *sh("""
            for i in $(seq 1000); do echo "line $i" >&2; done
            echo '{"records_processed": 5,
                   "latest_timestamp": "2026-11-23T12:00:00Z"}' | tr -d '\\n' >&3
            printf 'worse\\033[m\\377\\n' >&2
            exit 3"""))
        tap.check("line 1\nline 2\n" in result.err
                  and result.err.endswith("sh ended with exit code 3 [3]\n"),
                  str(result))
        row = last(world)
        tap.equal((row["status"], row["records_processed"],
                   row["metadata"]["outcome"], row["metadata"]["exit_code"]),
                  ("error", 5, "error", 3), "history")
        said = row["error_message"]
        tap.check(said.startswith("sh ended with exit code 3: line 9")
                  and said.endswith("\nline 1000\nworse?[m?"), said)
        tap.check(len(said) <= 1000, "it fits")
        row = status(world)
        tap.equal((row["last_sync_status"], row["last_error_message"],
                   row["failed_sync_count"], row["last_sync_timestamp"]),
                  ("error", said, 1, None), "status")
        tap.equal(world.queue(), [], "nobody else could try it again")
        world.ok("exec", "t", "--", "true")
        tap.equal(status(world)["last_sync_status"], "success", "status")


def test_every_exit_code_is_passed_on():
    with new_world() as world:
        for code in (1, 64, 75, 77, 79, 80, 126, 127, 130, 143, 255):
            world.exits(code, "exec", "t", *sh(f"exit {code}"))
            row = last(world)
            tap.equal((row["status"], row["metadata"]["exit_code"],
                       row["metadata"]["outcome"]), ("error", code, "error"),
                      "history")
        tap.equal(world.queue(), [], "queue")


def test_what_cannot_be_started():
    with new_world() as world:
        for code, path in ((127, "/nonexistent"), (127, "no-such-program"),
                           (126, world.write("data", "x")),
                           (126, world.directory)):
            result = world.exits(code, "exec", "t", "--", path)
            tap.check("cannot start" in result.err, str(result))
            tap.check("cannot start" in last(world)["error_message"])


def test_killed():
    with new_world() as world:
        for name, code in (("KILL", 137), ("TERM", 143), ("SEGV", 139)):
            world.exits(code, "exec", "t", *sh(f"kill -{name} $$"))
            tap.equal(last(world)["error_message"],
                      f"sh was ended by SIG{name}", "error_message")


def test_bad_report():
    with new_world() as world:
        result = world.ok("exec", "t", *sh("""
            echo nonsense >&3; echo '{"records": 1}' >&3
            echo '{"records_processed": 2}' >&3"""))
        tap.equal(result.err.count("line 1 of the report is not used"), 1,
                  "messages")
        tap.equal(result.err.count("\n"), 1, "the first one alone is told")
        row = last(world)
        tap.equal((row["records_processed"],
                   row["metadata"]["bad_report_lines"]), (2, 2), "history")


# -- it hangs, floods, forks ---------------------------------------------------

def test_hanging_until_max_time():
    with new_world() as world:
        running = Running(world, args=("exec", "t", "--max-time=3s"))
        result = running.end()
        tap.equal(result.code, 75, "exit code")
        row = last(world)
        tap.equal((row["status"], row["error_message"],
                   row["metadata"]["outcome"]),
                  ("error", "interrupted: own time limit reached",
                   "interrupted"), "history")
        tap.equal(world.queue(), [], "queue")


def largest(world, megabytes):
    """The most memory, in KiB, that a run with such a flood took."""
    process = world.start("exec", "t", *sh(f"""
        head -c {megabytes}M /dev/zero
        yes flood | head -c {megabytes}M >&2
        head -c {megabytes}M /dev/zero >&3
        echo >&3; echo '{{"records_processed": {megabytes}}}' >&3
        echo the end >&2; exit 9"""), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    _, how, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(how)
    tap.equal(process.returncode, 9, "exit code")
    return usage.ru_maxrss


def test_flood():
    with new_world() as world:
        little, much = largest(world, 1), largest(world, 50)
        tap.check(much < little + 4096, f"{much} KiB, and {little} KiB before")
        row = last(world)
        tap.equal(row["records_processed"], 50, "what came behind it")
        tap.equal(row["metadata"]["bad_report_lines"], 1, "bad lines")
        tap.check(row["error_message"].endswith("the end"))


def test_stderr_that_nobody_reads():
    with new_world() as world:
        running = Running(world, "yes >&2 &")
        running.go("echo '{\"records_processed\": 4}' >&3; read more <more")
        pg.wait_until(lambda: world.history()[-1]["records_processed"] == 4, 30,
                      "progress is told all the same")
        running.go("", "more")
        _, err = running.process.communicate(timeout=60)
        tap.equal(running.process.returncode, 0, "exit code")
        tap.check(err.startswith("y\ny\n"), err[:20])


def test_forked_children():
    with new_world() as world:
        result = world.exits(6, "exec", "t", *sh("""
            trap '' TERM
            (sleep 1000; echo never) &
            echo $! >>pids
            setsid sh -c 'echo $$ >>pids; sleep 1000 & exec sleep 1000' &
            timeout 1000 sh -c 'echo $$ >>pids; exec sleep 1000' &
            until [ $(wc -l <pids) -eq 3 ]; do :; done
            exit 6"""))
        tap.equal(result.out, "", "stdout")
        tap.equal([pid for pid in pids(world) if runs(pid)], [], "survivors")


# -- it is not to go on --------------------------------------------------------

def test_lost_claim():
    with new_world() as world:
        running = Running(world)
        world.session.run(
            "UPDATE odk_sync_queue SET claim_no = claim_no + 1,"
            " claimed_by = 'another', lease_until = now() + interval '1h'")
        running.go("echo '{\"records_processed\": 1}' >&3; read more <more")
        result = running.end()
        tap.equal(result.code, 79, "exit code")
        tap.check("was lost to another runner" in result.err, str(result))
        tap.equal(last(world)["status"], "in_progress", "it is the other's row")
        tap.equal(world.queue()[0]["claimed_by"], "another", "queue")


def test_cancel():
    with new_world() as world:
        running = Running(world)
        world.ok("cancel", str(world.queue()[0]["id"]))
        running.go("echo '{\"records_processed\": 1}' >&3; read more <more")
        tap.equal(running.end().code, 75, "exit code")
        tap.equal(last(world)["metadata"]["outcome"], "cancelled", "outcome")
        tap.equal(world.queue(), [], "queue")


def test_signals_are_forwarded():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with new_world() as world:
            running = Running(
                world, "trap 'echo 1 >got; exit 0' "
                f"{signal.Signals(number).name[3:]}")
            running.process.send_signal(number)
            tap.equal(running.end().code, -number, "exit code")
            tap.check(os.path.exists(world.path("got")), "it was told")
            row = last(world)
            tap.equal((row["status"], row["metadata"]["outcome"]),
                      ("error", "interrupted"), "history")
            tap.equal(status(world)["last_sync_status"], "pending", "status")
            tap.equal(world.queue(), [], "queue")


def test_second_signal_ends_all_at_once():
    with new_world() as world:
        running = Running(world, "trap 'echo 1 >got' TERM")
        running.process.send_signal(signal.SIGTERM)
        pg.wait_until(lambda: os.path.exists(world.path("got")), 30, "TERM")
        running.process.send_signal(signal.SIGTERM)
        tap.equal(running.process.wait(30), -signal.SIGTERM, "exit code")
        for pid in running.pids:
            pg.wait_until(lambda p=pid: not runs(p), 30, "death")


def test_killed_runner():
    with new_world() as world:
        running = Running(world)
        running.process.kill()
        running.process.communicate()
        for pid in running.pids:
            pg.wait_until(lambda p=pid: not runs(p), 30, "death")
        world.settle()
        world.hurry()
        world.ok("exec", "t", "--", "true")
        rows = world.history()
        tap.equal([r["status"] for r in rows], ["error", "success"], "history")
        tap.check("abandoned" in rows[0]["error_message"])
        tap.equal(world.queue(), [], "queue")


def test_killed_runner_is_cleared_away_by_any_run():
    with new_world() as world:
        running = Running(world)
        running.process.kill()
        running.process.communicate()
        world.settle()
        world.hurry()
        command(world, command="true")
        world.ok("run")
        tap.equal([(r["sync_type"], r["status"]) for r in world.history()],
                  [("t", "error"), ("c", "success")], "history")
        tap.equal(world.queue(), [], "no run could ever do it")


def cut_sessions(world, user="postgres"):
    """As a restart of the server, or a firewall, ends them."""
    world.session.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE application_name LIKE 'odk-sync/%' AND usename = '{user}'"
        " AND datname = current_database()")


def test_a_lost_session_ends_no_command():
    with new_world() as world:
        running = Running(world)
        cut_sessions(world)
        tap.equal(world.ok("exec", "t", *sh("echo never")).out, "",
                  "it waits for the lease to end")
        running.go("echo '{\"records_processed\": 1}' >&3; read more <more")
        pg.wait_until(lambda: world.history()[-1]["records_processed"] == 1, 60,
                      "the claim is renewed in another session")
        cut_sessions(world)
        running.go("", "more")
        result = running.end()
        tap.equal((result.code, result.err), (0, ""), "the end")
        tap.equal([r["status"] for r in world.history()], ["success"],
                  "history")
        tap.equal(world.queue(), [], "queue")


def test_a_claim_that_cannot_be_renewed_ends_the_command():
    """Its session is cut, and there will be no other: the command is ended
    before its lease is over, and so before the next one starts. Nor does the
    death of the runner free the claim any sooner."""
    if "ODKS_TEST_POOLER" in os.environ:
        raise tap.Skip("a pooler goes on using its sessions")
    with new_world(lease="15s") as world, new_world(lease="15s") as other:
        user = f"cut_{os.getpid()}"
        world.session.run(f"CREATE ROLE {user} SUPERUSER LOGIN")
        try:
            world.settings["database"]["user"] = user
            cut, killed = Running(world), Running(other)
            world.session.run(f"ALTER ROLE {user} NOLOGIN")
            cut_sessions(world, user)
            del world.settings["database"]["user"]
            killed.process.kill()
            killed.process.communicate()
            tap.equal(other.queue()[0]["direct"], False, "its lease alone")
            for one in (cut, killed):
                start_after(one)
            result = cut.end()
            # 77: nor could the failure be recorded
            tap.check(result.code in (75, 77, 79), str(result))
        finally:
            cut_sessions(world, user)
            world.session.run(f"DROP ROLE {user}")


def start_after(running):
    """Start the type again and again until it runs: with nothing left of the
    one before."""
    world = running.world
    numbers = " ".join(str(pid) for pid in running.pids)

    def ran():
        world.ok("exec", "t", *sh(
            f"for p in {numbers}; do grep -s '^State:.[^ZX]' /proc/$p/status"
            " && echo $p >two; done; echo >ran"))
        return os.path.exists(world.path("ran"))

    pg.wait_until(ran, 120, "the next one runs")
    tap.check(not os.path.exists(world.path("two")), "two ran at once")


def test_the_claim_is_renewed_or_the_command_ends():
    """Two for longer than their guards wait for a sign of life, 12.5 s: one
    gets them, the runner of the other is asleep."""
    with new_world(lease="15s") as world:
        long = world.start("exec", "long", "--", "sleep", "14")
        running = Running(world)
        running.process.send_signal(signal.SIGSTOP)
        for pid in running.pids:
            pg.wait_until(lambda p=pid: not runs(p), 30, "death")
        running.process.send_signal(signal.SIGCONT)
        result = running.end()
        tap.check(result.code in (75, 79), str(result))
        _, err = long.communicate(timeout=60)
        tap.equal((long.returncode, err), (0, ""), "the other")
        tap.equal({r["sync_type"]: r["status"] for r in world.history()}["long"],
                  "success", "history")


# -- one at a time, and whose type it is ---------------------------------------

def test_already_running():
    with new_world() as world:
        running = Running(world)
        result = world.ok("exec", "t", *sh("echo never"))
        tap.equal((result.out, result.err), ("", ""), "output")
        result = world.ok("exec", "-v", "t", *sh("echo never"))
        tap.check("it runs elsewhere" in result.err, str(result))
        world.exits(75, "exec", "--fail-if-idle", "t", *sh("echo never"))
        world.ok("exec", "other", "--", "true")
        running.go("exit 0")
        tap.equal(running.end().code, 0, "exit code")
        tap.equal([r["sync_type"] for r in world.history()], ["t", "other"],
                  "attempts")
        tap.equal(world.queue(), [], "queue")


def test_types_of_the_configuration_are_not_for_exec():
    with new_world() as world:
        command(world, "mine", command="true", every="1000h")
        result = world.exits(64, "exec", "mine", "--", "true")
        tap.check("odk-sync run mine" in result.err, str(result))
        # of a configuration on another machine
        world.ok("enqueue", "mine", "--at=2100-01-01")
        del world.jobs["mine"]
        before = world.queue()
        result = world.exits(78, "exec", "mine", *sh("echo never"))
        tap.check("belongs to a configuration" in result.err, str(result))
        tap.equal(result.out, "", "stdout")
        tap.equal(world.queue(), before, "queue")


def test_paused():
    with new_world() as world:
        world.session.run("INSERT INTO odk_sync_slot (sync_type, paused_at)"
                          " VALUES ('t', now())")
        tap.equal(world.ok("exec", "t", *sh("echo never")).out, "", "stdout")
        tap.equal(world.queue(), [], "queue")


def test_command_line():
    with new_world() as world:
        for args, word in ((["exec", "t", "true"], '"--"'),
                           (["exec", "t"], "missing"),
                           (["exec", "--", "t"], "missing"),
                           (["exec", "", "--", "true"], "1 to 50"),
                           (["exec", "x" * 51, "--", "true"], "1 to 50"),
                           (["exec", "a b", "--", "true"], "spaces"),
                           (["exec", "t", "--full", "--", "true"],
                            "does not go with")):
            result = world.exits(64, *args)
            tap.check(word in result.err, str(result))
        tap.equal(world.history(), [], "history")
        world.ok("exec", "x" * 50, "--", "true")
        world.ok("--", "exec", "t", "true")


def test_database_alone_is_needed():
    with new_world() as world:
        sections = world.sections
        world.sections = lambda: (s for s in sections() if s[0] == "database")
        world.ok("exec", "t", "--", "true")
        world.settings["database"]["dbname"] = "no_such_database"
        # a pooler does not say by code what is wrong
        code = 75 if "ODKS_TEST_POOLER" in os.environ else 78
        result = world.exits(code, "exec", "t", *sh("echo never"))
        tap.equal(result.out, "", "without a claim nothing is started")


def test_old_history_is_pruned():
    with new_world(history_days=1) as world:
        world.session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status)"
            " VALUES ('t', now() - interval '2 days', 'success')")
        world.ok("exec", "t", "--", "true")
        tap.equal(len(world.history()), 1, "attempts")


# -- kind command --------------------------------------------------------------

def test_kind_command():
    with new_world() as world:
        command(world, "first", command="echo '{\"records_processed\": 2,"
                " \"latest_timestamp\": \"2026-11-23\"}' >&3; cat; echo first")
        command(world, "second", after="first",
                command="echo $SYNC_TYPE after first")
        result = world.ok("run")
        tap.equal((result.out, result.err),
                  ("first\nsecond after first\n", ""), "output")
        tap.equal([(r["sync_type"], r["status"], r["records_processed"])
                   for r in world.history()],
                  [("first", "success", 2), ("second", "success", 0)],
                  "history")


def test_kind_command_reads_again():
    with new_world() as world:
        command(world, command="echo \"<$LAST_SYNC_TIMESTAMP>\"")
        world.session.run(
            "SELECT odk_sync_set_last_sync_time('2026-11-23Z', 'c')")
        for args, said in (((), "2026-11-23T00:00:00.000Z"), (("--full",), ""),
                           (("--since=2026-01-01",),
                            "2026-01-01T00:00:00.000Z")):
            tap.equal(world.ok("run", "c", *args).out, f"<{said}>\n", "since")


def test_kind_command_is_tried_again():
    with new_world() as world:
        command(world, every="1000h", max_failures=2,
                command="echo why >&2; exit 5")
        result = world.exits(75, "run")
        tap.check("the command ended with exit code 5 [75]" in result.err)
        (job,) = world.queue()
        tap.equal((job["state"], job["failures"], job["last_error"]),
                  ("pending", 1, "the command ended with exit code 5: why"),
                  "queue")
        tap.equal((last(world)["metadata"]["exit_code"],
                   last(world)["metadata"]["command_exit_code"]), (75, 5),
                  "metadata")
        world.hurry()
        world.exits(80, "run")
        tap.equal(world.queue()[0]["state"], "dead", "queue")


def test_kind_command_that_does_not_exist():
    with new_world() as world:
        command(world, command="no-such-program")
        result = world.exits(78, "run")
        tap.check("Check command in [job c]" in result.err, str(result))
        tap.equal(world.queue()[0]["state"], "dead", "queue")


def test_kind_command_has_a_limit():
    with new_world() as world:
        command(world, max_runtime="1s",
                command=f"sh {world.path('script')}")
        result = Running(world, args=("run", "c")).end()
        tap.equal(result.code, 75, "exit code")
        tap.check("longer than max_runtime, 1 s" in result.err, str(result))
        (job,) = world.queue()
        tap.equal((job["state"], job["failures"]), ("pending", 1), "queue")


def test_kind_command_is_handed_back():
    with new_world() as world:
        command(world, command=f"sh {world.path('script')}")
        command(world, "later", after="c", command="true")
        running = Running(world, args=("run", "c"))
        running.process.terminate()
        tap.equal(running.end().code, -signal.SIGTERM, "exit code")
        (job,) = world.queue()
        tap.equal((job["state"], job["failures"]), ("pending", 0), "queue")


def test_kind_command_dry_run():
    with new_world() as world:
        command(world, command="echo never")
        tap.equal(world.ok("run", "c", "--dry-run").out,
                  "c: would run: echo never\n", "stdout")
        tap.equal(json.loads(world.ok("run", "c", "-n", "--json").out),
                  {"sync_type": "c", "dry_run": {"command": "echo never"}},
                  "JSON")
        tap.equal(world.history(), [], "history")


if __name__ == "__main__":
    try:
        tap.need_pg()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
