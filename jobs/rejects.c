/* jobs/rejects.c - SPDX-License-Identifier: Apache-2.0 */
/* Reading again the submissions that are not stored as Central has them. */
#include <config.h>

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "jobs/walk.h"
#include "sql/queries.h"

enum {
    PAGE = 1000,      /* ids per query */
    FILTER_MAX = 4000 /* bytes; an address of 16 kB is refused, encoded */
};

/* " or __id eq 'uuid:...'"; false: no room. */
static bool
add_id(struct odks_buf *filter, const char *id)
{
    return odks_buf_printf(filter, "%s__id eq '%s'",
                           filter->len > 0 ? " or " : "", id);
}

/* Central leaves a quote in a text doubled: such an id it never finds. */
static bool
can_be_named(const char *id)
{
    if (strchr(id, '\'') == NULL)
        return true;
    odks_log(ODKS_LOG_INFO,
             "Central cannot be asked for submission %s: read all with --full",
             id);
    return false;
}

/* Read as many of a page as one request may name, from *at on. */
static bool
read_some(struct odks_walk *w, const PGresult *page, int *at,
          struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ids = ODKS_BUF_INIT(FILTER_MAX);
    size_t len = 0;

    for (; *at < PQntuples(page); (*at)++) {
        const char *id = odks_db_text(page, *at, 0);

        /* an id alone always finds room */
        if (can_be_named(id) && !add_id(&ids, id))
            break;
        len = ids.len;
    }
    if (len == 0)
        return true;
    odks_buf_truncate(&ids, len);
    CLEANUP_FREE char *filter = odks_xasprintf("(%s)", ids.data);
    return odks_walk_read(w, filter, err);
}

static PGresult *
next_page(struct odks_walk *w, const char *after, bool refused_only,
          struct odks_err *err)
{
    char size[ODKS_DB_INT64_TEXT];
    const char *const params[] = { w->a->conf->sync_type, after,
                                   odks_db_int64_param(PAGE, size),
                                   refused_only ? "t" : "f" };

    if (!odks_attempt_begin(w->a, err))
        return NULL;
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(w->a->db, &odks_sql_reject_submissions, params, err);
    if (res == NULL || !odks_attempt_commit(w->a, err))
        return NULL;
    return odks_steal(&res);
}

bool
odks_walk_rejects(struct odks_walk *w, bool refused_only, struct odks_err *err)
{
    CLEANUP_FREE char *after = odks_xstrdup("");

    odks_log_set_step("rejects");
    for (;;) {
        CLEANUP_PGRESULT PGresult *page =
            next_page(w, after, refused_only, err);

        if (page == NULL)
            return false;
        int count = PQntuples(page);
        for (int at = 0; at < count;) {
            if (!read_some(w, page, &at, err))
                return false;
        }
        if (count < PAGE)
            return true;
        free(after);
        after = odks_xstrdup(odks_db_text(page, count - 1, 0));
    }
}
