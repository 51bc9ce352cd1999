/* lib/run/report.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/json.h"
#include "core/log.h"
#include "core/time.h"

/* What one line says; nothing counts unless all of it is right. */
struct said {
    int64_t records, latest;
    struct json_object *metadata; /* borrowed */
};

void
odks_report_init(struct odks_report *r, struct json_object *metadata)
{
    *r = (struct odks_report){ .line = ODKS_BUF_INIT(ODKS_REPORT_LINE),
                               .records = -1,
                               .latest = ODKS_TIME_NONE,
                               .metadata = metadata };
}

/*
 * Will PostgreSQL take it for the number that was meant? json-c turns integers
 * beyond 64 bits into the nearest one that fits, and jsonb has no room for some
 * exponents.
 */
static bool
is_number(struct json_object *o)
{
    if (json_object_get_type(o) == json_type_int)
        return json_object_get_int64(o) != INT64_MAX
               && json_object_get_int64(o) != INT64_MIN;
    double d = json_object_get_double(o);
    return isnormal(d)
           || (d == 0 && strpbrk(json_object_get_string(o), "eE") == NULL);
}

static bool
is_storable(struct json_object *o)
{
    size_t i;

    switch (json_object_get_type(o)) {
    case json_type_int:
    case json_type_double:
        return is_number(o);
    case json_type_array:
        for (i = 0; i < json_object_array_length(o); i++) {
            if (!is_storable(json_object_array_get_idx(o, i)))
                return false;
        }
        return true;
    case json_type_object: {
        json_object_object_foreach(o, key, value)
        {
            (void) key;
            if (!is_storable(value))
                return false;
        }
        return true;
    }
    default:
        return true;
    }
}

static bool
read_records(struct json_object *o, int64_t *records)
{
    *records = json_object_get_int64(o);
    return json_object_is_type(o, json_type_int) && *records >= 0
           && *records <= INT32_MAX;
}

static bool
read_latest(struct json_object *o, int64_t *latest)
{
    return json_object_is_type(o, json_type_string)
           && odks_time_parse(json_object_get_string(o), latest, NULL);
}

/* What is wrong with it, or NULL. */
static const char *
read_line(const struct odks_report *r, struct json_object *o, struct said *said)
{
    json_object_object_foreach(o, key, value)
    {
        if (strcmp(key, "records_processed") == 0) {
            if (!read_records(value, &said->records))
                return "records_processed is no number of records";
        } else if (strcmp(key, "latest_timestamp") == 0) {
            if (!read_latest(value, &said->latest))
                return "latest_timestamp is no ISO 8601 time";
        } else if (strcmp(key, "metadata") == 0) {
            if (!json_object_is_type(value, json_type_object)
                || !is_storable(value))
                return "metadata is no object that can be stored";
            said->metadata = value;
        } else {
            return "it has a key that is none of records_processed, "
                   "latest_timestamp and metadata";
        }
    }
    if (said->metadata != NULL
        && json_object_object_length(said->metadata)
                   + json_object_object_length(r->metadata)
               > ODKS_REPORT_KEYS)
        return "metadata has too many keys";
    return NULL;
}

static const char *
parse(struct odks_report *r, struct said *said, struct json_object **o)
{
    if (memmem(r->line.data, r->line.len, "\\u0000", 6) != NULL)
        return "it holds a NUL, which jsonb does not take";
    if (!odks_json_parse(r->line.data, r->line.len, o, NULL)
        || !json_object_is_type(*o, json_type_object))
        return "it is not a JSON object";
    return read_line(r, *o, said);
}

static void
apply(struct odks_report *r, const struct said *said)
{
    if (said->records >= 0)
        r->records = said->records;
    if (said->latest > r->latest) /* NONE is before everything */
        r->latest = said->latest;
    if (said->metadata == NULL)
        return;
    json_object_object_foreach(said->metadata, key, value)(void)
        json_object_object_add(r->metadata, key, json_object_get(value));
}

static bool
is_blank(const struct odks_buf *line)
{
    return line->len == 0 || strspn(line->data, " \t\r") == line->len;
}

static void
end_line(struct odks_report *r)
{
    CLEANUP_JSON struct json_object *o = NULL;
    struct said said = { -1, ODKS_TIME_NONE, NULL };

    if (!r->too_long && is_blank(&r->line))
        return;
    r->lines++;
    const char *wrong = r->too_long ? "it is too long" : parse(r, &said, &o);
    if (wrong == NULL)
        apply(r, &said);
    else if (r->bad++ == 0)
        odks_log(ODKS_LOG_WARN,
                 "line %" PRId64 " of the report is not used: %s", r->lines,
                 wrong);
    r->too_long = false;
    odks_buf_truncate(&r->line, 0);
}

void
odks_report_feed(struct odks_report *r, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t part = newline != NULL ? (size_t) (newline - bytes) : len;

        if (!r->too_long && !odks_buf_add(&r->line, bytes, part))
            r->too_long = true;
        if (newline == NULL)
            return;
        end_line(r);
        bytes += part + 1;
        len -= part + 1;
    }
}

void
odks_report_end(struct odks_report *r)
{
    if (r->line.len > 0 || r->too_long)
        end_line(r);
    odks_buf_free(&r->line);
}
