/* bin/cmd.h - SPDX-License-Identifier: Apache-2.0 */
/* The commands, one function each, and what they share. */
#ifndef ODKS_BIN_CMD_H
#define ODKS_BIN_CMD_H

#include "bin/cli.h"
#include "db/db.h"

enum odks_exit odks_cmd_run(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_exec(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_enqueue(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_queue(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_cancel(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_retry(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_pause(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_resume(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_status(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_history(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_schema(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_forget(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_help(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_stats(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_health(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_prune(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_get(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_set(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_import_state(const struct odks_cli *,
                                     struct odks_err *);
enum odks_exit odks_cmd_export_state(const struct odks_cli *,
                                     struct odks_err *);
enum odks_exit odks_cmd_init(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_config(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_discover(const struct odks_cli *, struct odks_err *);
enum odks_exit odks_cmd_doctor(const struct odks_cli *, struct odks_err *);

/* The configuration and a connection, for commands that need both. */
struct odks_cmd_db {
    struct odks_config *cfg;
    char instance[101];
    struct odks_db_conf conf;
    struct odks_db *db;
};

/* Load the configuration, set up logging from it, check its schedules. */
ODKS_MUST_CHECK bool odks_cmd_config_load(const struct odks_cli *cli,
                                          struct odks_config **cfg,
                                          struct odks_err *err);

/* Load, connect, begin a transaction and check the schema's version. */
ODKS_MUST_CHECK bool odks_cmd_open(const struct odks_cli *cli,
                                   struct odks_cmd_db *c, struct odks_err *err);
/*
 * Does the configuration or the database know this sync type? Else 64, with
 * did-you-mean.
 */
ODKS_MUST_CHECK bool odks_cmd_check_type(struct odks_cmd_db *c,
                                         const char *type,
                                         struct odks_err *err);
bool odks_cmd_is_configured(const struct odks_cmd_db *c, const char *type);
void odks_cmd_close(struct odks_cmd_db *c);
#define CLEANUP_CMD CLEANUP(odks_cmd_close)

#endif
