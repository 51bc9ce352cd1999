#!/usr/bin/env python3
# tests/harness/with_pg.py - SPDX-License-Identifier: Apache-2.0
"""with_pg.py [--pooler] [--shared DIR --owner PID] [--limit S] CMD...

Run CMD with a private PostgreSQL: PGHOST, PGPORT, PGUSER, PGDATABASE (a fresh
database) and ODKS_TEST_PG=1 are set for it. With --pooler these lead through
PgBouncer in transaction mode, ODKS_TEST_POOLER=1 is set, and PGHOST_DIRECT and
PGPORT_DIRECT lead past it. CMD's exit status is passed on.

A keeper process of its own holds the server and stops it when its owner ends,
however that ends. The owner is this process; or, with --shared, the process
PID (the make of `make check`), and every CMD of that owner shares the server,
with a state file in DIR to find it by.

Without PostgreSQL on this machine CMD runs all the same, without ODKS_TEST_PG.
CMD that exits with 77 and is silent is reported as skipped (TAP). After S
seconds (default 900) CMD is killed.
"""

import argparse
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pg  # noqa: E402

SKIP = 77


def wait_for_end(pid):
    """Return when the process pid, not a child of ours, has ended."""
    try:
        fd = os.pidfd_open(pid)
        select.select([fd], [], [])
        return
    except ProcessLookupError:
        return
    except OSError:
        pass  # a kernel without pidfd
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(0.5)


def keep(owner, pooler, state_file, ready_fd):
    """The keeper: start the servers, say where they are, outlive the owner."""
    servers = []

    def end(*_):
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    try:
        cluster = pg.Cluster()
        servers.append(cluster)
        cluster.start()
        state = {"keeper": os.getpid(), "host": cluster.directory,
                 "port": cluster.port}
        if pooler:
            front = pg.Pooler(cluster)
            servers.insert(0, front)
            front.start()
            state["pooler_port"] = front.port
        os.write(ready_fd, json.dumps(state).encode())
        os.close(ready_fd)
        wait_for_end(owner)
    except (OSError, RuntimeError, TimeoutError, pg.SqlError) as error:
        with contextlib.suppress(OSError):
            os.write(ready_fd, json.dumps({"error": str(error)}).encode())
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if state_file:
            with contextlib.suppress(OSError):
                os.unlink(state_file)
        for server in servers:
            server.stop()


def start_keeper(owner, pooler, state_file=None):
    """A keeper, detached from us; returns where its servers are."""
    ours, theirs = os.pipe()
    # no descriptor of ours stays open in it: a reader of our output would
    # wait for the keeper otherwise
    args = [sys.executable, os.path.abspath(__file__), "--keep", str(owner),
            "--ready-fd", str(theirs)]
    if pooler:
        args.append("--pooler")
    if state_file:
        args += ["--state-file", state_file]
    subprocess.Popen(args, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                     start_new_session=True, pass_fds=[theirs])
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read()
    state = json.loads(said or '{"error": "its keeper ended"}')
    if "error" in state:
        sys.exit("the PostgreSQL for the tests did not start: "
                 + state["error"])
    return state


def shared_state(directory, owner, pooler):
    """The servers of owner; the first one to ask starts them."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, f".pg-{owner}{'-pooler' if pooler else ''}")
    with open(path, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        if text:
            state = json.loads(text)
            with contextlib.suppress(ProcessLookupError):
                os.kill(state["keeper"], 0)
                return state
        state = start_keeper(owner, pooler, path)
        file.truncate(0)
        file.write(json.dumps(state))
        return state


def set_environment(state):
    for name in [n for n in os.environ if n.startswith("PG")]:
        del os.environ[name]
    os.environ.update({"PGHOST": state["host"], "PGPORT": str(state["port"]),
                       "PGUSER": "postgres", "ODKS_TEST_PG": "1"})
    if "pooler_port" in state:
        os.environ.update({"PGHOST_DIRECT": state["host"],
                           "PGPORT_DIRECT": str(state["port"]),
                           "PGPORT": str(state["pooler_port"]),
                           "ODKS_TEST_POOLER": "1"})


def run(command, limit):
    """Run the command; a signal to us reaches it too."""
    child = None

    def to_group(number):
        if child is None:  # not even begun
            sys.exit(128 + number)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda n, _: to_group(n))
    child = subprocess.Popen(command, start_new_session=True)
    try:
        status = child.wait(limit)
    except subprocess.TimeoutExpired:
        print(f"Bail out! not done after {limit} s", flush=True)
        status = 99
    to_group(signal.SIGKILL)  # nothing that it started stays behind
    child.wait()
    if status == SKIP:
        print("1..0 # SKIP it needs PostgreSQL", flush=True)
        return 0
    return status if status >= 0 else 128 - status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pooler", action="store_true")
    parser.add_argument("--shared", metavar="DIR")
    parser.add_argument("--owner", type=int, default=os.getpid())
    parser.add_argument("--limit", type=float, default=900)
    parser.add_argument("--keep", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--state-file", help=argparse.SUPPRESS)
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()

    if args.keep:
        keep(args.keep, args.pooler, args.state_file, args.ready_fd)
        return 0
    if not args.command:
        parser.error("no command")
    needed = ["initdb", "postgres", "psql"]
    if args.pooler:
        needed.append("pgbouncer")
    if not all(pg.find_tool(tool) for tool in needed):
        return run(args.command, args.limit)
    state = (shared_state(args.shared, args.owner, args.pooler)
             if args.shared else start_keeper(args.owner, args.pooler))
    set_environment(state)
    os.environ["PGDATABASE"] = pg.create_database()
    try:
        return run(args.command, args.limit)
    finally:
        pg.drop_database(os.environ["PGDATABASE"])


if __name__ == "__main__":
    sys.exit(main())
