# tests/fault/shim_test.py - SPDX-License-Identifier: Apache-2.0
"""The fault library strikes where it says: tried on psql and curl."""

import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

SELECT = ["psql", "-XAtqc", "SELECT 1"]


def struck(command, **settings):
    """Exit status, output, and the lines of the log."""
    with tempfile.TemporaryDirectory(prefix="odks-shim-") as directory:
        log = os.path.join(directory, "log")
        env = {**os.environ, "LD_PRELOAD": os.path.abspath(odks.SHIM),
               "ASAN_OPTIONS": "verify_asan_link_order=0",
               "ODKS_FAULT_LOG": log}
        for key, value in settings.items():
            env["ODKS_FAULT_" + key.upper()] = str(value)
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False,
                              stdin=subprocess.DEVNULL)
        with open(log, encoding="utf-8") as file:
            return done.returncode, done.stdout.decode(), file.read()


def test_counts_the_points_of_a_statement():
    tap.need_pg()
    status, out, log = struck(SELECT)
    tap.equal((status, out), (0, "1\n"))
    tap.equal(log, "1 before SELECT 1\n2 sent SELECT 1\n"
              "3 answered SELECT 1\n")


def test_counts_the_points_of_a_copy():
    tap.need_pg()
    _, _, log = struck(["psql", "-XAtq", "-c", "CREATE TEMP TABLE t(a int)",
                        "-c", "COPY t FROM STDIN"])
    tap.equal([line.split(" ", 1)[1] for line in log.splitlines()[3:]],
              ["before COPY t FROM STDIN", "sent COPY t FROM STDIN",
               "answered COPY t FROM STDIN", "before copy end",
               "sent copy end", "answered copy end"])


def test_strikes_at_each_point():
    tap.need_pg()
    for at in (1, 2, 3):
        status, out, log = struck(SELECT, at=at, action="kill")
        tap.equal((status, out), (-9, ""))
        tap.check(log.splitlines()[-1].startswith(f"*{at} "), log)
    tap.equal(struck(SELECT, at=2, action="term")[0], -15)
    # at 2 the answer may be here already
    tap.equal(struck(SELECT, at=1, action="drop")[0], 2)
    tap.equal(struck(SELECT, at=4, action="kill")[0], 0)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def test_strikes_at_http_reads_of_one_port():
    if shutil.which("curl") is None:
        raise tap.Skip("it needs curl")
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        curl = ["curl", "-s", f"http://127.0.0.1:{port}/"]
        status, out, log = struck(curl, http_port=port)
        tap.equal((status, out), (0, "ok"))
        tap.check("1 before http read\n2 after http read\n" in log, log)
        tap.equal(struck(curl, http_port=port, at=1, action="kill")[0], -9)
        tap.equal(struck(curl, http_port=port, kind="sql")[2], "")
        tap.equal(struck(curl, http_port=port + 1)[2], "")
        server.shutdown()


if __name__ == "__main__":
    tap.main()
