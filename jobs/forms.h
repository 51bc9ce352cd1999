/* jobs/forms.h - SPDX-License-Identifier: Apache-2.0 */
#ifndef ODKS_JOBS_FORMS_H
#define ODKS_JOBS_FORMS_H

#include "run/attempt.h"

/*
 * The attempt of a job with "form = *": find the forms of its project, and
 * make each of them a job that is due now.
 */
ODKS_MUST_CHECK bool odks_forms_find(struct odks_attempt *a,
                                     struct odks_err *err);

/*
 * The forms in list (of odks_central_forms()) that the job wants, each with the
 * sync type that it has or would get: [["sync type", "form id"], ...], which
 * the caller puts. Sorts list. In the caller's transaction; writes nothing.
 */
ODKS_MUST_CHECK bool
odks_forms_name(struct odks_config *cfg, const struct odks_job_conf *job,
                struct odks_db *db, struct json_object *list,
                struct json_object **forms, struct odks_err *err);

/*
 * The number at the end of the sync type of a form that "form = *" found, 2 or
 * higher; 0: there is none. Of forms with similar names it decides which one
 * gets which name for its table, whatever the order in which they run.
 */
unsigned odks_forms_number(const struct odks_job_conf *job);

#endif
