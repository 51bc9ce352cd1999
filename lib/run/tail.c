/* lib/run/tail.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/tail.h"

#include <stdbool.h>
#include <string.h>

#include "core/utf8.h"

void
odks_tail_add(struct odks_tail *t, const char *bytes, size_t len)
{
    if (len > sizeof(t->bytes)) {
        bytes += len - sizeof(t->bytes);
        len = sizeof(t->bytes);
    }
    size_t keep = sizeof(t->bytes) - len;
    if (t->len > keep) {
        memmove(t->bytes, t->bytes + t->len - keep, keep);
        t->len = keep;
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static bool
is_plain(char c)
{
    return ((unsigned char) c >= 0x20 && (unsigned char) c < 0x7f) || c == '\n'
           || c == '\t';
}

void
odks_tail_text(const struct odks_tail *t, char *text, size_t size)
{
    const char *end = t->bytes + t->len;

    while (end > t->bytes && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    const char *p = t->bytes;
    if ((size_t) (end - p) > size - 1) {
        p = end - (size - 1);
        /* a line that has lost its beginning is left out */
        const char *line =
            p[-1] == '\n' ? p : memchr(p, '\n', (size_t) (end - p));
        if (line != NULL && line != p)
            p = line + 1;
        else if (line == NULL)
            while (p < end && ((unsigned char) *p & 0xc0) == 0x80)
                p++;
    }
    while (p < end) {
        size_t bytes =
            (unsigned char) *p >= 0x80 ? odks_utf8_character(p, end) : 0;

        if (bytes == 0) {
            *text++ = is_plain(*p) ? *p : '?';
            p++;
        }
        for (; bytes > 0; bytes--)
            *text++ = *p++;
    }
    *text = '\0';
}
