/* tests/unit/table_value.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/value.h"

#include <string.h>

#include "core/json.h"
#include "unit.h"

#define NINES_400                                                          \
    "99999999999999999999999999999999999999999999999999999999999999999999" \
    "99999999999999999999999999999999999999999999999999999999999999999999" \
    "99999999999999999999999999999999999999999999999999999999999999999999" \
    "99999999999999999999999999999999999999999999999999999999999999999999" \
    "99999999999999999999999999999999999999999999999999999999999999999999" \
    "9999999999999999999999999999999999999999999999999999999999999"

#define ROUNDED "2^53 or more: Central may have rounded it"

/* A value as Central sends it and the fields that it becomes. */
static const struct {
    const char *what;
    enum odks_field_type type;
    const char *json;
    const char *fields; /* with tabs between */
    const char *reason; /* NULL: it fits */
} values[] = {
    { "null", ODKS_FIELD_TEXT, "null", "\\N", NULL },
    { "text", ODKS_FIELD_TEXT, "\"abc\"", "abc", NULL },
    { "empty text", ODKS_FIELD_TEXT, "\"\"", "", NULL },
    { "spaces", ODKS_FIELD_TEXT, "\"   \"", "   ", NULL },
    { "tab, line ends, backslash", ODKS_FIELD_TEXT, "\"a\\tb\\r\\nc\\\\N\"",
      "a\\tb\\r\\nc\\\\N", NULL },
    { "\\N itself", ODKS_FIELD_TEXT, "\"\\\\N\"", "\\\\N", NULL },
    { "control characters", ODKS_FIELD_TEXT, "\"x\\u0007y\\u001f\"",
      "x\007y\037", NULL },
    { "NUL", ODKS_FIELD_TEXT, "\"x\\u0000y\"", "\\N", "holds a NUL" },
    { "emoji", ODKS_FIELD_TEXT, "\"😀\"", "😀", NULL },
    { "number as text", ODKS_FIELD_TEXT, "12.50", "12.50", NULL },
    { "boolean as text", ODKS_FIELD_TEXT, "true", "true", NULL },
    { "object as text", ODKS_FIELD_TEXT, "{}", "\\N", "not a text" },
    { "array as text", ODKS_FIELD_TEXT, "[]", "\\N", "not a text" },
    { "file name", ODKS_FIELD_BINARY, "\"p 1.jpg\"", "p 1.jpg", NULL },
    { "time as sent", ODKS_FIELD_TIME, "\"14:21:11.123+02:00\"",
      "14:21:11.123+02:00", NULL },

    { "int", ODKS_FIELD_INT, "42", "42", NULL },
    { "negative int", ODKS_FIELD_INT, "-262309", "-262309", NULL },
    { "minus zero", ODKS_FIELD_INT, "-0", "0", NULL },
    { "minus zero with point", ODKS_FIELD_INT, "-0.0", "0", NULL },
    { "below 2^53", ODKS_FIELD_INT, "9007199254740991", "9007199254740991",
      NULL },
    { "2^53", ODKS_FIELD_INT, "9007199254740992", "9007199254740992", ROUNDED },
    { "-2^53", ODKS_FIELD_INT, "-9007199254740992", "-9007199254740992",
      ROUNDED },
    { "largest", ODKS_FIELD_INT, "9223372036854775807e0", "9223372036854775807",
      ROUNDED },
    { "smallest", ODKS_FIELD_INT, "-9223372036854775808e0",
      "-9223372036854775808", ROUNDED },
    { "one too many", ODKS_FIELD_INT, "9223372036854775808e0", "\\N",
      "out of range" },
    { "20 digits", ODKS_FIELD_INT, "12345678901234567890e0", "\\N",
      "out of range" },
    { "json-c's nearest", ODKS_FIELD_INT, "99999999999999999999", "\\N",
      "out of range" },
    { "29 digits", ODKS_FIELD_INT, "1.2345678901234568e+29", "\\N",
      "out of range" },
    { "integral exponent", ODKS_FIELD_INT, "1.5e3", "1500", NULL },
    { "12.0", ODKS_FIELD_INT, "12.0", "12", NULL },
    { "100e-2", ODKS_FIELD_INT, "100e-2", "1", NULL },
    { "12.9", ODKS_FIELD_INT, "12.9", "\\N", "not a whole number" },
    { "huge exponent", ODKS_FIELD_INT, "1e999999999999", "\\N",
      "out of range" },
    { "zero with huge exponent", ODKS_FIELD_INT, "0e999999999999", "0", NULL },
    { "int in a string", ODKS_FIELD_INT, "\" 42 \"", "42", NULL },
    { "word as int", ODKS_FIELD_INT, "\"abc\"", "\\N", "not a number" },
    { "empty as int", ODKS_FIELD_INT, "\"\"", "\\N", "not a number" },
    { "boolean as int", ODKS_FIELD_INT, "true", "\\N", "not a number" },
    { "object as int", ODKS_FIELD_INT, "{\"a\":1}", "\\N", "not a number" },

    { "decimal verbatim", ODKS_FIELD_DECIMAL, "6332.748445701378",
      "6332.748445701378", NULL },
    { "trailing zeros", ODKS_FIELD_DECIMAL, "1.50", "1.50", NULL },
    { "whole decimal", ODKS_FIELD_DECIMAL, "812", "812", NULL },
    { "21 digits", ODKS_FIELD_DECIMAL, "123456789012345678901e0",
      "123456789012345678901e0", NULL },
    { "exponent", ODKS_FIELD_DECIMAL, "1e-7", "1e-7", NULL },
    { "as far as numeric goes", ODKS_FIELD_DECIMAL, "1e131071", "1e131071",
      NULL },
    { "too large", ODKS_FIELD_DECIMAL, "1e131072", "\\N", "out of range" },
    { "as small as numeric goes", ODKS_FIELD_DECIMAL, "1e-16383", "1e-16383",
      NULL },
    { "too small", ODKS_FIELD_DECIMAL, "1e-16384", "\\N", "out of range" },
    { "decimal in a string", ODKS_FIELD_DECIMAL, "\" 4.2 \"", "4.2", NULL },
    { "comma", ODKS_FIELD_DECIMAL, "\"12,5\"", "\\N", "not a number" },
    { "word as decimal", ODKS_FIELD_DECIMAL, "\"NaN\"", "\\N", "not a number" },

    { "true", ODKS_FIELD_BOOLEAN, "true", "t", NULL },
    { "\"true\"", ODKS_FIELD_BOOLEAN, "\"true\"", "t", NULL },
    { "\"1\"", ODKS_FIELD_BOOLEAN, "\" 1 \"", "t", NULL },
    { "false", ODKS_FIELD_BOOLEAN, "\"false\"", "f", NULL },
    { "0", ODKS_FIELD_BOOLEAN, "0", "f", NULL },
    { "yes", ODKS_FIELD_BOOLEAN, "\"yes\"", "\\N", "neither true nor false" },

    { "date", ODKS_FIELD_DATE, "\"2025-07-11\"", "2025-07-11", NULL },
    { "date with spaces", ODKS_FIELD_DATE, "\" 2026-01-01 \"", "2026-01-01",
      NULL },
    { "no such date", ODKS_FIELD_DATE, "\"2026-02-30\"", "\\N",
      "no such date" },
    { "word as date", ODKS_FIELD_DATE, "\"not a date\"", "\\N",
      "no such date" },
    { "date and time as date", ODKS_FIELD_DATE, "\"2026-01-01T10:00\"", "\\N",
      "no such date" },
    { "year zero", ODKS_FIELD_DATE, "\"0000-01-01\"", "\\N", "no such date" },
    { "number as date", ODKS_FIELD_DATE, "20260101", "\\N", "no such date" },

    { "dateTime", ODKS_FIELD_DATETIME, "\"2026-06-11T13:05:09.234+00:00\"",
      "2026-06-11T13:05:09.234+00:00", NULL },
    { "without zone", ODKS_FIELD_DATETIME, "\"2026-03-29T02:30:00\"",
      "2026-03-29T02:30:00", NULL },
    { "short zone", ODKS_FIELD_DATETIME, "\"2026-03-29T02:30+01\"",
      "2026-03-29T02:30+01", NULL },
    { "dateTime with spaces", ODKS_FIELD_DATETIME, "\" 2026-03-29 02:30Z\\n\"",
      "2026-03-29 02:30Z", NULL },
    { "yesterday", ODKS_FIELD_DATETIME, "\"yesterday\"", "\\N",
      "no such date and time" },
    { "hour 25", ODKS_FIELD_DATETIME, "\"2026-03-29T25:30:00Z\"", "\\N",
      "no such date and time" },
    { "NUL in dateTime", ODKS_FIELD_DATETIME, "\"2026-03-29\\u0000\"", "\\N",
      "no such date and time" },
    { "long dateTime", ODKS_FIELD_DATETIME,
      "\"2026-03-29T02:30:00.0000000000000000000000000000000Z\"", "\\N",
      "no such date and time" },

    { "place", ODKS_FIELD_PLACE, "\"50.1 14 200 5\"",
      "50.1\t14\t200\t5\t50.1 14 200 5", NULL },
    { "place without accuracy", ODKS_FIELD_PLACE, "\" -50  14 0\"",
      "-50\t14\t0\t\\N\t -50  14 0", NULL },
    { "place of two numbers", ODKS_FIELD_PLACE, "\"50 14\"",
      "50\t14\t\\N\t\\N\t50 14", NULL },
    { "trace", ODKS_FIELD_PLACE, "\"50 14 0 0;51 15 0 0\"",
      "\\N\t\\N\t\\N\t\\N\t50 14 0 0;51 15 0 0", NULL },
    { "one number", ODKS_FIELD_PLACE, "\"50\"", "\\N\t\\N\t\\N\t\\N\t50",
      NULL },
    { "five numbers", ODKS_FIELD_PLACE, "\"1 2 3 4 5\"",
      "\\N\t\\N\t\\N\t\\N\t1 2 3 4 5", NULL },
    { "beyond a double", ODKS_FIELD_PLACE, "\"1e400 2\"",
      "\\N\t\\N\t\\N\t\\N\t1e400 2", NULL },
    { "no place", ODKS_FIELD_PLACE, "null", "\\N\t\\N\t\\N\t\\N\t\\N", NULL },
    { "object as place", ODKS_FIELD_PLACE, "{}", "\\N\t\\N\t\\N\t\\N\t\\N",
      "not a text" },

    { "one choice", ODKS_FIELD_SELECT_MULTIPLE, "\"a\"", "{\"a\"}", NULL },
    { "choices", ODKS_FIELD_SELECT_MULTIPLE, "\"a b c\"", "{\"a\",\"b\",\"c\"}",
      NULL },
    { "two spaces", ODKS_FIELD_SELECT_MULTIPLE, "\" a  c \"", "{\"a\",\"c\"}",
      NULL },
    { "no choice", ODKS_FIELD_SELECT_MULTIPLE, "\" \"", "\\N", NULL },
    { "quotes and backslashes", ODKS_FIELD_SELECT_MULTIPLE,
      "\"a\\\"b c\\\\d {e},NULL\"",
      "{\"a\\\\\"b\",\"c\\\\\\\\d\",\"{e},NULL\"}", NULL },
    { "number as choice", ODKS_FIELD_SELECT_MULTIPLE, "7", "{\"7\"}", NULL },
    { "list as choices", ODKS_FIELD_SELECT_MULTIPLE, "[\"a\"]", "\\N",
      "not a text" },

    { "no point", ODKS_FIELD_GEOPOINT, "null", "\\N\t\\N\t\\N\t\\N\t\\N",
      NULL },
    { "point", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[94.4870539,17.8882143,321.2],"
      "\"properties\":{\"accuracy\":19.71}}",
      "17.8882143\t94.4870539\t321.2\t19.71\t"
      "{\"type\":\"Point\",\"coordinates\":[94.4870539,17.8882143,321.2],"
      "\"properties\":{\"accuracy\":19.71}}",
      NULL },
    { "point without altitude", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[14.5,50.5]}",
      "50.5\t14.5\t\\N\t\\N\t{\"type\":\"Point\",\"coordinates\":[14.5,50.5]}",
      NULL },
    { "point zero", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[0,0,0],\"properties\":"
      "{\"accuracy\":0}}",
      "0\t0\t0\t0\t{\"type\":\"Point\",\"coordinates\":[0,0,0],"
      "\"properties\":{\"accuracy\":0}}",
      NULL },
    { "point with one number", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[1]}", "\\N\t\\N\t\\N\t\\N\t\\N",
      "no position" },
    { "point of words", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[\"1\",\"2\"]}",
      "\\N\t\\N\t\\N\t\\N\t\\N", "not a number" },
    { "line as point", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"LineString\",\"coordinates\":[[1,2]]}",
      "\\N\t\\N\t\\N\t\\N\t\\N", "no GeoJSON of its type" },
    { "text as point", ODKS_FIELD_GEOPOINT, "\"1 2 3 4\"",
      "\\N\t\\N\t\\N\t\\N\t\\N", "no GeoJSON of its type" },
    { "too large for double", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[1e400,2]}",
      "\\N\t\\N\t\\N\t\\N\t\\N", "out of range" },
    { "too small for double", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[1e-400,2]}",
      "\\N\t\\N\t\\N\t\\N\t\\N", "out of range" },
    { "too many digits for double", ODKS_FIELD_GEOPOINT,
      "{\"type\":\"Point\",\"coordinates\":[" NINES_400 "e0,2]}",
      "\\N\t\\N\t\\N\t\\N\t\\N", "out of range" },
    { "trace of one point", ODKS_FIELD_GEOTRACE,
      "{\"type\":\"LineString\",\"coordinates\":[[14,50,0]]}",
      "{\"type\":\"LineString\",\"coordinates\":[[14,50,0]]}", NULL },
    { "trace with unknown accuracy", ODKS_FIELD_GEOTRACE,
      "{\"type\":\"LineString\",\"coordinates\":[[14,50,0]],\"properties\":"
      "{\"accuracies\":[null]}}",
      "{\"type\":\"LineString\",\"coordinates\":[[14,50,0]],\"properties\":"
      "{\"accuracies\":[null]}}",
      NULL },
    { "empty trace", ODKS_FIELD_GEOTRACE,
      "{\"type\":\"LineString\",\"coordinates\":[]}", "\\N", "no positions" },
    { "shape", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5],[2,5],[2,6],[1,5]]]}",
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5],[2,5],[2,6],[1,5]]]}",
      NULL },
    { "open ring", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5],[2,5],[2,6]]]}",
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5],[2,5],[2,6],[1,5]]]}",
      NULL },
    { "ring of two points", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5],[2,6],[1,5]]]}", "\\N",
      "a ring of fewer than three points" },
    { "ring of one point", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[[1,5]]]}", "\\N",
      "a ring of fewer than three points" },
    { "shape without rings", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[14,50],[15,51]]}", "\\N",
      "no position" },
    { "NUL in a shape", ODKS_FIELD_GEOSHAPE,
      "{\"type\":\"Polygon\",\"coordinates\":[[[14,50]]],\"x\":\"\\u0000\"}",
      "\\N", "holds a NUL" },
};

