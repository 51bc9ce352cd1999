/* lib/table/sqltext.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL that is put together at run time. What finds no room sets failed and is
 * left out: look at it once, at the end.
 */
#ifndef ODKS_TABLE_SQLTEXT_H
#define ODKS_TABLE_SQLTEXT_H

#include <stdbool.h>

#include "db/db.h"

enum { ODKS_SQL_MAX = 16 << 20 }; /* bytes */

struct odks_sqltext {
    struct odks_db *db;
    struct odks_buf *buf;
    bool failed;
};

void odks_sql_add(struct odks_sqltext *t, const char *text);
void odks_sql_ident(struct odks_sqltext *t, const char *name);
void odks_sql_literal(struct odks_sqltext *t, const char *s);
void odks_sql_table(struct odks_sqltext *t, const char *schema,
                    const char *name);

/* Did everything fit? Else err is set. */
ODKS_MUST_CHECK bool odks_sql_done(const struct odks_sqltext *t,
                                   struct odks_err *err);

#endif
