# tests/fault/stalls.py - SPDX-License-Identifier: Apache-2.0
"""Run a command while its processes are halted now and then: two or three at
random, as by a busy scheduler, or all, as on a machine that gets no processor.
What waits for time to pass instead of for what it wants to see fails by it.

    stalls.py [--seed N] COMMAND...

The seed is $ODKS_SEED, or the time; it says which lengths are chosen, while
which process is hit depends on the machine.
"""

import argparse
import contextlib
import ctypes
import os
import random
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
HALTED_OR_GONE = "TtZX"


def stat_of(pid):
    """State and parent of a process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8",
              errors="replace") as file:
        state, parent = file.read().rsplit(")", 1)[1].split()[:2]
    return state, int(parent)


def descendants():
    """All that run and come from us; who lost its parent is our child."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = stat_of(name)
                children.setdefault(parent, []).append((int(name), state))
    found, new = [], [os.getpid()]
    while new:
        for pid, state in children.get(new.pop(), []):
            new.append(pid)
            if state not in HALTED_OR_GONE:
                found.append(pid)
    return found


def send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def halt(choice):
    pids = descendants()
    if choice.random() < 0.02:
        pause = choice.uniform(0.3, 1.2)
    else:
        pids = choice.sample(pids, min(len(pids), choice.randint(1, 3)))
        pause = choice.choice([0.02, 0.05, 0.1, 0.3, 0.6])
    try:
        send(pids, signal.SIGSTOP)
        time.sleep(pause)
    finally:
        send(pids, signal.SIGCONT)


def reaped(command):
    """The exit status of the command, if it has ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == command:
                return os.waitstatus_to_exitcode(status)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(
        os.environ.get("ODKS_SEED", time.time())))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if not args.command:
        parser.error("no command")
    print(f"ODKS_SEED={args.seed}", file=sys.stderr, flush=True)
    choice = random.Random(args.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    command = os.posix_spawnp(args.command[0], args.command, os.environ)
    while (status := reaped(command)) is None:
        halt(choice)
        time.sleep(choice.uniform(0, 0.1))
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
