/* bin/cmd_schema.c - SPDX-License-Identifier: Apache-2.0 */
/* schema show, schema diff: the tables of a form or dataset. */
#include <config.h>

#include <string.h>

#include "bin/cmd.h"
#include "bin/print.h"
#include "core/json.h"
#include "core/safe.h"
#include "jobs/schema.h"
#include "jobs/walk.h"
#include "sql/queries.h"
#include "table/privacy.h"
#include "table/sqltext.h"

enum { SHOW_SHORT = 8 /* columns of column_show.sql for people */ };

static enum odks_exit
show(const struct odks_cli *cli, struct odks_cmd_db *c,
     const struct odks_job_conf *job, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(job);
    const struct odks_model_conf conf = { .central = job->central->name,
                                          .project = query.project,
                                          .feed = query.feed,
                                          .form_id = query.form_id };
    struct odks_model_key key;
    const char *const *k = odks_model_key(&conf, &key);
    CLEANUP_PRIVACY struct odks_privacy *privacy = NULL;

    odks_privacy_new(job, NULL, &privacy);
    CLEANUP_JSON struct json_object *rules = odks_privacy_json(privacy);
    const char *const params[] = { k[0], k[1], k[2], k[3],
                                   json_object_get_string(rules) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(c->db, &odks_sql_column_show, params, err);

    if (res == NULL)
        return err->code;
    if (cli->json)
        odks_print_json(odks_result_json(res));
    else if (PQntuples(res) == 0)
        odks_print(stdout, "%s has no tables yet\n", job->sync_type);
    else
        odks_print_table(res, SHOW_SHORT);
    return ODKS_EXIT_OK;
}

static void
add(struct json_object *o, const char *key, const char *text)
{
    (void) json_object_object_add(o, key, json_object_new_string(text));
}

static enum odks_exit
diff(const struct odks_cli *cli, struct odks_cmd_db *c,
     const struct odks_job_conf *job, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_model_changes changes = { 0 };

    odks_db_rollback(c->db);
    if (!odks_schema_diff(c->cfg, job, c->db, &ddl, &changes, err))
        return err->code;
    const char *text = ddl.data != NULL ? ddl.data : "";
    if (cli->json) {
        struct json_object *o = json_object_new_object();

        add(o, "summary", changes.summary);
        add(o, "warning", changes.warning);
        add(o, "ddl", text);
        odks_print_json(o);
        return ODKS_EXIT_OK;
    }
    if (changes.summary[0] == '\0' && changes.warning[0] == '\0'
        && *text == '\0')
        odks_print(stdout, "the tables of %s are as its %s\n", job->sync_type,
                   odks_feed_names(odks_job_feed(job))->what);
    if (changes.summary[0] != '\0')
        odks_print(stdout, "-- %s\n", changes.summary);
    if (changes.warning[0] != '\0')
        odks_print(stdout, "-- %s\n", changes.warning);
    odks_print_lines(stdout, text);
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_schema(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    bool is_diff = strcmp(cli->args[0], "diff") == 0;

    if (!is_diff && strcmp(cli->args[0], "show") != 0) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "schema: \"%s\" is neither show "
                     "nor diff",
                     cli->args[0]);
        odks_err_hint(err, "Usage: odk-sync schema show|diff TYPE");
        return err->code;
    }
    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    const struct odks_job_conf *job =
        odks_config_find_job(c.cfg, cli->args[1], err);
    if (job == NULL)
        return err->code;
    if (job->central == NULL) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "%s is no job of kind submissions or entities",
                     job->sync_type);
        return err->code;
    }
    return is_diff ? diff(cli, &c, job, err) : show(cli, &c, job, err);
}
