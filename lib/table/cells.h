/* lib/table/cells.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers in the lines of one submission, each of which can be left out:
 * for finding those that PostgreSQL refuses.
 */
#ifndef ODKS_TABLE_CELLS_H
#define ODKS_TABLE_CELLS_H

#include "table/stage.h"

/* An answer that is not NULL, or _raw: one column of a line or several. */
struct odks_cell {
    size_t table, line;
    size_t column, count;
    const struct odks_field *field; /* NULL: _raw */
    size_t unit; /* cells that are left out together have the same one */
    bool marked; /* may be to blame */
    bool blank;  /* is left out */
};

struct odks_cells {
    struct odks_cell *cell; /* by table, line and column */
    size_t count;
    bool no_repeats; /* the lines of repeats are left out, too */
};

/* The cells of part, which holds one submission; none is marked or blank. */
void odks_cells_find(struct odks_cells *cells, const struct odks_batch *part);
void odks_cells_clear(struct odks_cells *cells);

/* Take out of part, whose cells these are, what is left out. */
void odks_cells_blank(const struct odks_cells *cells, struct odks_batch *part);

/* The text of a column of a line; the caller frees it. */
char *odks_cells_text(const struct odks_batch *part, size_t table, size_t line,
                      size_t column);
/* A cell of part as JSON, as it came or nearly; NULL for _raw. The caller owns
 * it. */
struct json_object *odks_cell_json(const struct odks_cell *cell,
                                   const struct odks_batch *part);

#endif
