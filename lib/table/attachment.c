/* lib/table/attachment.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/attachment.h"

#include "core/mem.h"
#include "sql/queries.h"
#include "table/sqltext.h"

bool
odks_attachment_due(struct odks_db *db, const char *sync_type, int64_t now,
                    int64_t max, int64_t **dates, size_t *count,
                    struct odks_err *err)
{
    char now_text[ODKS_TIME_TEXT], max_text[ODKS_DB_INT64_TEXT];
    const char *const params[] = { sync_type, odks_db_time_param(now, now_text),
                                   odks_db_int64_param(max, max_text) };

    *dates = NULL;
    *count = 0;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_attachment_due, params, err);
    if (res == NULL)
        return false;
    *count = (size_t) PQntuples(res);
    *dates = odks_xcalloc(*count, sizeof(**dates));
    for (int i = 0; i < PQntuples(res); i++)
        (*dates)[i] = odks_db_int64(res, i, 0);
    return true;
}

bool
odks_attachment_checked(struct odks_db *db, const char *sync_type, int64_t now,
                        int64_t max, int64_t age_s, struct odks_err *err)
{
    char now_text[ODKS_TIME_TEXT], max_text[ODKS_DB_INT64_TEXT];
    char age[ODKS_DB_INT64_TEXT];
    const char *const params[] = { sync_type, odks_db_time_param(now, now_text),
                                   odks_db_int64_param(max, max_text),
                                   odks_db_int64_param(age_s, age) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(db, &odks_sql_attachment_checked, params, err);

    return res != NULL;
}

/*
 * What changed since it was put on the list, be it by an edit or by one of
 * several files, begins anew.
 */
static const char refresh_head[] =
    "WITH late AS (SELECT _id, _submitted_at,"
    " greatest(_submitted_at, _updated_at) AS since,"
    " _attachments_present AS present, _attachments_expected AS expected"
    " FROM ";
static const char refresh_tail[] =
    " WHERE _deleted_at IS NULL"
    " AND _attachments_present < _attachments_expected\n"
    "), settled AS (DELETE FROM {schema}.odk_sync_attachment a WHERE "
    "a.sync_type = $1"
    " AND NOT EXISTS (SELECT FROM late WHERE late._id = a.submission_id)\n"
    ") INSERT INTO {schema}.odk_sync_attachment AS a (sync_type, submission_id,"
    " submitted_at, since, present, expected, next_check)\n"
    "SELECT $1, _id, _submitted_at, since, present, expected,"
    " CASE WHEN since > $2::timestamptz - make_interval(secs => $3)"
    " THEN least($2::timestamptz + interval '15 min',"
    " since + make_interval(secs => $3)) END FROM late\n"
    "ON CONFLICT (sync_type, submission_id) DO UPDATE SET"
    " submitted_at = excluded.submitted_at, since = excluded.since,"
    " present = excluded.present, expected = excluded.expected,"
    " checks = 0, next_check = excluded.next_check\n"
    "WHERE ROW(a.since, a.present, a.expected, a.next_check IS NULL)"
    " IS DISTINCT FROM ROW(excluded.since, excluded.present,"
    " excluded.expected, excluded.next_check IS NULL)";

bool
odks_attachment_refresh(struct odks_db *db, const struct odks_model *model,
                        const char *sync_type, int64_t now, int64_t age_s,
                        struct odks_err *err)
{
    char now_text[ODKS_TIME_TEXT], age[ODKS_DB_INT64_TEXT];
    const char *const params[] = { sync_type, odks_db_time_param(now, now_text),
                                   odks_db_int64_param(age_s, age) };
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_sqltext t = { .db = db, .buf = &sql };
    CLEANUP_PGRESULT PGresult *res = NULL;

    if (!model->table[0]->wanted) {
        res = odks_db_query(db, &odks_sql_attachment_forget, params, err);
        return res != NULL;
    }
    odks_sql_add(&t, refresh_head);
    odks_sql_table(&t, model->schema, model->table[0]->name);
    odks_sql_add(&t, refresh_tail);
    if (!odks_sql_done(&t, err))
        return false;
    res = odks_db_exec(db, "attachments", sql.data, 3, params, err);
    return res != NULL;
}
