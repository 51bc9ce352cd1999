/* lib/run/tail.h - SPDX-License-Identifier: Apache-2.0 */
/* The end of a text that comes in pieces, of which nobody knows the length. */
#ifndef ODKS_RUN_TAIL_H
#define ODKS_RUN_TAIL_H

#include <stddef.h>

enum { ODKS_TAIL_BYTES = 2048 };

/* All zero to begin with. */
struct odks_tail {
    char bytes[ODKS_TAIL_BYTES];
    size_t len;
};

void odks_tail_add(struct odks_tail *t, const char *bytes, size_t len);

/*
 * The last whole lines that fit into size bytes with their NUL, or the end of
 * the last line when it alone is longer. Clean UTF-8: what is none, and control
 * characters other than newline and tab, are "?"; newlines at the end are left
 * out. size is at most ODKS_TAIL_BYTES.
 */
void odks_tail_text(const struct odks_tail *t, char *text, size_t size);

#endif
