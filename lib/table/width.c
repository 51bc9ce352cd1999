/* lib/table/width.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/width.h"

#include <string.h>

enum {
    PAGE = 8000,     /* a tuple has 8,160 bytes at most */
    SYSTEM = 400,    /* for header, system columns and _raw */
    OUT_OF_LINE = 24 /* whatever is longer leaves no more than that */
};

/* Bytes of a value of fixed size; 0: it has none. */
static size_t
fixed_bytes(enum odks_oid oid)
{
    switch (oid) {
    case ODKS_OID_BIGINT:
    case ODKS_OID_DOUBLE:
    case ODKS_OID_TIMESTAMPTZ:
        return 8;
    case ODKS_OID_DATE:
    case ODKS_OID_INTEGER:
        return 4;
    case ODKS_OID_BOOLEAN:
        return 1;
    default:
        return 0;
    }
}

void
odks_width_begin(struct odks_width *width, const struct odks_table *table)
{
    /* and a bit for each column that may be NULL */
    width->bytes = SYSTEM + table->column_count / 8;
    width->wide = width->bytes + table->column_count * OUT_OF_LINE > PAGE;
}

static size_t
after_cell(size_t at, enum odks_oid oid, size_t len)
{
    size_t bytes = fixed_bytes(oid);

    if (bytes > 0)
        return (at + bytes - 1) / bytes * bytes + bytes;
    if (oid == ODKS_OID_TEXT && len < OUT_OF_LINE)
        return at + len + 1;
    return at + OUT_OF_LINE;
}

bool
odks_width_add(struct odks_width *width, const struct odks_table *table,
               size_t column, size_t count, const char *cells)
{
    size_t at = width->bytes;

    if (!width->wide)
        return true;
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(++cells, "\t");

        if (len != 2 || memcmp(cells, "\\N", 2) != 0)
            at = after_cell(at, table->column[column + i].oid, len);
        cells += len;
    }
    if (at > PAGE)
        return false;
    width->bytes = at;
    return true;
}
