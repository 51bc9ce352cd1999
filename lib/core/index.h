/* lib/core/index.h - SPDX-License-Identifier: Apache-2.0 */
/* A hash table from texts to numbers. Initialize with { 0 }. */
#ifndef ODKS_CORE_INDEX_H
#define ODKS_CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

struct lh_table;

struct odks_index {
    struct lh_table *table; /* NULL: nothing was put in yet */
};

/*
 * Add a text, which must outlive the index. If the text is already present, it
 * keeps its number and the result is false.
 */
bool odks_index_put(struct odks_index *index, const char *text, size_t number);

/* Look up the number of a text; false if absent. number may be NULL. */
bool odks_index_get(const struct odks_index *index, const char *text,
                    size_t *number);
void odks_index_clear(struct odks_index *index);

#endif
