/* lib/table/plan.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of a form should be, against what the registry knows: shared
 * by the files that make up odks_model_prepare().
 */
#ifndef ODKS_TABLE_PLAN_H
#define ODKS_TABLE_PLAN_H

#include <json-c/json.h>

#include "core/json.h"
#include "table/model.h"
#include "table/names.h"

/* Types of the registry that are no type of ODK. */
#define ODKS_REG_TABLE "table" /* the table itself; its path is "" */
#define ODKS_REG_RAW "raw"     /* _raw */

enum { /* columns of sql/queries/column_list.sql */
       ODKS_REG_ODATA,
       ODKS_REG_PATH,
       ODKS_REG_TYPE,
       ODKS_REG_PART,
       ODKS_REG_SCHEMA,
       ODKS_REG_NAME, /* of the table */
       ODKS_REG_COLUMN,
       ODKS_REG_VERSION,
       ODKS_REG_RETIRED,
       ODKS_REG_PRESENT, /* in the database */
       ODKS_REG_USED,    /* columns that the table has or had */
       ODKS_REG_PG_TYPE, /* in the database, else as it was given */
       ODKS_REG_PRIVACY, /* rules that all rows of the table obey */
       ODKS_REG_OID      /* of its type in the database, or "" */
};

/* odk_sync_column of one form. */
struct odks_registry {
    PGresult *res;
    int count;
    bool *seen; /* rows that the form still has */
};

/*
 * Earlier versions recorded the names of OData. Replace them, once per form, by
 * the names of the form.
 */
ODKS_MUST_CHECK bool odks_registry_adopt(struct odks_db *db,
                                         const struct odks_model_conf *conf,
                                         const struct odks_field *fields,
                                         struct odks_err *err);
ODKS_MUST_CHECK bool odks_registry_read(struct odks_db *db,
                                        const struct odks_model_conf *conf,
                                        struct odks_registry *reg,
                                        struct odks_err *err);
void odks_registry_clear(struct odks_registry *reg);

/* The row of a key, or -1. */
int odks_registry_find(const struct odks_registry *reg, const char *odata,
                       const char *path, const char *type, const char *part);
const char *odks_registry_get(const struct odks_registry *reg, int row,
                              int column);

enum odks_state { ODKS_KNOWN, ODKS_NEW, ODKS_BACK };

/* A column that the model has and a field fills, or _raw. */
struct odks_planned {
    size_t table, column;
    const struct odks_field *field; /* NULL: _raw */
    const char *part;
    enum odks_state state;
};

/* A field that found no room in its table. */
struct odks_missed {
    size_t table;
    const struct odks_field *field;
};

/* Rules that the rows of a table may not obey yet; see table/rules.h. */
struct odks_late {
    int row; /* of reg, the table's */
    const struct odks_rule **rule;
    size_t count;
    bool begun; /* an earlier run has forgotten the rejects */
};

struct odks_plan {
    struct odks_model *model;
    struct odks_registry reg;
    struct odks_names given; /* names of tables and views of other forms, */
    struct odks_names there; /* and of relations in the schema; both are
                                empty while no table needs a name */
    bool *new_table;
    struct odks_planned *column;
    size_t count;
    struct odks_missed *missed;
    size_t missed_count;
    char *geometry; /* PostGIS's type, with its schema; NULL: not here */
    int *retired;   /* rows of reg */
    size_t retired_count;
    struct odks_late *late;
    size_t late_count;
    struct json_object *privacy; /* what each table will obey */
    bool changed;                /* there is something to do */
};

/*
 * Give everything its name and find out what has changed; writes nothing. 78
 * when the configuration and the tables that exist cannot both be right.
 */
ODKS_MUST_CHECK bool odks_plan_make(struct odks_db *db,
                                    const struct odks_model_conf *conf,
                                    const struct odks_field *fields,
                                    struct odks_plan *plan,
                                    struct odks_err *err);
void odks_plan_clear(struct odks_plan *plan);

/*
 * Give each table its name, and say which are new. 78 when the configuration
 * wants a name that another form has.
 */
ODKS_MUST_CHECK bool odks_plan_name_tables(struct odks_db *db,
                                           const struct odks_model_conf *conf,
                                           struct odks_plan *plan,
                                           struct odks_err *err);

/* False, with an error: name is taken; the hint tells which one is free. */
ODKS_MUST_CHECK bool odks_plan_refuse_name(struct odks_db *db,
                                           const struct odks_model_conf *conf,
                                           struct odks_plan *plan,
                                           const char *name,
                                           struct odks_err *err);

/*
 * Is this OData table ours to write? That of a repeat which the form has no
 * more can be in nobody's configuration, and so every job tends it; that of
 * one which a rule drops may be another job's.
 */
bool odks_plan_is_ours(const struct odks_model *model,
                       const struct odks_model_conf *conf, const char *odata);

/* The type of a planned column as the registry has it. */
const char *odks_planned_type(const struct odks_planned *column);

/* Put the names and what happened to them on record. */
ODKS_MUST_CHECK bool odks_plan_record(struct odks_db *db,
                                      const struct odks_model_conf *conf,
                                      const struct odks_plan *plan,
                                      struct odks_err *err);

/* A privacy rule for a question that the form has no more; NULL: none. */
const char *odks_plan_unused_rule(const struct odks_plan *plan);

/* What the plan changes: in words, and as rows of odk_sync_schema_log. */
void odks_plan_summarize(const struct odks_plan *plan,
                         struct odks_model_changes *changes);
ODKS_MUST_CHECK bool odks_plan_log(struct odks_db *db,
                                   const struct odks_model_conf *conf,
                                   const struct odks_plan *plan,
                                   struct odks_err *err);

/* The statements that make tables and columns. False: too long. */
ODKS_MUST_CHECK bool odks_ddl_tables(struct odks_db *db,
                                     const struct odks_model_conf *conf,
                                     const struct odks_plan *plan,
                                     struct odks_buf *ddl);

/*
 * The statements that lock the tables which get more columns, if they are
 * several: in the order in which the views of repeats lock them, and without
 * waiting so long that a deadlock with a reader could become the reader's.
 */
ODKS_MUST_CHECK bool odks_ddl_locks(struct odks_db *db,
                                    const struct odks_plan *plan,
                                    struct odks_buf *ddl);

#endif
