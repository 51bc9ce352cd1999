# tests/fault/kill_everywhere.py - SPDX-License-Identifier: Apache-2.0
"""Strike a run at every statement and every HTTP read, then let the next run
finish: the tables equal Central, each attempt has one closed history row, and
the watermark never runs ahead of the rows.

    kill_everywhere.py [--step K] [--first N] [--scenario NAME] [--action NAME]

Points are tried from the first on until a run ends without having reached its
point. --step K tries every Kth only, starting anywhere in 1..K; the default is
$ODKS_FAULT_STEP, or 1: every point.
"""

import argparse
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

FORM = "household"
DAY = 86400


def scenario_first(world):
    """The first sync: several windows, several batches in each."""
    for seed in range(12):
        world.central.create(FORM, seed=seed + 1)
        world.central.clock(advance=60)
    world.central.delete(FORM, live_ids(world)[3])


def scenario_second(world):
    """Edits, reviews, deletes, a restore, a purge and new submissions."""
    ids = world.ids
    world.central.edit(FORM, ids[0], seed=101)
    world.central.edit(FORM, ids[1], seed=102)
    world.central.review(FORM, ids[2], "approved")
    world.central.delete(FORM, ids[3])
    world.central.delete(FORM, ids[4])
    world.central.restore(FORM, ids[4])
    world.central.delete(FORM, ids[5])
    world.central.purge(FORM, ids[5])
    world.central.create(FORM, count=3, seed=201)


def scenario_drift(world):
    """A new version of the form: another question, one of another type."""
    world.central.publish(FORM, "2", [
        "hh_id", "order:int", "user", "new_question:int",
        {"person_details[]": [
            "p_name", "age:decimal", "order",
            {"visits[]": ["v_date:date", "v_reason", "v_new"]}]},
        {"grp_rep": ["note", {"asset[]": ["kind", "qty:int"]}]}])
    world.central.create(FORM, count=2, seed=301)
    world.central.edit(FORM, world.ids[6], seed=302)


def scenario_same(_):
    """Nothing has changed."""


SCENARIOS = {"first": scenario_first, "second": scenario_second,
             "drift": scenario_drift, "same": scenario_same}


def new_world():
    world = odks.World()
    # the smallest windows and batches, so that there is much to break off
    world.job("people", form=FORM, window_rows=5, batch_bytes=20000,
              reconcile="1s", max_failures=100)
    world.ids = []
    return world


def live_ids(world):
    return [row["__id"] for row in world.central.state(FORM)["live"]]


def watermark(world):
    return world.session.value(
        "SELECT (SELECT watermark FROM odk_sync_cursor"
        " WHERE sync_type = 'people')")


def check_after_strike(world, action, result, before):
    """What has to hold at once, before any other run."""
    open_rows = [h for h in world.history() if h["status"] == "in_progress"]
    running = [q for q in world.queue() if q["state"] == "running"]
    tap.equal(len(open_rows), len(running), "open attempts")
    if watermark(world) != before:
        world.compare(FORM, known=world.ids)
    if action == "kill":
        return
    # it lived on, and has tidied up itself
    tap.check(result.code in {"term": (0, -15), "drop": (0, 69, 75)}[action],
              f"exit code: {result}")
    if action == "term":
        tap.equal(len(open_rows), 0, "open attempts after SIGTERM")
        tap.check(all(q["failures"] == 0 for q in world.queue()),
                  "SIGTERM was counted as a failure")


def check_history(world):
    """Each claim of a job has its row, each row is closed, the last one with
    success."""
    history = world.history()
    claims = {}
    for row in history:
        tap.check(row["status"] in ("success", "error"), f"not closed: {row}")
        metadata = json.loads(row["metadata"])
        claims.setdefault(metadata["job_id"], []).append(metadata["claim_no"])
    for job, numbers in claims.items():
        tap.equal(numbers, list(range(1, len(numbers) + 1)),
                  f"claims of job {job}")
    tap.equal(history[-1]["status"], "success", "the last attempt")
    status = world.session.rows("SELECT * FROM odk_sync_status")[0]
    tap.equal(status["last_sync_status"], "success", "status")
    tap.equal(status["successful_sync_count"],
              sum(row["status"] == "success" for row in history), "successes")


