# tests/oracle/steps.py - SPDX-License-Identifier: Apache-2.0
"""A history: what happens in Central, runs of odk-sync in between, and what
has to hold after each of them.

After a run that says it succeeded, the tables equal Central in every cell, but
for what no timestamp shows; that is known here (`unseen`), and has to be right
after a run in which a reconcile was due. Nothing else is excused.
"""

import json
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import masks
import odks
import oracle
import shapes
import tap

LIVE, DELETED = "live", "deleted"
STATES = (None, "approved", "hasIssues", "rejected")
# what the program may end with when it was struck or Central fails
TROUBLE = {"kill": (0, -9), "term": (0, -15, 143), "drop": (0, 69, 75),
           "fault": (0, 69, 75), "hook": (0, 75)}


class Knobs:
    """The settings of a history."""

    CHOICES = {
        "on_delete": ("soft", "soft", "hard", "keep"),
        "raw": ("yes", "no"),
        "jobs": (1, 1, 2),
        "overlap": ("0s", "2s", "5m"),
        "batch_bytes": (4000, 30000, 2097152),
        "window_rows": (5, 20, 20000),
        "etag": (True, False),
        "gzip": (False, True),
        "encrypted": (False,) * 7 + (True,),
    }
    REAL = {"overlap": ("30s", "5m"), "etag": (True,), "gzip": (False,),
            "encrypted": (False,)}

    def __init__(self, rng, real, fixed):
        for name, choices in self.CHOICES.items():
            if real:
                choices = self.REAL.get(name, choices)
            value = rng.choice(choices)  # whether it is fixed or not
            if name in fixed:
                value = {str(c): c for c in choices}[fixed[name]]
            setattr(self, name, value)
        # from a stream of its own: a history without them is what it was
        self.rng = random.Random(str(rng.getstate()))
        choice = str(self.rng.random() < 1 / 3)
        self.privacy = fixed.get("privacy", choice) == "True"

    def __str__(self):
        return " ".join(f"{k}={v}" for k, v in vars(self).items()
                        if k != "rng")

    @property
    def overlap_us(self):
        unit = {"s": 1, "m": 60}[self.overlap[-1]]
        return int(self.overlap[:-1]) * unit * 10**6


