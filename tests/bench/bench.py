# tests/bench/bench.py - SPDX-License-Identifier: Apache-2.0
"""How fast, in ratios to what cannot be avoided, and how much memory.

    bench.py [--submissions N] [--rate ROWS] [--million] [--repeat N] [--only WHICH]

walk     a first sync of N submissions with three repeat rows each, against
         (a) curl of the same bytes to /dev/null, from a Central that sends
         ROWS a second, as the real one does, and (b) COPY and merge of the
         same rows by psql, from a Central as fast as it gets
memory   the peak at 1,000 and N submissions, and with --million at 1,000,000
idle     `odk-sync run` with nothing due against `psql -c 'select 1'`
same     a run when none of N submissions changed, and when one did, with and
         without tags: requests, bytes from Central, rows written

Each figure is the median of --repeat measurements. README.md has the figures.
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402

FORM = "bulk"


class Cost:
    """What a finished process took."""

    def __init__(self, wall, usage, peak):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = peak  # MiB

    def __str__(self):
        return (f"{self.wall:8.3f} s wall {self.cpu:8.3f} s cpu"
                f" {self.peak:6.1f} MiB")


def peak_of(pid):
    """The most memory so far, in MiB; ru_maxrss would count ours before the
    exec as well."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0  # it has ended


def cost_of(process, start):
    peak = 0
    while True:
        peak = max(peak, peak_of(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        time.sleep(0.001)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(time.monotonic() - start, usage, peak)


def measure(args, **popen):
    start = time.monotonic()
    process = subprocess.Popen(args, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, **popen)
    cost = cost_of(process, start)
    if process.returncode != 0:
        sys.exit(f"{args[0]}: exit {process.returncode}")
    return cost


def measure_run(world, *args):
    """One run of the program, which has to succeed."""
    with open(world.path("stderr"), "w+", encoding="utf-8") as err:
        start = time.monotonic()
        process = world.start(*args, stdout=subprocess.DEVNULL, stderr=err)
        cost = cost_of(process, start)
        err.seek(0)
        said = err.read()
    if process.returncode != 0:
        sys.exit(f"odk-sync {args}: exit {process.returncode}\n{said}")
    return cost


def median(costs):
    return sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]


def show(name, cost, base=None):
    ratio = f"  x {cost.wall / base.wall:.2f}" if base else ""
    print(f"{name:<34}{cost}{ratio}", flush=True)


def new_world(submissions):
    world = odks.World(options=("--seed-bulk", str(submissions)))
    world.job(FORM, form=FORM)
    return world


def last_metadata(world):
    return json.loads(world.history()[-1]["metadata"])


def curl(world):
    """The whole feed as it is, once."""
    return measure([
        "curl", "-sS", "--fail", "-o", "/dev/null", "-H",
        "Authorization: Bearer " + world.central.login(),
        world.central.url + f"/v1/projects/1/forms/{FORM}.svc/Submissions"
        "?%24expand=*"])


def export(world):
    """The rows of the form as files for COPY; (table, file) pairs."""
    tables = world.session.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'odk'"
        " ORDER BY tablename")
    files = []
    for row in tables:
        name = row["tablename"]
        path = world.path(name + ".copy")
        world.session.run(f"\\copy odk.\"{name}\" TO '{path}'")
        files.append((name, path))
    return files


def copy_and_merge(world, files):
    """The same rows into empty copies of the tables, by COPY into temporary
    tables and INSERT ... ON CONFLICT, in one transaction each."""
    script = []
    for name, path in files:
        script.append(
            f'BEGIN; CREATE TEMP TABLE staging (LIKE odk."{name}")'
            " ON COMMIT DROP;\n"
            f"\\copy staging FROM '{path}'\n"
            f'INSERT INTO odk."{name}" SELECT * FROM staging'
            " ON CONFLICT DO NOTHING; COMMIT;\n")
    tables = ", ".join(f'odk."{name}"' for name, _ in files)
    world.session.run(f"TRUNCATE {tables}")
    path = world.write("merge.sql", "".join(script))
    return measure(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", path,
                    world.database])


def walk(world, repeat):
    """The median cost of a first sync from the same beginning."""
    empty = world.snapshot()
    costs = []
    for _ in range(repeat):
        world.restore(empty)
        costs.append(measure_run(world, "run"))
    return median(costs)


