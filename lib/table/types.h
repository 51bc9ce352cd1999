/* lib/table/types.h - SPDX-License-Identifier: Apache-2.0 */
/* What each type of ODK becomes in PostgreSQL. */
#ifndef ODKS_TABLE_TYPES_H
#define ODKS_TABLE_TYPES_H

#include <stddef.h>

#include "central/central.h"

/* One of the columns that a field fills. */
struct odks_part {
    const char *name;   /* "lat"; "" is the field itself */
    const char *suffix; /* "_lat", of the column's name */
    const char *pg_type;
};

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