START_TEST(value)
{
    struct odks_copy out = ODKS_COPY_INIT(1 << 16);
    struct json_object *json = odks_json_read(values[_i].json);
    const char *reason = odks_value_put(&out, values[_i].type, false, json);
    const char *fields = out.buf.data != NULL ? out.buf.data : "";

    ck_assert_msg(strcmp(fields, values[_i].fields) == 0, "%s: %s",
                  values[_i].what, fields);
    if (values[_i].reason == NULL)
        ck_assert_msg(reason == NULL, "%s: %s", values[_i].what, reason);
    else
        ck_assert_msg(reason != NULL && strcmp(reason, values[_i].reason) == 0,
                      "%s: %s", values[_i].what, reason);
    ck_assert(!out.full);
    odks_buf_free(&out.buf);
    (void) json_object_put(json);
}
END_TEST

/* The same for a column of PostGIS: the last field. */
static const struct {
    const char *what;
    enum odks_field_type type;
    const char *json; /* of the coordinates */
    const char *field;
    const char *reason;
} geometries[] = {
    { "point", ODKS_FIELD_GEOPOINT, "[94.4870539,17.8882143,321.2]",
      "SRID=4326;Point Z (94.4870539 17.8882143 321.2)", NULL },
    { "point without altitude", ODKS_FIELD_GEOPOINT, "[-1e-7,0]",
      "SRID=4326;Point Z (-1e-7 0 0)", NULL },
    { "altitude null", ODKS_FIELD_GEOPOINT, "[1,2,null]",
      "SRID=4326;Point Z (1 2 0)", NULL },
    { "no point", ODKS_FIELD_GEOPOINT, "[1]", "\\N", "no position" },
    { "line", ODKS_FIELD_GEOTRACE, "[[1,2,3],[4,5]]",
      "SRID=4326;LineString Z (1 2 3,4 5 0)", NULL },
    { "line of one point", ODKS_FIELD_GEOTRACE, "[[1,2,3]]", "\\N",
      "a line of one point" },
    { "closed ring", ODKS_FIELD_GEOSHAPE, "[[[0,0],[0,1],[1,1],[0,0]]]",
      "SRID=4326;Polygon Z ((0 0 0,0 1 0,1 1 0,0 0 0))", NULL },
    { "open ring", ODKS_FIELD_GEOSHAPE, "[[[0,0],[0,1],[1,1]]]",
      "SRID=4326;Polygon Z ((0 0 0,0 1 0,1 1 0,0 0 0))", NULL },
    { "two rings", ODKS_FIELD_GEOSHAPE,
      "[[[0,0],[0,9],[9,9],[0,0]],[[1,1],[1,2],[2,2]]]",
      "SRID=4326;Polygon Z ((0 0 0,0 9 0,9 9 0,0 0 0),"
      "(1 1 0,1 2 0,2 2 0,1 1 0))",
      NULL },
    { "ring of two points", ODKS_FIELD_GEOSHAPE, "[[[0,0],[0,1],[0,0]]]", "\\N",
      "a ring of fewer than three points" },
};

