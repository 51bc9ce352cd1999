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

#endif
