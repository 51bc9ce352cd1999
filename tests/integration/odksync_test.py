# tests/integration/odksync_test.py - SPDX-License-Identifier: Apache-2.0
"""libodksync as it is installed: what it exports and what it calls, that its
example builds with nothing but pkg-config, and what that leaves in the tables
when the connection breaks at any point."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import odks  # noqa: E402
import pg  # noqa: E402
import tap  # noqa: E402

BUILD = os.path.abspath(odks.BUILD)
SOURCE = os.path.abspath(os.environ.get(
    "top_srcdir", os.path.join(HERE, "..", "..")))
EXAMPLE = os.path.join(SOURCE, "etc", "odksync", "example.c")
HEADER = os.path.join(SOURCE, "lib", "odksync.h")

# What would end, change or speak for the program that the library lives in.
FORBIDDEN = re.compile(
    r"^(_?exit|_Exit|quick_exit|abort|raise|kill|__assert_fail"
    r"|signal|sigaction|sigprocmask|pthread_sigmask|alarm|setitimer"
    r"|setlocale|uselocale|setenv|putenv|unsetenv|chdir|umask|atexit"
    r"|std(in|out|err)|v?f?printf|perror|puts|fputs|fputc|fwrite|v?syslog"
    r"|__(v?f?printf|fprintf)_chk|json_.*|curl_.*)$")


def run(*args, **more):
    return subprocess.run(args, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", **more)


def ok(*args, **more):
    done = run(*args, **more)
    tap.equal(done.returncode, 0, f"{shlex.join(args)}\n{done.stderr}status")
    return done.stdout


def tool(name):
    if shutil.which(name) is None:
        raise tap.Skip(f"{name} is not installed")
    return name


def makefile(name):
    """A variable of the Makefile that the library was built with."""
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
        return re.search(rf"^{name} = *(.*)$", file.read(), re.M).group(1)


class Installed:
    """The library in a directory of its own, as `make install` leaves it."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="odks-inst-")
        env = {k: v for k, v in os.environ.items()
               if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
                            "DESTDIR")}
        ok("make", "-s", "-C", BUILD, "install", f"DESTDIR={self.root}",
           env=env)
        self.prefix = self.root + makefile("prefix")
        self.env = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": self.root,
                    "PKG_CONFIG_PATH": self.path("lib/pkgconfig"),
                    "LD_LIBRARY_PATH": self.path("lib")}

    def path(self, name):
        return os.path.join(self.prefix, name)

    def flags(self, *options):
        tool("pkg-config")
        return ok("pkg-config", *options, "odksync", env=self.env).split()

    def compile(self, *command, libs=None, source=EXAMPLE):
        """A program from source with what pkg-config says alone."""
        out = tempfile.mktemp(prefix="program-", dir=self.root)
        libs = self.flags("--libs") if libs is None else libs
        flags = self.flags("--cflags") + libs
        # a library with sanitizers or counters needs them in the program
        flags += makefile("SANITIZE_FLAGS").split()
        flags += makefile("CODE_COVERAGE_LIBS").split()
        ok(tool(command[0]), *command[1:], "-Wall", "-Wextra", "-Werror",
           "-o", out, source, *flags, cwd=self.root)
        return out

    def run(self, *args, **env):
        return run(*args, env={**self.env, **env})


INSTALLED = []


def installed():
    if not INSTALLED:
        INSTALLED.append(Installed())
    return INSTALLED[0]


def compiler():
    return shlex.split(makefile("CC"))


def plain():
    """Only a build without sanitizers and counters tells what it calls."""
    if makefile("SANITIZE_FLAGS") or makefile("CODE_COVERAGE_LIBS"):
        raise tap.Skip("the library is instrumented")


def symbols(*options):
    """The names that nm prints, without their versions."""
    lines = ok(tool("nm"), *options).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines
            if len(line.split()) > 1}


