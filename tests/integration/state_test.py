# tests/integration/state_test.py - SPDX-License-Identifier: Apache-2.0
"""The last sync time: read and set, taken over from the old service's
last_sync.txt and given back; what the tables say of all attempts."""

import datetime
import json
import os
import stat
import sys
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

MAIN, PERSONS = "main_submissions", "person_details"
T1, T2 = "2024-01-15T10:30:00.000Z", "2024-02-01T00:00:00.000Z"


# These commands have no business there.
NO_CENTRAL = types.SimpleNamespace(url="https://central.invalid",
                                   user="u@example.org", password="secret")


def new_world():
    tap.need_pg()
    world = odks.World(central=NO_CENTRAL)
    world.job(MAIN, form="household", tables="Submissions")
    return world


def ready(world):
    world.init()
    return world


def last_sync(world, sync_type=MAIN):
    return world.ok("get", sync_type).out.strip()


def fails(world, code, message, *args, **kwargs):
    """The command ends with that code, says so, and prints no result."""
    result = world.exits(code, *args, **kwargs)
    tap.check(message in result.err, f"{message!r} is not said: {result}")
    tap.check(result.err.startswith("odk-sync: error: "), str(result))
    tap.equal(result.out, "", "stdout")
    return result


def forget(world):
    world.session.run("DELETE FROM odk_sync_status;"
                      "DELETE FROM odk_sync_history")


# --- get and set -------------------------------------------------------------

def test_get_and_set():
    with new_world() as world:
        ready(world)
        result = world.ok("get", MAIN)
        tap.equal((result.out, result.err), ("", ""), "of a type that has none")
        result = world.ok("set", MAIN, "2024-01-15 10:30")
        tap.equal((result.out, result.err), ("", ""), "silence")
        tap.equal(world.ok("get", MAIN).out, T1 + "\n", "what was set")
        world.ok("set", MAIN, "2024-02-01T01:00:00+01:00")
        tap.equal(last_sync(world), T2, "a time with a zone")
        row = world.history()[-1]
        audit = json.loads(row["metadata"])
        tap.equal((audit["action"], audit["from"][:19], audit["to"][:19],
                   audit["by"]),
                  ("set_last_sync_time", "2024-01-15T10:30:00",
                   "2024-02-01T00:00:00", "postgres"), "the audit")
        tap.check(row["service_instance"].startswith("odk-sync"), str(row))


def test_set_does_not_go_back():
    with new_world() as world:
        ready(world)
        world.ok("set", MAIN, T2)
        result = fails(world, 81, "would move it backwards", "set", MAIN, T1)
        tap.check("--force" in result.err, str(result))
        tap.equal(last_sync(world), T2, "after the refusal")
        tap.equal(len(world.history()), 1, "the history after the refusal")
        world.ok("set", MAIN, T1, "--force")
        tap.equal(last_sync(world), T1, "after --force")


def test_wrong_calls():
    with new_world() as world:
        fails(world, 78, "there are no odk_sync_* tables", "get", MAIN)
        ready(world)
        fails(world, 64, "missing argument", "get")
        fails(world, 64, "unexpected argument", "get", MAIN, PERSONS)
        fails(world, 64, "main_submissions", "get", "main_submission")
        fails(world, 64, "missing argument", "set", MAIN)
        fails(world, 64, 'T: "soon" is not a time', "set", MAIN, "soon")
        fails(world, 64, "main_submissions", "set", "main_submission", T1)
        fails(world, 64, "--force does not go with", "get", MAIN, "--force")
        fails(world, 64, "missing argument", "import-state")
        fails(world, 64, '"Mars/Olympus"', "import-state", "last_sync.txt",
              "--timezone=Mars/Olympus")
        fails(world, 64, "main_submissions", "export-state", "main_submission")
        fails(world, 64, "unexpected argument", "stats", MAIN)
        fails(world, 64, "unexpected argument", "health", MAIN)
        fails(world, 64, "unexpected argument", "prune", "30")
        fails(world, 64, "--days: 0 is not", "prune", "--days=0")
        fails(world, 64, "--days: 36501 is not", "prune", "--days=36501")
        fails(world, 64, '"x" is not a number', "prune", "--days=x")
        tap.equal(world.history(), [], "the history")


