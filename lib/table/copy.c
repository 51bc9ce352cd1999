/* lib/table/copy.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
odks_copy_plain(struct odks_copy *c, const char *p, size_t len)
{
    if (!odks_buf_add(&c->buf, p, len))
        c->full = true;
}

void
odks_copy_field(struct odks_copy *c)
{
    if (c->in_line)
        odks_copy_plain(c, "\t", 1);
    c->in_line = true;
}

void
odks_copy_end(struct odks_copy *c)
{
    odks_copy_plain(c, "\n", 1);
    c->in_line = false;
}

/* What COPY would take for the end of a field or line, or for an escape. */
static inline bool
is_special(char c)
{
    return c == '\\' || c == '\t' || c == '\n' || c == '\r';
}

static char
letter(char c)
{
    switch (c) {
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    default:
        return c;
    }
}

void
odks_copy_text(struct odks_copy *c, const char *p, size_t len)
{
    const char *end = p + len;

    while (p < end) {
        const char *run = p;

        while (p < end && !is_special(*p))
            p++;
        odks_copy_plain(c, run, (size_t) (p - run));
        if (p < end) {
            const char pair[2] = { '\\', letter(*p++) };
            odks_copy_plain(c, pair, sizeof(pair));
        }
    }
}

void
odks_copy_put(struct odks_copy *c, const char *s)
{
    if (s == NULL) {
        odks_copy_null(c);
        return;
    }
    odks_copy_field(c);
    odks_copy_text(c, s, strlen(s));
}

void
odks_copy_int(struct odks_copy *c, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, value);

    odks_copy_field(c);
    odks_copy_plain(c, text, (size_t) len);
}

void
odks_copy_null(struct odks_copy *c)
{
    odks_copy_field(c);
    odks_copy_plain(c, "\\N", 2);
}

void
odks_copy_cut(struct odks_copy *c, size_t len)
{
    odks_buf_truncate(&c->buf, len);
    c->in_line = false;
    c->full = false;
}
