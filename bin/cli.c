/* bin/cli.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "core/safe.h"
#include "core/suggest.h"

enum option_id {
    OPTION_NONE = 255, /* above every short option */
#define ODKS_OPTION(name, text, short_name, arg, commands, help) OPTION_##name,
#include "bin/options.def"
#undef ODKS_OPTION
    OPTION_END
};

static const struct option_def {
    enum option_id id;
    const char *name;
    char short_name;
    const char *arg;
    const char *commands;
    const char *help;
} defs[] = {
#define ODKS_OPTION(name, text, short_name, arg, commands, help) \
    { OPTION_##name, text, short_name, arg, commands, help },
#include "bin/options.def"
#undef ODKS_OPTION
};

enum { OPTIONS = sizeof(defs) / sizeof(defs[0]), MAX_COMMANDS = 64 };

static const struct odks_command *
find_command(const char *name, struct odks_err *err)
{
    const char *names[MAX_COMMANDS];
    size_t n = 0;

    for (const struct odks_command *c = odks_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
        names[n++] = c->name;
    }
    const char *near = odks_suggest(name, names, n);
    odks_err_set(err, ODKS_EXIT_USAGE, "there is no command \"%s\"", name);
    if (near != NULL)
        odks_err_hint(err, "Did you mean \"odk-sync %s\"?", near);
    else
        odks_err_hint(err, "\"odk-sync --help\" lists the commands.");
    return NULL;
}

static bool
option_belongs(const struct option_def *def, const struct odks_command *c)
{
    char word[32];

    if (def->commands[0] == '*')
        return true;
    if (c == NULL)
        return false;
    (void) snprintf(word, sizeof(word), " %s ", c->name);
    return strstr(def->commands, word) != NULL;
}

static void
print_options(const struct odks_command *c)
{
    odks_print(stdout, "\nOptions:\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];

        if (!option_belongs(&defs[i], c))
            continue;
        int n = snprintf(left, sizeof(left), "--%s", defs[i].name);
        if (defs[i].arg != NULL)
            (void) snprintf(left + n, sizeof(left) - (size_t) n, "=%s",
                            defs[i].arg);
        if (defs[i].short_name != '\0')
            odks_print(stdout, "  -%c, %-24s %s\n", defs[i].short_name, left,
                       defs[i].help);
        else
            odks_print(stdout, "      %-24s %s\n", left, defs[i].help);
    }
}

static void
print_exit_codes(void)
{
    size_t count;
    const struct odks_exit_info *list = odks_exit_list(&count);

    odks_print(stdout, "\nExit codes:\n");
    for (size_t i = 0; i < count; i++)
        odks_print(stdout, "  %3d  %s\n", (int) list[i].code, list[i].meaning);
}

static void
print_help(const struct odks_command *c)
{
    if (c != NULL) {
        odks_print(stdout, "Usage: odk-sync %s [OPTION...]%s%s\n", c->name,
                   c->args[0] != '\0' ? " " : "", c->args);
        odks_print(stdout, "%s.\n", c->summary);
        if (c->examples != NULL) {
            odks_print(stdout, "\nExamples:\n");
            odks_print_lines(stdout, c->examples);
        }
        print_options(c);
        return;
    }
    odks_print_lines(
        stdout,
        "Mirror ODK Central into PostgreSQL.\n\n"
        "Examples:\n"
        "  odk-sync init                 create the tables\n"
        "  odk-sync doctor               check everything, with the fix\n"
        "  odk-sync run                  do what is due (put this in cron)\n"
        "  odk-sync run main_submissions -v   one job now, with words\n"
        "  odk-sync status               is all of it here?\n"
        "\nUsage: odk-sync COMMAND [ARGUMENT...] [OPTION...]\n"
        "\nCommands:\n");
    for (c = odks_commands; c->name != NULL; c++) {
        char left[40];

        (void) snprintf(left, sizeof(left), "%s %s", c->name, c->args);
        odks_print(stdout, "  %-24s %s\n", left, c->summary);
    }
    print_options(NULL);
    print_exit_codes();
    odks_print(stdout, "\nManual: odk-sync(1), odk-sync.conf(5)\n");
}

bool
odks_cli_help(const char *name, struct odks_err *err)
{
    const struct odks_command *c = NULL;

    if (name != NULL && (c = find_command(name, err)) == NULL)
        return false;
    print_help(c);
    return true;
}

static bool
parse_number(const char *option, const char *text, int64_t *value,
             struct odks_err *err)
{
    char *end;

    errno = 0;
    *value = strtoimax(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *value >= 0)
        return true;
    odks_err_set(err, ODKS_EXIT_USAGE, "--%s: \"%s\" is not a number", option,
                 text);
    return false;
}

/* Days that history can be kept. */
static bool
parse_days(const char *option, const char *text, int64_t *days,
           struct odks_err *err)
{
    if (!parse_number(option, text, days, err))
        return false;
    if (*days >= 1 && *days <= 36500)
        return true;
    odks_err_set(err, ODKS_EXIT_USAGE, "--%s: %s is not from 1 to 36500",
                 option, text);
    return false;
}

bool
odks_cli_time(const char *what, const char *text, int64_t *us,
              struct odks_err *err)
{
    if (odks_time_parse(text, us, NULL))
        return true;
    odks_err_set(err, ODKS_EXIT_USAGE, "%s: \"%s\" is not a time", what, text);
    odks_err_hint(err, "Write it like 2026-11-23 or 2026-11-23T16:15:00Z; "
                       "without a zone it is UTC.");
    return false;
}

static void
add_flag(struct odks_cli *cli, const char *key, const char *value)
{
    if (cli->flag_count < ODKS_CLI_FLAGS)
        cli->flag[cli->flag_count++] =
            (struct odks_config_flag){ "odk-sync", key, value };
}

/* Options that only set something; false: id is another one. */
static bool
take_switch(struct odks_cli *cli, enum option_id id)
{
    bool *const switches[OPTION_END - OPTION_NONE] = {
        [OPTION_JSON - OPTION_NONE] = &cli->json,
        [OPTION_ONCE - OPTION_NONE] = &cli->once,
        [OPTION_FULL - OPTION_NONE] = &cli->payload.full,
        [OPTION_RECONCILE - OPTION_NONE] = &cli->payload.reconcile,
        [OPTION_ALLOW_MASS_DELETE - OPTION_NONE] =
            &cli->payload.allow_mass_delete,
        [OPTION_REJECTS - OPTION_NONE] = &cli->payload.rejects,
        [OPTION_DRY_RUN - OPTION_NONE] = &cli->dry_run,
        [OPTION_FAIL_IF_IDLE - OPTION_NONE] = &cli->fail_if_idle,
        [OPTION_PRINT - OPTION_NONE] = &cli->print,
        [OPTION_CHECK - OPTION_NONE] = &cli->check,
        [OPTION_FORCE - OPTION_NONE] = &cli->force,
        [OPTION_FROM_ENV - OPTION_NONE] = &cli->from_env,
    };
    bool *flag = switches[id - OPTION_NONE];

    if (flag != NULL)
        *flag = true;
    return flag != NULL;
}

static bool
take_option(struct odks_cli *cli, const struct option_def *def,
            const char *value, struct odks_err *err)
{
    if (take_switch(cli, def->id))
        return true;
    switch (def->id) {
    case OPTION_CONFIG:
        cli->config_path = value;
        return true;
    case OPTION_VERBOSE:
        cli->verbose++;
        return true;
    case OPTION_QUIET:
        cli->verbose = -1;
        return true;
    case OPTION_LOG_FORMAT:
        add_flag(cli, "log_format", value);
        return true;
    case OPTION_MAX_TIME:
        add_flag(cli, "max_time", value);
        return true;
    case OPTION_MAX_JOBS:
        return parse_number(def->name, value, &cli->max_jobs, err);
    case OPTION_LIMIT:
        return parse_number(def->name, value, &cli->limit, err);
    case OPTION_PRIORITY:
        cli->priority_given = true;
        return parse_number(def->name, value, &cli->priority, err);
    case OPTION_AT:
        return odks_cli_time("--at", value, &cli->at, err);
    case OPTION_SINCE:
        return odks_cli_time("--since", value, &cli->payload.since, err);
    case OPTION_UNTIL:
        return odks_cli_time("--until", value, &cli->payload.until, err);
    case OPTION_DAYS:
        return parse_days(def->name, value, &cli->days, err);
    case OPTION_TIMEZONE:
        cli->timezone = value;
        return true;
    case OPTION_OUTPUT:
        cli->output = value;
        return true;
    default:
        return true;
    }
}

/* getopt's tables: '+'-less, so that options may stand anywhere. */
static void
make_tables(struct option longs[OPTIONS + 1], char shorts[2 * OPTIONS + 2])
{
    size_t n = 0;

    shorts[n++] = ':';
    for (size_t i = 0; i < OPTIONS; i++) {
        longs[i] = (struct option){ defs[i].name,
                                    defs[i].arg != NULL ? required_argument
                                                        : no_argument,
                                    NULL, (int) defs[i].id };
        if (defs[i].short_name == '\0')
            continue;
        shorts[n++] = defs[i].short_name;
        if (defs[i].arg != NULL)
            shorts[n++] = ':';
    }
    shorts[n] = '\0';
    longs[OPTIONS] = (struct option){ 0 };
}

static const struct option_def *
find_option(int got)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (got == (int) defs[i].id
            || (got < OPTION_NONE && got == defs[i].short_name))
            return &defs[i];
    }
    return NULL;
}

