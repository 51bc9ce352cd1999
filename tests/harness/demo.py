# tests/harness/demo.py - SPDX-License-Identifier: Apache-2.0
"""Show a sync from end to end, on a private PostgreSQL and a stand-in for ODK
Central: a first sync, edits and deletions carried over, the state at the end.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "contract"))

from pg import Cluster  # noqa: E402
from standin import StandIn  # noqa: E402

PROGRAM = os.path.join(os.environ.get("top_builddir", "."), "odk-sync")

INI = """\
[database]
host = {host}
port = {port}
dbname = postgres
user = postgres

[central]
url = {url}
user = {user}
password_file = {password_file}

[job household]
kind = submissions
project = 1
form = household
every = 15m
"""


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}",
          flush=True)


class Demo:
    """The parts, and how a person would use them."""

    def __init__(self, directory, cluster, central):
        self.ini = os.path.join(directory, "odk-sync.ini")
        self.cluster = cluster
        secret = os.path.join(directory, "password")
        with open(secret, "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(central.password)
        with open(self.ini, "w", encoding="utf-8") as file:
            file.write(INI.format(host=cluster.directory, port=cluster.port,
                                  url=central.url, user=central.user,
                                  password_file=secret))

    def odk_sync(self, *args):
        print("$ odk-sync " + " ".join(args), flush=True)
        subprocess.run([PROGRAM, *args, "--config", self.ini], check=True)

    def sql(self, text):
        print(f"postgres=# {text}", flush=True)
        subprocess.run(["psql", "-X", "-P", "pager=off", "-P", "footer=off",
                        "-h", self.cluster.directory,
                        "-p", str(self.cluster.port), "-U", "postgres",
                        "-c", text, "postgres"], check=True,
                       env={**os.environ, "PGTZ": "UTC",
                            "PGDATESTYLE": "ISO"})


def show(demo, central):
    say("1. Tables, and a look at everything a run needs")
    demo.odk_sync("init", "-v")
    demo.odk_sync("doctor")

    say("2. The first sync: a form with groups and repeats in repeats")
    ids = central.create("household", count=40, seed=7)["ids"]
    central.clock(advance=900)
    demo.odk_sync("run", "-v")
    demo.sql("SELECT table_name FROM information_schema.tables "
             "WHERE table_schema = 'odk' ORDER BY 1")
    demo.sql("SELECT h._id, h._submitted_at, count(DISTINCT p._id) AS persons "
             "FROM odk.v_household h "
             "LEFT JOIN odk.v_household__person_details p "
             "ON p._submission_id = h._id "
             "GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 5")

    say("3. In Central: two edits, a review, two deletions, three new ones")
    central.edit("household", ids[0], seed=1001)
    central.edit("household", ids[1], seed=1002)
    central.review("household", ids[2], "approved")
    central.delete("household", ids[3])
    central.delete("household", ids[4])
    central.create("household", count=3, seed=99)
    central.clock(advance=900)

    say("4. The second sync carries them over")
    demo.odk_sync("run", "household", "-v")
    demo.sql("SELECT count(*) FILTER (WHERE _deleted_at IS NULL) AS live, "
             "count(*) FILTER (WHERE _deleted_at IS NOT NULL) AS deleted, "
             "count(*) FILTER (WHERE _edits > 0) AS edited, "
             "count(*) FILTER (WHERE _review_state = 'approved') AS approved "
             "FROM odk.household")
    say("5. Is all of it here?")
    demo.odk_sync("status")
    demo.odk_sync("history")


def main():
    with tempfile.TemporaryDirectory(prefix="odks-demo-") as directory:
        cluster = Cluster()
        cluster.start()
        try:
            with StandIn() as central:
                show(Demo(directory, cluster, central), central)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
