/* bin/cli.h - SPDX-License-Identifier: Apache-2.0 */
/* The command line: which command, with which options and arguments. */
#ifndef ODKS_BIN_CLI_H
#define ODKS_BIN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "core/err.h"
#include "queue/queue.h"

enum { ODKS_CLI_FLAGS = 16 };

struct odks_cli {
    const struct odks_command *command;
    const char *config_path;
    struct odks_config_flag flag[ODKS_CLI_FLAGS]; /* over the file */
    size_t flag_count;
    int verbose; /* -v counts up, -q is -1 */
    bool json;
    /* of single commands */
    bool once, dry_run, fail_if_idle, print, check, force, from_env;
    int64_t max_jobs, limit, priority, days;
    const char *timezone, *output;
    bool priority_given;
    int64_t at; /* ODKS_TIME_NONE: not given */
    struct odks_payload payload;
    bool dashes;             /* "--" ended the options */
    const char *const *args; /* the words behind the command */
    size_t arg_count;
};

struct odks_command {
    const char *name;
    const char *args;       /* "TYPE", "[TYPE...]", ... */
    int min_args, max_args; /* -1: any number */
    const char *summary;
    const char *examples; /* lines, for its --help */
    /* The exit code; errors that ended the command are set in err. */
    enum odks_exit (*run)(const struct odks_cli *cli, struct odks_err *err);
};

/* All commands, ended by a NULL name. */
extern const struct odks_command odks_commands[];

/*
 * Parse argv. False: stop with *status, after --help or --version was printed
 * or with err set (64).
 */
ODKS_MUST_CHECK bool odks_cli_parse(int argc, char *argv[],
                                    struct odks_cli *cli,
                                    enum odks_exit *status,
                                    struct odks_err *err);

/* Print the help for a command; NULL: for all of them. 64: there is none. */
ODKS_MUST_CHECK bool odks_cli_help(const char *name, struct odks_err *err);

/* A point in time as people write it (UTC without a zone); what for: "--at". */
ODKS_MUST_CHECK bool odks_cli_time(const char *what, const char *text,
                                   int64_t *us, struct odks_err *err);

#endif
