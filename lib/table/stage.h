/* lib/table/stage.h - SPDX-License-Identifier: Apache-2.0 */
/* The inside of a batch: shared by the files that fill it and bring it in. */
#ifndef ODKS_TABLE_STAGE_H
#define ODKS_TABLE_STAGE_H

#include <json-c/json.h>

#include "table/batch.h"
#include "table/copy.h"

enum { ODKS_COPY_MAX = 1 << 30 }; /* bytes of the lines for one table */

/* Set by the statement that enters a merge. */
#define ODKS_MERGE_SAVEPOINT "odks_merge"

/* A submission of the batch. */
struct odks_submission {
    char *id;
    int64_t updated; /* ODKS_TIME_NONE: never */
    int64_t edits;
    int64_t submitted;
    bool stale; /* a later state of it came: its lines do not count */
    bool gone;  /* deleted for good: it has no lines */
    bool encrypted;
};

/* The statements that bring a batch in; made once. */
struct odks_merge_sql {
    char *enter;       /* settings for the time of the merge, a savepoint */
    char *probe;       /* rows of $1, an array of ids with $2; are all empty? */
    char *stage;       /* make the temporary tables */
    char *apply;       /* from them into the tables; returns counts */
    char **copy_stage; /* per table and one for rejects; NULL: not wanted */
    char **copy_table;
    char **forget; /* delete the rows of $1; NULL-terminated, the
                      submissions last */
    char *forget_rejects;
    size_t count; /* of copy_stage and copy_table */
};

struct odks_batch {
    struct odks_batch_conf conf;
    const struct odks_trash *trash; /* that the rows come from, or NULL */
    struct lh_table *index;         /* id -> number of the submission */
    struct odks_submission *submission;
    size_t count, size;
    /* lines for each table of the model, then for odk_sync_reject */
    struct odks_copy *lines;
    size_t lines_count;
    /* where the lines of each submission begin: lines_count per submission */
    size_t *start;
    size_t bytes; /* of row text */
    int64_t received;
    struct odks_merge_sql *sql; /* NULL: not made yet */
    bool all_new; /* the tables were empty, and nothing came twice since */
};

/*
 * Put a submission that was parsed, and its text as _raw. False: it is beyond
 * what a batch can hold.
 */
ODKS_MUST_CHECK bool odks_row_put(struct odks_batch *b,
                                  const struct odks_submission *s,
                                  struct json_object *object, const char *text,
                                  size_t len, struct odks_err *err);

/* A member; NULL if it is absent or null, or if object is none. */
struct json_object *odks_row_member(struct json_object *object,
                                    const char *name);
/* The __id of a row, borrowed; NULL when it cannot be one. */
const char *odks_row_id(struct json_object *object);

/* The system columns of a row, behind _id. */
void odks_system_put(struct odks_batch *b, struct odks_copy *out,
                     const char *id, struct json_object *row);

/* Put a value that did not fit on record. */
void odks_batch_reject(struct odks_batch *b, size_t table,
                       const char *submission, const char *row_id,
                       const char *path, const char *column, const char *reason,
                       struct json_object *value);

/* A merge under way. */
struct odks_merge_run {
    struct odks_batch *b;
    struct odks_db *db;
    struct odks_merge counts;
    struct odks_err *err;
};

/* Bring all of the batch in. */
ODKS_MUST_CHECK bool odks_merge_bring_in(struct odks_merge_run *m);

/*
 * After bring_in() failed: if the database refused a row, find which one, take
 * out of it what it may be, and bring all the rest in. False: it was nothing
 * like that, or it does not help.
 */
ODKS_MUST_CHECK bool odks_merge_apart(struct odks_merge_run *m);

/* The caller owns *sql. */
ODKS_MUST_CHECK bool odks_merge_sql_make(struct odks_db *db,
                                         const struct odks_batch *b,
                                         struct odks_merge_sql **sql,
                                         struct odks_err *err);
void odks_merge_sql_free(struct odks_merge_sql *sql);

#endif
