# tests/fault/chaos.py - SPDX-License-Identifier: Apache-2.0
"""Six runners, 200 jobs, and blows at random: SIGKILL, and SIGSTOP past the
end of the lease, best until another runner is in the midst of the same job.
Every job is done exactly once, and nothing that a runner wrote after it had
lost its claim is left.

    chaos.py [--jobs N] [--runners N] [--kills N] [--stops N]
             [--latency MS] [--seed S]

Time past a lease is not waited for but set: the lease of a stopped runner is
put into the past, which is the same to everybody who looks at it.
"""

import argparse
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

# Which attempt wrote what in which transaction. Every such transaction has
# begun with the heartbeat, which updated the queue row of the claim: the row
# with this transaction's number names the attempt. In the same transaction, so
# that what was rolled back is not there.
WITNESS = """
CREATE SCHEMA witness;
CREATE TABLE witness.writes (
    xid xid8 NOT NULL, instance text NOT NULL, table_name text NOT NULL,
    history_id integer, PRIMARY KEY (table_name, instance, xid));
CREATE FUNCTION witness.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO witness.writes
    SELECT pg_current_xact_id(),
        replace(current_setting('application_name'), 'odk-sync/', ''),
        TG_TABLE_NAME,
        (SELECT history_id FROM public.odk_sync_queue
         WHERE xmin = pg_current_xact_id()::xid AND state = 'running')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION witness.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM pg_event_trigger_ddl_commands()
        WHERE object_type = 'table' AND schema_name = 'odk'
    LOOP
        EXECUTE format('CREATE TRIGGER witness'
            ' AFTER INSERT OR UPDATE OR DELETE ON %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION witness.see()',
            r.object_identity);
    END LOOP;
END $$;
CREATE EVENT TRIGGER witness ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION witness.watch();
"""

# Writes without a claim, with that of another runner or type, and writes of an
# attempt after it was closed as an error: the history row was last changed by
# whoever closed it.
FENCED_WRITES = """
SELECT h.id, h.sync_type, h.service_instance, w.*
FROM witness.writes w LEFT JOIN odk_sync_history h ON h.id = w.history_id
WHERE h.id IS NULL OR NOT starts_with(h.service_instance, w.instance)
    OR NOT (w.table_name = h.sync_type
        OR starts_with(w.table_name, h.sync_type || '__'))
    OR (h.status = 'error' AND pg_xact_commit_timestamp(w.xid::xid)
        > pg_xact_commit_timestamp(h.xmin))
"""


class Runner:
    def __init__(self, world):
        self.process = world.start("run", "--max-jobs", "3",
                                   stdout=open(os.devnull, "wb"))
        self.stopped_until = None
        self.job = None

    def stop(self, seconds, job):
        self.process.send_signal(signal.SIGSTOP)
        self.stopped_until = time.monotonic() + seconds
        self.job = job

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)
        self.stopped_until = None

    def end(self):
        """Collect it; its exit code and messages."""
        err = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(), err


