/* bin/cmd_init.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/safe.h"
#include "db/migrate.h"
#include "run/instance.h"
#include "sql/queries.h"
#include "track/track.h"

/* Both may run beside each other; a person should know that they do. */
static void
warn_of_old_service(struct odks_db *db)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    if (!odks_db_begin(db, &ignored))
        return;
    CLEANUP_PGRESULT PGresult *res = odks_track_old_service(db, &ignored);
    if (res != NULL && PQntuples(res) > 0)
        odks_log(ODKS_LOG_WARN,
                 "the old service still runs: %s wrote history at %s",
                 odks_db_text(res, 0, ODKS_OLD_SERVICE_INSTANCE),
                 odks_db_text(res, 0, ODKS_OLD_SERVICE_WROTE));
    odks_db_rollback(db);
}

/*
 * A role that may create there can hinder us, and fool those who call functions
 * without their schema.
 */
static void
warn_of_creators(struct odks_db *db)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    if (!odks_db_begin(db, &ignored))
        return;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_schema_creators, NULL, &ignored);
    for (int row = 0; res != NULL && row < PQntuples(res); row++)
        odks_log(ODKS_LOG_WARN, "%s: %s", odks_db_text(res, row, 0),
                 odks_db_text(res, row, 1));
    odks_db_rollback(db);
}

/*
 * That of [database] and those that single jobs name, each once; the caller
 * frees the array.
 */
static const char **
form_schemas(const struct odks_config *cfg)
{
    size_t jobs = odks_config_job_count(cfg), count = 1;
    const char **names = odks_xcalloc(jobs + 2, sizeof(*names));

    names[0] = odks_config_database(cfg)->schema;
    for (size_t i = 0; i < jobs; i++) {
        size_t k = 0;

        names[count] = odks_config_job(cfg, i)->schema;
        while (strcmp(names[k], names[count]) != 0)
            k++;
        if (k == count)
            count++;
    }
    names[count] = NULL;
    return names;
}

static void
tell(const char *what)
{
    odks_log(ODKS_LOG_INFO, "%s", what);
}

static void
print_line(const char *what)
{
    odks_print(stdout, "%s\n", what);
}

static bool
init(struct odks_cmd_db *c, struct odks_err *err)
{
    CLEANUP_FREE const char **schemas = form_schemas(c->cfg);
    int applied = 0;

    if (!odks_migrate(c->db, schemas, tell, &applied, err))
        return false;
    odks_log(ODKS_LOG_INFO,
             applied > 0 ? "the tables are ready (%d step%s)"
                         : "the tables were ready",
             applied, applied == 1 ? "" : "s");
    if (applied > 0)
        warn_of_old_service(c->db);
    warn_of_creators(c->db);
    return true;
}

enum odks_exit
odks_cmd_init(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_config_load(cli, &c.cfg, err))
        return err->code;
    CLEANUP_FREE const char **schemas = form_schemas(c.cfg);
    if (cli->print) {
        return odks_migrate_print(odks_config_database(c.cfg)->tracking_schema,
                                  schemas, stdout, err)
                   ? ODKS_EXIT_OK
                   : err->code;
    }
    odks_instance(c.instance);
    if (!odks_config_db_conf(c.cfg, c.instance, &c.conf, err)
        || !odks_db_connect(&c.conf, &c.db, err))
        return err->code;
    bool ok = cli->check
                  ? odks_db_begin(c.db, err)
                        && odks_migrate_plan(c.db, schemas, print_line, err)
                  : init(&c, err);
    if (ok && cli->check)
        odks_print(stdout, "the tables are as they should be\n");
    return ok ? ODKS_EXIT_OK : err->code;
}
