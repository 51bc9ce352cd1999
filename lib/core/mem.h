/* lib/core/mem.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Small allocations that cannot fail: a process that does not get a few
 * hundred bytes cannot record anything either, so it ends with exit code 71;
 * the lease of its claim runs out and a later run takes the job again.
 *
 * Whatever a peer decides the size of goes into a struct odks_buf instead.
 */
#ifndef ODKS_CORE_MEM_H
#define ODKS_CORE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#include "core/cleanup.h"

/* p, which another library allocated; ends with 71 where it is NULL. */
void *odks_or_die(void *p);

/* Zeroed memory for count objects of size bytes; free() releases it. */
void *odks_xcalloc(size_t count, size_t size);

/* Grow to count objects of size bytes; new memory is not zeroed. */
void *odks_xreallocarray(void *p, size_t count, size_t size);

char *odks_xstrdup(const char *s);
char *odks_xstrndup(const char *s, size_t len);
char *odks_xasprintf(const char *fmt, ...) ODKS_PRINTF(1, 2);
char *odks_xvasprintf(const char *fmt, va_list args) ODKS_PRINTF(1, 0);

#endif