class History:
    def __init__(self, world, server, rng, knobs, options):
        self.world, self.server, self.rng = world, server, rng
        self.knobs, self.options = knobs, options
        self.form = shapes.Form(rng)
        self.masks = masks.Masks(knobs.rng) if knobs.privacy else None
        self.state = {}         # id -> LIVE or DELETED
        self.held = {}          # id -> (when, change) until its release
        self.unseen = set()     # changed in a way that no timestamp shows
        self.lagging = set()    # got an attachment, which no timestamp shows
        self.known = set()      # was in the tables
        self.removed = set()    # from Central, since the last full comparison
        self.instant = set()    # changed at this very moment of the clock
        self.last_run = 0       # when odk-sync was last started
        self.made = self.step = 0
        self.counts = {}
        self.log = []

    def say(self, text):
        self.log.append(f"{self.step}: {text}")

    # -- changes ---------------------------------------------------------------

    def ids(self, state):
        return [i for i, s in self.state.items()
                if s == state and i not in self.held]

    def new_id(self):
        self.made += 1
        if self.rng.random() < 0.05:
            return f"odd {self.made} '/?#é\"\\{{,}}%"
        return "uuid:" + "-".join("%0*x" % (n, self.rng.getrandbits(4 * n))
                                  for n in (8, 4, 4, 4, 12))

    def one_change(self, avoid=()):
        """A change that is possible now, to a submission not in avoid."""
        rng = self.rng
        live = [i for i in self.ids(LIVE) if i not in avoid]
        trash = [i for i in self.ids(DELETED) if i not in avoid]
        full = len(self.state) >= self.options.most
        kinds = ["edit"] * 5 + ["review"] * 2 + ["delete"] * (5 if full else 2)
        kinds = kinds * bool(live) + ["restore"] * 2 * bool(trash) \
            + ["create"] * (1 if full else 7)
        kind = rng.choice(kinds)
        id_ = rng.choice(trash if kind == "restore" else live or [None])
        change = {"cmd": kind, "id": id_}
        if kind == "create":
            change["id"] = self.new_id()
            if rng.random() < 0.3:
                change["deviceId"] = "collect:%d" % rng.randrange(4)
        if kind in ("create", "edit"):
            if self.knobs.encrypted and rng.random() < 0.7:
                change["status"] = "notDecrypted"
            else:
                change["data"] = self.form.answers()
            change["version"] = str(self.form.version)
        if kind == "review":
            change["state"] = rng.choice(STATES)
        return change

    def effect(self, change, seen=True):
        """Take note of a change; seen: the next run has to see it if a
        timestamp shows it."""
        kind, id_ = change["cmd"], change["id"]
        self.state[id_] = DELETED if kind == "delete" else LIVE
        if kind == "delete":
            self.removed.add(id_)
        if kind == "restore" or not seen:
            self.unseen.add(id_)
        else:
            self.unseen.discard(id_)
            self.lagging.discard(id_)

    def tick(self, ids):
        """No submission changes twice in one instant."""
        if self.instant & set(ids):
            self.advance(0.001)
        self.instant.update(ids)

    def advance(self, seconds):
        if not self.server.real:
            self.server.central.clock(advance=seconds)
            self.instant.clear()

    def do(self, change, **more):
        self.say(json.dumps({**change, **more}))
        self.tick([change.get("id")])
        self.server.apply({**change, **more})

    def step_change(self):
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            change = self.one_change()
            self.do(change)
            self.effect(change)

    def step_hold(self):
        """Somebody's transaction begins: its timestamps are of now, and
        nobody sees them before its end."""
        change = self.one_change()
        if self.server.real:
            return
        self.do(change, hold=True)
        self.held[change["id"]] = (self.server.now(), change)

    def step_release(self):
        if not self.held:
            return
        id_ = self.rng.choice(list(self.held))
        self.say(f"release {id_}")
        self.server.apply({"cmd": "release", "id": id_})
        self.released(id_)

    def released(self, id_):
        when, change = self.held.pop(id_)
        begun = self.last_run // 10**6 * 10**6  # HTTP dates have seconds
        self.effect(change, when >= begun - self.knobs.overlap_us)

    def step_attach(self):
        id_ = self.rng.choice(self.ids(LIVE) or [None])
        if id_ and self.server.attach(id_):
            self.say(f"attach {id_}")
            self.lagging.add(id_)

    def step_purge(self):
        trash = self.ids(DELETED)
        if not trash or not self.server.can_purge:
            return
        count = len(trash) if self.rng.random() < 0.2 else 1
        for id_ in self.rng.sample(trash, count):
            self.do({"cmd": "purge", "id": id_})
            del self.state[id_]
            self.unseen.add(id_)
            self.removed.add(id_)

    def next_version(self):
        self.form.change()
        return {"cmd": "publish", "version": str(self.form.version),
                "fields": self.form.fields,
                "name": f"History {self.form.version // 2}"}

    def step_publish(self):
        """At times between two runs, with nothing else: no tag tells of it."""
        alone = self.rng.random() < 0.3
        if alone:
            self.step_run()
        self.publish(self.next_version())
        if alone:
            self.step_run()

    def publish(self, change):
        self.do(change)
        self.configure()

    def configure(self):
        """With a job for the main table and one for all others: these."""
        if self.masks:
            self.masks.fit(self.fields())
            self.set_rules()
        if "details" in self.world.jobs:
            self.world.jobs["details"]["tables"] = ", ".join(
                "Submissions" + path.replace("/", ".")
                for path in self.form.repeats())

    def fields(self):
        return oracle.read_fields(self.server.central, self.server.form,
                                  self.server.project)

    def step_privacy(self):
        """A rule comes, and a run has to carry it out that may be killed."""
        self.masks.add(self.fields(), self.knobs.jobs == 1)
        self.set_rules()
        self.step_strike()
        self.step_run()

    def set_rules(self):
        settings = self.masks.settings(self.world.write("key", masks.KEY))
        self.say(f"rules: {settings}")
        for job in self.world.jobs.values():
            job.update(settings)

    def step_clock(self):
        seconds = self.rng.choice((0.001, 0.5, 1, 3, 30, 400, 4000))
        if self.rng.random() < 0.7:  # to a full second, as HTTP dates are
            seconds = round(seconds) + 1
        self.say(f"clock + {seconds}")
        if not self.server.real:
            now = self.server.now() / 10**6 % 1 if seconds >= 1 else 0
            self.advance(seconds - now)

    # -- runs --------------------------------------------------------------------

    def command(self):
        """The arguments of a run: what is due, all, or one submission date on."""
        names = list(self.world.jobs)
        return self.rng.choice((["run"],) * 6 + (["run", *names, "--full"],
                                ["run", *names, "--since=2000-01-01"]))

    def started(self):
        self.world.hurry()
        self.last_run = self.server.now()

    def after(self, kind, result, codes, complete=False, busy=()):
        """What has to hold after a run."""
        word = f"{kind.split()[0]} {result.code}"
        self.counts[word] = self.counts.get(word, 0) + 1
        self.say(f"{kind}: odk-sync {' '.join(result.args)}:"
                 f" exit {result.code}\n{result.err}")
        if result.code == 81:
            result = self.brake(result)
        tap.check(result.code in codes, f"not one of {codes}: {result}")
        if result.code < 0:
            self.world.settle()
        if result.code == 0 and busy is not None:
            self.compare(complete, set(busy))
        if complete:
            tap.equal(result.code, 0, str(result))

    def brake(self, result):
        """Only a person lets it remove so much."""
        tap.check(len(self.removed) > 20, f"no reason to stop: {result}")
        return self.world.run("run", *self.world.jobs, "--allow-mass-delete")

    def compare(self, complete, busy):
        skip = busy if complete else busy | self.unseen
        found = self.world.differences(
            self.server.form, project=self.server.project,
            truth=self.server.truth(), known=self.known, skip=skip,
            lagging=self.lagging, on_delete=self.knobs.on_delete,
            raw=self.knobs.raw == "yes", masks=self.masks,
            apart=self.knobs.jobs == 2)
        tap.check(not found, f"{len(found)} differences:\n"
                  + "\n".join(found[:20]))
        self.known.update(i for i, s in self.state.items()
                          if s == LIVE and i not in skip)
        if complete:
            self.unseen = busy & self.unseen
            self.removed.clear()

    def step_run(self):
        command = self.command()
        self.started()
        self.after("run", self.world.run(*command), (0,))

    def step_reconcile(self):
        """Nothing may differ when that is through. Late attachments change
        no tag either: by hand they are found at once."""
        by_hand = self.rng.random() < 0.5
        self.started()
        if by_hand:
            result = self.world.run("run", *self.world.jobs, "--reconcile")
            self.lagging.clear()
        else:
            self.world.reconcile_is_due()
            result = self.world.run("run")
        self.after("reconcile", result, (0,), complete=True)

    def step_strike(self):
        action = self.rng.choice(("kill", "kill", "term", "drop"))
        at = self.rng.randint(1, self.rng.choice((60, 300)))
        command = self.command()
        self.started()
        self.after(f"{action} at {at}", self.world.run(
            *command, shim={"at": at, "action": action}), TROUBLE[action])

    def step_settings(self):
        """Another setting, that may be taken back before it had its way."""
        if self.rng.random() < 0.5:
            self.step_reconcile()
        back = self.rng.random() < 0.5
        self.set_raw(self.knobs.raw != "yes")
        self.step_strike()
        if back:
            self.set_raw(self.knobs.raw != "yes")
        self.step_run()

    def step_state(self):
        """A form that takes no more submissions can be read all the same."""
        state = self.rng.choice(("closing", "closed"))
        self.say(state)
        self.server.set_state(state)
        self.step_run()
        self.server.set_state("open")

    def set_raw(self, wanted):
        self.knobs.raw = "yes" if wanted else "no"
        self.say(f"raw = {self.knobs.raw}")
        for job in self.world.jobs.values():
            job["raw"] = self.knobs.raw

    def step_fault(self):
        """Central, or what is between, fails in the middle of a response."""
        size = int(10 ** self.rng.uniform(0, 4.5))
        action = self.rng.choice((
            {"cutClean": size}, {"cutClean": size}, {"cut": size},
            {"expireToken": True}, {"pageSize": self.rng.randint(1, 5)},
            {"badJson": self.rng.randrange(4)}))
        rule = {"match": self.rng.choice(("expand", "Submissions", "fields")),
                "skip": self.rng.choice((0, 0, 1)),
                "times": 1 if "pageSize" not in action else -1,
                "action": action}
        patient = self.rng.random() < 0.03
        if self.server.real:
            return
        self.say(json.dumps(rule))
        self.server.central.script(rule, clear=True)
        self.started()
        result = self.impatient() if not patient else self.world.run("run")
        self.server.central.script(clear=True)
        codes = TROUBLE["fault"] + TROUBLE["term"] + (65,)
        self.after("fault", result, codes)

    def impatient(self):
        """Run; do not wait with it until it reads a response again."""
        process = self.world.start("run", "-v")
        err = ""
        for line in process.stderr:
            err += line
            if "reading it again" in line:
                process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.stderr.close()
        return odks.Result(("run", "-v"), process.wait(), "", err)

    def step_hook(self):
        """Things happen in the middle of a run."""
        changes, ids = [], set()
        if self.held and self.rng.random() < 0.4:
            ids.add(self.rng.choice(list(self.held)))
            changes.append({"cmd": "release", "id": min(ids)})
        for _ in range(self.rng.randint(1, 4)):
            change = self.one_change(avoid=ids)
            ids.add(change["id"])
            changes.append(change)
        publish = self.rng.random() < 0.2 and self.knobs.jobs == 1
        if publish:
            changes.append(self.next_version())
        if self.rng.random() < 0.5:
            changes.append({"cmd": "clock",
                            "advance": self.rng.choice((2, 400))})
        when = self.rng.choice(("before", "after", "race", "raceAfter"))
        command, match = self.command(), self.rng.choice(
            ("Submissions", "Submissions", "updatedAt", "submitterName"))
        skip = self.rng.randrange(4 if match == "Submissions" else 2)
        if match == "submitterName":  # the keys, behind a full walk
            command = ["run", *self.world.jobs, "--full"]
        if self.server.real:
            self.parallel(command, [c for c in changes if c["cmd"] != "clock"],
                          ids, publish)
        else:
            self.hooked(command, changes, ids, publish, {
                "match": match, "skip": skip, "when": when})
        if self.rng.random() < 0.3:  # a tag hides it only until it changes
            self.step_reconcile()

    def hooked(self, command, changes, ids, publish, where):
        rule = {"match": where["match"], "skip": where["skip"],
                "action": {"hook": {where["when"]: [{"form": self.server.form,
                                            "project": self.server.project,
                                            **c} for c in changes]}}}
        self.say(json.dumps(rule))
        self.tick(ids)
        before = self.server.state()
        self.server.central.script(rule, clear=True)
        self.started()
        result = self.world.run(*command)
        self.last_run = self.server.now()  # a second job began after the hook
        self.server.central.script(clear=True)
        happened = self.server.state() != before
        if not happened:  # the run made fewer requests
            self.say("nothing happened meanwhile")
        for change in changes:
            if change["cmd"] == "publish":
                if not happened:
                    self.publish(change)
            elif happened and change["cmd"] == "release":
                self.released(change["id"])
            elif happened and change["cmd"] != "clock":
                self.effect(change)
        self.after("hook", result, TROUBLE["hook"] + self.misfit(publish),
                   busy=None if publish else ids)

    def parallel(self, command, changes, ids, publish):
        """As with a hook, from several clients at the same time."""
        for change in changes:
            self.say(json.dumps(change))
        self.started()
        process = self.world.start(*command)
        with ThreadPoolExecutor(len(changes)) as pool:
            done = [pool.submit(self.server.apply, c) for c in changes]
        out, err = process.communicate()
        for one, change in zip(done, changes):
            one.result()
            if "id" in change:
                self.effect(change)
        self.after("parallel",
                   odks.Result(command, process.returncode, out, err),
                   TROUBLE["hook"] + self.misfit(publish),
                   busy=None if publish else ids)

    def misfit(self, publish):
        """Rules may not fit what is published while a run goes on: it says
        so, and somebody corrects them."""
        if not self.masks or not publish:
            return ()
        self.configure()
        return (78,)

    # -- all of it ---------------------------------------------------------------

    WEIGHTS = {"change": 44, "hold": 6, "release": 6, "attach": 4, "purge": 4,
               "publish": 3, "clock": 12, "run": 12, "reconcile": 4,
               "strike": 5, "fault": 3, "hook": 6, "settings": 1,
               "state": 1}

    def begin(self):
        world, server, knobs = self.world, self.server, self.knobs
        server.begin(self.options.form_id, self.form.fields, knobs.encrypted)
        zone = masks.ZONE if self.masks else None
        common = {"form": server.form, "project": server.project,
                  "on_delete": knobs.on_delete, "raw": knobs.raw,
                  "overlap": knobs.overlap, "batch_bytes": knobs.batch_bytes,
                  "window_rows": knobs.window_rows, "max_failures": 1000,
                  "timezone": zone}
        if knobs.jobs == 1:
            world.job("main", **common)
        else:
            world.job("main", tables="Submissions", **common)
            world.job("details", after="main", **common)
        if self.masks:
            for _ in range(knobs.rng.randrange(4)):
                self.masks.add(self.fields(), knobs.jobs == 1)
        self.configure()
        world.ok("init")

    def summary(self):
        """What the runs ended with."""
        return ", ".join(f"{count} {kind}" for kind, count
                         in sorted(self.counts.items()))

    def run(self, steps):
        names, weights = list(self.WEIGHTS), list(self.WEIGHTS.values())
        for self.step in range(1, steps + 1):
            (name,) = self.rng.choices(names, weights)
            getattr(self, "step_" + name)()
            if self.masks and self.masks.rng.random() < 0.04:
                self.step_privacy()
        self.step = steps + 1
        self.step_reconcile()
