/* lib/queue/internal.h - SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of lib/queue. */
#ifndef ODKS_QUEUE_INTERNAL_H
#define ODKS_QUEUE_INTERNAL_H

#include "queue/queue.h"

/*
 * The types as a parameter of SQL, to be freed: a JSON object that says for
 * each of them whether its claim may end with the session of its owner.
 */
char *odks_queue_types_text(const struct odks_claimable *types);

#endif
