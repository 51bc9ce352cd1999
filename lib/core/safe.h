/* lib/core/safe.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way to stdout and stderr. Names, titles and error texts come from
 * other people: they must not forge a line, move the cursor of a terminal, or
 * change the direction of the text around them.
 *
 * Not printed as they are: control characters (C0, DEL, C1), line separators,
 * characters that cannot be seen and change the direction or the joining of
 * others, and bytes that are not UTF-8. Each byte of theirs becomes \xNN.
 */
#ifndef ODKS_CORE_SAFE_H
#define ODKS_CORE_SAFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/cleanup.h"

/*
 * Print a line or a part of one. The newlines that fmt begins and ends with
 * are printed; any others, and tabs, become \xNN.
 */
void odks_print(FILE *out, const char *fmt, ...) ODKS_PRINTF(2, 3);

/* Print text that may have several lines: newlines and tabs stay. */
void odks_print_lines(FILE *out, const char *text);

/*
 * Print a JSON text and a newline. The same characters become \uNNNN, so that
 * the values do not change; a byte that is not UTF-8 becomes U+FFFD.
 */
void odks_print_json_text(FILE *out, const char *json);

/* Erase the line that the cursor of a terminal is in. */
void odks_print_erase(FILE *out);

/*
 * Bytes of the character that s begins with; 0 if s is empty, or if its first
 * character is not printed as it is.
 */
size_t odks_safe_length(const char *s);

/* Does s begin with a space, of ASCII or of another script? */
bool odks_safe_is_space(const char *s);

#endif
