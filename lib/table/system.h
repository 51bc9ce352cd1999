/* lib/table/system.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The system columns of a main table: of submissions, or of entities.
 */
#ifndef ODKS_TABLE_SYSTEM_H
#define ODKS_TABLE_SYSTEM_H

#include <stddef.h>

#include "central/central.h"

struct odks_system_column {
    const char *name;
    const char *pg_type;
    const char *from; /* in a row: "__system/edits" */
    enum odks_field_type type;
    const char *comment;
};

struct odks_system {
    const struct odks_system_column *column; /* without _raw; first is _id */
    size_t count;
    const char *created; /* the column by which the table is read and counted */
    const char *suffix;  /* of the name of the table */
};

const struct odks_system *odks_system(enum odks_feed feed);

#endif
