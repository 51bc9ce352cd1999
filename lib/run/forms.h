/* lib/run/forms.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms that jobs with "form = *" stand for.
 *
 * Such a job lists the forms of its project, gives each new one a sync type,
 * for ever, in odk_sync_form_job, and ends; then the forms are due as jobs of
 * their own, so that one that fails stops no other.
 */
#ifndef ODKS_RUN_FORMS_H
#define ODKS_RUN_FORMS_H

#include "config/config.h"
#include "db/db.h"

enum { /* columns of forms_list.sql */
       ODKS_FORMS_SYNC_TYPE,
       ODKS_FORMS_JOB,
       ODKS_FORMS_CENTRAL,
       ODKS_FORMS_PROJECT,
       ODKS_FORMS_FORM,
       ODKS_FORMS_GONE
};

/* Is there a job with "form = *"? */
bool odks_forms_possible(const struct odks_config *cfg);

/*
 * Add the forms that were found before to the jobs of cfg, in the caller's
 * transaction.
 */
ODKS_MUST_CHECK bool odks_forms_load(struct odks_db *db,
                                     struct odks_config *cfg,
                                     struct odks_err *err);

#endif
