/* bin/cmd_init.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "db/migrate.h"
#include "run/instance.h"

/* Those that single jobs name. */
static bool
create_schemas(struct odks_cmd_db *c, struct odks_err *err)
{
    if (!odks_db_begin(c->db, err))
        return false;
    for (size_t i = 0; i < odks_config_job_count(c->cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(c->cfg, i);

        if (!odks_migrate_schema(c->db, job->schema, err))
            return false;
    }
    return odks_db_commit(c->db, err);
}

static void
print_schemas(const struct odks_config *cfg)
{
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        const char *schema = odks_config_job(cfg, i)->schema;

        if (strcmp(schema, odks_config_database(cfg)->schema) != 0)
            odks_migrate_print_schema(schema, stdout);
    }
}

static bool
init(struct odks_cmd_db *c, struct odks_err *err)
{
    const struct odks_database_conf *conf = odks_config_database(c->cfg);
    int applied = 0;

    if (!odks_migrate(c->db, conf->schema, &applied, err)
        || !create_schemas(c, err))
        return false;
    odks_log(ODKS_LOG_INFO,
             applied > 0 ? "the tables are ready (%d step%s)"
                         : "the tables were ready",
             applied, applied == 1 ? "" : "s");
    return true;
}

enum odks_exit
odks_cmd_init(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_config_load(cli, &c.cfg, err))
        return err->code;
    const struct odks_database_conf *conf = odks_config_database(c.cfg);
    if (cli->print) {
        odks_migrate_print(conf->tracking_schema, conf->schema, stdout);
        print_schemas(c.cfg);
        return ODKS_EXIT_OK;
    }
    odks_instance(c.instance);
    if (!odks_config_db_conf(c.cfg, c.instance, &c.conf, err)
        || !odks_db_connect(&c.conf, &c.db, err))
        return err->code;
    bool ok = cli->check
                  ? odks_db_begin(c.db, err) && odks_migrate_check(c.db, err)
                  : init(&c, err);
    if (ok && cli->check)
        printf("the tables are as they should be\n");
    return ok ? ODKS_EXIT_OK : err->code;
}