def test_types_of_others_are_known():
    """What another program tracks is in the database, not in the file."""
    with new_world() as world:
        ready(world)
        world.session.run("SELECT odk_sync_start('image_processing', 'old-1')")
        world.ok("set", "image_processing", T1)
        tap.equal(last_sync(world, "image_processing"), T1, "get")
        tap.equal(world.ok("export-state", "image_processing").out,
                  "2024-01-15T10:30:00.000000+00:00\n", "export-state")


# --- import-state ------------------------------------------------------------

# TZ of the program, what the file holds, what comes of it.
READ = [
    ("UTC", "2024-01-15T10:30:00+00:00", T1),
    ("UTC", "2024-01-15T10:30:00.000000+00:00", T1),
    ("UTC", "2024-01-15T12:30:00+02:00", T1),
    ("UTC", "2024-01-15T10:30:00Z", T1),
    ("UTC", "2024-01-15T10:30:00.123456Z", "2024-01-15T10:30:00.123456Z"),
    ("UTC", "2024-01-15T10:30:00.123Z\n", "2024-01-15T10:30:00.123Z"),
    ("UTC", "2024-01-15 10:30:00+00:00\r\n", T1),
    ("UTC", "\ufeff2024-01-15T10:30:00Z\r\n\r\n", T1),
    ("UTC", "  2024-01-15T10:30:00.000000\n", T1),
    ("UTC", "2024-01-15 10:30", T1),
    ("UTC", "2024-01-15", "2024-01-15T00:00:00.000Z"),
    # without a zone the earlier reading counts: here 5:30 before UTC
    ("Asia/Kolkata", "2024-01-15T16:00:00", T1),
    # west of Greenwich the local reading is later: as UTC
    ("America/New_York", "2024-01-15T10:30:00", T1),
    # an hour that comes twice is taken for the first
    ("Europe/Paris", "2024-10-27T02:30:00", "2024-10-27T00:30:00.000Z"),
]


def test_import_reads_what_was_written():
    with new_world() as world:
        ready(world)
        for i, (zone, text, wanted) in enumerate(READ):
            path = world.write(f"last_sync-{i}.txt", text)
            result = world.ok("import-state", path, env={"TZ": zone})
            tap.equal(result.err, "", "stderr")
            for sync_type in [MAIN, PERSONS]:
                tap.equal(last_sync(world, sync_type), wanted, repr(text))
                tap.check(f"{sync_type}: set to {wanted}, from nothing\n"
                          in result.out, str(result))
            plain = "Z" not in text and "+" not in text
            tap.equal("no time zone: " in result.out, plain, repr(text))
            forget(world)


def test_import_with_a_timezone():
    with new_world() as world:
        ready(world)
        path = world.write("last_sync.txt", "2024-01-15T05:30:00")
        result = world.ok("import-state", path, "--timezone=America/New_York",
                          env={"TZ": "Asia/Kolkata"})
        tap.equal(result.out,
                  f"{path}: no time zone: {T1} in America/New_York\n"
                  f"{MAIN}: set to {T1}, from nothing\n"
                  f"{PERSONS}: set to {T1}, from nothing\n"
                  f"{path}: kept as {path}.backup\n", "stdout")


UNREADABLE = [
    ("", "is empty"),
    (" \r\n\n", "is empty"),
    ("\ufeff", "is empty"),
    ("never", "holds no time"),
    ("None", "holds no time"),
    ("1705314600", "holds no time"),
    ("2024-02-30T10:30:00", "holds no time"),
    ("2024-01-15T10:30:00\x00", "holds no time"),
    ("2024-01-15T10:30:00Z junk", "holds no time"),
    ("2024-01-15T10:30:00\n2024-01-16T10:30:00\n", "has several lines"),
    ("2024-01-15T10:30:00\r2024-01-16T10:30:00", "has several lines"),
    ("x" * 5000, "is over 4096 bytes"),
    ("2100-01-01T00:00:00Z", "is in the future"),
]


