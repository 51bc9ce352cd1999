/* lib/core/index.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * From texts to numbers: finds one of many names at once. Begin with { 0 }.
 */
#ifndef ODKS_CORE_INDEX_H
#define ODKS_CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

struct lh_table;

struct odks_index {
    struct lh_table *table; /* NULL: nothing was put in yet */
};

/*
 * Put a text in; it is borrowed and must outlive the index. False: the text is
 * in already, and keeps its first number.
 */
bool odks_index_put(struct odks_index *index, const char *text, size_t number);

/* The number of a text; false if it is not in. number may be NULL. */
bool odks_index_get(const struct odks_index *index, const char *text,
                    size_t *number);
void odks_index_clear(struct odks_index *index);

#endif
