/* jobs/walk.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a form or a dataset: from Central's feed into the tables. What is
 * said of submissions here goes for entities, too.
 *
 * A walk reads responses, one for each filter, and brings their rows in by
 * batches, each a transaction of the attempt. Rows that are already as they
 * should be are not written, so any part of a walk may be done again.
 */
#ifndef ODKS_JOBS_WALK_H
#define ODKS_JOBS_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "central/central.h"
#include "run/attempt.h"
#include "table/batch.h"
#include "table/model.h"
#include "track/cursor.h"

/* Names live and deleted submissions alike: else deleted ones stay out. */
#define ODKS_LIVE_AND_DELETED \
    "(__system/deletedAt eq null or __system/deletedAt ne null)"

struct odks_buf;

/* What a job of kind submissions, or entities, reads. */
enum odks_feed odks_job_feed(const struct odks_job_conf *job);
/* The rows of it, for the caller to say which. */
struct odks_query odks_job_query(const struct odks_job_conf *job);

struct odks_walk {
    struct odks_attempt *a;
    enum odks_feed feed;
    struct odks_central *central;
    struct odks_form form; /* its date: the server's clock before we read */
    char *hash_key;
    struct odks_privacy *privacy; /* NULL: there are no rules */
    struct odks_field *fields;    /* of its current version, without what is
                                     dropped */
    struct odks_field *whole;     /* with what is dropped; NULL: OData has all
                                     answers, under their names */
    bool needs_xml;               /* some of them are only in the XML */
    bool only_xml;                /* OData may fail if it is asked for any */
    struct odks_model *model;
    struct odks_batch *batch;
    bool mute;                /* rows of entities do not tell deletedAt: */
    bool in_trash;            /* what is read now are deleted entities, */
    struct odks_trash *trash; /* deleted then; NULL: not known yet */
    struct odks_cursor cursor;
    char *tag; /* of all submissions, from before we read them; or NULL */
    bool tag_compared; /* all keys were compared with those it covers */
    bool tag_moved;    /* it is another one than at the last proof */
    bool tag_counted;  /* how often it held is to be stored */
    bool differed;     /* comparing keys found something */
    int64_t purged;    /* rows here from before form.date that Central has no
                          more; 0 unless on_delete = keep */
    struct odks_merge counts;
    int64_t unread; /* submissions whose XML cannot be read */
    struct {
        int64_t response; /* rows of the response that is read */
        int64_t window;   /* rows of the responses before it in its window */
        int64_t before;   /* rows that attempts before this one stored */
        int64_t started_ms;
        int64_t shown_ms;
        char text[ODKS_PROGRESS_TEXT]; /* for the attempt */
    } progress;
};

/* The names and places of the tables, from job and form; all borrowed. */
struct odks_model_conf odks_walk_model_conf(const struct odks_walk *w);

/* Read the privacy rules of the job, and the key of hash. */
ODKS_MUST_CHECK bool odks_walk_rules(struct odks_walk *w, struct odks_err *err);

/* Release what that and odks_walk_fields() got. */
void odks_walk_forget_form(struct odks_walk *w);

/*
 * Have tables that hold all of w->fields, in the caller's transaction, and
 * tell what changed. SQLSTATE 55P03 (75): somebody reads them just now.
 */
ODKS_MUST_CHECK bool odks_walk_tables(struct odks_walk *w,
                                      struct odks_err *err);

/*
 * Have read() read all that filter finds, live and deleted: an OData
 * expression to which " and ..." can be added, or "". That is one response.
 * Where odks_walk_is_mute() of its first row, read() leaves the rest; then it
 * is called for one response of live entities and, if there are any, for one
 * of deleted ones, while w->in_trash is set.
 */
typedef bool odks_walk_reader(struct odks_walk *w, const char *filter,
                              void *arg, struct odks_err *err);
ODKS_MUST_CHECK bool odks_walk_each(struct odks_walk *w, const char *filter,
                                    odks_walk_reader *read, void *arg,
                                    struct odks_err *err);

/* Does this Central not say of entities when they were deleted? To be asked of
 * the first row of a response; says so once, in w->mute. */
bool odks_walk_is_mute(struct odks_walk *w, const char *row);

/*
 * Find out which answers are missing from OData: the first function before the
 * privacy rules are bound, the second one after. 65: OData does not tell wanted
 * properties of a dataset apart, and entities have no XML.
 */
void odks_walk_find_shared(struct odks_walk *w);
ODKS_MUST_CHECK bool odks_walk_check_shared(struct odks_walk *w,
                                            struct odks_err *err);

/* The fields to select in OData requests; NULL: all. */
const char *odks_walk_select(const struct odks_walk *w);

enum { ODKS_WALK_HELD = 64 << 20 }; /* bytes of rows that are held */

/*
 * Buffer a row until the response has been read: Central closes a response that
 * is not read for two minutes, and fetching the XML of each submission can take
 * longer. 65: there are too many rows.
 */
ODKS_MUST_CHECK bool odks_walk_hold_row(const struct odks_walk *w,
                                        struct odks_buf *held, const char *row,
                                        size_t len, struct odks_err *err);

/*
 * The number of rows that a window of a first walk should have. It is smaller
 * if each row takes a request of its own, because an attempt that is
 * interrupted repeats the current window.
 */
int64_t odks_walk_window_rows(const struct odks_walk *w);

/*
 * Add a row to the batch, with the answers that are missing from OData. A
 * submission deleted in the meantime is left to the next run. One whose XML
 * cannot be read is stored without these answers, with an entry in
 * odk_sync_reject.
 */