static void
unknown_option(int got, const char *word, struct odks_err *err)
{
    const char *names[OPTIONS];

    if (got == ':') {
        odks_err_set(err, ODKS_EXIT_USAGE, "%s wants a value", word);
        return;
    }
    for (size_t i = 0; i < OPTIONS; i++)
        names[i] = defs[i].name;
    odks_err_set(err, ODKS_EXIT_USAGE, "there is no option \"%s\"", word);
    const char *near = strncmp(word, "--", 2) == 0
                           ? odks_suggest(word + 2, names, OPTIONS)
                           : NULL;
    if (near != NULL)
        odks_err_hint(err, "Did you mean \"--%s\"?", near);
    else
        odks_err_hint(err, "\"odk-sync --help\" lists the options.");
}

/* getopt_long() takes any unique beginning; a later option would change it. */
static bool
is_abbreviated(const char *word, const struct option_def *def)
{
    size_t len = strcspn(word, "=");

    return strncmp(word, "--", 2) == 0 && len != strlen(def->name) + 2;
}

static bool
parse_options(int argc, char *argv[], struct odks_cli *cli, bool *help,
              bool *version, const struct option_def *used[OPTIONS],
              struct odks_err *err)
{
    struct option longs[OPTIONS + 1];
    char shorts[2 * OPTIONS + 2];

