/* lib/db/fill.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL text with holes. {schema} stands for the tracking schema, as a quoted
 * identifier: every object of odk-sync is named with it, because search_path
 * leads to no schema where other roles may create objects. {schema_name} is the
 * same name as a literal, for queries on the catalogs.
 *
 * A hole is outside of literals, quoted identifiers and comments: whatever a
 * form or a user calls {schema} stays as it is.
 */
#ifndef ODKS_DB_FILL_H
#define ODKS_DB_FILL_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"

/*
 * Append text to out with its holes filled in. False when a hole is unknown
 * (70) or out has no room (71).
 */
ODKS_MUST_CHECK bool odks_fill(const char *text, const char *schema,
                               struct odks_buf *out, struct odks_err *err);

/*
 * Append name between quotes, '"' for an identifier or '\'' for a literal, and
 * double those in it. False when out has no room.
 */
ODKS_MUST_CHECK bool odks_fill_quote(struct odks_buf *out, const char *name,
                                     char quote);

/* Has text a hole, or what looks like one? */
bool odks_fill_needed(const char *text);

/*
 * Can schema stand wherever a hole may be? Not when it would end a
 * dollar-quoted body: err is set (78).
 */
ODKS_MUST_CHECK bool odks_fill_fits(const char *schema, struct odks_err *err);

#endif
