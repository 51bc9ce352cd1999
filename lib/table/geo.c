/* lib/table/geo.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/geo.h"

#include <string.h>

#include "table/fit.h"
#include "table/number.h"

static const char *
coordinate(struct json_object *value)
{
    struct odks_number n;

    if (!json_object_is_type(value, json_type_double)
        && !json_object_is_type(value, json_type_int))
        return "not a number";
    const char *reason = odks_number_read(value, &n);
    return reason != NULL ? reason : odks_number_fits_double(&n);
}

/* [lon, lat] or [lon, lat, alt]; alt may be null. */
static const char *
check_position(struct json_object *position)
{
    if (!json_object_is_type(position, json_type_array))
        return "no position";
    size_t len = json_object_array_length(position);
    if (len < 2 || len > 3)
        return "no position";
    for (size_t i = 0; i < len; i++) {
        struct json_object *c = json_object_array_get_idx(position, i);
        if (i == 2 && c == NULL)
            continue;
        const char *reason = coordinate(c);
        if (reason != NULL)
            return reason;
    }
    return NULL;
}

/* depth 0: a position; 1: positions (a line); 2: lines (a polygon) */
static const char *
check_positions(struct json_object *coordinates, int depth)
{
    if (depth == 0)
        return check_position(coordinates);
    if (!json_object_is_type(coordinates, json_type_array)
        || json_object_array_length(coordinates) == 0)
        return "no positions";
    for (size_t i = 0; i < json_object_array_length(coordinates); i++) {
        const char *reason = check_positions(
            json_object_array_get_idx(coordinates, i), depth - 1);
        if (reason != NULL)
            return reason;
    }
    return NULL;
}

static const char *
check_geo(struct json_object *value, const char *type, int depth)
{
    struct json_object *is = NULL, *coordinates = NULL;

    if (!json_object_object_get_ex(value, "type", &is)
        || !json_object_is_type(is, json_type_string)
        || strcmp(json_object_get_string(is), type) != 0
        || !json_object_object_get_ex(value, "coordinates", &coordinates))
        return "no GeoJSON of its type";
    const char *reason = check_positions(coordinates, depth);
    return reason != NULL ? reason : odks_json_unfit(value);
}

static void
put_json(struct odks_copy *out, struct json_object *value)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    odks_copy_field(out);
    odks_copy_text(out, text, len);
}

static void
put_number(struct odks_copy *out, struct json_object *value)
{
    struct odks_number n;

    if (value == NULL || odks_number_read(value, &n) != NULL) {
        odks_copy_null(out);
        return;
    }
    odks_copy_field(out);
    odks_copy_plain(out, n.text.p, n.text.len);
}

/* "lon lat alt" */
static void
put_coordinates(struct odks_copy *out, struct json_object *position)
{
    for (size_t i = 0; i < 3; i++) {
        /* NULL behind the end */
        struct json_object *c = json_object_array_get_idx(position, i);
        struct odks_number n;

        odks_copy_plain(out, " ", i > 0 ? 1 : 0);
        if (c == NULL || odks_number_read(c, &n) != NULL)
            odks_copy_plain(out, "0", 1);
        else
            odks_copy_plain(out, n.text.p, n.text.len);
    }
}

/* "(lon lat alt,lon lat alt)" */
static void
put_line(struct odks_copy *out, struct json_object *positions)
{
    odks_copy_plain(out, "(", 1);
    for (size_t i = 0; i < json_object_array_length(positions); i++) {
        odks_copy_plain(out, ",", i > 0 ? 1 : 0);
        put_coordinates(out, json_object_array_get_idx(positions, i));
    }
    odks_copy_plain(out, ")", 1);
}

static void
put_text(struct odks_copy *out, const char *text)
{
    odks_copy_plain(out, text, strlen(text));
}

static void
put_ewkt(struct odks_copy *out, const char *type,
         struct json_object *coordinates, int depth)
{
    odks_copy_field(out);
    put_text(out, "SRID=4326;");
    put_text(out, type);
    put_text(out, depth == 1 ? " Z " : " Z (");
    if (depth == 0)
        put_coordinates(out, coordinates);
    else if (depth == 1)
        put_line(out, coordinates);
    for (size_t i = 0; depth == 2 && i < json_object_array_length(coordinates);
         i++) {
        put_text(out, i > 0 ? "," : "");
        put_line(out, json_object_array_get_idx(coordinates, i));
    }
    put_text(out, depth == 1 ? "" : ")");
}

