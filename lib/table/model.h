/* lib/table/model.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a form: which field goes to which column.
 *
 * One table for the submissions, "<form>", and one for every repeat,
 * "<form>__<repeat>". A dataset is a form without repeats: its table is
 * "<dataset>__entity", its properties are the fields. odk_sync_column remembers
 * each name that was given, for ever: a new question becomes a new column, a
 * question whose type changed too, and nothing is ever dropped, renamed or
 * rewritten.
 */
#ifndef ODKS_TABLE_MODEL_H
#define ODKS_TABLE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "central/central.h"
#include "core/cleanup.h"
#include "db/db.h"
#include "table/types.h"

struct odks_privacy;

enum {
    ODKS_TABLE_NAME_MAX = 61,  /* bytes: a view puts "v_" in front */
    ODKS_TABLE_COLUMNS = 1590, /* PostgreSQL ends at 1600 */
    ODKS_MODEL_TABLES = 1000,  /* of a form; real ones have up to about 50 */
    ODKS_SYSTEM_COLUMNS = 12,  /* of the submissions, without _raw */
    ODKS_REPEAT_COLUMNS = 4    /* system columns of a repeat */
};

struct odks_model_conf {
    const char *sync_type;
    const char *form_of; /* job whose form = * it is of, or NULL */
    unsigned number;     /* in its sync type: of several forms whose tables
                            are named alike, the one that gets it; 0: none */
    const char *central; /* name of the server in the configuration */
    int64_t project;
    enum odks_feed feed;
    const char *form_id;       /* or name of the dataset */
    const char *schema;        /* where the tables go */
    const char *table;         /* NULL: made from form_id, with a number if
                                  a table or view of another form has it */
    const char *const *tables; /* "Submissions", "Submissions.person", ... or
                                  NULL for all */
    bool raw;                  /* keep _raw */
    const char *form_version;  /* for the schema log */
    const struct odks_privacy *privacy; /* bound to the fields, or NULL */
};

/*
 * The first four parameters of the queries about what the registry has of a
 * form or dataset: server, project, form, source. Valid as long as both.
 */
struct odks_model_key {
    char project[ODKS_DB_INT64_TEXT];
    const char *params[4];
};
const char *const *odks_model_key(const struct odks_model_conf *conf,
                                  struct odks_model_key *key);

/* A column of a table, in the order of the COPY. */
struct odks_column {
    char *name;
    char *pg_type; /* in words: for DDL and people, never to be compared */
    enum odks_oid oid;
};

/* What becomes of a field: its first column; odks_type() counts them. */
struct odks_target {
    const struct odks_field *field;
    size_t column; /* index in the table's columns */
    bool geometry; /* its last column is one of PostGIS, not GeoJSON */
};

/*
 * A table that is not wanted has its system columns and no targets. A field
 * for which the table has no room has no target either.
 */
struct odks_table {
    char *name;                    /* without schema */
    char *odata;                   /* "Submissions.person_details"; where the
                                      form has other names than OData:
                                      "Submissions/person-details" */
    const struct odks_field *root; /* of the form, or the repeat */
    struct odks_table *parent;     /* NULL: the submissions */
    bool wanted;                   /* among conf->tables: is written */
    struct odks_column *column;    /* system columns first */
    size_t column_count;
    size_t system_count;
    struct odks_target *target; /* of the fields, in form order */
    size_t target_count;
    size_t *stale; /* columns that privacy rules came to late: rows that
                      Central has no more may hold what they forbid */
    size_t stale_count;
};

struct odks_model {
    enum odks_feed feed;
    char *schema;
    bool raw;                  /* fill _raw, the last system column; where
                                  there is one and raw is false, empty it */
    struct odks_table **table; /* [0]: the submissions; parents first */
    size_t table_count;
    char **retired; /* names of tables whose repeat the form has no more */
    size_t retired_count;
    const struct odks_field *fields;    /* borrowed */
    const struct odks_privacy *privacy; /* borrowed; masks every row */
    bool unsettled; /* a table has stale columns: compare all keys */
    bool unread;    /* and that is news: read all rows again */
};

/* What odks_model_prepare() changed in the database. */
struct odks_model_changes {
    int tables;
    int columns;
    char summary[512]; /* "3 new columns: a, b, c", or "" */
    char warning[512]; /* what of the form does not arrive in full, or "" */
};

/*
 * Until the end of the transaction no other job of this form gives names to
 * its tables, columns and views.
 */
ODKS_MUST_CHECK bool odks_model_lock(struct odks_db *db,
                                     const struct odks_model_conf *conf,
                                     struct odks_err *err);

/*
 * Work out the tables of a form, and create or extend them (with comments,
 * indexes, registry and schema log) so that they hold all of fields. Views
 * come afterwards: see table/views.h.
 * In the caller's transaction. With dry_run nothing is changed and ddl (if not
 * NULL) gets the statements as text. The caller owns *model; fields must
 * outlive it.
 *
 * 78 when a table of that name is not of odk-sync, or conf->table is that of
 * another form.
 */
ODKS_MUST_CHECK bool
odks_model_prepare(struct odks_db *db, const struct odks_model_conf *conf,
                   const struct odks_field *fields, bool dry_run,
                   struct odks_buf *ddl, struct odks_model **model,
                   struct odks_model_changes *changes, struct odks_err *err);
void odks_model_free(struct odks_model *model);
ODKS_DEFINE_CLEANUP(model, struct odks_model *, odks_model_free)
#define CLEANUP_MODEL CLEANUP(odks_cleanup_model)

#endif
