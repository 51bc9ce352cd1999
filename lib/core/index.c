/* lib/core/index.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/index.h"

#include <json-c/json.h>
#include <stdint.h>

#include "core/mem.h"

enum { FIRST_SIZE = 64 };

bool
odks_index_put(struct odks_index *index, const char *text, size_t number)
{
    if (index->table == NULL)
        index->table = odks_or_die(lh_kchar_table_new(FIRST_SIZE, NULL));
    if (odks_index_get(index, text, NULL))
        return false;
    if (lh_table_insert(index->table, text, (const void *) (uintptr_t) number)
        != 0)
        (void) odks_or_die(NULL);
    return true;
}

bool
odks_index_get(const struct odks_index *index, const char *text, size_t *number)
{
    void *found = NULL;

    if (index->table == NULL || !lh_table_lookup_ex(index->table, text, &found))
        return false;
    if (number != NULL)
        *number = (size_t) (uintptr_t) found;
    return true;
}

void
odks_index_clear(struct odks_index *index)
{
    if (index->table != NULL)
        lh_table_free(index->table);
    index->table = NULL;
}
