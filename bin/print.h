/* bin/print.h - SPDX-License-Identifier: Apache-2.0 */
/* Results on stdout: a table for people, JSON for programs. */
#ifndef ODKS_BIN_PRINT_H
#define ODKS_BIN_PRINT_H

#include <json-c/json.h>
#include <libpq-fe.h>

/*
 * The first columns columns of a result as lines with aligned cells under the
 * names of the columns; NULL is "-".
 */
void odks_print_table(const PGresult *res, int columns);

/*
 * All of a result as an array of objects, numbers, booleans and JSON as such;
 * the caller puts it.
 */
struct json_object *odks_result_json(const PGresult *res);

/* json on stdout; takes it over. */
void odks_print_json(struct json_object *json);

#endif
