/* bin/cmd_state.c - SPDX-License-Identifier: Apache-2.0 */
/* get, set, import-state, export-state: the last sync time of a type. */
#include <config.h>

#include <json-c/json.h>
#include <string.h>

#include "bin/cmd.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/safe.h"
#include "core/zone.h"
#include "track/state.h"

static const char main_type[] = "main_submissions";
static const char *const old_types[] = { main_type, "person_details" };
enum { OLD_TYPES = sizeof(old_types) / sizeof(old_types[0]) };

#define DAY_US (INT64_C(86400) * 1000000)

/* The state of a type that the configuration or the database knows. */
static bool
get_known(struct odks_cmd_db *c, const char *type, struct odks_state *state,
          struct odks_err *err)
{
    return odks_state_get(c->db, type, state, err)
           && (state->known || odks_cmd_check_type(c, type, err));
}

enum odks_exit
odks_cmd_get(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    struct odks_state state;
    char text[ODKS_TIME_TEXT];

    if (!odks_cmd_open(cli, &c, err)
        || !get_known(&c, cli->args[0], &state, err))
        return err->code;
    if (state.last_sync != ODKS_TIME_NONE) {
        odks_time_format(state.last_sync, text);
        odks_print(stdout, "%s\n", text);
    }
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_set(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    struct odks_state state;
    int64_t us;

    if (!odks_cli_time("T", cli->args[1], &us, err)
        || !odks_cmd_open(cli, &c, err)
        || !get_known(&c, cli->args[0], &state, err)
        || !odks_state_set(c.db, cli->args[0], us, cli->force, NULL, err)
        || !odks_db_commit(c.db, err))
        return err->code;
    odks_log(ODKS_LOG_INFO, "the last sync time of %s is %s", cli->args[0],
             cli->args[1]);
    return ODKS_EXIT_OK;
}

/* What is in the file that import-state reads. */
struct imported {
    const char *file;
    struct odks_buf content;
    char *text;
    int64_t us;
    char remark[256]; /* on the time zone, or "" */
};

static void
clear_imported(struct imported *in)
{
    odks_buf_free(&in->content);
    free(in->text);
}

/*
 * A time without a zone was written by a clock that we do not see, and read as
 * UTC: the earlier one makes the old service read again, never skip.
 */
static void
find_zone(struct imported *in, const char *zone)
{
    int64_t utc = in->us;
    char here[ODKS_TIME_TEXT], there[ODKS_TIME_TEXT];

    in->us = odks_zone_to_utc(utc, zone);
    odks_time_format(utc, there);
    odks_time_format(in->us, here);
    if (zone != NULL) {
        (void) snprintf(in->remark, sizeof(in->remark),
                        "no time zone: %s in %s", here, zone);
        return;
    }
    (void) snprintf(in->remark, sizeof(in->remark),
                    "no time zone: %s on this machine, %s in UTC; "
                    "the earlier one counts (or say --timezone)",
                    here, there);
    if (utc < in->us)
        in->us = utc;
}

static bool
read_state(const struct odks_cli *cli, struct imported *in,
           struct odks_err *err)
{
    enum odks_time_zone zone;

    in->file = cli->args[0];
    if (cli->timezone != NULL && !odks_timezone_exists(cli->timezone)) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "--timezone: there is no time zone \"%s\" here",
                     cli->timezone);
        odks_err_hint(err, "Write it like Africa/Freetown; the package tzdata "
                           "holds them.");
        return false;
    }
    if (!odks_file_read(in->file, &in->content, err)
        || !odks_state_parse(&in->content, in->file, &in->text, &in->us, &zone,
                             err))
        return false;
    if (zone == ODKS_TIME_LOCAL)
        find_zone(in, cli->timezone);
    return true;
}

/* The keys that the migration of the old service wrote. */
static char *
describe(const struct imported *in)
{
    CLEANUP_JSON struct json_object *o = json_object_new_object();

    (void) json_object_object_add(o, "source",
                                  json_object_new_string("migrated_from_file"));
    (void) json_object_object_add(o, "original_file_timestamp",
                                  json_object_new_string(in->text));
    return strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
}

