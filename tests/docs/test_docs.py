#!/usr/bin/env python3
# tests/docs/test_docs.py - SPDX-License-Identifier: Apache-2.0
"""What the manual, README and examples say, against the lists in the source.

The lists are lib/core/exit.def, bin/options.def, lib/config/options.def and
the commands of bin/odk-sync.c. The documents must name all of each, and
nothing else.
"""

import configparser
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("top_srcdir", os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("top_builddir", os.path.join(SOURCE, "build"))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import tap  # noqa: E402

MAN = "etc/man/odk-sync.1"
CONF_MAN = "etc/man/odk-sync.conf.5"
TABLES_MAN = "etc/man/odk-sync-tables.7"
EXAMPLE = "etc/odk-sync.ini.example"
SERVICE = "etc/systemd/odk-sync.service"
CRONJOB = "etc/kubernetes/cronjob.yaml"
CONFIGMAP = "etc/kubernetes/configmap.yaml"
SECTIONS = {"RUN": "odk-sync", "DATABASE": "database", "CENTRAL": "central",
            "JOB": "job"}
# What a test of the examples takes for a parameter of libpq.
LIBPQ = {"host", "port", "dbname", "user", "sslmode", "sslrootcert", "service",
         "password"}


# --- the lists ---------------------------------------------------------------

def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def squeeze(text):
    return " ".join(text.split())


def exit_codes():
    """{number: (class, meaning)}"""
    found = re.findall(
        r'^ODKS_EXIT\(\w+, (\d+), (\w+), \d+,\s*"([^"]*)"\)',
        read("lib/core/exit.def"), re.M)
    tap.check(len(found) > 10, "exit.def was not understood")
    return {int(number): (kind, meaning) for number, kind, meaning in found}


def permanent():
    return [n for n, (kind, _) in exit_codes().items() if kind == "PERMANENT"]


def options():
    """[(long, short or "", has an argument, commands or None for all)]"""
    found = re.findall(
        r'^ODKS_OPTION\(\w+, "([\w-]+)", (0|\'.\'), (NULL|"[^"]*"), '
        r'"([^"]*)",', read("bin/options.def"), re.M)
    tap.equal(len(found), read("bin/options.def").count("\nODKS_OPTION("),
              "the number of options understood")
    return [(name, short.strip("'0"), arg != "NULL",
             None if commands == "*" else commands.split())
            for name, short, arg, commands in found]


def commands():
    table = read("bin/odk-sync.c").split("odks_commands[] = {")[1]
    found = re.findall(r'^    { "([\w-]+)", "', table.split("\n};")[0], re.M)
    tap.check(len(found) > 10, "odks_commands was not understood")
    return found


def config_options():
    """{section: {key: default or None}}"""
    text = read("lib/config/options.def")
    found = re.findall(
        r'^ODKS_OPTION\((\w+), (\w+), \w+, [\w.]+, (NULL|"[^"]*"),', text, re.M)
    tap.equal(len(found), text.count("\nODKS_OPTION("),
              "the number of options understood")
    result = {section: {} for section in SECTIONS.values()}
    for section, key, default in found:
        result[SECTIONS[section]][key] = \
            None if default == "NULL" else default.strip('"')
    return result


def program():
    """The program that was built."""
    path = os.path.join(BUILD, "odk-sync")
    if not os.access(path, os.X_OK):
        raise tap.Skip("odk-sync is not built")
    return path


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, check=False,
                          timeout=60, **more)


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise tap.Skip(f"{name} is not installed")
    return path


def items(text, title):
    """[(head, body)] of the .It in a section of a manual page."""
    parts = re.split(r"^\.Sh |^\.Ss ", text, flags=re.M)
    section = [p for p in parts if p.startswith(title)]
    tap.equal(len(section), 1, f"the number of sections {title}")
    found = re.split(r"^\.It ", section[0], flags=re.M)[1:]
    return [tuple(item.split("\n", 1)) for item in found]


# --- exit codes --------------------------------------------------------------

def test_exit_codes_in_help():
    said = run(program(), "--help")
    tap.equal(said.returncode, 0, "the exit status of --help")
    for number, (_, meaning) in exit_codes().items():
        tap.check(re.search(rf"^ +{number}  {re.escape(meaning)}$",
                            said.stdout, re.M), f"{number} is not in --help")


