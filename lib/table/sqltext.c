/* lib/table/sqltext.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/sqltext.h"

void
odks_sql_add(struct odks_sqltext *t, const char *text)
{
    if (!odks_buf_add_str(t->buf, text))
        t->failed = true;
}

void
odks_sql_ident(struct odks_sqltext *t, const char *name)
{
    if (!odks_db_ident(t->db, name, t->buf))
        t->failed = true;
}

void
odks_sql_literal(struct odks_sqltext *t, const char *s)
{
    if (!odks_db_literal(t->db, s, t->buf))
        t->failed = true;
}

void
odks_sql_table(struct odks_sqltext *t, const char *schema, const char *name)
{
    odks_sql_ident(t, schema);
    odks_sql_add(t, ".");
    odks_sql_ident(t, name);
}

bool
odks_sql_done(const struct odks_sqltext *t, struct odks_err *err)
{
    if (t->failed)
        odks_err_set(err, ODKS_EXIT_DATA,
                     "the form is too large: its SQL does not fit in %d bytes",
                     ODKS_SQL_MAX);
    return !t->failed;
}
