/* lib/core/suggest.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/suggest.h"

#include <ctype.h>
#include <string.h>

enum { MAX_WORD = 128 };

static size_t
smallest(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Number of letters to add, drop or change to make b out of a. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[MAX_WORD + 1];
    size_t len_a = strlen(a), len_b = strlen(b);

    if (len_a > MAX_WORD || len_b > MAX_WORD)
        return MAX_WORD;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            int same = tolower((unsigned char) a[i - 1])
                       == tolower((unsigned char) b[j - 1]);
            size_t above = row[j];

            row[j] =
                smallest(above + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1));
            diagonal = above;
        }
    }
    return row[len_b];
}

const char *
odks_suggest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t len = strlen(word);
    size_t limit = len < 3 ? 1 : len < 8 ? 2 : 3;

    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, candidates[i]);

        if (d <= limit && (best == NULL || d < distance(word, best)))
            best = candidates[i];
    }
    return best;
}
