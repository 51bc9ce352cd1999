/* tests/unit/table_help.h - SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/table share: a form in one line, a database. */
#ifndef ODKS_TESTS_TABLE_HELP_H
#define ODKS_TESTS_TABLE_HELP_H

#include "table/batch.h"
#include "table/model.h"
#include "table/views.h"

/*
 * Fields from a text: "a:text b:int g{c:date} r[d:text s[e:int]]". The types
 * are those of odks_type(). Free with free_form().
 */
struct odks_field *form(const char *text);
void free_form(struct odks_field *root);

/* A fresh database: the odk_sync_* tables and an empty schema "odk". */
struct odks_db *open_db(void);
void close_db(struct odks_db *db);

/* Each in, or as, a transaction of its own, and each must succeed. */
void begin(struct odks_db *db);
void commit(struct odks_db *db);
void run(struct odks_db *db, const char *sql);
/* All rows, "|" between columns and ";" between rows; the caller frees. */
char *ask(struct odks_db *db, const char *sql);
void ck_ask(struct odks_db *db, const char *sql, const char *expected);

/* The configuration that tests begin with: form "f", project 1. */
extern const struct odks_model_conf model_conf;
extern const struct odks_batch_conf batch_conf;

/*
 * Have all views made that are due, and tell in how many steps; more: settings,
 * or NULL.
 */
size_t make_views(struct odks_db *db, const struct odks_model_conf *conf,
                  const struct odks_model *model,
                  const struct odks_views_conf *more,
                  const struct odks_xform *xform);

/* Prepare and commit; the caller frees the model. */
struct odks_model *prepare_tables(struct odks_db *db,
                                  const struct odks_model_conf *conf,
                                  const struct odks_field *fields,
                                  struct odks_model_changes *changes);

/* The same with its views. */
struct odks_model *prepare(struct odks_db *db,
                           const struct odks_model_conf *conf,
                           const struct odks_field *fields,
                           struct odks_model_changes *changes);

/* "{...,"__id":ID,"__system":{submissionDate etc.}}" from its answers. */
char *submission(const char *id, const char *answers, const char *system);

/* Add rows (freed here) up to NULL, merge and commit. */
struct odks_merge take(struct odks_db *db, struct odks_batch *batch, ...)
    __attribute__((sentinel));

#endif
