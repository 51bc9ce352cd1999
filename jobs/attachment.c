/* jobs/attachment.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/log.h"
#include "core/mem.h"
#include "jobs/walk.h"
#include "table/attachment.h"

/* So that the request stays below the 8 kB that a proxy may allow. */
enum { AT_ONCE = 80, FILTER_MAX = 16 * 1024 };

/*
 * By date and not by id: an id may hold any character, and Central's filter
 * knows no way to write a quote. Others of the same instant come along.
 */
static bool
read_dates(struct odks_walk *w, const int64_t *dates, size_t count,
           struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf filter = ODKS_BUF_INIT(FILTER_MAX);

    for (size_t i = 0; i < count; i++) {
        char date[ODKS_TIME_TEXT];

        odks_time_format(dates[i], date);
        if (!odks_buf_printf(&filter, "%s__system/submissionDate eq %s%s",
                             i > 0 ? " or " : "(", date,
                             i + 1 == count ? ")" : "")) {
            odks_err_set(err, ODKS_EXIT_SOFTWARE,
                         "a query of ours is too long");
            return false;
        }
    }
    return odks_walk_read(w, filter.data, err);
}

bool
odks_walk_attachments(struct odks_walk *w, struct odks_err *err)
{
    struct odks_attempt *a = w->a;
    const char *type = a->conf->sync_type;

    if (w->feed == ODKS_FEED_DATASET || odks_attempt_is_dry(a)
        || !odks_walk_has_submissions(w))
        return true;
    odks_log_set_step("attachments");
    for (;;) {
        CLEANUP_FREE int64_t *dates = NULL;
        size_t count = 0;

        if (!odks_attempt_begin(a, err)
            || !odks_attachment_due(a->db, type, w->form.date, AT_ONCE, &dates,
                                    &count, err)
            || !odks_attempt_commit(a, err))
            return false;
        if (count == 0)
            return true;
        if (!read_dates(w, dates, count, err) || !odks_attempt_begin(a, err)
            || !odks_attachment_checked(a->db, type, w->form.date, AT_ONCE,
                                        a->conf->attachments_age_s, err)
            || !odks_attempt_commit(a, err))
            return false;
    }
}
