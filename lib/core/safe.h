/* lib/core/safe.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of other people on a terminal or in a log: a form's name must neither
 * forge a line nor move the cursor nor turn the writing around.
 */
#ifndef ODKS_CORE_SAFE_H
#define ODKS_CORE_SAFE_H

#include <stdio.h>

/*
 * Print s with control characters (C0, DEL, C1) and invisible ones that change
 * direction or join words as \xNN, byte by byte; all else as it is.
 */
void odks_print_safe(const char *s, FILE *out);

#endif
