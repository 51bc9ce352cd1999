/* lib/core/utf8.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

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

/* As odks_utf8_character(); *cut: the character continues after end. */
static size_t
measure(const char *p, const char *end, bool *cut)
{
    struct odks_utf8 utf8 = { 0 };
    const char *at = p;

    *cut = false;
    if ((unsigned char) *p < 0x80)
        return 1;
    do {
        const char *next = at + 1;

        if (!odks_utf8_run(&utf8, &at, next) || at != next)
            return 0;
    } while (utf8.more > 0 && at < end);
    *cut = utf8.more > 0;
    return *cut ? 0 : (size_t) (at - p);
}

size_t
odks_utf8_character(const char *p, const char *end)
{
    bool cut;

    return measure(p, end, &cut);
}

size_t
odks_utf8_cut(const char *s, size_t max)
{
    if (strnlen(s, max + 1) <= max)
        return strlen(s);
    while (max > 0 && ((unsigned char) s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

void
odks_utf8_clean(char *s)
{
    char *end = s + strlen(s);
    bool cut;

    while (s < end) {
        size_t len = measure(s, end, &cut);

        if (cut) {
            *s = '\0';
            return;
        }
        if (len == 0)
            *s = '?';
        s += len > 0 ? len : 1;
    }
}

void
odks_utf8_vformat(char *text, size_t size, const char *fmt, va_list args)
{
    if (vsnprintf(text, size, fmt, args) < 0)
        text[0] = '\0';
    odks_utf8_clean(text);
}

void
odks_utf8_format(char *text, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    odks_utf8_vformat(text, size, fmt, args);
    va_end(args);
}
