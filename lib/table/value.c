/* lib/table/value.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/value.h"

#include <string.h>

#include "core/time.h"
#include "table/geo.h"
#include "table/number.h"
#include "table/types.h"

enum { DATE_LEN = 10 };

const char odks_value_rounded[] = "2^53 or more: Central may have rounded it";

/* JavaScript has no other numbers: from here on they lie apart. */
#define DOUBLE_EXACT (INT64_C(1) << 53)

static const char *
put_int(struct odks_copy *out, struct json_object *value)
{
    int64_t number;
    const char *reason = odks_number_int64(value, &number);

    if (reason != NULL)
        return reason;
    odks_copy_int(out, number);
    return number >= DOUBLE_EXACT || number <= -DOUBLE_EXACT
               ? odks_value_rounded
               : NULL;
}

static const char *
put_decimal(struct odks_copy *out, struct json_object *value)
{
    struct odks_number n;
    const char *reason = odks_number_read(value, &n);

    if (reason == NULL)
        reason = odks_number_fits_numeric(&n);
    if (reason != NULL)
        return reason;
    odks_copy_field(out);
    odks_copy_plain(out, n.text.p, n.text.len);
    return NULL;
}

/* The text of a string; numbers and booleans have one too. */
static const char *
text_of(struct json_object *value, struct odks_span *text)
{
    struct odks_number n;

    switch (json_object_get_type(value)) {
    case json_type_string:
        text->p = json_object_get_string(value);
        text->len = (size_t) json_object_get_string_len(value);
        return memchr(text->p, '\0', text->len) == NULL ? NULL : "holds a NUL";
    case json_type_boolean:
        text->p = json_object_get_boolean(value) ? "true" : "false";
        text->len = strlen(text->p);
        return NULL;
    case json_type_int:
    case json_type_double:
        if (odks_number_read(value, &n) != NULL)
            return "not a number";
        *text = n.text;
        return NULL;
    default:
        return "not a text";
    }
}

static const char *
put_text(struct odks_copy *out, struct json_object *value)
{
    struct odks_span text;
    const char *reason = text_of(value, &text);

    if (reason != NULL)
        return reason;
    odks_copy_field(out);
    odks_copy_text(out, text.p, text.len);
    return NULL;
}

static const char *
put_place(struct odks_copy *out, struct json_object *value)
{
    struct odks_span text;
    const char *reason = text_of(value, &text);

    if (reason != NULL)
        return reason;
    odks_geo_put_place(out, text);
    return put_text(out, value);
}

static const char *
put_boolean(struct odks_copy *out, struct json_object *value)
{
    static const char *const words[] = { "false", "0", "true", "1" };
    struct odks_span text;
    const char *reason = text_of(value, &text);

    if (reason != NULL)
        return reason;
    text = odks_span_trim(text);
    for (size_t i = 0; i < 4; i++) {
        if (text.len == strlen(words[i])
            && memcmp(text.p, words[i], text.len) == 0) {
            odks_copy_put(out, i < 2 ? "f" : "t");
            return NULL;
        }
    }
    return "neither true nor false";
}

/*
 * The text as it came, without the space around it: PostgreSQL reads what has
 * no zone in the time zone of the transaction.
 */
static const char *
put_time(struct odks_copy *out, struct json_object *value, bool date)
{
    struct odks_span text = { NULL, 0 };
    int64_t us;
    char copy[ODKS_TIME_TEXT];
    const char *reason = date ? "no such date" : "no such date and time";

    if (!json_object_is_type(value, json_type_string))
        return reason;
    text.p = json_object_get_string(value);
    text.len = (size_t) json_object_get_string_len(value);
    text = odks_span_trim(text);
    if (text.len >= sizeof(copy) || (date && text.len != DATE_LEN))
        return reason;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    if (strlen(copy) != text.len || !odks_time_parse(copy, &us, NULL))
        return reason;
    odks_copy_put(out, copy);
    return NULL;
}

/* Every word between double quotes: {"b","c"}. */
static const char *
put_array(struct odks_copy *out, struct json_object *value)
{
    struct odks_span text;
    const char *reason = text_of(value, &text);

    if (reason != NULL)
        return reason;
    text = odks_span_trim(text);
    if (text.len == 0) {
        odks_copy_null(out);
        return NULL;
    }
    odks_copy_field(out);
    odks_copy_plain(out, "{\"", 2);
    for (size_t i = 0; i < text.len; i++) {
        if (odks_is_space(text.p[i])) {
            while (odks_is_space(text.p[i + 1]))
                i++;
            odks_copy_plain(out, "\",\"", 3);
            continue;
        }
        if (text.p[i] == '"' || text.p[i] == '\\')
            odks_copy_text(out, "\\", 1);
        odks_copy_text(out, text.p + i, 1);
    }
    odks_copy_plain(out, "\"}", 2);
    return NULL;
}

void
odks_value_put_null(struct odks_copy *out, enum odks_field_type type)
{
    for (size_t i = 0; i < odks_type(type)->count; i++)
        odks_copy_null(out);
}

static const char *
put(struct odks_copy *out, enum odks_field_type type, bool geometry,
    struct json_object *value)
{
    switch (type) {
    case ODKS_FIELD_INT:
        return put_int(out, value);
    case ODKS_FIELD_DECIMAL:
        return put_decimal(out, value);
    case ODKS_FIELD_BOOLEAN:
        return put_boolean(out, value);
    case ODKS_FIELD_DATE:
    case ODKS_FIELD_DATETIME:
        return put_time(out, value, type == ODKS_FIELD_DATE);
    case ODKS_FIELD_SELECT_MULTIPLE:
        return put_array(out, value);
    case ODKS_FIELD_PLACE:
        return put_place(out, value);
    case ODKS_FIELD_GEOPOINT:
        return odks_geo_put_point(out, value, geometry);
    case ODKS_FIELD_GEOTRACE:
        return odks_geo_put_trace(out, value, geometry);
    case ODKS_FIELD_GEOSHAPE:
        return odks_geo_put_shape(out, value, geometry);
    default:
        return put_text(out, value);
    }
}

const char *
odks_value_put(struct odks_copy *out, enum odks_field_type type, bool geometry,
               struct json_object *value)
{
    if (value == NULL) {
        odks_value_put_null(out, type);
        return NULL;
    }
    const char *reason = put(out, type, geometry, value);
    if (reason != NULL && reason != odks_value_rounded)
        odks_value_put_null(out, type);
    return reason;
}
