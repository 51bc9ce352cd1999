/* lib/core/safe.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/safe.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

enum { REPLACEMENT = 0xfffd, UTF8_MAX = 4 /* bytes of a character */ };

/*
 * Characters that are never shown as they are: they move the cursor, break a
 * line, or change the direction or the joining of the text around them.
 */
static const struct {
    uint32_t first, last;
} hidden[] = {
    { 0x00, 0x1f },     { 0x7f, 0x9f },       /* C0, DEL and C1 */
    { 0x061c, 0x061c }, { 0x180e, 0x180e },   /* marks of Arabic, Mongolian */
    { 0x200b, 0x200f }, { 0x2028, 0x202e },   /* width, lines, direction */
    { 0x2060, 0x206f }, { 0xfeff, 0xfeff },   /* isolates, byte order mark */
    { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff }, /* annotations, tags */
};

static bool
is_hidden(uint32_t c)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    }
    return false;
}

/* The character that s begins with, into *c; its bytes, 0 if it has none. */
static size_t
decode_char(const char *s, uint32_t *c)
{
    const unsigned char *u = (const unsigned char *) s;
    size_t len = strnlen(s, UTF8_MAX);
    size_t n = len > 0 ? odks_utf8_character(s, s + len) : 1;

    *c = 0;
    if (n == 0)
        return 0;
    *c = n == 1 ? u[0] : u[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        *c = *c << 6 | (u[i] & 0x3f);
    return n;
}

size_t
odks_safe_length(const char *s)
{
    uint32_t c;
    size_t n = decode_char(s, &c);

    return is_hidden(c) ? 0 : n;
}

bool
odks_safe_is_space(const char *s)
{
    uint32_t c;

    (void) decode_char(s, &c);
    return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
           || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Bytes that s begins with and that are printed as they are. */
static size_t
count_plain(const char *s, const char *kept)
{
    size_t len = 0, n = 1;

    for (; s[len] != '\0' && n > 0; len += n)
        n = strchr(kept, s[len]) != NULL ? 1 : odks_safe_length(s + len);
    return len;
}

static void
print_text(FILE *out, const char *s, const char *kept)
{
    for (;;) {
        size_t plain = count_plain(s, kept);

        (void) fwrite(s, 1, plain, out);
        s += plain;
        if (*s == '\0')
            return;
        /* the other bytes of a longer character are no UTF-8 without it */
        (void) fprintf(out, "\\x%02x", (unsigned char) *s++);
    }
}

void
odks_print(FILE *out, const char *fmt, ...)
{
    size_t before = strspn(fmt, "\n"), len = strlen(fmt), after = 0;
    CLEANUP_FREE char *text = NULL;
    va_list args;

    while (after < len - before && fmt[len - 1 - after] == '\n')
        after++;
    va_start(args, fmt);
    text = odks_xvasprintf(fmt, args);
    va_end(args);
    text[strlen(text) - after] = '\0';
    (void) fwrite(fmt, 1, before, out);
    print_text(out, text + before, "");
    (void) fwrite(fmt + len - after, 1, after, out);
}

void
odks_print_lines(FILE *out, const char *text)
{
    print_text(out, text, "\n\t");
}

static void
print_json_escape(FILE *out, uint32_t c)
{
    if (c <= 0xffff)
        (void) fprintf(out, "\\u%04x", (unsigned) c);
    else
        (void) fprintf(out, "\\u%04x\\u%04x", (unsigned) (0xd7c0 + (c >> 10)),
                       (unsigned) (0xdc00 + (c & 0x3ff)));
}

void
odks_print_json_text(FILE *out, const char *json)
{
    for (;;) {
        size_t plain = count_plain(json, "\n");
        uint32_t c;

        (void) fwrite(json, 1, plain, out);
        json += plain;
        if (*json == '\0')
            break;
        size_t n = decode_char(json, &c);
        print_json_escape(out, n > 0 ? c : REPLACEMENT);
        json += n > 0 ? n : 1;
    }
    (void) fputc('\n', out);
}

void
odks_print_erase(FILE *out)
{
    (void) fputs("\r\033[K", out);
}
