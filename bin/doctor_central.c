/* bin/doctor_central.c - SPDX-License-Identifier: Apache-2.0 */
/* Central: login, clock, rights, and what each of its jobs would read. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include "bin/doctor.h"
#include "core/json.h"
#include "jobs/forms.h"
#include "jobs/walk.h"
#include "run/login.h"

enum { MAX_SKEW_S = 60, FIRST_ANSWER_S = 15 };

static void check_form(struct odks_doctor *d, const struct odks_job_conf *job,
                       struct odks_central *central, struct odks_err *err);

static void
check_skew(struct odks_doctor *d, const char *what, int64_t central)
{
    if (d->db_now == ODKS_TIME_NONE || central == ODKS_TIME_NONE)
        return;
    int64_t skew = (central - d->db_now) / 1000000;
    if (llabs(skew) <= MAX_SKEW_S) {
        odks_doctor_good(d, what, "its clock and the database's agree");
        return;
    }
    char message[100];
    (void) snprintf(message, sizeof(message),
                    "its clock and the database's differ by %" PRId64 " s",
                    skew);
    odks_doctor_warn(d, what, message,
                     "Let both synchronise their time; data is not affected.");
}

/* More rights than reading takes are rights to lose. */
static void
check_role(struct odks_doctor *d, const char *what,
           struct odks_central *central)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    struct json_object *audits = NULL;

    if (!odks_central_get(central, "/v1/audits?limit=1", &audits, NULL,
                          &ignored))
        return;
    json_object_put(audits);
    odks_doctor_warn(
        d, what, "the account is a site administrator",
        "Use a web user with the role Project Viewer on the projects.");
}

/* Each form that "form = *" stands for, as the job that a run makes of it. */
static void
check_each_form(struct odks_doctor *d, const struct odks_job_conf *job,
                struct odks_central *central, struct json_object *list,
                struct odks_err *err)
{
    CLEANUP_JSON struct json_object *forms = NULL;

    if (!d->has_tables)
        return;
    odks_db_rollback(d->c.db);
    bool ok = odks_db_begin(d->c.db, err)
              && odks_forms_name(d->c.cfg, job, d->c.db, list, &forms, err);
    odks_db_rollback(d->c.db);
    if (!ok)
        odks_doctor_fail(d, job->sync_type, err);
    for (size_t i = 0; ok && i < json_object_array_length(forms); i++) {
        struct json_object *pair = json_object_array_get_idx(forms, i);
        struct odks_job_conf one = *job;

        one.all_forms = false;
        one.form_of = job->sync_type;
        one.sync_type =
            json_object_get_string(json_object_array_get_idx(pair, 0));
        one.form = json_object_get_string(json_object_array_get_idx(pair, 1));
        check_form(d, &one, central, err);
    }
}

/* How many forms does "form = *" stand for? */
static void
check_forms(struct odks_doctor *d, const struct odks_job_conf *job,
            struct odks_central *central, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *forms = NULL;
    size_t wanted = 0;

    if (!odks_central_forms(central, job->project, &forms, err)) {
        odks_doctor_fail(d, job->sync_type, err);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(forms); i++) {
        struct json_object *form = json_object_array_get_idx(forms, i);

        wanted += odks_config_wants_form(d->c.cfg, job,
                                         odks_json_text(form, "xmlFormId"));
    }
    odks_doctor_good(d, job->sync_type, "%zu of %zu forms of project %" PRId64,
                     wanted, json_object_array_length(forms), job->project);
    check_each_form(d, job, central, forms, err);
}

static bool
look_at(struct odks_central *central, const struct odks_query *query,
        struct odks_form *form, struct odks_field **fields,
        struct odks_err *err)
{
    return query->feed == ODKS_FEED_DATASET
               ? odks_central_dataset(central, query->project, query->form_id,
                                      form, fields, err)
               : odks_central_form(central, query->project, query->form_id,
                                   form, err)
                     && odks_central_fields(central, query->project,
                                            query->form_id, fields, err);
}

/* The filter of a walk: servers before v2024.3 do not know deletedAt. */
static void
check_form(struct odks_doctor *d, const struct odks_job_conf *job,
           struct odks_central *central, struct odks_err *err)
{
    struct odks_query query = odks_job_query(job);
    struct odks_form form = { 0 };
    CLEANUP_FIELD struct odks_field *fields = NULL;
    int64_t count = 0;

    if (odks_config_is_pattern(job)) {
        odks_doctor_job(d, job, central, NULL, err);
        check_forms(d, job, central, err);
        return;
    }
    odks_doctor_wait(d, "checking %s", job->sync_type);
    query.filter = "__system/deletedAt eq null";
    if (!look_at(central, &query, &form, &fields, err)
        || !odks_central_count(central, &query, &count, err))
        odks_doctor_fail(d, job->sync_type, err);
    else if (query.feed == ODKS_FEED_DATASET)
        odks_doctor_good(d, job->sync_type,
                         "dataset \"%s\": %" PRId64 " entities", job->dataset,
                         count);
    else
        odks_doctor_good(
            d, job->sync_type,
            "form \"%s\" version \"%s\": %" PRId64 " submissions%s", job->form,
            form.version, count,
            form.encrypted ? "; encrypted: metadata only, no answers" : "");
    odks_form_clear(&form);
    if (fields != NULL)
        odks_doctor_job(d, job, central, fields, err);
}

void
odks_doctor_central(struct odks_doctor *d, const struct odks_central_conf *conf,
                    struct odks_err *err)
{
    CLEANUP_LOGIN struct odks_login login = { 0 };
    CLEANUP_CENTRAL struct odks_central *central = NULL;
    struct json_object *projects = NULL;
    int64_t date = ODKS_TIME_NONE;
    struct odks_central_conf quick = *conf;

    /* a person waits: what fails is told at once */
    quick.retry_s = 0;
    if (quick.timeout_s > FIRST_ANSWER_S)
        quick.timeout_s = FIRST_ANSWER_S;
    odks_doctor_wait(d, "connecting to %s", conf->url);
    if (!odks_login(&quick, &login, &central, err)
        || !odks_central_get(central, "/v1/projects", &projects, &date, err)) {
        odks_doctor_fail(d, conf->name, err);
        return;
    }
    odks_doctor_good(d, conf->name,
                     "logged in as %s at %s; %zu project%s to see", conf->user,
                     conf->url, json_object_array_length(projects),
                     json_object_array_length(projects) == 1 ? "" : "s");
    json_object_put(projects);
    /* it answers; counting may take it longer */
    login.central.http.timeout_s = conf->timeout_s;
    check_skew(d, conf->name, date);
    check_role(d, conf->name, central);
    for (size_t i = 0; i < odks_config_job_count(d->c.cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(d->c.cfg, i);

        if (job->central == conf)
            check_form(d, job, central, err);
    }
}
