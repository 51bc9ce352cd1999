/* lib/table/tree.h - SPDX-License-Identifier: Apache-2.0 */
/* The fields of a form as tables, with system columns and without names. */
#ifndef ODKS_TABLE_TREE_H
#define ODKS_TABLE_TREE_H

#include "table/model.h"

/*
 * Tables for the form and each of its repeats, parents first. 78 if conf
 * names a table that the form has not. The caller owns *model.
 */
ODKS_MUST_CHECK bool odks_tree_build(const struct odks_model_conf *conf,
                                     const struct odks_field *fields,
                                     struct odks_model **model,
                                     struct odks_err *err);

void odks_table_add_column(struct odks_table *table, const char *name,
                           const char *pg_type, enum odks_oid oid);

/* The fields with a value that belong into a table, in form order. */
struct odks_fields {
    const struct odks_field **field;
    size_t count;
};

/* fields is { 0 }; the caller frees fields->field. */
void odks_fields_of(const struct odks_table *table, struct odks_fields *fields);

/*
 * The path of a repeat, from struct odks_table.odata; "" for the submissions.
 * The caller frees it.
 */
char *odks_table_path(const char *odata);

/*
 * A map from the paths and tables of OData to those of the form, where they
 * differ, as a JSON object; null where a name of OData is ambiguous. The caller
 * puts it.
 */
struct json_object *odks_tree_names(enum odks_feed feed,
                                    const struct odks_field *fields);

/* Is there any place among a field and those in it? */
bool odks_tree_has_geometry(const struct odks_field *field);

#endif