def test_import_refuses_what_is_no_time():
    with new_world() as world:
        ready(world)
        for text, message in UNREADABLE:
            path = world.write("last_sync.txt", text)
            result = fails(world, 65, message, "import-state", path)
            tap.check(path in result.err, str(result))
        tap.equal(world.history(), [], "the history")
        tap.check(not os.path.exists(path + ".backup"), "there is a backup")
        world.ok("import-state", path, "--force")  # the one in the future


def test_import_without_a_file():
    with new_world() as world:
        ready(world)
        fails(world, 66, "No such file", "import-state", "last_sync.txt")
        fails(world, 66, "Is a directory", "import-state", world.directory)


def test_import_of_a_file_that_is_not_ours_to_read():
    if os.geteuid() == 0:
        raise tap.Skip("root may read everything")
    with new_world() as world:
        ready(world)
        path = world.write("last_sync.txt", T1, mode=0o000)
        fails(world, 77, "Permission denied", "import-state", path)


def test_import_records_and_keeps():
    with new_world() as world:
        ready(world)
        world.session.run(f"SELECT odk_sync_fail(odk_sync_start('{MAIN}',"
                          f" 'old-1'), '{MAIN}', 'broken')")
        text = "2024-01-15T10:30:00.000000+00:00\r\n"
        path = world.write("last_sync.txt", text, mode=0o640)
        world.ok("import-state", path)
        rows = world.history()[1:]
        tap.equal([(r["sync_type"], r["status"], r["records_processed"])
                   for r in rows],
                  [(MAIN, "success", 0), (PERSONS, "success", 0)], "history")
        for row in rows:
            metadata = json.loads(row["metadata"])
            tap.equal((metadata["source"], metadata["original_file_timestamp"]),
                      ("migrated_from_file", text.strip()), "metadata")
        status = world.session.rows(
            "SELECT sync_type, last_sync_status, last_error_message,"
            " successful_sync_count FROM odk_sync_status ORDER BY sync_type")
        tap.equal([tuple(row.values()) for row in status],
                  [(MAIN, "error", "broken", 0), (PERSONS, "pending", None, 0)],
                  "the status: an import is no sync")
        for name in [path, path + ".backup"]:
            with open(name, encoding="utf-8", newline="") as file:
                tap.equal(file.read(), text, name)
        tap.equal(stat.S_IMODE(os.stat(path + ".backup").st_mode), 0o640,
                  "the rights of the backup")


def test_import_twice():
    with new_world() as world:
        ready(world)
        path = world.write("last_sync.txt", T1)
        world.ok("import-state", path)
        count = len(world.history())
        result = world.ok("import-state", path)
        tap.equal(result.out, f"{MAIN}: is {T1} already\n"
                  f"{PERSONS}: is {T1} already\n"
                  f"{path}: kept as {path}.backup\n", "the second time")
        tap.equal(len(world.history()), count, "the history")
        tap.equal(sorted(n for n in os.listdir(world.directory)
                         if n.startswith("last_sync")),
                  ["last_sync.txt", "last_sync.txt.backup"], "the files")


def test_backups_are_never_overwritten():
    with new_world() as world:
        ready(world)
        world.write("last_sync.txt.backup", "mine")
        for text in [T1, T2, T1]:
            path = world.write("last_sync.txt", text)
            world.ok("import-state", path, "--force")
        found = {}
        for name in os.listdir(world.directory):
            if ".backup" in name:
                with open(world.path(name), encoding="utf-8") as file:
                    found[name] = file.read()
        tap.equal(found, {"last_sync.txt.backup": "mine",
                          "last_sync.txt.backup.1": T1,
                          "last_sync.txt.backup.2": T2}, "the backups")


