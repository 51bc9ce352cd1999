/* lib/core/buf.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Make room for more bytes and a NUL. */
static bool
reserve(struct odks_buf *b, size_t more)
{
    if (more > b->cap || b->len > b->cap - more)
        return false;
    size_t need = b->len + more + 1;
    if (need <= b->size)
        return true;

    size_t size = b->size > 0 ? b->size : 256;
    while (size < need)
        size += size / 2;
    if (size > b->cap + 1)
        size = b->cap + 1;
    char *data = realloc(b->data, size);
    if (data == NULL)
        return false;
    b->data = data;
    b->size = size;
    return true;
}

bool
odks_buf_add(struct odks_buf *b, const void *p, size_t len)
{
    if (!reserve(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->len, p, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool
odks_buf_add_str(struct odks_buf *b, const char *s)
{
    return odks_buf_add(b, s, strlen(s));
}

bool
odks_buf_add_char(struct odks_buf *b, char c)
{
    return odks_buf_add(b, &c, 1);
}

bool
odks_buf_printf(struct odks_buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !reserve(b, (size_t) len))
        return false;

    va_start(args, fmt);
    (void) vsnprintf(b->data + b->len, (size_t) len + 1, fmt, args);
    va_end(args);
    b->len += (size_t) len;
    return true;
}

void
odks_buf_truncate(struct odks_buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    if (b->data != NULL)
        b->data[len] = '\0';
}

void
odks_buf_free(struct odks_buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
    b->size = 0;
}
