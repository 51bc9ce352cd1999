/* lib/table/attachment.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Submissions whose attachments are not all in Central yet, in
 * odk_sync_attachment.
 *
 * Nothing in Central's feed moves when a late file arrives, so these
 * submissions are read again: 15 minutes after they were first seen, then ever
 * more rarely, once a day in the end, until they are too old. Which they are
 * follows from the table of submissions alone; kept beside it is only when to
 * look again. All times are Central's.
 */
#ifndef ODKS_TABLE_ATTACHMENT_H
#define ODKS_TABLE_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "table/model.h"

/*
 * The submission dates of those to be read again now, max at most; the caller
 * frees *dates.
 */
ODKS_MUST_CHECK bool odks_attachment_due(struct odks_db *db,
                                         const char *sync_type, int64_t now,
                                         int64_t max, int64_t **dates,
                                         size_t *count, struct odks_err *err);

/*
 * Those that due() gives for the same parameters were read again. The last
 * time for that is when they are age_s seconds old.
 */
ODKS_MUST_CHECK bool odks_attachment_checked(struct odks_db *db,
                                             const char *sync_type, int64_t now,
                                             int64_t max, int64_t age_s,
                                             struct odks_err *err);

/*
 * Put on the list what misses attachments, take off what is complete or gone,
 * give up what is older than age_s seconds.
 */
ODKS_MUST_CHECK bool odks_attachment_refresh(struct odks_db *db,
                                             const struct odks_model *model,
                                             const char *sync_type, int64_t now,
                                             int64_t age_s,
                                             struct odks_err *err);

#endif
