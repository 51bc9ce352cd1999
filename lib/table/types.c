/* lib/table/types.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/types.h"

#include <string.h>

static const struct odks_part text[] = { { "", "", "text" } };
static const struct odks_part bigint[] = { { "", "", "bigint" } };
static const struct odks_part numeric[] = { { "", "", "numeric" } };
static const struct odks_part boolean[] = { { "", "", "boolean" } };
static const struct odks_part date[] = { { "", "", "date" } };
static const struct odks_part timestamptz[] = { { "", "", "timestamptz" } };
static const struct odks_part jsonb[] = { { "", "", "jsonb" } };
static const struct odks_part array[] = { { "", "", "text[]" } };
static const struct odks_part point[] = {
    { "lat", "_lat", "double precision" },
    { "lon", "_lon", "double precision" },
    { "alt", "_alt", "double precision" },
    { "acc", "_acc", "double precision" },
    { "", "", "jsonb" },
};
/* The text says it all: the numbers are for maps. */
static const struct odks_part place[] = {
    { "lat", "_lat", "double precision" },
    { "lon", "_lon", "double precision" },
    { "alt", "_alt", "double precision" },
    { "acc", "_acc", "double precision" },
    { "", "", "text" },
};

static const struct odks_type types[] = {
    [ODKS_FIELD_TEXT] = { "text", 1, text, NULL },
    [ODKS_FIELD_INT] = { "int", 1, bigint, NULL },
    [ODKS_FIELD_DECIMAL] = { "decimal", 1, numeric, NULL },
    [ODKS_FIELD_BOOLEAN] = { "boolean", 1, boolean, NULL },
    [ODKS_FIELD_DATE] = { "date", 1, date, NULL },
    /* a time of ODK has an offset and no date: no type of PostgreSQL fits */
    [ODKS_FIELD_TIME] = { "time", 1, text, NULL },
    [ODKS_FIELD_DATETIME] = { "dateTime", 1, timestamptz, NULL },
    [ODKS_FIELD_GEOPOINT] = { "geopoint", 5, point, "PointZ" },
    [ODKS_FIELD_GEOTRACE] = { "geotrace", 1, jsonb, "LineStringZ" },
    [ODKS_FIELD_GEOSHAPE] = { "geoshape", 1, jsonb, "PolygonZ" },
    [ODKS_FIELD_BINARY] = { "binary", 1, text, NULL },
    [ODKS_FIELD_SELECT_MULTIPLE] = { "select_multiple", 1, array, NULL },
    [ODKS_FIELD_PLACE] = { "place", 5, place, NULL },
    [ODKS_FIELD_GROUP] = { "group", 0, NULL, NULL },
    [ODKS_FIELD_REPEAT] = { "repeat", 0, NULL, NULL },
};

const struct odks_type *
odks_type(enum odks_field_type type)
{
    return &types[type];
}

static const struct {
    const char *name; /* as system.c, tree.c and the parts above spell it */
    enum odks_oid oid;
} known[] = {
    { "boolean", ODKS_OID_BOOLEAN },
    { "bigint", ODKS_OID_BIGINT },
    { "integer", ODKS_OID_INTEGER },
    { "text", ODKS_OID_TEXT },
    { "double precision", ODKS_OID_DOUBLE },
    { "text[]", ODKS_OID_TEXT_ARRAY },
    { "date", ODKS_OID_DATE },
    { "timestamptz", ODKS_OID_TIMESTAMPTZ },
    { "numeric", ODKS_OID_NUMERIC },
    { "jsonb", ODKS_OID_JSONB },
};

enum odks_oid
odks_type_named(const char *pg_type)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(pg_type, known[i].name) == 0)
            return known[i].oid;
    }
    return ODKS_OID_OTHER;
}

enum odks_oid
odks_type_numbered(int64_t oid)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (oid == (int64_t) known[i].oid)
            return known[i].oid;
    }
    return ODKS_OID_OTHER;
}
