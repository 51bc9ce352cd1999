/* lib/table/copy.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines in the text format of COPY.
 *
 * Every field goes odks_copy_field(), then its text; every line ends with
 * odks_copy_end(). What finds no room sets full and is left out: look at full
 * once, after a whole row.
 */
#ifndef ODKS_TABLE_COPY_H
#define ODKS_TABLE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

struct odks_copy {
    struct odks_buf buf;
    bool in_line; /* a field of the current line was begun */
    bool full;
};

#define ODKS_COPY_INIT(max)       \
    {                             \
        .buf = ODKS_BUF_INIT(max) \
    }

/* Begin the next field of the line; with no text it is an empty string. */
void odks_copy_field(struct odks_copy *c);
void odks_copy_end(struct odks_copy *c);

/* Parts of the current field: escaped, or as they are. */
void odks_copy_text(struct odks_copy *c, const char *p, size_t len);
void odks_copy_plain(struct odks_copy *c, const char *p, size_t len);

/* Whole fields. */
void odks_copy_put(struct odks_copy *c, const char *s); /* NULL: SQL NULL */
void odks_copy_int(struct odks_copy *c, int64_t value);
void odks_copy_null(struct odks_copy *c);

/* Go back to len bytes, which was the end of a line. */
void odks_copy_cut(struct odks_copy *c, size_t len);

#endif
