# tests/oracle/history.py - SPDX-License-Identifier: Apache-2.0
"""Long random histories of a form, with runs of odk-sync in between that are
killed and cut off, and after each of them: the tables equal Central.

    history.py [--seed N] [--steps N] [--length N] [--set KNOB=VALUE]...
    history.py ... --url URL --user U --password P --project N
               --admin-user U --admin-password P [--purge COMMAND]

Seed N is one history of at most --length steps, in a Central and a database of
its own; the steps that are left are those of seed N + 1, and so on. The second
form drives a real Central, see README.md.
"""

import argparse
import os
import random
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", "harness"),
                 os.path.join(HERE, "..", "contract")]
import odks  # noqa: E402
import servers  # noqa: E402
import steps  # noqa: E402
import tap  # noqa: E402


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("ODKS_SEED", "1")))
    parser.add_argument("--steps", type=int, default=int(
        os.environ.get("ODKS_ORACLE_STEPS", "200")))
    parser.add_argument("--length", type=int, default=100,
                        help="steps of a history")
    parser.add_argument("--most", type=int, default=40,
                        help="submissions, about")
    parser.add_argument("--set", action="append", default=[],
                        metavar="KNOB=VALUE", help="a setting of Knobs")
    parser.add_argument("--form-id", default="history")
    parser.add_argument("--url")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--project", type=int, default=1)
    parser.add_argument("--admin-user")
    parser.add_argument("--admin-password")
    parser.add_argument("--purge", help="a shell command that purges"
                        " $ODKC_ID of $ODKC_FORM in $ODKC_PROJECT")
    return parser.parse_args()


def replay(args, seed, step):
    words = [f"--seed {seed} --steps {step} --length {max(step, args.length)}"]
    words += [f"--most {args.most}"] * (args.most != 40)
    words += ["--set " + one for one in args.set]
    if args.url:
        words.append(f"--url {args.url} ...")
    return "tests/oracle/history.py " + " ".join(words)


def keep_log(history, knobs, seed):
    path = os.path.abspath(os.path.join(odks.BUILD, "tests", "oracle"))
    os.makedirs(path, exist_ok=True)
    path = os.path.join(path, f"seed-{seed}.log")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{knobs}\n" + "\n".join(history.log) + "\n"
                   + traceback.format_exc())
    return path


def one_history(args, seed, count):
    rng = random.Random(seed)
    knobs = steps.Knobs(rng, bool(args.url),
                        dict(one.split("=", 1) for one in args.set))
    if args.url:
        args.form_id = f"history_{seed}_{time.time_ns():x}"
        server = servers.Real(args)
    else:
        server = servers.Standin(knobs.etag, knobs.gzip)
    try:
        with odks.World(central=server.central) as world:
            history = steps.History(world, server, rng, knobs, args)
            start = time.monotonic()
            try:
                history.begin()
                history.run(count)
            except BaseException:
                tap.note(f"{knobs}\nseed {seed}, step {history.step}; the log:"
                         f" {keep_log(history, knobs, seed)}\nagain:"
                         f" {replay(args, seed, history.step)}")
                raise
            tap.note(f"{count} steps, {history.summary()};"
                     f" {time.monotonic() - start:.1f} s; {knobs}")
    finally:
        server.close()


def main():
    args = options()
    sys.argv[1:] = []
    try:
        odks.need_all()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return
    tests, seed, left = [], args.seed, args.steps
    while left > 0:
        count = min(left, args.length)
        tests.append((f"seed_{seed}", lambda seed=seed, count=count:
                      one_history(args, seed, count)))
        left -= count
        seed += 1
    tap.main(tests)


if __name__ == "__main__":
    main()