def test_import_leaves_alone_what_is_ahead():
    with new_world() as world:
        ready(world)
        world.ok("set", MAIN, T2)
        path = world.write("last_sync.txt", T1)
        result = world.ok("import-state", path)
        tap.check(f"{MAIN}: left at {T2}, which is later than {T1}\n"
                  f"{PERSONS}: set to {T1}, from nothing\n" in result.out,
                  str(result))
        tap.equal(last_sync(world), T2, "it")
        result = world.ok("import-state", path, MAIN, "--force")
        tap.equal(result.out, f"{MAIN}: set to {T1}, from {T2}\n"
                  f"{path}: kept as {path}.backup\n", "forced")


def test_import_of_chosen_types():
    with new_world() as world:
        ready(world)
        path = world.write("last_sync.txt", T1)
        fails(world, 64, "main_submissions", "import-state", path, PERSONS,
              "main_submission")
        tap.equal(world.history(), [], "all or nothing")
        world.ok("import-state", path, PERSONS)
        tap.equal((last_sync(world), last_sync(world, PERSONS)), ("", T1),
                  "the types")


def test_import_where_no_backup_can_be_written():
    with new_world() as world:
        ready(world)
        name = "x" * 250  # with .backup it is too long for a name
        path = world.path(name)
        with open(path, "w", encoding="ascii") as file:
            file.write(T1)
        result = fails(world, 73, "File name too long", "import-state", path)
        tap.check("Nothing was imported" in result.err, str(result))
        tap.equal(world.history(), [], "the history")


# --- export-state ------------------------------------------------------------

def test_export():
    with new_world() as world:
        ready(world)
        fails(world, 75, "has no last sync time yet", "export-state", "-o",
              "last_sync.txt")
        tap.check(not os.path.exists(world.path("last_sync.txt")), "written")
        world.ok("set", MAIN, "2024-01-15T10:30:00.123456Z")
        text = "2024-01-15T10:30:00.123456+00:00\n"
        tap.equal(world.ok("export-state").out, text, "stdout")
        result = world.ok("export-state", MAIN, "-o", "last_sync.txt")
        tap.equal((result.out, result.err), ("", ""), "silence")
        with open(world.path("last_sync.txt"), encoding="ascii") as file:
            found = file.read()
        tap.equal(found, text, "the file")
        # as the old service reads it, and asks Central for what is newer
        read = datetime.datetime.fromisoformat(found.strip())
        tap.equal(read.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                  "2024-01-15T10:30:00.123456Z", "the old filter")
        tap.equal([n for n in os.listdir(world.directory) if "last_sync" in n],
                  ["last_sync.txt"], "the files")


def test_export_replaces_a_file():
    with new_world() as world:
        ready(world)
        world.ok("set", MAIN, T1)
        path = world.write("real.txt", "a much longer text than that of a time"
                           " that it is going to be replaced by", mode=0o604)
        os.symlink("real.txt", world.path("last_sync.txt"))
        world.ok("export-state", "-o", "last_sync.txt")
        with open(path, encoding="ascii") as file:
            tap.equal(file.read(), "2024-01-15T10:30:00.000000+00:00\n", "it")
        tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o604, "its rights")
        tap.check(os.path.islink(world.path("last_sync.txt")), "the link")
        tap.equal(world.ok("export-state", "-o", "/dev/stdout").out,
                  "2024-01-15T10:30:00.000000+00:00\n", "a device")


def test_export_where_nothing_can_be_written():
    with new_world() as world:
        ready(world)
        world.ok("set", MAIN, T1)
        fails(world, 73, "No such file", "export-state", "-o",
              "absent/last_sync.txt")
        fails(world, 73, "No space left", "export-state", "-o", "/dev/full")
        fails(world, 73, "Is a directory", "export-state", "-o",
              world.directory)


def test_export_and_import_are_inverse():
    with new_world() as world:
        ready(world)
        world.ok("set", MAIN, "2024-01-15T10:30:00.123Z")
        world.ok("export-state", "-o", "last_sync.txt")
        result = world.ok("import-state", "last_sync.txt")
        tap.check(f"{MAIN}: is 2024-01-15T10:30:00.123Z already"
                  in result.out, str(result))


# --- stats, health, prune ----------------------------------------------------

