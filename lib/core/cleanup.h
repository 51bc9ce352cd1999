/* lib/core/cleanup.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners that release themselves at the end of their scope.
 *
 * Declare an owner with CLEANUP(fn), where fn takes a pointer to the variable,
 * and hand the thing on with odks_steal(&owner), which leaves NULL behind.
 */
#ifndef ODKS_CORE_CLEANUP_H
#define ODKS_CORE_CLEANUP_H

#include <stdlib.h>

#define ODKS_MUST_CHECK __attribute__((warn_unused_result))
#define ODKS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(odks_cleanup_free)

/* Define the cleanup function odks_cleanup_NAME for objects of TYPE. */
#define ODKS_DEFINE_CLEANUP(name, type, release)    \
    static inline void odks_cleanup_##name(type *p) \
    {                                               \
        if (*p != NULL)                             \
            release(*p);                            \
    }

static inline void
odks_cleanup_free(void *p)
{
    free(*(void **) p);
}

#define odks_steal(p)                         \
    __extension__({                           \
        __typeof__(*(p)) odks_stolen_ = *(p); \
        *(p) = NULL;                          \
        odks_stolen_;                         \
    })

#endif