def test_exit_codes_in_manual():
    found = {}
    for head, body in items(read(MAN), "EXIT STATUS"):
        body = squeeze(body.split("\n.El")[0])
        temporary = body.endswith(" .Pq temporary")
        found[int(head)] = (temporary, body.removesuffix(" .Pq temporary"))
    tap.equal(found, {n: (kind == "TEMPORARY", meaning) for n, (kind, meaning)
                      in exit_codes().items()}, "EXIT STATUS")


def test_exit_codes_in_readme():
    row = re.search(r"^\| ([\d, ]+) \| temporary \|", read("README.md"), re.M)
    tap.equal([int(n) for n in row.group(1).split(",")],
              [n for n, (kind, _) in exit_codes().items()
               if kind == "TEMPORARY"], "the temporary codes of README.md")


def test_exit_codes_in_service():
    text = read(SERVICE)
    found = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.M)
    tap.equal([int(n) for n in found.group(1).split()], permanent(),
              "RestartPreventExitStatus")
    tap.check("\nSuccessExitStatus=SIGTERM 79\n" in text)


def test_exit_codes_in_cronjob():
    rules = re.split(r"^ +- action: ", read(CRONJOB), flags=re.M)[1:]
    names = [rule.split("\n")[0] for rule in rules]
    tap.equal(names, ["Ignore", "Ignore", "FailJob"], "the order of rules")
    tap.check('{type: DisruptionTarget, status: "True"}' in rules[0])
    values = [[int(n) for n in re.search(r"values: \[([\d, ]+)\]", rule)
               .group(1).split(",")] for rule in rules[1:]]
    tap.equal(values, [[79], permanent()], "the codes of the rules")


# --- the command line --------------------------------------------------------

def test_commands_in_manual():
    found = [head.split()[1] for head, _ in items(read(MAN), "DESCRIPTION")
             if head.startswith("Ic ")]
    tap.equal(found, commands(), "the commands of the manual")


def test_options_in_manual():
    """Each with its short name, its argument and the commands it goes with."""
    found = {}
    heads = [pair for pair in items(read(MAN), "DESCRIPTION")
             if pair[0].startswith("Fl ")]
    goes_with = None
    for head, body in reversed(heads):  # "--since" shares its text with the next
        name = re.search(r"Fl -([\w-]+)", head).group(1)
        if body.strip():
            only = re.search(r"^\.Pq Ic (.*)$", body, re.M)
            goes_with = only and sorted(only.group(1).replace(" ,", "").split())
        short = re.search(r"Fl (\w) ", head)
        found[name] = (short.group(1) if short else "", "=" in head, goes_with)
    tap.equal(found, {name: (short, arg, words and sorted(words))
                      for name, short, arg, words in options()},
              "the options of the manual")


def test_no_other_options_in_documents():
    known = {name for name, _, _, _ in options()}
    for path in [MAN, CONF_MAN]:
        for name in re.findall(r"\bFl -([\w-]+)", read(path)):
            tap.check(name in known, f"{path}: there is no --{name}")
    for path in ["README.md", "MIGRATING.md", EXAMPLE, SERVICE, CRONJOB,
                 "etc/cron.d/odk-sync"]:
        for line in read(path).splitlines():
            if "odk-sync" not in line and "`--" not in line:
                continue
            for name in re.findall(r"(?<![\w-])--([a-z][\w-]+)", line):
                tap.check(name in known
                          or re.search("useradd|docker|kubectl", line),
                          f"{path}: there is no --{name}")


def test_commands_in_documents_exist():
    for path in ["README.md", "MIGRATING.md", MAN, CONF_MAN, TABLES_MAN,
                 "NEWS.md"]:
        for name in re.findall(r"(?:`|\$ |Ql |Ic |odk-sync )odk-sync "
                               r"([a-z][\w-]*)", read(path)):
            tap.check(name in commands(), f"{path}: odk-sync {name}?")