def two_attempts(world):
    world.session.run(
        f"SELECT odk_sync_complete(odk_sync_start('{MAIN}', 'one'), '{MAIN}',"
        " 7, '2024-01-15 10:30Z', NULL);"
        f"SELECT odk_sync_fail(odk_sync_start('{PERSONS}', 'two'),"
        f" '{PERSONS}', E'broken \\x1b[31m')")


def test_stats():
    with new_world() as world:
        ready(world)
        tap.equal(world.ok("stats").out, "nothing has run yet\n", "no attempts")
        two_attempts(world)
        lines = world.ok("stats").out.splitlines()
        tap.equal(lines[0].split()[:5],
                  ["SYNC", "TYPE", "STATUS", "SUCCEEDED", "FAILED"], "heading")
        tap.equal(lines[1].split()[:6],
                  [MAIN, "success", "1", "0", "1", "7"], "the first type")
        tap.equal(lines[1].split()[-1], "2024-01-15T10:30:00Z", "last sync")
        tap.equal(lines[2].split()[:4], [PERSONS, "error", "0", "1"], "second")
        tap.equal(json.loads(world.ok("stats", "--json").out), json.loads(
            world.session.value("SELECT odk_sync_statistics()::text")),
            "as the function")


def old_monitor(stats):
    """What the old service's dashboard computes from the statistics."""
    entries = {t: s for t, s in stats.items()
               if t != "recent_history" and isinstance(s, dict)}
    total = sum(s.get("successful_syncs", 0) for s in stats.values()
                if isinstance(s, dict))
    shown = {t: (s["last_sync_status"], s.get("last_error_message"),
                 s["last_sync_timestamp"] and datetime.datetime.fromisoformat(
                     s["last_sync_timestamp"].replace("Z", "+00:00")))
             for t, s in entries.items() if "last_sync_status" in s}
    times = [datetime.datetime.fromisoformat(h["timestamp"])
             for h in stats["recent_history"]]
    return total, shown, len(times)


def test_the_old_monitor_reads_stats_and_health():
    with new_world() as world:
        ready(world)
        two_attempts(world)
        for command in ["stats", "health"]:
            stats = json.loads(world.ok(command, "--json").out)
            total, shown, count = old_monitor(stats)
            tap.equal((total, count), (1, 2), "totals")
            tap.equal(shown[MAIN], ("success", None, datetime.datetime(
                2024, 1, 15, 10, 30, tzinfo=datetime.timezone.utc)), MAIN)
            tap.equal(shown[PERSONS][:2], ("error", "broken \x1b[31m"), PERSONS)
        tap.check(stats["service_info"]["current_time"], "no current_time")


def test_health():
    with new_world() as world:
        ready(world)
        tap.equal(world.ok("health").out,
                  "healthy\nqueue: 0 pending, 0 running, 0 dead\n", "healthy")
        two_attempts(world)
        tap.equal(world.ok("health").out,
                  "not healthy\n"
                  f"  {PERSONS}: the last attempt failed: broken \\x1b[31m\n"
                  "    it is not in the configuration; if nothing else uses"
                  f" it: odk-sync forget {PERSONS}\n"
                  "queue: 0 pending, 0 running, 0 dead\n", "not healthy")
        tap.equal(json.loads(world.ok("health", "--json").out)["healthy"],
                  False, "healthy in JSON")


def test_prune():
    with new_world() as world:
        ready(world)
        world.session.run(
            "INSERT INTO odk_sync_history (sync_type, sync_timestamp, status)"
            " SELECT 'a', now() - interval '40 days', 'success'"
            " FROM generate_series(1, 12001)"
            " UNION ALL SELECT 'a', now() - interval '10 days', 'success'")
        tap.equal(world.ok("prune").out,
                  "12001 attempts older than 30 days forgotten\n", "stdout")
        tap.equal(len(world.history()), 1, "what is left")
        tap.equal(world.ok("prune", "--days=1").out,
                  "1 attempt older than 1 day forgotten\n", "stdout")
        world.settings["odk-sync"]["history_days"] = 7
        tap.equal(world.ok("prune").out,
                  "0 attempts older than 7 days forgotten\n", "stdout")


if __name__ == "__main__":
    tap.main()
