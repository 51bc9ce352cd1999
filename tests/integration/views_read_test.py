# tests/integration/views_read_test.py - SPDX-License-Identifier: Apache-2.0
"""Dashboards read on while syncs change the form beneath them."""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402
import xform  # noqa: E402
from xform import q, repeat  # noqa: E402

FORM = "busy"
SYNCS = 50
START = 5
LISTS = {"yesno": {"y": {"English (en)": "Yes", "French (fr)": "Oui"},
                   "n": {"English (en)": "No", "French (fr)": "Non"}}}
VIEWS = ["v_busy", "v_busy__member", "v_busy_label_en", "v_busy_label_fr",
         "v_busy__member_label_en", "v_busy__member_choice_likes",
         "v_busy_choices"]
# For locks. Who finds none in this time was kept waiting by a sync; and one
# that waits for a lock while it keeps a reader waiting has to give up first,
# on a machine that is slow by chance as well: lib/table/ddl.c stays below a
# second, the default of deadlock_timeout.
PATIENCE = "SET lock_timeout = '5s'; SET deadlock_timeout = '3s'"


def form(version):
    """Each version has a question more in both tables, with another label."""
    more = [q(f"new{i}", f"New {i} of {version}", "select", "yesno")
            if i % 10 == 0 else q(f"new{i}", f"New {i}", "int")
            for i in range(version)]
    return [q("name", f"Name, asked by {version}"),
            q("agrees", "Agrees?", "select", "yesno"),
            repeat("member", "Member", [
                q("likes", "Likes", "selectMultiple", "yesno"),
                *[q(f"m{i}", f"M {i}", "int") for i in range(version)]]),
            *more]


def publish(world, version):
    xform.publish(world.central, FORM, str(version), form(version),
                  title="Busy", lists=LISTS,
                  languages=["English (en)", "French (fr)"])


def sync(world):
    """A run, and others while readers are in its way."""
    world.central.clock(advance=3600)
    result = world.run("run")
    while result.code == 75 and "55P03" in result.err:
        world.hurry()
        result = world.run("run")
    tap.equal((result.code, result.err), (0, ""), "the end of a run")


class Reader(threading.Thread):
    """Reads all views again and again, until told to stop. In between there
    is a transaction that holds one table and then wants the other."""

    def __init__(self, database, views):
        super().__init__(daemon=True)
        self.session = pg.Session(database)
        self.views = views
        self.over = threading.Event()
        self.rounds = 0
        self.wrong = None
        self.seen = {}

    def read(self, view):
        count = len(self.session.rows(f"SELECT * FROM odk.{view}"))
        tap.check(count >= self.seen.get(view, 0),
                  f"{view} lost rows: {self.seen.get(view)}, {count}")
        self.seen[view] = count

    def run(self):
        try:
            self.session.run(PATIENCE)
            while not self.over.is_set():
                for view in self.views:
                    self.read(view)
                self.session.run("BEGIN")
                self.read("v_busy")
                self.read("v_busy__member")
                self.session.run("COMMIT")
                self.rounds += 1
        except Exception as error:  # pylint: disable=broad-except
            self.wrong = error
        finally:
            self.session.close()


def test_reads_go_on_during_syncs_with_drift():
    with odks.World() as world:
        world.job("busy", form=FORM, parent_columns="name", max_failures=1000)
        world.init()
        publish(world, 1)
        world.central.create(FORM, count=START, seed=1)
        world.central.clock(advance=3600)
        world.ok("run")
        readers = [Reader(world.database, VIEWS),
                   Reader(world.database, VIEWS[::-1])]
        rounds = []
        for reader in readers:
            reader.start()
        try:
            pg.wait_until(lambda: all(r.rounds or r.wrong for r in readers),
                          60, "all read")
            for version in range(2, SYNCS + 2):
                publish(world, version)
                world.central.create(FORM, seed=100 * version)
                sync(world)
                rounds.append(sum(reader.rounds for reader in readers))
                for reader in readers:
                    tap.check(reader.wrong is None, reader.wrong)
        finally:
            for reader in readers:
                reader.over.set()
                reader.join(60)
        for reader in readers:
            tap.check(reader.wrong is None, reader.wrong)
        tap.check(rounds[-1] > rounds[0], f"rounds of reading: {rounds}")
        tap.note(f"{SYNCS} syncs, all {len(VIEWS)} views read"
                 f" {rounds[-1]} times meanwhile")
        # whom the readers kept from a view has caught up now, or does so now
        world.ok("run")
        world.compare(FORM)
        for view in ("v_busy", "v_busy_label_fr"):
            tap.equal(world.session.value(
                "SELECT count(*) FROM pg_attribute WHERE attname ~ '^new'"
                f" AND attrelid = 'odk.{view}'::regclass"), SYNCS + 1, view)


if __name__ == "__main__":
    tap.main()
