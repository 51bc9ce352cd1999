/* lib/core/safe.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/safe.h"

#include <stddef.h>

/* How many bytes at s are one character that must not be printed; 0: none. */
static size_t
unsafe(const unsigned char *s)
{
    if (s[0] < 0x20 || s[0] == 0x7f)
        return 1;
    if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f) /* C1 */
        return 2;
    if (s[0] != 0xe2)
        return 0;
    if (s[1] == 0x80
        && ((s[2] >= 0x8b && s[2] <= 0x8f)      /* zero width, marks */
            || (s[2] >= 0xa8 && s[2] <= 0xae))) /* lines, direction */
        return 3;
    if (s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xa9) /* isolates */
        return 3;
    return 0;
}

void
odks_print_safe(const char *s, FILE *out)
{
    const unsigned char *p = (const unsigned char *) s;

    while (*p != '\0') {
        size_t bytes = unsafe(p);

        if (bytes == 0)
            (void) fputc(*p++, out);
        for (; bytes > 0; bytes--)
            (void) fprintf(out, "\\x%02x", *p++);
    }
}
