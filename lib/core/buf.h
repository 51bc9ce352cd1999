/* lib/core/buf.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes whose number a peer decides, with a cap that we decide.
 *
 * Life: ODKS_BUF_INIT(cap), append..., odks_buf_free(). data is NULL while
 * nothing was ever appended, else NUL-terminated behind len bytes (which may
 * hold NULs themselves). Callers read data and len and write neither.
 * An append over the cap, or one without memory, changes nothing and is false.
 */
#ifndef ODKS_CORE_BUF_H
#define ODKS_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

struct odks_buf {
    char *data;
    size_t len;
    size_t size; /* allocated */
    size_t cap;  /* most bytes that len may reach */
};

#define ODKS_BUF_INIT(max) \
    {                      \
        .cap = (max)       \
    }
#define CLEANUP_BUF CLEANUP(odks_buf_free)

ODKS_MUST_CHECK bool odks_buf_add(struct odks_buf *b, const void *p,
                                  size_t len);
ODKS_MUST_CHECK bool odks_buf_add_str(struct odks_buf *b, const char *s);
ODKS_MUST_CHECK bool odks_buf_add_char(struct odks_buf *b, char c);
ODKS_MUST_CHECK bool odks_buf_printf(struct odks_buf *b, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* Drop all but the first len bytes; keeps the memory. */
void odks_buf_truncate(struct odks_buf *b, size_t len);

/* Free the memory; the buffer is empty and usable afterwards. */
void odks_buf_free(struct odks_buf *b);

#endif
