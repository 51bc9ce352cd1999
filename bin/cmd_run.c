/* bin/cmd_run.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/cmd.h"
#include "core/safe.h"
#include "core/stop.h"
#include "jobs/kinds.h"
#include "run/run.h"

static void
report_json(const char *sync_type, struct json_object *metadata)
{
    struct json_object *o = json_object_new_object();

    (void) json_object_object_add(o, "sync_type",
                                  json_object_new_string(sync_type));
    (void) json_object_object_add(o, "dry_run", json_object_get(metadata));
    odks_print_json_text(
        stdout, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

static int64_t
number(struct json_object *o, const char *key)
{
    struct json_object *value = NULL;

    (void) json_object_object_get_ex(o, key, &value);
    return json_object_get_int64(value);
}

static void
report_text(const char *sync_type, struct json_object *m)
{
    struct json_object *ddl = NULL, *command = NULL;

    if (json_object_object_get_ex(m, "command", &command)) {
        odks_print(stdout, "%s: would run: %s\n", sync_type,
                   json_object_get_string(command));
        return;
    }
    if (json_object_object_get_ex(m, "rows", NULL)) {
        odks_print(stdout,
                   "%s: the SQL runs; rows of its last statement: %lld\n",
                   sync_type, (long long) number(m, "rows"));
        return;
    }
    odks_print(
        stdout,
        "%s: would insert %lld, update %lld, delete %lld submissions;"
        " %lld unchanged; %lld repeat rows\n",
        sync_type, (long long) number(m, "inserted"),
        (long long) number(m, "updated"), (long long) number(m, "deleted"),
        (long long) number(m, "unchanged"), (long long) number(m, "repeats"));
    if (json_object_object_get_ex(m, "ddl", &ddl))
        odks_print_lines(stdout, json_object_get_string(ddl));
}

static bool
check(const struct odks_cli *cli, struct odks_err *err)
{
    const struct odks_payload *p = &cli->payload;
    bool special = p->full || p->allow_mass_delete || cli->dry_run
                   || p->since != ODKS_TIME_NONE || p->until != ODKS_TIME_NONE;

    if (special && cli->arg_count == 0) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "--full, --since, --until, --allow-mass-delete and "
                     "--dry-run want a TYPE");
        odks_err_hint(err, "\"odk-sync status\" lists the types.");
        return false;
    }
    return true;
}

enum odks_exit
odks_cmd_run(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;

    if (!check(cli, err) || !odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    const struct odks_run_options options = {
        .types = cli->args,
        .type_count = cli->arg_count,
        .max_jobs = cli->once ? 1 : cli->max_jobs,
        .dry_run = cli->dry_run,
        .fail_if_idle = cli->fail_if_idle,
        .payload = cli->payload,
        .kinds = odks_job_kinds,
        .report = cli->json ? report_json : report_text,
    };
    int64_t limit = odks_config_run(cfg)->max_time_s;
    if (limit > 0)
        odks_stop_at(odks_deadline_in(limit * 1000));
    return odks_run(cfg, &options);
}