static bool
is_closed(struct json_object *ring)
{
    size_t last = json_object_array_length(ring) - 1;

    return json_object_equal(json_object_array_get_idx(ring, 0),
                             json_object_array_get_idx(ring, last));
}

/* A ring ends where it begins. */
static void
close_rings(struct json_object *rings)
{
    for (size_t i = 0; i < json_object_array_length(rings); i++) {
        struct json_object *ring = json_object_array_get_idx(rings, i);

        if (!is_closed(ring))
            (void) json_object_array_add(
                ring, json_object_get(json_object_array_get_idx(ring, 0)));
    }
}

/* Are there enough points; of a line: for PostGIS? */
static const char *
check_points(struct json_object *coordinates, int depth, bool geometry)
{
    if (geometry && depth == 1 && json_object_array_length(coordinates) < 2)
        return "a line of one point";
    for (size_t i = 0; depth == 2 && i < json_object_array_length(coordinates);
         i++) {
        struct json_object *ring = json_object_array_get_idx(coordinates, i);

        if (json_object_array_length(ring) + !is_closed(ring) < 4)
            return "a ring of fewer than three points";
    }
    return NULL;
}

static const char *
put_geo(struct odks_copy *out, struct json_object *value, const char *type,
        int depth, bool geometry)
{
    const char *reason = check_geo(value, type, depth);
    struct json_object *coordinates = NULL;

    if (reason != NULL)
        return reason;
    (void) json_object_object_get_ex(value, "coordinates", &coordinates);
    if ((reason = check_points(coordinates, depth, geometry)) != NULL)
        return reason;
    if (depth == 2)
        close_rings(coordinates);
    if (geometry)
        put_ewkt(out, type, coordinates, depth);
    else
        put_json(out, value);
    return NULL;
}

const char *
odks_geo_put_point(struct odks_copy *out, struct json_object *value,
                   bool geometry)
{
    static const size_t order[] = { 1, 0, 2 }; /* lat, lon, alt */
    struct json_object *coordinates, *properties, *accuracy = NULL;
    const char *reason = check_geo(value, "Point", 0);

    if (reason != NULL)
        return reason;
    if (json_object_object_get_ex(value, "properties", &properties))
        (void) json_object_object_get_ex(properties, "accuracy", &accuracy);
    if (accuracy != NULL && (reason = coordinate(accuracy)) != NULL)
        return reason;
    (void) json_object_object_get_ex(value, "coordinates", &coordinates);
    for (size_t i = 0; i < 3; i++)
        put_number(out, json_object_array_get_idx(coordinates, order[i]));
    put_number(out, accuracy);
    if (geometry)
        put_ewkt(out, "Point", coordinates, 0);
    else
        put_json(out, value);
    return NULL;
}

const char *
odks_geo_put_trace(struct odks_copy *out, struct json_object *value,
                   bool geometry)
{
    return put_geo(out, value, "LineString", 1, geometry);
}

const char *
odks_geo_put_shape(struct odks_copy *out, struct json_object *value,
                   bool geometry)
{
    return put_geo(out, value, "Polygon", 2, geometry);
}

/* The words of text as JSON, up to max; one more if there are more. */
static size_t
split(struct odks_span text, struct json_object **word, size_t max)
{
    const char *p = text.p, *end = text.p + text.len;
    size_t count = 0;

    while (p < end && count <= max) {
        const char *from = p;

        while (p < end && !odks_is_space(*p))
            p++;
        if (count < max)
            word[count] = json_object_new_string_len(from, (int) (p - from));
        count++;
        while (p < end && odks_is_space(*p))
            p++;
    }
    return count;
}

static bool
are_numbers(struct json_object *const *word, size_t count)
{
    struct odks_number n;

    for (size_t i = 0; i < count; i++) {
        if (odks_number_read(word[i], &n) != NULL
            || odks_number_fits_double(&n) != NULL)
            return false;
    }
    return true;
}

void
odks_geo_put_place(struct odks_copy *out, struct odks_span text)
{
    enum { PARTS = 4 };
    struct json_object *word[PARTS] = { NULL };
    size_t count = split(odks_span_trim(text), word, PARTS);
    bool is_point = count >= 2 && count <= PARTS && are_numbers(word, count);

    for (size_t i = 0; i < PARTS; i++) {
        put_number(out, is_point ? word[i] : NULL);
        json_object_put(word[i]);
    }
}