class Chaos:
    def __init__(self, world, args):
        self.world = world
        self.args = args
        self.random = random.Random(args.seed)
        self.runners = []
        self.codes = {}
        self.kills = self.stops = self.overtaken = 0

    def awake(self):
        return [r for r in self.runners if r.stopped_until is None]

    def blow(self):
        """Kill or stop one that is running; so many blows in all that work
        gets done between them on a slow machine, too."""
        awake = self.awake()
        if not awake or self.random.random() < 0.5:
            return
        victim = self.random.choice(awake)
        if self.random.random() * (self.args.kills + self.args.stops) \
                < self.args.kills:
            if self.kills < self.args.kills:
                victim.process.kill()
                self.kills += 1
        elif self.stops < self.args.stops:
            victim.stop(self.random.uniform(0.3, 6), self.job_of(victim))
            self.stops += 1

    def job_of(self, runner):
        return self.world.session.value(
            "SELECT max(id) FROM odk_sync_queue WHERE state = 'running'"
            f" AND claimed_by ~ '-{runner.process.pid}-'")

    def is_overtaken(self, runner):
        """Is another one in the midst of what this one had claimed?"""
        return runner.job is not None and self.world.session.value(
            "SELECT count(*) FROM odk_sync_queue WHERE state = 'running'"
            f" AND id = {runner.job}"
            f" AND claimed_by !~ '-{runner.process.pid}-'") > 0

    def expire(self):
        """The leases of those that do not move are over, and what failed is
        due again, before all others. Rows in use stay as they are."""
        alive = "|".join(str(r.process.pid) for r in self.awake()) or "none"
        self.world.session.run(
            "UPDATE odk_sync_queue SET"
            " lease_until = clock_timestamp() - interval '1 second'"
            " WHERE id IN (SELECT id FROM odk_sync_queue"
            f" WHERE state = 'running' AND claimed_by !~ '-({alive})-'"
            " FOR UPDATE SKIP LOCKED);"
            "UPDATE odk_sync_queue SET run_at = '2000-01-01'"
            " WHERE id IN (SELECT id FROM odk_sync_queue"
            " WHERE state = 'pending' AND run_at > clock_timestamp()"
            " FOR UPDATE SKIP LOCKED)")

    def step(self, calm):
        for runner in list(self.runners):
            if runner.stopped_until is not None:
                overtaken = self.is_overtaken(runner)
                self.overtaken += overtaken
                if overtaken or calm \
                        or time.monotonic() > runner.stopped_until:
                    runner.go_on()
            if runner.process.poll() is not None:
                self.runners.remove(runner)
                code, err = runner.end()
                self.codes[code] = self.codes.get(code, 0) + 1
                tap.check(code in (0, -9, 75, 79), f"exit {code}: {err}")
        while len(self.runners) < self.args.runners and not calm:
            self.runners.append(Runner(self.world))
        if not calm:
            self.blow()
        if self.random.random() < 0.2:
            self.expire()

    def done(self):
        return self.world.session.value(
            "SELECT count(DISTINCT sync_type) FROM odk_sync_history"
            " WHERE status = 'success'")

    def storm(self):
        """Until everything is done, and nobody is left."""
        until = time.monotonic() + 600
        while self.done() < self.args.jobs:
            tap.check(time.monotonic() < until, "not done after 600 s")
            self.step(calm=False)
            time.sleep(0.05)
        while self.runners:
            self.step(calm=True)
            time.sleep(0.02)

    def clean_up(self):
        for runner in self.runners:
            runner.process.kill()
            runner.end()


def prepare(world, jobs):
    world.ok("init")
    world.session.run(WITNESS)
    for i in range(jobs):
        form = f"form_{i:03d}"
        world.central.publish(form, "1", [
            "name", "number:int", {"member[]": ["who", "age:int"]}],
            project=1)
        world.central.create(form, count=4, seed=i + 1)
        world.job(form, form=form, every="720h", max_failures=1000,
                  batch_bytes=300, window_rows=2)


def check(world, chaos, jobs):
    # whoever was killed at the end still has an attempt open
    world.settle()
    chaos.expire()
    world.ok("run")
    rows = world.session.rows(
        "SELECT sync_type, count(*) FILTER (WHERE status = 'success') AS won,"
        " count(*) FILTER (WHERE status NOT IN ('success', 'error')) AS open"
        " FROM odk_sync_history GROUP BY 1 ORDER BY 1")
    tap.equal(len(rows), jobs, "jobs")
    tap.equal([r for r in rows if r["won"] != 1 or r["open"] != 0], [],
              "jobs not done exactly once")
    tap.equal(world.queue(), [], "queue")
    tap.equal(world.session.rows(FENCED_WRITES), [], "writes after the fence")
    tap.check(world.session.value("SELECT count(*) FROM witness.writes")
              >= jobs, "the witness was asleep")
    for name in world.jobs:
        world.compare(name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=int(
        os.environ.get("ODKS_CHAOS_JOBS", "200")))
    parser.add_argument("--runners", type=int, default=6)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--stops", type=int)
    parser.add_argument("--latency", type=int, default=50, help="ms")
    parser.add_argument("--seed", type=int, default=int(
        os.environ.get("ODKS_SEED", time.time())))
    args = parser.parse_args()
    if args.kills is None:
        args.kills = args.jobs // 2
    if args.stops is None:
        args.stops = args.jobs // 4
    sys.argv[1:] = []

    def test_every_job_is_done_exactly_once():
        odks.need_all()
        tap.note(f"ODKS_SEED={args.seed}")
        with odks.World() as world:
            prepare(world, args.jobs)
            chaos = Chaos(world, args)
            # jobs that take long enough for two runners to be in one
            world.central.config(latency=args.latency)
            start = time.monotonic()
            try:
                chaos.storm()
            finally:
                chaos.clean_up()
            tap.note(f"{args.jobs} jobs, {chaos.kills} SIGKILL,"
                     f" {chaos.stops} SIGSTOP ({chaos.overtaken} overtaken),"
                     f" {time.monotonic() - start:.0f} s;"
                     f" exit codes {dict(sorted(chaos.codes.items()))}")
            check(world, chaos, args.jobs)

    tap.main([("every_job_is_done_exactly_once",
               test_every_job_is_done_exactly_once)])


if __name__ == "__main__":
    main()
