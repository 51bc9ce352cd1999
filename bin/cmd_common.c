/* bin/cmd_common.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "db/migrate.h"
#include "run/due.h"
#include "run/forms.h"
#include "run/instance.h"
#include "sql/queries.h"

/* On a terminal a run says what it did; for cron silence is success. */
static enum odks_log_level
level(const struct odks_cli *cli, const struct odks_config *cfg)
{
    enum odks_log_level configured = odks_config_run(cfg)->log_level;

    if (cli->verbose < 0)
        return ODKS_LOG_ERROR;
    if (cli->verbose > 1)
        return ODKS_LOG_DEBUG;
    if ((cli->verbose == 1 || isatty(STDERR_FILENO))
        && configured < ODKS_LOG_INFO)
        return ODKS_LOG_INFO;
    return configured;
}

/* To whoever sets things up every remark matters, to a run few do. */
static void
log_remarks(const struct odks_cli *cli, const struct odks_config *cfg)
{
    static const char *const setup[] = { "config", "doctor", "init" };
    bool all = false;

    for (size_t i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
        all |= strcmp(cli->command->name, setup[i]) == 0;
    for (size_t i = 0; i < odks_config_remark_count(cfg); i++) {
        bool urgent;
        const char *text = odks_config_remark_text(cfg, i, &urgent);

        odks_log(all || urgent ? ODKS_LOG_WARN : ODKS_LOG_INFO, "%s", text);
    }
}

bool
odks_cmd_config_load(const struct odks_cli *cli, struct odks_config **cfg,
                     struct odks_err *err)
{
    bool ok = cli->from_env ? odks_config_load_legacy(cli->flag,
                                                      cli->flag_count, cfg, err)
                            : odks_config_load(cli->config_path, cli->flag,
                                               cli->flag_count, cfg, err);

    if (!ok)
        return false;
    odks_log_init(level(cli, *cfg), odks_config_run(*cfg)->log_format);
    log_remarks(cli, *cfg);
    return odks_due_check(*cfg, err);
}

bool
odks_cmd_open(const struct odks_cli *cli, struct odks_cmd_db *c,
              struct odks_err *err)
{
    *c = (struct odks_cmd_db){ 0 };
    odks_instance(c->instance);
    return odks_cmd_config_load(cli, &c->cfg, err)
           && odks_config_db_conf(c->cfg, c->instance, &c->conf, err)
           && odks_db_connect(&c->conf, &c->db, err)
           && odks_db_begin(c->db, err) && odks_migrate_check(c->db, err)
           && odks_forms_load(c->db, c->cfg, err);
}

bool
odks_cmd_is_configured(const struct odks_cmd_db *c, const char *type)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    return odks_config_find_job(c->cfg, type, &ignored) != NULL;
}

/* Neither knows it: what may have been meant? */
static void
refuse_type(const struct odks_cmd_db *c, const PGresult *stored,
            const char *type, struct odks_err *err)
{
    size_t jobs = odks_config_job_count(c->cfg), n = 0;
    const char **names =
        odks_xcalloc(jobs + (size_t) PQntuples(stored) + 1, sizeof(names[0]));

    for (size_t i = 0; i < jobs; i++)
        names[n++] = odks_config_job(c->cfg, i)->sync_type;
    for (int row = 0; row < PQntuples(stored); row++)
        names[n++] = PQgetvalue(stored, row, 0);
    const char *near = odks_suggest(type, names, n);
    odks_err_set(err, ODKS_EXIT_USAGE, "unknown sync type \"%s\"", type);
    if (near != NULL)
        odks_err_hint(err, "Did you mean \"%s\"?", near);
    else
        odks_err_hint(err, "\"odk-sync status\" lists the types.");
    free(names);
}

bool
odks_cmd_check_type(struct odks_cmd_db *c, const char *type,
                    struct odks_err *err)
{
    if (odks_cmd_is_configured(c, type))
        return true;
    CLEANUP_PGRESULT PGresult *stored =
        odks_db_query(c->db, &odks_sql_track_types, NULL, err);
    if (stored == NULL)
        return false;
    for (int row = 0; row < PQntuples(stored); row++) {
        if (strcmp(PQgetvalue(stored, row, 0), type) == 0)
            return true;
    }
    refuse_type(c, stored, type, err);
    return false;
}

void
odks_cmd_close(struct odks_cmd_db *c)
{
    odks_db_close(c->db);
    odks_config_free(c->cfg);
    *c = (struct odks_cmd_db){ 0 };
}