def bash_completions(line):
    words = line.split(" ")
    script = (f"source '{SOURCE}/etc/completions/odk-sync.bash'\n"
              f"COMP_WORDS=({' '.join(words)})\n"
              f"COMP_CWORD={len(words) - 1}\n"
              f"_odk_sync odk-sync '{words[-1]}' ''\n"
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    said = run(tool("bash"), "-c", script, cwd=tempfile.gettempdir(),
               env={"PATH": os.environ["PATH"], "ODK_SYNC_CONFIG":
                    os.path.join(SOURCE, EXAMPLE)})
    tap.equal(said.stderr, "", "stderr")
    return said.stdout.split()


def test_bash_completion():
    tap.equal(bash_completions("odk-sync "), commands(), "the commands")
    for command in commands():
        wanted = ["--" + name for name, _, _, words in options()
                  if words is None or command in words]
        tap.equal(sorted(bash_completions(f"odk-sync {command} --")),
                  sorted(wanted), f"the options of {command}")
    for name, short, arg, _ in options():
        for word in ["--" + name] + (["-" + short] if short else []):
            behind = bash_completions(f"odk-sync {word} x ")
            tap.equal(behind == commands(), arg, f"{word} takes an argument")
    tap.equal(bash_completions("odk-sync --log-format = j"), ["json"], "format")
    tap.equal(bash_completions("odk-sync run ma"), ["main_submissions"],
              "the types")


def test_zsh_completion():
    text = read("etc/completions/_odk-sync")
    tap.equal(re.findall(r"^        '([\w-]+):", text, re.M), commands(),
              "the commands")
    common, again = (re.search(rf"{name}=\((.*?)\n    \)", text, re.S).group(1)
                     for name in ["common", "again"])
    cases = dict()
    for names, body in re.findall(r"^    ([a-z|-]+)\)(.*?);;",
                                  text.split("case $line[1]")[1], re.S | re.M):
        for name in names.split("|"):
            cases[name] = body
    for command in commands():
        body = cases.get(command, "$common").replace("$common", common)
        found = set(re.findall(r"(?<!\w)--([a-z][\w-]+)",
                               body.replace("$again", again)))
        tap.equal(found, {name for name, _, _, words in options()
                          if words is None or command in words},
                  f"the options of {command}")


def test_fish_completion():
    text = read("etc/completions/odk-sync.fish")
    variables = {name: words.split() for name, words in re.findall(
        r"^set -l (\w+) '__fish_seen_subcommand_from ([^']*)'", text, re.M)}
    tap.equal(re.findall(r"-n \$none -a ([\w-]+)", text), commands(),
              "the commands")
    found = {}
    for line in re.findall(r"^complete .* -l .*$", text, re.M):
        name = re.search(r" -l ([\w-]+)", line).group(1)
        short = re.search(r" -s (\w)", line)
        where = re.search(r" -n \$(\w+)", line)
        found[name] = (short.group(1) if short else "",
                       bool(re.search(r" -[xr] ", line)),
                       where and sorted(variables[where.group(1)]))
    tap.equal(found, {name: (short, arg, words and sorted(words))
                      for name, short, arg, words in options()}, "the options")


# --- the configuration -------------------------------------------------------

def test_config_options_in_manual():
    for section, keys in config_options().items():
        found = {}
        title = "[job NAME]" if section == "job" else f"[{section}]"
        for head, body in items(read(CONF_MAN), title):
            default = re.search(r"^Default:\n\.Cm (\S+) \.$", body, re.M)
            found[re.match(r"Cm (\w+) No = ", head).group(1)] = \
                default.group(1) if default else None
        tap.equal(found, keys, f"[{section}] of the manual")


def sections_of(text, path):
    """{first word of the header: keys}, commented-out ones too."""
    found, section = {}, None
    for line in text.splitlines():
        header = re.match(r";?\[([\w-]+)[^\]]*\]", line)
        more = re.match(r"; --- \[(\w+)", line)
        key = re.match(r";?([a-z]\w*) = ", line)
        if header or more:
            section = (header or more).group(1)
            tap.check(section in SECTIONS.values(), f"{path}: [{section}]")
        elif key:
            found.setdefault(section, set()).add(key.group(1))
    return found


def test_config_options_in_example():
    found = sections_of(read(EXAMPLE), EXAMPLE)
    for section, keys in config_options().items():
        tap.check(set(keys) <= found[section],
                  f"not in [{section}]: {set(keys) - found[section]}")
        more = found[section] - set(keys)
        tap.check(more <= (LIBPQ if section == "database" else set()),
                  f"[{section}] has no {more}")


def examples():
    """(where, text) of each configuration in the documents."""
    for text in re.findall(r"^ *```ini\n(.*?)^ *```", read("README.md"),
                           re.S | re.M):
        yield "README.md", re.sub(r"^   ", "", text, flags=re.M)
    inside = re.search(r"odk-sync\.ini: \|\n(.*)", read(CONFIGMAP), re.S)
    yield CONFIGMAP, re.sub(r"^    ", "", inside.group(1), flags=re.M)
    blocks = re.findall(r"^\.Bd -literal\n(.*?)^\.Ed",
                        read(CONF_MAN).split(".Sh EXAMPLES")[1], re.S | re.M)
    yield CONF_MAN, "".join(blocks)


def test_config_examples():
    keys = config_options()
    count = 0
    for where, text in examples():
        count += 1
        parser = configparser.ConfigParser(strict=True, interpolation=None)
        parser.read_string(text)
        for section in parser.sections():
            kind = section.split()[0]
            known = set(keys[kind]) | (LIBPQ if kind == "database" else set())
            tap.check(set(parser[section]) <= known,
                      f"{where}: [{section}] has no "
                      f"{set(parser[section]) - known}")
    tap.equal(count, 4, "the number of examples")


def test_config_examples_are_accepted():
    for where, text in [*examples(), (EXAMPLE, read(EXAMPLE))]:
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(text)
            file.flush()
            said = run(program(), "config", "--config", file.name)
        tap.equal((said.returncode, said.stderr), (0, ""), where)


def test_flags_of_config_options_exist():
    known = {name for name, _, _, _ in options()}
    flags = re.findall(r', (?:NULL|"[^"]*"), "([\w-]+)", "[^"]*"\)$',
                       read("lib/config/options.def"), re.M)
    tap.check("max-time" in flags, "options.def was not understood")
    for flag in flags:
        tap.check(flag in known, f"there is no --{flag}")


# --- messages ----------------------------------------------------------------

def test_diagnostics_exist():
    """What the manual says we say, we say; capitals and ... stand for what varies."""
    with open(program(), "rb") as file:
        texts = file.read().decode("latin-1")
    for head, _ in items(read(MAN), "DIAGNOSTICS"):
        for piece in re.split(r"\b[A-Z]+\b|\.\.\.", head):
            piece = piece.strip(' ":')
            tap.check(len(piece) < 4 or piece in texts,
                      f"nothing says: {piece}")


# --- the files themselves ----------------------------------------------------

def test_doctor_knows_all_rights():
    """Each statement that writes a tracking table, against what doctor looks
    for."""
    listed = {table: set(rights.split(",")) for table, rights in re.findall(
        r"\('(odk_sync_\w+)', '\{([A-Z,]+)\}'", read(
            "sql/queries/doctor_database.sql"))}
    verbs = {"INSERT INTO": "INSERT", "UPDATE": "UPDATE",
             "DELETE FROM": "DELETE"}
    for pattern in ("sql/queries/*.sql", "lib/*/*.c", "jobs/*.c"):
        for path in glob.glob(os.path.join(SOURCE, pattern)):
            text = re.sub(r"--.*", "", read(os.path.relpath(path, SOURCE)))
            for verb, table in re.findall(
                    r"(INSERT INTO|UPDATE|DELETE FROM)\s+(odk_sync_\w+)",
                    text):
                if table != "odk_sync_schema":  # only init writes it
                    tap.check(verbs[verb] in listed.get(table, set()),
                              f"{path}: {verb} {table}")


def test_manual_pages_lint():
    mandoc = tool("mandoc")
    pages = sorted(glob.glob(os.path.join(SOURCE, "etc/man/*")))
    tap.check(len(pages) >= 4, f"only {pages}")
    for path in pages:
        said = run(mandoc, "-T", "lint", "-W", "style", path)
        # what is installed here says nothing about the page
        found = [line for line in (said.stdout + said.stderr).splitlines()
                 if "referenced manual not found" not in line
                 and "outdated mandoc.db" not in line]
        tap.equal(found, [], path)


def yaml_files():
    return sorted(glob.glob(os.path.join(SOURCE, "etc/kubernetes/*.yaml")))


def test_yaml_is_well_formed():
    try:
        import yaml
    except ImportError:
        raise tap.Skip("python3-yaml is not installed") from None
    for path in yaml_files():
        with open(path, encoding="utf-8") as file:
            tree = yaml.safe_load(file)
        tap.check("apiVersion" in tree and "kind" in tree, path)
    with open(os.path.join(SOURCE, CRONJOB), encoding="utf-8") as file:
        spec = yaml.safe_load(file)["spec"]
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    [container] = pod["containers"]
    tap.equal(pod["restartPolicy"], "Never", "restartPolicy")
    tap.equal(spec["concurrencyPolicy"], "Forbid", "concurrencyPolicy")
    tap.equal(pod["volumes"][1]["secret"]["defaultMode"], 0o440, "mode")
    limit = [word for word in container["command"] if "--max-time" in word]
    minutes = int(re.fullmatch(r"--max-time=(\d+)m", limit[0]).group(1))
    tap.check(job["activeDeadlineSeconds"] > minutes * 60,
              "the pod is ended before --max-time")
    for rule in job["podFailurePolicy"]["rules"][1:]:
        tap.equal(rule["onExitCodes"]["containerName"], container["name"],
                  "containerName")


def test_yaml_lint():
    rules = ("{extends: default, rules: {document-start: disable, "
             "braces: {max-spaces-inside: 0}}}")
    said = run(tool("yamllint"), "-d", rules, *yaml_files())
    tap.equal(said.stdout, "", "yamllint")


def cron_line():
    """(the five fields, user, command)"""
    fields = read("etc/cron.d/odk-sync").splitlines()[-1].split(None, 6)
    return fields[:5], fields[5], fields[6]


def test_cron_file():
    text = read("etc/cron.d/odk-sync")
    tap.check(text.endswith("\n"), "the last line has no newline")
    lines = [line for line in text.splitlines()
             if line and not line.startswith("#")]
    tap.equal([line.split("=")[0] for line in lines[:-1]],
              ["SHELL", "PATH", "MAILTO"], "the settings")
    when, user, command = cron_line()
    tap.check(all(re.fullmatch(r"[\d*/,-]+", field) for field in when))
    tap.equal(user, "odk-sync", "the user")
    tap.check("%" not in command, "% is a newline for cron")


def test_cron_command():
    """It runs unless the timer is active, and says nothing itself."""
    for systemctl, wanted in [("exit 0", ""), ("exit 3", "ran\n"),
                              (None, "ran\n")]:
        with tempfile.TemporaryDirectory() as directory:
            scripts = {"odk-sync": "echo ran"}
            if systemctl:
                scripts["systemctl"] = systemctl
            for name, body in scripts.items():
                path = os.path.join(directory, name)
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"#!/bin/sh\n{body}\n")
                os.chmod(path, 0o755)
            said = run("/bin/sh", "-c", cron_line()[2],
                       env={"PATH": directory})
        tap.equal((said.stdout, said.stderr), (wanted, ""), str(systemctl))


def test_systemd_units():
    """As systemd reads them, with a program that exists in place of ours."""
    analyze = tool("systemd-analyze")
    with tempfile.TemporaryDirectory() as directory:
        units = []
        for name in ["odk-sync.service", "odk-sync.timer"]:
            text = read("etc/systemd/" + name)
            text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
            text = text.replace("ExecStart=odk-sync ", "ExecStart=/bin/true ")
            units.append(os.path.join(directory, name))
            with open(units[-1], "w", encoding="utf-8") as file:
                file.write(text)
        said = run(analyze, "verify", "--man=no", *units)
        mine = [line for line in said.stderr.splitlines() if "odk-sync" in line]
        tap.equal(mine, [], "systemd-analyze verify")
        said = run(analyze, "security", "--offline=true", "--threshold=15",
                   units[0])
        if "offline" not in said.stderr:
            tap.equal(said.returncode, 0, "systemd-analyze security")


if __name__ == "__main__":
    tap.main()
