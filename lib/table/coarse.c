/* lib/table/coarse.c - SPDX-License-Identifier: Apache-2.0 */
/* Dates and places with less in them. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/time.h"
#include "core/zone.h"
#include "table/number.h"
#include "table/rules.h"

enum { DATE_LEN = 10, SECOND = 1000000, NUMBER_MAX = 400 };

/* A text of JSON that may be a time, without the space around it. */
static bool
read_time(struct json_object *value, char text[ODKS_TIME_TEXT], int64_t *us,
          enum odks_time_zone *zone)
{
    if (!json_object_is_type(value, json_type_string))
        return false;
    const struct odks_span whole = { json_object_get_string(value),
                                     (size_t) json_object_get_string_len(
                                         value) };
    struct odks_span span = odks_span_trim(whole);
    if (span.len >= ODKS_TIME_TEXT)
        return false;
    memcpy(text, span.p, span.len);
    text[span.len] = '\0';
    return strlen(text) == span.len && odks_time_parse(text, us, zone);
}

/*
 * The start of the year, month or day of a local time. Conversion to local time
 * can lead to the years 0 and 10000, which odks_time_parse() refuses.
 */
static int64_t
start_of(const struct odks_rule *rule, int64_t wall)
{
    time_t seconds = (time_t) (wall / SECOND - (wall % SECOND < 0));
    struct tm tm;

    (void) gmtime_r(&seconds, &tm);
    tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
    if (rule->action != ODKS_DAY)
        tm.tm_mday = 1;
    if (rule->action == ODKS_YEAR)
        tm.tm_mon = 0;
    return (int64_t) timegm(&tm) * SECOND;
}

/* When clocks in zone first show wall, or if they never do, what is next. */
static int64_t
first_instant(int64_t wall, const char *zone)
{
    int64_t us = odks_zone_to_utc(wall, zone);
    int64_t shown = odks_zone_to_local(us, zone);

    return shown < wall ? us + (wall - shown) : us;
}

struct json_object *
odks_coarse_date(const struct odks_rule *rule, enum odks_field_type type,
                 const char *of_job, struct json_object *value)
{
    char text[ODKS_TIME_TEXT];
    enum odks_time_zone zone;
    int64_t us;

    if (!read_time(value, text, &us, &zone)
        || (type == ODKS_FIELD_DATE && strlen(text) != DATE_LEN))
        return NULL;
    if (type != ODKS_FIELD_DATE && zone == ODKS_TIME_WITH_ZONE)
        us = odks_zone_to_local(us, of_job);
    us = start_of(rule, us);
    if (type != ODKS_FIELD_DATE)
        us = first_instant(us, of_job);
    odks_time_format(us, text);
    if (type == ODKS_FIELD_DATE)
        text[DATE_LEN] = '\0';
    return json_object_new_string(text);
}

/* A coordinate, rounded; NULL: it is none. */
static struct json_object *
rounded(struct json_object *value, int decimals)
{
    char text[NUMBER_MAX];

    if (!json_object_is_type(value, json_type_double)
        && !json_object_is_type(value, json_type_int))
        return NULL;
    double number = json_object_get_double(value);
    int len = snprintf(text, sizeof(text), "%.*f", decimals, number);
    if (!isfinite(number) || len >= NUMBER_MAX)
        return NULL;
    bool zero = strspn(text, "-0.") == (size_t) len;
    const char *digits = zero && text[0] == '-' ? text + 1 : text;
    return json_object_new_double_s(strtod(digits, NULL), digits);
}

/* [lon, lat] without what may be behind it. */
static struct json_object *
coarse_position(struct json_object *position, int decimals)
{
    if (!json_object_is_type(position, json_type_array)
        || json_object_array_length(position) < 2)
        return NULL;
    struct json_object *result = json_object_new_array();
    for (size_t i = 0; i < 2; i++) {
        struct json_object *number =
            rounded(json_object_array_get_idx(position, i), decimals);
        (void) json_object_array_add(result, number);
        if (number == NULL) {
            (void) json_object_put(result);
            return NULL;
        }
    }
    return result;
}

/* depth 0: a position; 1: positions (a line); 2: lines (a polygon) */
static struct json_object *
coarse_positions(struct json_object *list, int depth, int decimals)
{
    if (depth == 0)
        return coarse_position(list, decimals);
    if (!json_object_is_type(list, json_type_array))
        return NULL;
    struct json_object *result = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *one = coarse_positions(
            json_object_array_get_idx(list, i), depth - 1, decimals);
        (void) json_object_array_add(result, one);
        if (one == NULL) {
            (void) json_object_put(result);
            return NULL;
        }
    }
    return result;
}

/* Made anew from its coordinates: whatever else it held stays out. */
struct json_object *
odks_coarse_place(const struct odks_rule *rule, enum odks_field_type type,
                  struct json_object *value)
{
    const char *name = type == ODKS_FIELD_GEOPOINT   ? "Point"
                       : type == ODKS_FIELD_GEOTRACE ? "LineString"
                                                     : "Polygon";
    int depth = type == ODKS_FIELD_GEOPOINT   ? 0
                : type == ODKS_FIELD_GEOTRACE ? 1
                                              : 2;
    struct json_object *is = NULL, *coordinates = NULL;

    if (!json_object_is_type(value, json_type_object)
        || !json_object_object_get_ex(value, "type", &is)
        || !json_object_is_type(is, json_type_string)
        || strcmp(json_object_get_string(is), name) != 0
        || !json_object_object_get_ex(value, "coordinates", &coordinates))
        return NULL;
    coordinates = coarse_positions(coordinates, depth, rule->decimals);
    if (coordinates == NULL)
        return NULL;
    struct json_object *result = json_object_new_object();
    (void) json_object_object_add(result, "type", json_object_new_string(name));
    (void) json_object_object_add(result, "coordinates", coordinates);
    return result;
}