def recover(world):
    """Run until nothing waits, and check every trace that is left."""
    for _ in range(5):
        world.settle()
        world.hurry()
        result = world.run("run")
        if result.code == 0 and not world.queue():
            break
    tap.equal(result.code, 0, str(result))
    tap.equal(world.queue(), [], "the queue")
    world.compare(FORM, known=world.ids)
    check_history(world)


def strike(world, snapshot, action, at):
    """One point. False: the run was over before it."""
    log = world.path("points")
    if os.path.exists(log):
        os.unlink(log)
    world.restore(snapshot)
    before = watermark(world)
    result = world.run("run", shim={"at": at, "action": action, "log": log})
    with open(log, encoding="utf-8") as file:
        struck = [line.strip() for line in file if line.startswith("*")]
    if not struck:
        if result.code != 0:
            raise RuntimeError(f"without a blow: {result}")
        world.compare(FORM, known=world.ids)
        return False
    try:
        if action == "kill":
            tap.equal(result.code, -9, "exit code")
        world.settle()
        check_after_strike(world, action, result, before)
        recover(world)
    except Exception as error:
        raise AssertionError(
            f"{action} at point {struck[0]}: {error}\n"
            f"the struck run: {result}") from error
    return True


def every_point(world, snapshot, action, first, step):
    """Strike at points until one is not reached; how many were tried."""
    tried = failed = 0
    at = first
    while True:
        try:
            if not strike(world, snapshot, action, at):
                break
        except AssertionError as error:
            failed += 1
            tap.note(error)
            tap.check(failed < 5, "more than that is not worth showing")
        tried += 1
        at += step
    tap.check(tried > 0, "not a single point")
    tap.equal(failed, 0, "points that failed")
    return tried, at - step


def make_test(world, name, action, args):
    def test():
        first = args.first or random.randint(1, args.step)
        start = time.monotonic()
        tried, last = every_point(world, world.snapshots[name], action,
                                  first, args.step)
        tap.note(f"{name}, {action}: {tried} points tried, every"
                 f" {args.step}, the last is {last};"
                 f" {time.monotonic() - start:.0f} s")
    return test


class Stages:
    """Brings the world from scenario to scenario, cleanly, as its tests come
    along: each begins where the one before has ended."""

    def __init__(self, world):
        self.world = world
        self.done = []
        world.snapshots = {}

    def reach(self, name):
        world = self.world
        names = list(SCENARIOS)
        for stage in names[len(self.done):names.index(name) + 1]:
            if self.done:
                world.restore(world.snapshots[self.done[-1]])
                world.ok("run")
                world.compare(FORM, known=world.ids)
            else:
                world.ok("init")
            world.ids = live_ids(world)
            world.central.clock(advance=DAY)
            SCENARIOS[stage](world)
            world.central.clock(advance=DAY)
            world.snapshots[stage] = world.snapshot()
            self.done.append(stage)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", type=int, default=int(
        os.environ.get("ODKS_FAULT_STEP", "1")))
    parser.add_argument("--first", type=int)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    parser.add_argument("--action", choices=["kill", "term", "drop"],
                        action="append")
    args = parser.parse_args()
    sys.argv[1:] = []
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return
    seed = int(os.environ.get("ODKS_SEED", time.time()))
    random.seed(seed)
    tap.note(f"ODKS_SEED={seed}")
    with new_world() as world:
        world.central.clock(set="2026-01-05T10:00:00Z", run=True)
        stages = Stages(world)
        tests = []
        for name in args.scenario or SCENARIOS:
            for action in args.action or ["kill", "term", "drop"]:
                inner = make_test(world, name, action, args)

                def test(name=name, inner=inner):
                    stages.reach(name)
                    inner()

                tests.append((f"{name}_{action}", test))
        tap.main(tests)


if __name__ == "__main__":
    main()
