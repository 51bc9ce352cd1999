/* lib/track/track.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/track.h"

#include "sql/queries.h"

PGresult *
odks_track_status(struct odks_db *db, struct odks_err *err)
{
    return odks_db_query(db, &odks_sql_track_status, NULL, err);
}

PGresult *
odks_track_history(struct odks_db *db, const char *sync_type, int64_t limit,
                   struct odks_err *err)
{
    char limit_text[ODKS_DB_INT64_TEXT];
    const char *const params[] = { sync_type,
                                   odks_db_int64_param(limit, limit_text) };

    return odks_db_query(db, &odks_sql_track_history, params, err);
}

PGresult *
odks_track_queue(struct odks_db *db, struct odks_err *err)
{
    return odks_db_query(db, &odks_sql_track_queue, NULL, err);
}

PGresult *
odks_track_old_service(struct odks_db *db, struct odks_err *err)
{
    return odks_db_query(db, &odks_sql_track_old_service, NULL, err);
}
