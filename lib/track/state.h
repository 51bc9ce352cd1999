/* lib/track/state.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The last sync time of a sync type, odk_sync_status.last_sync_timestamp: the
 * submission date of the newest submission stored. It is what the service
 * before odk-sync kept in last_sync.txt, and what that service and other
 * programs go by; odk-sync itself goes by its cursor.
 *
 * All functions run in the caller's transaction.
 */
#ifndef ODKS_TRACK_STATE_H
#define ODKS_TRACK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/time.h"
#include "db/db.h"

struct odks_state {
    int64_t last_sync; /* ODKS_TIME_NONE: none */
    bool known;        /* is there a row of this sync type? */
    int64_t now;       /* the server's clock */
};

ODKS_MUST_CHECK bool odks_state_get(struct odks_db *db, const char *sync_type,
                                    struct odks_state *state,
                                    struct odks_err *err);

/*
 * Set the last sync time, with a row in the history that holds metadata (the
 * text of a JSON object, or NULL), too. Backwards only with force, else 81.
 */
ODKS_MUST_CHECK bool odks_state_set(struct odks_db *db, const char *sync_type,
                                    int64_t last_sync, bool force,
                                    const char *metadata, struct odks_err *err);

enum { ODKS_STATE_FILE_MAX = 4096 }; /* bytes of a last_sync.txt */

/*
 * Find the time in the content of a last_sync.txt. *text is how it is written
 * there, for the caller to free. *zone: if it names none, *us is the time on
 * the clock as if it were UTC. Anything else than one time is an error (65);
 * name is that of the file, for messages.
 */
ODKS_MUST_CHECK bool odks_state_parse(const struct odks_buf *content,
                                      const char *name, char **text,
                                      int64_t *us, enum odks_time_zone *zone,
                                      struct odks_err *err);

enum { ODKS_STATE_TEXT = 48 };

/*
 * us as last_sync.txt holds it, with the end of line: in UTC, and with its
 * offset, so that the old service cannot take it for another time.
 */
void odks_state_format(int64_t us, char text[ODKS_STATE_TEXT]);

#endif
