/* lib/central/restored.c - SPDX-License-Identifier: Apache-2.0 */
/* Converts answers from the XML to the values that OData would contain. */
#include <config.h>

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "central/central.h"
#include "central/restore.h"
#include "core/mem.h"

/* The shortest text that is this number, as JavaScript prints it. */
static struct json_object *
print_number(double number)
{
    char text[40];

    if (!isfinite(number))
        return NULL;
    for (int digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return json_object_new_double_s(number, text);
}

/* The length of the decimal number at the start of text, or 0. */
static size_t
measure_number(const char *text)
{
    size_t i = text[0] == '-' || text[0] == '+', digits = 0;

    for (; isdigit((unsigned char) text[i]) || text[i] == '.'; i++)
        digits += text[i] != '.';
    return digits > 0 ? i : 0;
}

/* Read the number at the start of *text; false if there is none. */
static bool
read_number(const char **text, double *number)
{
    *text += strspn(*text, " \t\r\n");
    if (measure_number(*text) == 0)
        return false;
    char *end;
    *number = strtod(*text, &end);
    *text = end + strcspn(end, " \t\r\n");
    return true;
}

/* Whole numbers keep all their digits. */
static struct json_object *
restore_int(const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t sign = text[0] == '-' || text[0] == '+';
    size_t digits = strspn(text + sign, "0123456789");

    if (digits == 0)
        return NULL;
    if (digits <= 18)
        return json_object_new_int64(strtoll(text, NULL, 10));
    size_t zeros = strspn(text + sign, "0");
    if (zeros == digits)
        return json_object_new_int64(0);
    CLEANUP_FREE char *whole =
        odks_xasprintf("%s%.*se0", text[0] == '-' ? "-" : "",
                       (int) (digits - zeros), text + sign + zeros);
    return json_object_new_double_s(strtod(whole, NULL), whole);
}

static struct json_object *
restore_decimal(const char *text)
{
    double number;

    return read_number(&text, &number) ? print_number(number) : NULL;
}

/* "lat lon altitude accuracy"; *accuracy is NULL if it has none. */
static struct json_object *
restore_position(const char *text, struct json_object **accuracy)
{
    double number[4];
    int count = 0;

    while (count < 4 && read_number(&text, &number[count]))
        count++;
    *accuracy = count > 3 ? print_number(number[3]) : NULL;
    if (count < 2)
        return NULL;
    struct json_object *position = json_object_new_array();
    (void) json_object_array_add(position, print_number(number[1]));
    (void) json_object_array_add(position, print_number(number[0]));
    if (count > 2)
        (void) json_object_array_add(position, print_number(number[2]));
    return position;
}

static struct json_object *
make_shape(const char *type, struct json_object *coordinates)
{
    struct json_object *shape = json_object_new_object();

    (void) json_object_object_add(shape, "type", json_object_new_string(type));
    (void) json_object_object_add(shape, "coordinates", coordinates);
    return shape;
}

static void
add_property(struct json_object *shape, const char *name,
             struct json_object *value)
{
    struct json_object *properties = json_object_new_object();

    (void) json_object_object_add(properties, name, value);
    (void) json_object_object_add(shape, "properties", properties);
}

static struct json_object *
restore_point(const char *text)
{
    struct json_object *accuracy;
    struct json_object *position = restore_position(text, &accuracy);

    if (position == NULL)
        return NULL;
    struct json_object *point = make_shape("Point", position);
    if (accuracy != NULL)
        add_property(point, "accuracy", accuracy);
    return point;
}

/* Positions with ";" between; those that cannot be read are left out. */
static struct json_object *
restore_line(const char *text, bool is_ring)
{
    struct json_object *line = json_object_new_array();
    struct json_object *accuracies = json_object_new_array();
    bool any = false;

    while (*text != '\0') {
        size_t len = strcspn(text, ";");
        CLEANUP_FREE char *one = odks_xstrndup(text, len);
        struct json_object *accuracy;
        struct json_object *position = restore_position(one, &accuracy);

        text += text[len] == ';' ? len + 1 : len;
        if (position == NULL)
            continue;
        any |= accuracy != NULL;
        (void) json_object_array_add(line, position);
        (void) json_object_array_add(accuracies, accuracy);
    }
    struct json_object *rings = NULL;
    if (is_ring) {
        rings = json_object_new_array();
        (void) json_object_array_add(rings, line);
    }
    struct json_object *shape =
        make_shape(is_ring ? "Polygon" : "LineString", is_ring ? rings : line);
    if (any)
        add_property(shape, "accuracies", accuracies);
    else
        (void) json_object_put(accuracies);
    return shape;
}

/* Collect writes a zone as "+07", which most parsers reject. */
static struct json_object *
restore_datetime(const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);

    while (len > 0 && isspace((unsigned char) text[len - 1]))
        len--;
    bool is_short = len >= 3 && strchr("+-", text[len - 3]) != NULL
                    && isdigit((unsigned char) text[len - 2])
                    && isdigit((unsigned char) text[len - 1]);
    CLEANUP_FREE char *whole =
        odks_xasprintf("%.*s%s", (int) len, text, is_short ? ":00" : "");
    return json_object_new_string(whole);
}

struct json_object *
odks_restore_value(const struct odks_field *field, const char *text)
{
    switch (field->type) {
    case ODKS_FIELD_INT:
        return restore_int(text);
    case ODKS_FIELD_DECIMAL:
        return restore_decimal(text);
    case ODKS_FIELD_GEOPOINT:
        return restore_point(text);
    case ODKS_FIELD_GEOTRACE:
    case ODKS_FIELD_GEOSHAPE:
        return restore_line(text, field->type == ODKS_FIELD_GEOSHAPE);
    case ODKS_FIELD_DATETIME:
        return restore_datetime(text);
    default:
        return json_object_new_string(text);
    }
}
