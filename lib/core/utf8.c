/* lib/core/utf8.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/utf8.h"

/* The first byte of a character of several. */
static bool
first(struct odks_utf8 *utf8, unsigned char c)
{
    if (c < 0xc2 || c > 0xf4)
        return false;
    utf8->more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    /* no longer forms than needed, no surrogates, nothing over U+10FFFF */
    utf8->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    utf8->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
}

bool
odks_utf8_run(struct odks_utf8 *utf8, const char **p, const char *end)
{
    for (; *p < end; (*p)++) {
        unsigned char c = (unsigned char) **p;

        if (utf8->more == 0) {
            if (c < 0x80)
                return true;
            if (!first(utf8, c))
                return false;
        } else {
            if (c < utf8->low || c > utf8->high)
                return false;
            utf8->low = 0x80;
            utf8->high = 0xbf;
            utf8->more--;
        }
    }
    return true;
}

bool
odks_is_utf8(const char *s, size_t len)
{
    const char *end = s + len;
    struct odks_utf8 utf8 = { 0 };

    while (s < end) {
        if (utf8.more == 0 && (unsigned char) *s < 0x80)
            s++;
        else if (!odks_utf8_run(&utf8, &s, end))
            return false;
    }
    return utf8.more == 0;
}