    make_tables(longs, shorts);
    opterr = 0;
    for (;;) {
        int at = optind;
        int got = getopt_long(argc, argv, shorts, longs, NULL);
        if (got == -1) { /* all words but those of options are behind it */
            cli->dashes = strcmp(argv[optind - 1], "--") == 0;
            return true;
        }
        const char *word = argv[optind > at ? optind - 1 : at];
        const struct option_def *def = find_option(got);
        if (def != NULL && optarg == word)
            word = argv[optind - 2];
        if (def == NULL || is_abbreviated(word, def)) {
            unknown_option(def != NULL ? '?' : got, word, err);
            return false;
        }
        *help |= def->id == OPTION_HELP;
        *version |= def->id == OPTION_VERSION;
        used[def - defs] = def;
        if (!take_option(cli, def, optarg, err))
            return false;
    }
}

static bool
check_use(const struct odks_cli *cli, const struct option_def *used[OPTIONS],
          struct odks_err *err)
{
    const struct odks_command *c = cli->command;
    int count = (int) cli->arg_count;

    for (size_t i = 0; i < OPTIONS; i++) {
        if (used[i] != NULL && !option_belongs(used[i], c)) {
            odks_err_set(err, ODKS_EXIT_USAGE,
                         "--%s does not go with \"odk-sync %s\"", used[i]->name,
                         c->name);
            odks_err_hint(err, "Try \"odk-sync %s --help\".", c->name);
            return false;
        }
    }
    if (count < c->min_args || (c->max_args >= 0 && count > c->max_args)) {
        odks_err_set(err, ODKS_EXIT_USAGE, "odk-sync %s: %s argument", c->name,
                     count < c->min_args ? "missing" : "unexpected");
        odks_err_hint(err, "Usage: odk-sync %s %s", c->name, c->args);
        return false;
    }
    if (cli->payload.full
        && (cli->payload.since != ODKS_TIME_NONE
            || cli->payload.until != ODKS_TIME_NONE)) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "--full reads everything: --since and --until do not go "
                     "with it");
        return false;
    }
    if (cli->payload.since != ODKS_TIME_NONE
        && cli->payload.until != ODKS_TIME_NONE
        && cli->payload.since >= cli->payload.until) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "there is nothing between --since and --until: the later "
                     "one comes first");
        return false;
    }
    return true;
}

bool
odks_cli_parse(int argc, char *argv[], struct odks_cli *cli,
               enum odks_exit *status, struct odks_err *err)
{
    const struct option_def *used[OPTIONS] = { NULL };
    bool help = false, version = false;

    *cli = (struct odks_cli){
        .at = ODKS_TIME_NONE,
        .limit = 20,
        .payload = { .since = ODKS_TIME_NONE, .until = ODKS_TIME_NONE },
    };
    *status = ODKS_EXIT_USAGE;
    if (!parse_options(argc, argv, cli, &help, &version, used, err))
        return false;
    if (optind < argc) {
        cli->command = find_command(argv[optind], err);
        if (cli->command == NULL)
            return false;
        cli->args = (const char *const *) &argv[optind + 1];
        cli->arg_count = (size_t) (argc - optind - 1);
    }
    if (help || version) {
        *status = ODKS_EXIT_OK;
        if (version)
            odks_print(stdout, "%s\n", PACKAGE_STRING);
        else
            print_help(cli->command);
        return false;
    }
    if (cli->command == NULL) {
        odks_err_set(err, ODKS_EXIT_USAGE, "which command?");
        odks_err_hint(err, "Try \"odk-sync --help\".");
        return false;
    }
    return check_use(cli, used, err);
}
