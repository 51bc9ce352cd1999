# tests/oracle/servers.py - SPDX-License-Identifier: Apache-2.0
"""The Central that a history drives: a stand-in of its own, or a real one.

A change is a dict as /_control/cmd takes it, with the command in "cmd"; the
real one gets the same changes through its API.
"""

import datetime
import os
import subprocess
import time
from urllib.parse import quote, urlsplit

import backend
import oracle
from standin import ControlError, StandIn

EPOCH = "2026-01-05T10:00:00Z"


class Standin:
    """Its clock stands still between the steps, so that many things happen
    in one instant; changes can be held back, or happen amid a run."""

    real = False
    project = 1
    can_purge = True

    def __init__(self, etag, gzip):
        self.central = StandIn().start()
        self.central.clock(set=EPOCH)
        self.central.config(etag=etag, gzip=gzip)

    def close(self):
        self.central.stop()

    def begin(self, form, fields, encrypted):
        self.form = form
        self.apply({"cmd": "publish", "version": "1", "fields": fields,
                    "encrypted": encrypted})

    def set_state(self, state):
        self.apply({"cmd": "close", "state": state})

    def apply(self, change):
        body = {k: v for k, v in change.items() if k != "cmd"}
        return self.central.control(
            change["cmd"], {"form": self.form, "project": self.project, **body})

    def attach(self, id_):
        """Send one of the attachments that are expected; False: none is."""
        try:
            self.apply({"cmd": "attach", "id": id_})
            return True
        except ControlError as error:
            if "no attachment is missing" not in str(error):
                raise
            return False

    def now(self):
        """Its clock, in microseconds."""
        text = self.central.clock()["now"].replace("Z", "+00:00")
        seconds = datetime.datetime.fromisoformat(text).timestamp()
        return round(seconds * 1000) * 1000

    def truth(self):
        return None  # the comparison asks for `state` itself

    def state(self):
        return self.central.state(self.form, project=self.project)


class Account:
    """What World and the comparison need to know of a real Central."""

    def __init__(self, args):
        parts = urlsplit(args.url)
        self.url, self.user, self.password = args.url, args.user, args.password
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self._client = backend.Client(args.url)
        self._token = None

    def request(self, method, path, body=None, headers=None):
        answer = self._client.request(method, path, body, headers)
        return answer.status, answer.headers, answer.body

    def login(self):
        if self._token is None:
            answer = self._client.login(self.user, self.password)
            self._token = answer.json["token"]
        return self._token

    def rows(self, path):
        status, _, body = self.request(
            "GET", path, headers={"Authorization": "Bearer " + self.login()})
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
        return oracle.loads(body)["value"]


class Real:
    """Changes come from several clients at once: they commit in any order."""

    real = True

    def __init__(self, args):
        self.central = Account(args)
        self.project = args.project
        self._purge = args.purge
        self.can_purge = bool(args.purge)
        self._api = backend.Central(backend.Client(args.url), args)
        self.form = None

    def close(self):
        if self.form:
            self._api.delete_form(self.form)

    def begin(self, form, fields, _):
        self.form = form
        self._api.form(form, "1", fields)

    def apply(self, change):
        api, id_ = self._api, change.get("id")
        version = change.get("version")
        if change["cmd"] == "create":
            api.create(self.form, version, change["data"], id_,
                       device=change.get("deviceId"))
        elif change["cmd"] == "edit":
            api.edit(self.form, version, change["data"], id_,
                     backend.new_id())
        elif change["cmd"] == "review":
            api.review(self.form, id_, change["state"])
        elif change["cmd"] == "publish":
            api.publish(self.form, version, change["fields"])
        elif change["cmd"] == "purge":
            self._run_purge(id_)
        else:
            getattr(api, change["cmd"])(self.form, id_)

    def set_state(self, state):
        self._api.set_state(self.form, state)

    def now(self):
        return time.time_ns() // 1000

    def attach(self, id_):
        return self._api.attach_missing(self.form, id_)

    def _run_purge(self, id_):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        subprocess.run(
            ["sh", "-c", self._purge], check=True, stdout=subprocess.DEVNULL,
            env={**env, "ODKC_PROJECT": str(self.project),
                 "ODKC_FORM": self.form, "ODKC_ID": id_})

    def truth(self):
        feed = (f"/v1/projects/{self.project}/forms/"
                f"{quote(self.form, safe='')}.svc/Submissions?$expand=*")
        return {"live": self.central.rows(feed),
                "deleted": self.central.rows(
                    feed + "&$filter=__system/deletedAt%20ne%20null")}
