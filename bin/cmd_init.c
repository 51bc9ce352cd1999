/* bin/cmd_init.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "db/migrate.h"
#include "run/instance.h"

static bool
init(struct odks_cmd_db *c, struct odks_err *err)
{
    const struct odks_database_conf *conf = odks_config_database(c->cfg);
    int applied = 0;

    if (!odks_migrate(c->db, conf->schema, &applied, err))
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