START_TEST(geometry)
{
    static const char *const types[] = {
        [ODKS_FIELD_GEOPOINT] = "Point",
        [ODKS_FIELD_GEOTRACE] = "LineString",
        [ODKS_FIELD_GEOSHAPE] = "Polygon",
    };
    enum odks_field_type type = geometries[_i].type;
    struct odks_copy out = ODKS_COPY_INIT(1 << 16);
    char text[200];

    ck_assert_int_lt(snprintf(text, sizeof(text),
                              "{\"type\":\"%s\",\"coordinates\":%s}",
                              types[type], geometries[_i].json),
                     (int) sizeof(text));
    struct json_object *json = odks_json_read(text);
    const char *reason = odks_value_put(&out, type, true, json);
    const char *last = strrchr(out.buf.data, '\t');
    last = last != NULL ? last + 1 : out.buf.data;
    ck_assert_msg(strcmp(last, geometries[_i].field) == 0, "%s: %s",
                  geometries[_i].what, last);
    ck_assert_pstr_eq(reason, geometries[_i].reason);
    /* what was refused goes on record as it came */
    if (reason != NULL)
        ck_assert_str_eq(
            json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN), text);
    odks_buf_free(&out.buf);
    (void) json_object_put(json);
}
END_TEST

START_TEST(full_is_told_and_undone)
{
    struct odks_copy out = ODKS_COPY_INIT(4);

    odks_copy_put(&out, "ab");
    odks_copy_end(&out);
    ck_assert(!out.full);
    odks_copy_put(&out, "abc");
    ck_assert(out.full);
    odks_copy_cut(&out, 3);
    ck_assert(!out.full);
    ck_assert_str_eq(out.buf.data, "ab\n");
    odks_buf_free(&out.buf);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("table_value");
    TCase *tc = tcase_create("value");

    tcase_add_loop_test(tc, value, 0, sizeof(values) / sizeof(values[0]));
    tcase_add_loop_test(tc, geometry, 0,
                        sizeof(geometries) / sizeof(geometries[0]));
    tcase_add_test(tc, full_is_told_and_undone);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
