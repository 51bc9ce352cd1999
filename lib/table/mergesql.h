/* lib/table/mergesql.h - SPDX-License-Identifier: Apache-2.0 */
/* Making the statements of struct odks_merge_sql: shared by its files. */
#ifndef ODKS_TABLE_MERGESQL_H
#define ODKS_TABLE_MERGESQL_H

#include "table/sqltext.h"
#include "table/stage.h"

/* The temporary tables: odks_stage_0 for table 0 of the model, and so on. */
#define STAGE "pg_temp.odks_stage_"
#define REJECTS "pg_temp.odks_stage_reject"
#define CHANGED "pg_temp.odks_changed"
#define REJECT_COLUMNS                                          \
    "kept, sync_type, table_name, submission_id, row_id, path," \
    " column_name, reason, value, refused, constraint_name, submitted_at"
/* r, a row of odk_sync_reject, and s, a staged one, say the same */
#define SAME_REJECT                                                     \
    "s.submission_id = r.submission_id AND s.table_name = r.table_name" \
    " AND s.row_id IS NOT DISTINCT FROM r.row_id AND s.path = r.path"   \
    " AND s.reason = r.reason AND s.value IS NOT DISTINCT FROM r.value" \
    " AND s.refused = r.refused"                                        \
    " AND s.submitted_at IS NOT DISTINCT FROM r.submitted_at"

struct odks_maker {
    struct odks_sqltext t;
    const struct odks_model *model;
    const struct odks_batch_conf *conf;
};

/* Append SQL; the name of a temporary table; that of table i of the model. */
void odks_maker_add(struct odks_maker *m, const char *text);
void odks_maker_add_stage(struct odks_maker *m, size_t i);
void odks_maker_add_table(struct odks_maker *m, size_t i);

/* The text so far, for the caller to free; and begin anew. */
char *odks_maker_take(struct odks_maker *m);

/* "r.sync_type = ... AND r.table_name IN (...)" */
void odks_maker_our_rejects(struct odks_maker *m);

/* Add the staged rejects: what is on record already stays as it is. */
void odks_maker_new_rejects(struct odks_maker *m);

/* Fill forget and forget_rejects; and those for refused submissions. */
void odks_maker_forget(struct odks_maker *m, struct odks_merge_sql *sql);
void odks_maker_refused(struct odks_maker *m, struct odks_merge_sql *sql);

/* Fill keep: two statements for each table at most. */
void odks_maker_keep(struct odks_maker *m, struct odks_merge_sql *sql);

#endif