def bench_walk(args):
    print(f"\nfirst sync, {args.submissions} submissions,"
          f" Central sends {args.rate} rows a second")
    with new_world(args.submissions) as world:
        world.central.config(rate=args.rate)
        world.ok("init")
        base = median([curl(world) for _ in range(args.repeat)])
        show("curl to /dev/null", base)
        show("odk-sync run", walk(world, args.repeat), base)

    print(f"\nfirst sync, {args.submissions} submissions, Central unthrottled")
    with new_world(args.submissions) as world:
        world.ok("init")
        show("curl to /dev/null",
             median([curl(world) for _ in range(args.repeat)]))
        cost = walk(world, args.repeat)
        metadata = last_metadata(world)
        files = export(world)
        base = median([copy_and_merge(world, files)
                       for _ in range(args.repeat)])
        show("COPY and merge by psql", base)
        show("odk-sync run", cost, base)
        print(f"{metadata['received']} submissions, {metadata['repeats']}"
              f" repeat rows, {metadata['bytes']} bytes,"
              f" {metadata['requests']} requests;"
              f" {metadata['received'] / cost.wall:.0f} submissions a second")


def bench_memory(args):
    print("\npeak memory of a first sync")
    sizes = [1000, args.submissions] + [1000000] * args.million
    for size in sizes:
        with new_world(size) as world:
            world.ok("init")
            show(f"{size} submissions", measure_run(world, "run"))


def bench_idle(args):
    print("\nnothing due")
    with new_world(10) as world:
        world.job(FORM, form=FORM, every="720h")
        world.ok("init")
        world.ok("run")
        runs = max(args.repeat * 10, 20)
        base, cost = [], []
        for _ in range(runs):  # by turns, so that both see the same machine
            base.append(measure(["psql", "-XAtqc", "select 1",
                                 world.database]))
            cost.append(measure_run(world, "run"))
        base, cost = median(base), median(cost)
        show("psql -c 'select 1'", base)
        show("odk-sync run", cost, base)
        show("odk-sync --version", median(
            [measure_run(world, "--version") for _ in range(runs)]), base)


def bench_jobs(args):
    """A file of many jobs: proportional to their number, or it shows here."""
    print("\nmany jobs")
    base = None
    for count in (100, 1000, 10000):
        with new_world(1) as world:
            for number in range(count):
                world.jobs[f"j{number}"] = {"like": FORM, "form": f"f{number}"}
            cost = median([measure_run(world, "config")
                           for _ in range(args.repeat)])
            base = base or cost
            show(f"odk-sync config, {count} jobs", cost, base)


ROWS_WRITTEN = ("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS rows"
                " FROM pg_stat_user_tables")


def rows_written(world):
    """By table, since ever; the backends that are gone have told theirs."""
    world.settle()
    return {row["relname"]: row["rows"]
            for row in world.session.rows(ROWS_WRITTEN)}


def show_run(world, name, *args):
    """What one run asked for, received and wrote."""
    world.central.requests()
    before = rows_written(world)
    cost = measure_run(world, "run", *args)
    after = rows_written(world)
    written = {table: rows - before.get(table, 0)
               for table, rows in sorted(after.items())
               if rows > before.get(table, 0)}
    sent = world.central.requests()["requests"]
    ours = sum(rows for table, rows in written.items()
               if not table.startswith("odk_sync_"))
    show(name, cost)
    print(f"  {len(sent)} requests with login and logout,"
          f" {last_metadata(world)['bytes']} bytes of bodies;"
          f" {ours} rows of the form;"
          f" {', '.join(f'{t} {n}' for t, n in written.items())}")


def bench_same(args):
    for etag in (True, False):
        print(f"\n{args.submissions} submissions,"
              f" {'with' if etag else 'without'} tags")
        with new_world(args.submissions) as world:
            world.central.config(etag=etag)
            world.ok("init")
            measure_run(world, "run")
            world.central.clock(advance=3600)
            show_run(world, "nothing changed")
            world.central.create(FORM, seed=7)
            world.central.clock(advance=3600)
            show_run(world, "one is new")
            world.central.clock(advance=3600)
            show_run(world, "all keys compared", FORM, "--reconcile")
            show_run(world, "nothing changed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=100000)
    parser.add_argument("--rate", type=int, default=4900)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--only", choices=["walk", "memory", "idle", "jobs", "same"])
    args = parser.parse_args()
    for name, bench in (("idle", bench_idle), ("jobs", bench_jobs), ("same", bench_same),
                        ("memory", bench_memory),
                        ("walk", bench_walk)):
        if args.only in (None, name):
            bench(args)


if __name__ == "__main__":
    main()
