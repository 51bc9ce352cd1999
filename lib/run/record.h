/* lib/run/record.h - SPDX-License-Identifier: Apache-2.0 */
/* Recording an attempt that did not succeed. */
#ifndef ODKS_RUN_RECORD_H
#define ODKS_RUN_RECORD_H

#include "run/attempt.h"

/*
 * Reaching our own time limit is not an error if the next attempt continues
 * from where this one stopped: cause becomes ODKS_EXIT_OK, still interrupted,
 * with a message for history. If nothing was stored, the next attempt would end
 * in the same way, so cause stays as it is.
 */
void odks_record_time_limit(const struct odks_attempt *a,
                            struct odks_err *cause);

/*
 * Hand the job back or fail it, in a transaction of its own on a connection
 * that works. The cause may turn out to be none, and is cleared, when the
 * answer to the last commit was lost. That commit may be under way even now: to
 * hand the job back waits for it, to read history would not. When the job gave
 * up, cause says so.
 */
ODKS_MUST_CHECK bool odks_record_failure(struct odks_attempt *a,
                                         struct odks_err *cause,
                                         struct odks_err *err);

#endif
