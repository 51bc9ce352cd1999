/* bin/cmd_stats.c - SPDX-License-Identifier: Apache-2.0 */
/* stats, health, prune: what odk_sync_statistics() and its kin know. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "bin/cmd.h"
#include "bin/print.h"
#include "core/json.h"
#include "core/safe.h"
#include "sql/queries.h"

/* The JSON that a query of one field gives; the caller puts it. */
static struct json_object *
query_json(struct odks_db *db, const struct odks_sql *sql, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_db_query(db, sql, NULL, err);
    struct json_object *json =
        res != NULL ? odks_json_read(PQgetvalue(res, 0, 0)) : NULL;

    if (res != NULL && json == NULL)
        odks_err_set(err, ODKS_EXIT_SOFTWARE, "%s: not JSON", sql->name);
    return json;
}

enum odks_exit
odks_cmd_stats(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    if (cli->json) {
        struct json_object *json =
            query_json(c.db, &odks_sql_track_statistics, err);

        if (json != NULL)
            odks_print_json(json);
        return err->code;
    }
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(c.db, &odks_sql_track_stats, NULL, err);
    if (res == NULL)
        return err->code;
    if (PQntuples(res) == 0)
        odks_print(stdout, "nothing has run yet\n");
    else
        odks_print_table(res, PQnfields(res));
    return ODKS_EXIT_OK;
}

static const char *
text_of(struct json_object *o, const char *key)
{
    return json_object_get_string(json_object_object_get(o, key));
}

/* A type that nothing syncs any more would be a problem for ever. */
static void
print_leftover(const struct odks_cmd_db *c, const char *type)
{
    if (odks_cmd_is_configured(c, type))
        return;
    odks_print(stdout,
               "    it is not in the configuration; if nothing else uses it: "
               "odk-sync forget %s\n",
               type);
}

static void
print_health(const struct odks_cmd_db *c, struct json_object *health)
{
    struct json_object *problems = json_object_object_get(health, "problems");
    struct json_object *queue = json_object_object_get(health, "queue");
    size_t count = json_object_array_length(problems);

    odks_print(stdout, "%s\n", count == 0 ? "healthy" : "not healthy");
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(problems, i);

        odks_print(stdout, "  %s: %s\n", text_of(one, "sync_type"),
                   text_of(one, "problem"));
        print_leftover(c, text_of(one, "sync_type"));
    }
    odks_print(stdout, "queue: %s pending, %s running, %s dead\n",
               text_of(queue, "pending"), text_of(queue, "running"),
               text_of(queue, "dead"));
}

enum odks_exit
odks_cmd_health(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    struct json_object *health = query_json(c.db, &odks_sql_track_health, err);
    if (health == NULL)
        return err->code;
    if (cli->json) {
        odks_print_json(health);
        return ODKS_EXIT_OK;
    }
    print_health(&c, health);
    json_object_put(health);
    return ODKS_EXIT_OK;
}

/* A bounded number of rows in a transaction of its own; *gone: how many. */
static bool
prune_some(struct odks_db *db, const char *days, int64_t *gone,
           struct odks_err *err)
{
    const char *const params[] = { days };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_prune, params, err);
    if (res == NULL || !odks_db_commit(db, err))
        return false;
    *gone = odks_db_int64(res, 0, 0);
    return true;
}

enum odks_exit
odks_cmd_prune(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    char text[ODKS_DB_INT64_TEXT];
    int64_t total = 0, gone;

    if (!odks_cmd_open(cli, &c, err))
        return err->code;
    int64_t days =
        cli->days > 0 ? cli->days : odks_config_run(c.cfg)->history_days;
    (void) odks_db_int64_param(days, text);
    if (!prune_some(c.db, text, &gone, err))
        return err->code;
    for (total = gone; gone > 0; total += gone) {
        if (!odks_db_begin(c.db, err) || !prune_some(c.db, text, &gone, err))
            return err->code;
    }
    odks_print(stdout,
               "%" PRId64 " attempt%s older than %" PRId64 " day%s forgotten\n",
               total, total == 1 ? "" : "s", days, days == 1 ? "" : "s");
    return ODKS_EXIT_OK;
}