ODKS_MUST_CHECK bool odks_walk_add_row(struct odks_walk *w, const char *row,
                                       size_t len, struct odks_err *err);

/* With w->in_trash: know w->trash. To be called before the rows are read. */
ODKS_MUST_CHECK bool odks_walk_trash(struct odks_walk *w, struct odks_err *err);

/* Read all that filter finds, live and deleted, into the tables. */
ODKS_MUST_CHECK bool odks_walk_read(struct odks_walk *w, const char *filter,
                                    struct odks_err *err);

/* Read the submissions of dates [from, until); ODKS_TIME_NONE: open. */
ODKS_MUST_CHECK bool odks_walk_window(struct odks_walk *w, int64_t from,
                                      int64_t until, struct odks_err *err);

/*
 * Read all submissions, oldest first, in windows of about window_rows; goes on
 * where the cursor says that an earlier attempt stopped.
 */
ODKS_MUST_CHECK bool odks_walk_backfill(struct odks_walk *w,
                                        struct odks_err *err);

/* Read what is new, edited, reviewed or deleted since the watermark. */
ODKS_MUST_CHECK bool odks_walk_changes(struct odks_walk *w,
                                       struct odks_err *err);

/*
 * Read again the submissions that PostgreSQL refused and, unless refused_only,
 * those that hold a value that did not fit.
 */
ODKS_MUST_CHECK bool odks_walk_rejects(struct odks_walk *w, bool refused_only,
                                       struct odks_err *err);

/*
 * Compare all keys with Central's and mend what differs: what no timestamp
 * shows. 81 when more would be removed than the brake allows.
 */
ODKS_MUST_CHECK bool odks_walk_reconcile(struct odks_walk *w,
                                         struct odks_err *err);

/*
 * Take Central's tag of all submissions; with same, find out as well whether
 * it is still that of the cursor.
 */
ODKS_MUST_CHECK bool odks_walk_tag(struct odks_walk *w, bool *same,
                                   struct odks_err *err);

/*
 * Does the last proof still hold: the same tag there, the same tables here, no
 * attachment to look for? Then a transaction is open, to be finished. key
 * stands for what else the cursor depends on.
 */
ODKS_MUST_CHECK bool odks_walk_unchanged(struct odks_walk *w, const char *key,
                                         bool *same, struct odks_err *err);

/* Read again, if it is time to, submissions that wait for attachments. */
ODKS_MUST_CHECK bool odks_walk_attachments(struct odks_walk *w,
                                           struct odks_err *err);

/*
 * Of the fields and the settings that decide what rows hold: when it changes
 * all rows are read again, for a question may have come back, or changed its
 * type, in submissions that nobody touched. The caller frees it.
 */
char *odks_walk_digest(const struct odks_walk *w);

/*
 * What a tag is true for: publishing a form changes no tag, and what else may
 * change what the tables hold does not, either. A new version of this program
 * looks at everything once. The caller frees it.
 */
char *odks_walk_tag_key(const struct odks_walk *w);

/* Is the table of submissions among those of the job? */
bool odks_walk_has_submissions(const struct odks_walk *w);

/* Does what is deleted in Central stay here (on_delete = keep)? */
bool odks_walk_keeps(const struct odks_walk *w);

/* Is it time to compare all keys? */
bool odks_walk_reconcile_is_due(const struct odks_walk *w);

/*
 * Are keys to be compared in this round of reading the changes? In the first
 * when it is time to, or when something changed at Central and no date told
 * what: a restore or a purge; or when Central's clock went back. From the third
 * on, since counts differed twice.
 */
bool odks_walk_must_compare(const struct odks_walk *w, int round,
                            int64_t records_before);

/*
 * Learn from what comparing keys found, or not; quiet: no change had come
 * before. In v2026.1.0 and .1 the tag of a form moves with every submission to
 * any form: after two comparisons for nothing a tag that moves is no news,
 * until it holds many times in a row.
 */
void odks_walk_judge_tag(struct odks_walk *w, bool quiet);

/*
 * Put the tag into the cursor. It came before what was read, so that it covers
 * nothing that the tables have not.
 */
void odks_walk_keep_tag(struct odks_walk *w);

/* Ask Central for the form again: its clock is the next watermark. */
ODKS_MUST_CHECK bool odks_walk_look(struct odks_walk *w, struct odks_err *err);

/* Know w->fields, as the privacy rules leave them; once, after a look. */
ODKS_MUST_CHECK bool odks_walk_fields(struct odks_walk *w,
                                      struct odks_err *err);

/*
 * Bring views, comments and choices up to date, if the form or the settings
 * changed. What a reader is in the way of is left for the next run.
 */
ODKS_MUST_CHECK bool odks_walk_views(struct odks_walk *w, struct odks_err *err);

/*
 * Would the settings of the views be refused? In the caller's transaction,
 * which has to be rolled back.
 */
ODKS_MUST_CHECK bool odks_walk_views_check(struct odks_walk *w,
                                           struct odks_err *err);

/*
 * Is there anything for it to do? In the caller's transaction; takes the form
 * of odks_walk_look() alone.
 */
ODKS_MUST_CHECK bool odks_walk_views_due(struct odks_walk *w, bool *due,
                                         struct odks_err *err);

/* Log what the run did, with warnings about what needs attention. */
void odks_walk_summarise(const struct odks_walk *w);

/* Show on a terminal how far we are. */
void odks_walk_progress(struct odks_walk *w);

#endif
