/* lib/table/types.h - SPDX-License-Identifier: Apache-2.0 */
/* What each type of ODK becomes in PostgreSQL. */
#ifndef ODKS_TABLE_TYPES_H
#define ODKS_TABLE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "central/central.h"

/* One of the columns that a field fills. */
struct odks_part {
    const char *name;   /* "lat"; "" is the field itself */
    const char *suffix; /* "_lat", of the column's name */
    const char *pg_type;
};

/* pg_type.oid of PostgreSQL's own types; they never change. */
enum odks_oid {
    ODKS_OID_OTHER = 0, /* a type that odk-sync does not know */
    ODKS_OID_BOOLEAN = 16,
    ODKS_OID_BIGINT = 20,
    ODKS_OID_INTEGER = 23,
    ODKS_OID_TEXT = 25,
    ODKS_OID_DOUBLE = 701,
    ODKS_OID_TEXT_ARRAY = 1009,
    ODKS_OID_DATE = 1082,
    ODKS_OID_TIMESTAMPTZ = 1184,
    ODKS_OID_NUMERIC = 1700,
    ODKS_OID_JSONB = 3802
};

/*
 * The type that our own DDL calls pg_type. What the database says of a column
 * comes as its number instead: how PostgreSQL prints a type depends on
 * settings.
 */
enum odks_oid odks_type_named(const char *pg_type);
/* The type of a number from pg_type.oid. */
enum odks_oid odks_type_numbered(int64_t oid);

/* The longest suffix has so many bytes. */
enum { ODKS_SUFFIX_MAX = 4 };

struct odks_type {
    const char *name; /* as the registry has it, for ever */
    size_t count;     /* of parts; 0: no value (group, repeat) */
    const struct odks_part *part;
    const char *geometry; /* PostGIS's name of the last part, NULL: none */
};

const struct odks_type *odks_type(enum odks_field_type type);

#endif