static bool
is_old_type(const char *type)
{
    for (size_t i = 0; i < OLD_TYPES; i++) {
        if (strcmp(type, old_types[i]) == 0)
            return true;
    }
    return false;
}

/* Import into one type; what became of it is a line in report. */
static bool
import_type(struct odks_cmd_db *c, const struct imported *in, const char *type,
            bool force, struct odks_buf *report, struct odks_err *err)
{
    struct odks_state state;
    char before[ODKS_TIME_TEXT], text[ODKS_TIME_TEXT];
    bool known = is_old_type(type) ? odks_state_get(c->db, type, &state, err)
                                   : get_known(c, type, &state, err);

    if (!known)
        return false;
    odks_time_format(in->us, text);
    if (in->us > state.now + DAY_US && !force) {
        odks_err_set(err, ODKS_EXIT_DATA, "%s: %s is in the future", in->file,
                     text);
        odks_err_hint(err, "The old service would read nothing until then. "
                           "With --force it is imported all the same.");
        return false;
    }
    if (state.last_sync == in->us)
        return odks_buf_printf(report, "%s: is %s already\n", type, text);
    if (state.last_sync != ODKS_TIME_NONE) {
        odks_time_format(state.last_sync, before);
        if (state.last_sync > in->us && !force)
            return odks_buf_printf(report,
                                   "%s: left at %s, which is later than %s\n",
                                   type, before, text);
    }
    CLEANUP_FREE char *metadata = describe(in);
    return odks_state_set(c->db, type, in->us, force, metadata, err)
           && odks_buf_printf(report, "%s: set to %s, from %s\n", type, text,
                              state.last_sync != ODKS_TIME_NONE ? before
                                                                : "nothing");
}

enum odks_exit
odks_cmd_import_state(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    CLEANUP_BUF struct odks_buf report = ODKS_BUF_INIT(1 << 20);
    CLEANUP(clear_imported)
    struct imported in = { .content = ODKS_BUF_INIT(ODKS_STATE_FILE_MAX) };
    CLEANUP_FREE char *backup = NULL;
    bool chosen = cli->arg_count > 1;
    const char *const *types = chosen ? cli->args + 1 : old_types;
    size_t count = chosen ? cli->arg_count - 1 : OLD_TYPES;

    if (!read_state(cli, &in, err) || !odks_cmd_open(cli, &c, err))
        return err->code;
    for (size_t i = 0; i < count; i++) {
        if (!import_type(&c, &in, types[i], cli->force, &report, err))
            return err->code;
    }
    if (!odks_file_backup(in.file, &in.content, &backup, err)) {
        odks_err_hint(err, "Nothing was imported. Copy the file to a "
                           "directory that can be written to.");
        return err->code;
    }
    if (!odks_db_commit(c.db, err))
        return err->code;
    if (in.remark[0] != '\0')
        odks_print(stdout, "%s: %s\n", in.file, in.remark);
    odks_print_lines(stdout, report.data);
    odks_print(stdout, "%s: kept as %s\n", in.file, backup);
    return ODKS_EXIT_OK;
}

enum odks_exit
odks_cmd_export_state(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CMD struct odks_cmd_db c = { 0 };
    const char *type = cli->arg_count > 0 ? cli->args[0] : main_type;
    struct odks_state state;
    char text[ODKS_STATE_TEXT];

    if (!odks_cmd_open(cli, &c, err) || !get_known(&c, type, &state, err))
        return err->code;
    if (state.last_sync == ODKS_TIME_NONE) {
        odks_err_set(err, ODKS_EXIT_TEMPFAIL, "%s has no last sync time yet",
                     type);
        odks_err_hint(err, "Without a last_sync.txt the old service reads "
                           "everything.");
        return err->code;
    }
    odks_state_format(state.last_sync, text);
    if (cli->output == NULL)
        odks_print_lines(stdout, text);
    else if (!odks_file_replace(cli->output, text, strlen(text), err))
        return err->code;
    return ODKS_EXIT_OK;
}
