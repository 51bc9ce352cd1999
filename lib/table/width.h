/* lib/table/width.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Will a row fit in a page?
 *
 * What is long goes out of line and leaves 18 bytes, but a row that is larger
 * than a page with all of that is refused, and a table of 1,500 columns has
 * such rows. Narrow tables are not looked at: they always fit.
 */
#ifndef ODKS_TABLE_WIDTH_H
#define ODKS_TABLE_WIDTH_H

#include "core/cleanup.h"
#include "table/model.h"

struct odks_width {
    size_t bytes;
    bool wide; /* the table is one that needs a look */
};

void odks_width_begin(struct odks_width *width, const struct odks_table *table);

/*
 * Add count columns from column on; cells: their fields of a COPY line, each
 * with the tab before it. False: they find no room, and nothing was added.
 */
ODKS_MUST_CHECK bool odks_width_add(struct odks_width *width,
                                    const struct odks_table *table,
                                    size_t column, size_t count,
                                    const char *cells);

#endif
