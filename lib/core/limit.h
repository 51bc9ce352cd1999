/* lib/core/limit.h - SPDX-License-Identifier: Apache-2.0 */
/* Too few file descriptors: a fault of its own, whatever failed for it. */
#ifndef ODKS_CORE_LIMIT_H
#define ODKS_CORE_LIMIT_H

#include <stdbool.h>

#include "core/err.h"

/*
 * Is that errno the lack of descriptors? Then err says so (71), with the limit
 * and how to raise it.
 */
bool odks_limit_reached(int cause, struct odks_err *err);

/*
 * The same for what a library could not do, without telling why: are fewer
 * descriptors left than it needs?
 */
bool odks_limit_near(struct odks_err *err);

#endif
