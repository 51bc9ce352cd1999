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
    bool left_out; /* it cannot be in the table: its one line is a reject */
    bool deleted;  /* in Central */
};

/* The statements that bring a batch in; made once. */
struct odks_merge_sql {
    char *enter;       /* settings for the time of the merge, a savepoint */
    char *probe;       /* rows of $1, an array of ids with $2; are all empty? */
    char *stage;       /* make the temporary tables */
    char *apply;       /* from them into the tables; returns counts */
    char **copy_stage; /* per table and one for rejects; NULL: not wanted */
    char **copy_table;
    char **keep;   /* replace what is staged of the submissions $1, an array of
                      ids, with what is stored; NULL-terminated */
    char **forget; /* delete the rows of $1; NULL-terminated, the
                      submissions last */
    char *forget_rejects;
    char *stored;       /* is anything of submission $1 in the tables? */
    char *mark_deleted; /* have $2 as _deleted_at of $1; NULL: not wanted */
    char *open_gone;    /* delete the rejects of $1 for which it was refused or
                           left out, and which are not staged */
    char *add_rejects;  /* add those that are staged and not on record */
    size_t count;       /* of copy_stage and copy_table */
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
                                  size_t len);

/* A member; NULL if it is absent or null, or if object is none. */
struct json_object *odks_row_member(struct json_object *object,
                                    const char *name);
/* The __id of a row, borrowed; NULL when it cannot be one. */
const char *odks_row_id(struct json_object *object);

/* The system columns of a row, behind _id. */
void odks_system_put(struct odks_batch *b, struct odks_copy *out,
                     const char *id, struct json_object *row);

/*
 * What stands for an id: itself, or the beginning of a longer one and what
 * tells it from others. The caller frees it.
 */
char *odks_row_key(const char *id);

/* A value, or a row, that the tables do not hold as it came. */
struct odks_reject {
    size_t table;
    const char *submission;
    const char *row_id;
    const char *path;
    const char *column; /* NULL: it is about more than one */
    const char *reason;
    struct json_object *value; /* NULL: null */
    bool refused;              /* by what a user added to the table, */
    const char *constraint;    /* if it has a name, this; or NULL */
    int64_t left_out;          /* date of a submission that is not in its table;
                                  0: it is */
};

/* Put it on record. */
void odks_batch_reject(struct odks_batch *b, const struct odks_reject *reject);

/* A merge under way. */
struct odks_merge_run {
    struct odks_batch *b;
    struct odks_db *db;
    struct odks_merge counts;
    struct odks_err *err;
};

/*
 * Put the rejects of a submission on record without its rows: those for which
 * it was refused or left out replace what there is of these. *added: how many
 * were not on record before.
 */
ODKS_MUST_CHECK bool odks_merge_record(struct odks_merge_run *m,
                                       const struct odks_batch *part,
                                       int64_t *added);

/* Submissions [from, to) of b as a batch that shares all but its lines. */
struct odks_batch *odks_batch_slice(const struct odks_batch *b, size_t from,
                                    size_t to);
void odks_batch_free_slice(struct odks_batch *part);
ODKS_DEFINE_CLEANUP(slice, struct odks_batch *, odks_batch_free_slice)
#define CLEANUP_SLICE CLEANUP(odks_cleanup_slice)

/*
 * Bring a part in, or leave no trace of it. *refused: PostgreSQL did not take
 * a row, and refusal says why, without values. With dry nothing stays either
 * way.
 */
ODKS_MUST_CHECK bool odks_merge_try(struct odks_merge_run *m,
                                    struct odks_batch *part, bool dry,
                                    bool *refused, struct odks_err *refusal);

/*
 * Deal with submission at, which PostgreSQL refuses: what is stored of it
 * stays, and of a new one as much is stored as possible. *refused: it still
 * was.
 */
ODKS_MUST_CHECK bool odks_merge_refused(struct odks_merge_run *m, size_t at,
                                        bool *refused);

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
