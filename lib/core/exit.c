/* lib/core/exit.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/exit.h"

static const struct odks_exit_info codes[] = {
#define ODKS_EXIT(name, number, class, severity, meaning)                 \
    { (enum odks_exit)(number), #name, ODKS_EXIT_CLASS_##class, severity, \
      meaning },
#include "core/exit.def"
#undef ODKS_EXIT
};

enum { CODES = sizeof(codes) / sizeof(codes[0]) };

const struct odks_exit_info *
odks_exit_list(size_t *count)
{
    *count = CODES;
    return codes;
}

/* A code that is not in the list is a bug and counts as one. */
static const struct odks_exit_info *
find(enum odks_exit code)
{
    const struct odks_exit_info *bug = NULL;

    for (size_t i = 0; i < CODES; i++) {
        if (codes[i].code == code)
            return &codes[i];
        if (codes[i].code == ODKS_EXIT_SOFTWARE)
            bug = &codes[i];
    }
    return bug;
}

bool
odks_exit_is_temporary(enum odks_exit code)
{
    return find(code)->class == ODKS_EXIT_CLASS_TEMPORARY;
}

enum odks_exit
odks_exit_worse(enum odks_exit a, enum odks_exit b)
{
    return find(b)->severity > find(a)->severity ? b : a;
}
