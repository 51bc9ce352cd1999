# tests/integration/settings_test.py - SPDX-License-Identifier: Apache-2.0
"""The settings of the old service, as they are and as a file of ours."""

import json
import os
import sys
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

SECRETS = {"ODATA_PASS": "p@ss:w/o%rd #1", "PG_PASS": "a@b:c/d%e"}
DOTENV = """# the old service
export ODK_BASE_URL="https://central.example.org/"
ODK_PROJECT_ID=3 # the third
ODK_FORM_ID='GRA%20Rental%20Data%20Collection'
DOMAIN=example.org
ODATA_USER=sync@${DOMAIN}
ODATA_PASS='p@ss:w/o%rd #1'
PG_HOST=db.internal
PG_DB=Submissions
PG_PASS=a@b:c/d%e
SYNC_INTERVAL=60
AWS_BUCKET_NAME=images
"""


class Place:
    """A directory below that of a world, without a file of ours."""

    def __init__(self, text=DOTENV, mode=0o600):
        tap.need_pg()
        self.world = odks.World(central=types.SimpleNamespace(
            url="https://central.invalid", user="u", password="x"))
        self.text, self.mode = text, mode

    def __enter__(self):
        self.world.__enter__()
        self.directory = self.world.path("service")
        os.mkdir(self.directory)
        self.write(".env", self.text, self.mode)
        return self

    def __exit__(self, *exception):
        self.world.__exit__(*exception)

    def write(self, name, text, mode=0o600):
        self.world.write("service/" + name, text, mode)

    def run(self, code, *args, **env):
        return self.world.exits(code, *args, cwd=self.directory,
                                env={"ODK_SYNC_CONFIG": "", **env})

    def values(self, *args, **env):
        """{section: {key: value}} in force, without where they are from."""
        found = json.loads(self.run(0, "config", "--json", *args, **env).out)
        found.pop("file")

        def strip(tree):
            if "origin" in tree:
                return tree["value"]
            return {key: strip(value) for key, value in tree.items()}

        return strip(found)


def test_ini_of_the_old_settings_means_the_same():
    with Place() as place:
        before = place.values()
        tap.equal(before["job"]["main_submissions"]["form"],
                  "GRA%20Rental%20Data%20Collection", "the form")
        tap.equal(before["central"]["central"]["user"], "sync@example.org",
                  "the user")
        result = place.run(0, "config", "--from-env")
        for secret in SECRETS.values():
            tap.check(secret not in result.out + result.err, "a secret!")
        place.write("new.ini", result.out)
        tap.equal(place.values("-c", "new.ini", **SECRETS), before, "settings")
        os.unlink(os.path.join(place.directory, ".env"))
        tap.equal(place.values("-c", "new.ini", **SECRETS), before, "again")
        result = place.run(78, "config", "-c", "new.ini", ODATA_PASS="x")
        tap.check("PG_PASS is not set" in result.err, str(result))


def test_variables_of_the_environment_alone():
    with Place(text="") as place:
        env = {"ODK_BASE_URL": "https://c.example.org", "ODK_PROJECT_ID": "1",
               "ODK_FORM_ID": "a form", "ODATA_USER": "u@example.org",
               "ODK_SYNC_JOB_PERSON_DETAILS_ON_DELETE": "keep", **SECRETS}
        before = place.values(**env)
        result = place.run(0, "config", "--from-env", **env)
        place.write("new.ini", result.out)
        tap.equal(place.values("-c", "new.ini", **SECRETS), before, "settings")


def test_what_is_not_used_is_named():
    named = ["not used: SYNC_INTERVAL: ", "not used: AWS_BUCKET_NAME: "]
    with Place() as place:
        for args in [("config",), ("config", "--from-env")]:
            result = place.run(0, *args)
            for text in named:
                tap.check("warning: " + text in result.err, str(result))
        for text in named:
            tap.check("\n; " + text in result.out, str(result))
        # a run is quiet about it
        result = place.run(75, "status", PG_HOST="/nowhere")
        tap.check("not used" not in result.err, str(result))


def test_a_file_that_everybody_reads_is_mentioned_every_time():
    with Place(mode=0o644) as place:
        for args, code in [(("config",), 0), (("status",), 75)]:
            result = place.run(code, *args, PG_HOST="/nowhere")
            tap.check(".env can be read by everybody" in result.err,
                      str(result))


def test_wrong_calls():
    with Place() as place:
        for args in [("--json",), ("-c", "new.ini")]:
            result = place.run(64, "config", "--from-env", *args)
            tap.check("does not go with it" in result.err, str(result))
            tap.equal(result.out, "", "stdout")
        result = place.run(64, "run", "--from-env")
        tap.check("does not go with" in result.err, str(result))
        place.write(".env", "ODK_PROJECT_ID=3\n")
        result = place.run(78, "config", "--from-env")
        tap.check("ODK_BASE_URL is not set" in result.err, str(result))
        place.write(".env", DOTENV, 0o602)
        result = place.run(77, "config")
        tap.check(".env can be written by everybody" in result.err,
                  str(result))


if __name__ == "__main__":
    tap.main()
