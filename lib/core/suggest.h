/* lib/core/suggest.h - SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...?" for commands, options, keys and sync types. */
#ifndef ODKS_CORE_SUGGEST_H
#define ODKS_CORE_SUGGEST_H

#include <stddef.h>

/*
 * The one of count candidates that is nearest to word (letter case aside), or
 * NULL if none is near enough to be meant. Borrowed from candidates.
 */
const char *odks_suggest(const char *word, const char *const *candidates,
                         size_t count);

#endif