def header():
    """The public header without comments and macros."""
    with open(HEADER, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return re.sub(r"^#.*$", "", text, flags=re.M)


def declared():
    """Its functions."""
    return set(re.findall(r"\b(odks_\w+)\(", header()))


# --- what is exported, and what is called -------------------------------------

def test_exports_the_header_and_nothing_else():
    library = installed().path("lib/libodksync.so")
    with open(os.path.join(SOURCE, "lib", "odksync.sym"),
              encoding="utf-8") as file:
        listed = file.read().split()
    tap.equal(listed, sorted(listed), "the order of odksync.sym")
    tap.check(len(listed) > 20, "odksync.sym is short")
    tap.equal(set(listed), declared(), "what odksync.sym lists")
    found = symbols("-D", "--defined-only", library)
    if not makefile("CODE_COVERAGE_LIBS") and not makefile("SANITIZE_FLAGS"):
        tap.equal(found, set(listed), "what the library exports")
    tap.equal({name for name in found if name.startswith("odks_")},
              set(listed), "what it exports as odks_*")


def test_the_archive_has_our_names_alone():
    plain()
    names = symbols("-g", "--defined-only",
                    installed().path("lib/libodksync.a"))
    tap.equal({name for name in names if not name.startswith("odks_")}, set(),
              "other names")


def test_calls_nothing_that_is_its_hosts():
    plain()
    called = symbols("-D", "--undefined-only",
                     installed().path("lib/libodksync.so"))
    tap.check("PQsendQueryParams" in called, f"{called}")
    tap.equal({name for name in called if FORBIDDEN.match(name)}, set(),
              "what it calls")


def test_needs_libpq_and_libc_alone():
    plain()
    said = ok(tool("readelf"), "-d", installed().path("lib/libodksync.so"))
    needed = re.findall(r"\(NEEDED\).*\[(\w+)\.so", said)
    tap.equal(sorted(needed), ["libc", "libpq"], "NEEDED")
    tap.equal(re.findall(r"\(SONAME\).*\[(.*)\]", said), ["libodksync.so.0"])


def test_pkg_config():
    lib = installed()
    tap.equal(lib.flags("--libs"), ["-L" + lib.path("lib"), "-lodksync"])
    tap.check("-I" + lib.path("include") in lib.flags("--cflags"), "cflags")
    tap.equal(lib.flags("--modversion"), [makefile("PACKAGE_VERSION")])
    tap.check("-lpq" in lib.flags("--libs", "--static"), "--static")


def test_what_is_installed():
    lib = installed()
    doc = lib.root + os.path.join(makefile("datarootdir").replace(
        "${prefix}", makefile("prefix")), "doc", "odk-sync")
    for path in [lib.path("include/odksync.h"), lib.path("lib/libodksync.so"),
                 lib.path("lib/pkgconfig/odksync.pc"),
                 lib.path("share/man/man3/odksync.3"),
                 os.path.join(doc, "examples/etc/odksync/example.c")]:
        tap.check(os.path.exists(path), f"{path} is missing")
    tap.equal(os.listdir(lib.path("include")), ["odksync.h"], "headers")


# --- the manual ---------------------------------------------------------------

def test_manual_has_each_function_as_declared():
    with open(os.path.join(SOURCE, "etc/man/odksync.3"),
              encoding="utf-8") as file:
        page = file.read()
    text = header()
    prototypes = {}
    for head, name, args in re.findall(
            r"^([\w ]+?[ *]+)(odks_\w+)\(([^)]*)\);", text, re.M):
        args = [" ".join(arg.split()) for arg in args.split(",")]
        prototypes[name] = (head.strip(), args)
    tap.equal(set(prototypes), declared(), "prototypes understood")
    synopsis = page.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    found = {}
    for head, body in re.findall(r'^\.Ft "?(.*?)"?\n\.Fo (.*?)\.Fc', synopsis,
                                 re.S | re.M):
        name, *args = re.split(r"\n\.Fa ", body.strip())
        found[name] = (head, [arg.strip('"') for arg in args])
    tap.equal(found, prototypes, "the SYNOPSIS")
    tap.equal(set(re.findall(r"^\.It Dv (ODKS_E_\w+) ", page, re.M)),
              set(re.findall(r"(ODKS_E_\w+) =", text)), "the errors")


# --- the example --------------------------------------------------------------

class Books:
    """A database with the tables, and what the example leaves in it."""

    def __init__(self):
        tap.need_pg()
        self.database = os.environ["PGDATABASE"]
        self.session = pg.Session(self.database)
        self.session.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        lib = installed()
        tap.equal(lib.run(*compiled_tool(), "create").returncode, 0, "create")

    def history(self):
        return self.session.rows(
            "SELECT sync_type, status, records_processed, error_message,"
            " metadata FROM odk_sync_history ORDER BY id")

    def status(self):
        return self.session.rows(
            "SELECT sync_type, last_sync_status, successful_sync_count,"
            " failed_sync_count, last_sync_timestamp FROM odk_sync_status")


TABLES = """
#include <odksync.h>
int main(void) {
    struct odks_sync *sync;
    int code = odks_open(NULL, NULL, &sync);
    if (code == 0) code = odks_create_tables(sync);
    odks_close(sync);
    return code;
}
"""
PROGRAMS = {}


def compiled_tool():
    """A program that creates the tables."""
    if "create" not in PROGRAMS:
        lib = installed()
        source = os.path.join(lib.root, "create.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(TABLES)
        PROGRAMS["create"] = lib.compile(*compiler(), source=source)
    return [PROGRAMS["create"]]


def example(program):
    """What the example does and leaves behind, done well and badly."""
    books, lib = Books(), installed()
    done = lib.run(program, "", "price_list", "25")
    tap.equal((done.returncode, done.stdout, done.stderr),
              (0, "price_list is synced up to 2026-11-03T10:25:00.000Z\n", ""))
    done = lib.run(program, "", "price_list", "25", "14")
    tap.equal((done.returncode, done.stdout, done.stderr),
              (1, "", "example: cannot read record 14\n"))
    rows = books.history()
    first = json.loads(rows[0].pop("metadata"))
    tap.equal(first["source"], "example", "metadata")
    rows[1].pop("metadata")
    tap.equal(rows, [
        {"sync_type": "price_list", "status": "success",
         "records_processed": 25, "error_message": None},
        {"sync_type": "price_list", "status": "error",
         "records_processed": 10, "error_message": "left without success"}])
    tap.equal(books.status(), [
        {"sync_type": "price_list", "last_sync_status": "error",
         "successful_sync_count": 1, "failed_sync_count": 1,
         "last_sync_timestamp": "2026-11-03T10:25:00+00:00"}])


def test_example_in_c():
    tap.need_pg()
    example(installed().compile(*compiler()))


def test_example_with_the_other_compiler():
    tap.need_pg()
    plain()
    other = "gcc" if "clang" in makefile("CC") else "clang"
    example(installed().compile(other))


def test_example_in_old_c():
    tap.need_pg()
    plain()
    installed().compile(*compiler(), "-std=c99", "-pedantic")


def test_example_in_cxx():
    tap.need_pg()
    cxx = "clang++" if "clang" in makefile("CC") else "g++"
    example(installed().compile(cxx, "-x", "c++", "-std=c++11", "-pedantic"))


def test_header_in_c89_and_cxx():
    for command in (["gcc", "-std=c89", "-x", "c"],
                    ["clang", "-std=c89", "-x", "c"],
                    ["g++", "-std=c++11", "-x", "c++"],
                    ["clang++", "-std=c++11", "-x", "c++"]):
        if shutil.which(command[0]):
            ok(*command, "-pedantic", "-Wall", "-Wextra", "-Werror",
               "-fsyntax-only", HEADER)


def test_example_linked_statically():
    tap.need_pg()
    lib = installed()
    archive = ["-Wl,-Bstatic", "-lodksync", "-Wl,-Bdynamic"]
    libs = [word for flag in lib.flags("--libs")
            for word in (archive if flag == "-lodksync" else [flag])]
    libs += ok("pkg-config", "--libs", "libpq").split()
    program = lib.compile(*compiler(), libs=libs)
    tap.check("libodksync" not in ok("ldd", program), "it is linked in")
    example(program)


def test_example_says_what_is_wrong():
    tap.need_pg()
    lib = installed()
    program = lib.compile(*compiler())
    direct = {name.removesuffix("_DIRECT"): value  # a pooler has its own words
              for name, value in os.environ.items() if name.endswith("_DIRECT")}
    for conninfo, code, said in (
            ("host=/nonexistent", 75, "the connection string"),
            ("dbname=odks_no_such_db", 78, "dbname"),
            ("hots=x", 64, 'invalid connection option "hots"'),
            ("password", 64, "cannot be read")):
        done = lib.run(program, conninfo, "a", "1", **direct)
        tap.equal(done.returncode, code, f"{conninfo}: {done.stderr}status")
        tap.check(said in done.stderr, f"{conninfo}: {done.stderr}")


# --- a connection that breaks -------------------------------------------------

def struck(program, at):
    """The example with its connection cut at a point: status, stderr, log."""
    lib = installed()
    log = os.path.join(lib.root, "log")
    if os.path.exists(log):
        os.unlink(log)
    done = lib.run(program, "", "a", "25", LD_PRELOAD=os.path.abspath(odks.SHIM),
                   ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0",
                   ODKS_FAULT_KIND="sql", ODKS_FAULT_AT=str(at),
                   ODKS_FAULT_ACTION="drop", ODKS_FAULT_LOG=log)
    with open(log, encoding="utf-8") as file:
        return done.returncode, done.stderr, file.read()


def test_connection_cut_at_each_point():
    """The status of the program and the tables tell the same, always: what it
    began is there once, and ended as it says."""
    program = installed().compile(*compiler())
    books = Books()
    _, _, log = struck(program, 0)
    # behind it the example only reads
    points = max(number for number, line in enumerate(log.splitlines())
                 if " before BEGIN" in line)
    tap.check(points > 40, f"only {points} points")
    survived = 0
    for at in range(1, points + 1):
        books.session.run("TRUNCATE odk_sync_history, odk_sync_status")
        status, said, log = struck(program, at)
        where = next(line for line in log.splitlines() if line[0] == "*")
        rows = books.history()
        told = f"{where}: status {status}, {said}{rows}"
        tap.check(status in (0, 75), told)
        tap.check(len(rows) <= 1, told)
        if status == 0:
            survived += 1
            tap.equal([row["status"] for row in rows], ["success"], told)
            tap.equal(rows[0]["records_processed"], 25, told)
        else:
            tap.check([row["status"] for row in rows] in ([], ["error"]), told)
        counts = [(row["successful_sync_count"], row["failed_sync_count"])
                  for row in books.status()]
        tap.equal(counts, [(int(row["status"] == "success"),
                            int(row["status"] == "error")) for row in rows],
                  told)
    tap.note(f"{points} points, {survived} survived")
    tap.check(survived > points // 4, f"{survived} of {points} survived")


if __name__ == "__main__":
    try:
        tap.main()
    finally:
        for it in INSTALLED:
            shutil.rmtree(it.root, ignore_errors=True)
