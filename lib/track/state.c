/* lib/track/state.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "sql/queries.h"

enum { COL_LAST_SYNC, COL_KNOWN, COL_NOW }; /* track_get.sql */

#define BOM "\xef\xbb\xbf"
#define SPACE " \t\r\n\f\v"

bool
odks_state_get(struct odks_db *db, const char *sync_type,
               struct odks_state *state, struct odks_err *err)
{
    const char *const params[] = { sync_type };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_track_get, params, err);
    if (res == NULL)
        return false;
    *state = (struct odks_state){
        .last_sync = odks_db_time(res, 0, COL_LAST_SYNC),
        .known = odks_db_bool(res, 0, COL_KNOWN),
        .now = odks_db_time(res, 0, COL_NOW),
    };
    return true;
}

bool
odks_state_set(struct odks_db *db, const char *sync_type, int64_t last_sync,
               bool force, const char *metadata, struct odks_err *err)
{
    char time[ODKS_TIME_TEXT];
    const char *const params[] = { odks_db_time_param(last_sync, time),
                                   sync_type, force ? "true" : "false",
                                   metadata };

    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_track_set, params, err);
    if (res != NULL)
        return true;
    if (strcmp(err->sqlstate, "55000") == 0) {
        err->code = ODKS_EXIT_BRAKE;
        odks_err_hint(err, "With --force it goes back.");
    }
    return false;
}

/* Text between *s and *s + *len without the white space around it. */
static void
trim(const char **s, size_t *len)
{
    while (*len > 0 && strchr(SPACE, **s) != NULL && **s != '\0') {
        (*s)++;
        (*len)--;
    }
    while (*len > 0 && (*s)[*len - 1] != '\0'
           && strchr(SPACE, (*s)[*len - 1]) != NULL)
        (*len)--;
}

static bool
unusable(const char *name, const char *what, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_DATA, "%s %s", name, what);
    odks_err_hint(err, "One time is expected, such as "
                       "2024-01-15T10:30:00.123456+00:00.");
    return false;
}

bool
odks_state_parse(const struct odks_buf *content, const char *name, char **text,
                 int64_t *us, enum odks_time_zone *zone, struct odks_err *err)
{
    const char *s = content->data != NULL ? content->data : "";
    size_t len = content->len;

    *text = NULL;
    if (len >= strlen(BOM) && memcmp(s, BOM, strlen(BOM)) == 0) {
        s += strlen(BOM);
        len -= strlen(BOM);
    }
    trim(&s, &len);
    if (len == 0) {
        (void) unusable(name, "is empty", err);
        odks_err_hint(err, "Nothing was synced by the program that wrote it: "
                           "there is nothing to import.");
        return false;
    }
    if (memchr(s, '\n', len) != NULL || memchr(s, '\r', len) != NULL)
        return unusable(name, "has several lines", err);
    CLEANUP_FREE char *line = odks_xstrndup(s, len);
    if (strlen(line) != len || !odks_time_parse(line, us, zone))
        return unusable(name, "holds no time", err);
    *text = odks_steal(&line);
    return true;
}

void
odks_state_format(int64_t us, char text[ODKS_STATE_TEXT])
{
    char iso[ODKS_TIME_TEXT];

    odks_time_format(us, iso);
    size_t z = strlen(iso) - 1; /* Python before 3.11 does not read a Z */
    (void) snprintf(text, ODKS_STATE_TEXT, "%.*s%s+00:00\n", (int) z, iso,
                    z == strlen("2024-01-15T10:30:00.123") ? "000" : "");
}
