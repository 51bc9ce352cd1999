/* lib/run/run.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the program: enqueue what is due, take back what was abandoned,
 * then claim and do jobs until none is due.
 */
#ifndef ODKS_RUN_RUN_H
#define ODKS_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/exit.h"
#include "run/attempt.h"

struct odks_run_options {
    const char *const *types; /* asked for by name: due or not */
    size_t type_count;        /* 0: whatever is due */
    /* Only this one job, now, which the configuration does not know. */
    const struct odks_job_conf *exec;
    int64_t max_jobs;  /* 0: no limit */
    bool dry_run;      /* only with types */
    bool fail_if_idle; /* 75 when there was nothing to claim */
    struct odks_payload payload;
    const struct odks_job_kind *const *kinds; /* NULL-terminated */
    /* Gets what a dry run found, per type; may be NULL. */
    void (*report)(const char *sync_type, struct json_object *metadata);
};

/*
 * Errors are logged as they happen; the result is the code to exit with: the
 * worst permanent one of all jobs, else the worst temporary one; that of the
 * program when exec was started.
 */
enum odks_exit odks_run(struct odks_config *cfg,
                        const struct odks_run_options *options);

#endif
