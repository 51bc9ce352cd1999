/* bin/print.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/print.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/safe.h"

enum { MAX_COLUMNS = 32, GAP = 2 };

/* pg_type.oid of what is no string in JSON */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_JSON = 114,
    OID_JSONB = 3802
};

static const char *
cell(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column))
        return "-";
    const char *s = PQgetvalue(res, row, column);
    if (PQftype(res, column) == OID_BOOL)
        return s[0] == 't' ? "yes" : "no";
    return s;
}

/* Places on the screen, for text that is mostly Latin. */
static int
width(const char *s)
{
    int places = 0;

    for (size_t n; *s != '\0'; s += n > 0 ? n : 1) {
        n = odks_safe_length(s);
        places += n > 0 ? 1 : (int) strlen("\\x00");
    }
    return places;
}

static void
print_cell(const char *s, int pad)
{
    pad -= width(s);
    odks_print(stdout, "%s%*s", s, pad > 0 ? pad : 0, "");
}

static int
is_number(const PGresult *res, int column)
{
    Oid type = PQftype(res, column);

    return type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
}

static void
print_line(const PGresult *res, int row, int columns, const int *widths)
{
    for (int c = 0; c < columns; c++) {
        char heading[64];
        const char *s = heading;
        int pad = c + 1 < columns ? widths[c] + GAP : 0;

        if (row >= 0) {
            s = cell(res, row, c);
        } else {
            (void) snprintf(heading, sizeof(heading), "%s", PQfname(res, c));
            for (char *p = heading; *p != '\0'; p++)
                *p = *p == '_' ? ' ' : (char) toupper((unsigned char) *p);
        }
        if (is_number(res, c)) {
            odks_print(stdout, "%*s", widths[c] - width(s), "");
            pad -= widths[c] - width(s);
        }
        print_cell(s, pad);
    }
    odks_print(stdout, "\n");
}

void
odks_print_table(const PGresult *res, int columns)
{
    int widths[MAX_COLUMNS];

    if (columns > MAX_COLUMNS)
        columns = MAX_COLUMNS;
    for (int c = 0; c < columns; c++) {
        widths[c] = width(PQfname(res, c));
        for (int r = 0; r < PQntuples(res); r++) {
            int w = width(cell(res, r, c));

            widths[c] = w > widths[c] ? w : widths[c];
        }
    }
    for (int r = -1; r < PQntuples(res); r++)
        print_line(res, r, columns, widths);
}

/* What any program may have put into history: an object, or NULL. */
static struct json_object *
read_object(const char *s)
{
    struct json_object *o = odks_json_read(s);

    if (json_object_is_type(o, json_type_object))
        return o;
    json_object_put(o);
    return NULL;
}

static struct json_object *
value(const PGresult *res, int row, int column)
{
    const char *s = PQgetvalue(res, row, column);
    struct json_object *o = NULL;

    if (PQgetisnull(res, row, column))
        return NULL;
    if (PQftype(res, column) == OID_BOOL)
        return json_object_new_boolean(s[0] == 't');
    if (is_number(res, column))
        return json_object_new_int64(strtoll(s, NULL, 10));
    bool json =
        PQftype(res, column) == OID_JSON || PQftype(res, column) == OID_JSONB;
    if (json && odks_json_parse(s, strlen(s), &o, NULL))
        return o;
    if (strcmp(PQfname(res, column), "metadata") == 0)
        o = read_object(s);
    return o != NULL ? o : json_object_new_string(s);
}

struct json_object *
odks_result_json(const PGresult *res)
{
    struct json_object *rows = json_object_new_array();

    for (int r = 0; r < PQntuples(res); r++) {
        struct json_object *row = json_object_new_object();

        for (int c = 0; c < PQnfields(res); c++)
            (void) json_object_object_add(row, PQfname(res, c),
                                          value(res, r, c));
        (void) json_object_array_add(rows, row);
    }
    return rows;
}

void
odks_print_json(struct json_object *json)
{
    odks_print_json_text(
        stdout,
        json_object_to_json_string_ext(
            json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(json);
}
