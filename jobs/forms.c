/* jobs/forms.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "jobs/forms.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "run/due.h"
#include "run/forms.h"
#include "run/login.h"
#include "sql/queries.h"
#include "table/names.h"

enum { SYNC_TYPE_MAX = 50, GONE_TYPE = 0, GONE_FORM = 1 };

struct search {
    struct odks_attempt *a; /* NULL: only names are asked for */
    struct odks_config *cfg;
    const struct odks_job_conf *job;
    struct odks_db *db;
    char project[ODKS_DB_INT64_TEXT];
    struct json_object *forms; /* [["sync type", "form id"], ...] */
    struct json_object *added; /* ids, for the history */
    struct json_object *gone;
};

static bool
is_taken(const struct search *s, const PGresult *known, const char *sync_type)
{
    struct odks_err ignored = ODKS_ERR_INIT;

    for (int row = 0; row < PQntuples(known); row++) {
        if (strcmp(odks_db_text(known, row, ODKS_FORMS_SYNC_TYPE), sync_type)
            == 0)
            return true;
    }
    for (size_t i = 0; i < json_object_array_length(s->forms); i++) {
        struct json_object *one = json_object_array_get_idx(s->forms, i);

        if (strcmp(json_object_get_string(json_object_array_get_idx(one, 0)),
                   sync_type)
            == 0)
            return true;
    }
    return odks_config_find_job(s->cfg, sync_type, &ignored) != NULL;
}

/* "<job>.<form>" for 1; for a higher number with "_<number>" after it. */
static char *
make_type(const char *job, const char *form_id, unsigned number)
{
    CLEANUP_FREE char *snake = odks_name_snake(form_id);
    CLEANUP_FREE char *base = odks_xasprintf("%s.%s", job, snake);
    char suffix[16] = "";

    if (number > 1)
        (void) snprintf(suffix, sizeof(suffix), "_%u", number);
    return odks_name_fit(base, suffix, SYNC_TYPE_MAX, form_id);
}

static char *
choose_type(const struct search *s, const PGresult *known, const char *form_id)
{
    for (unsigned n = 1;; n++) {
        CLEANUP_FREE char *type = make_type(s->job->sync_type, form_id, n);

        if (!is_taken(s, known, type))
            return odks_steal(&type);
    }
}

unsigned
odks_forms_number(const struct odks_job_conf *job)
{
    const char *last = strrchr(job->sync_type, '_');

    if (job->form_of == NULL || last == NULL)
        return 0;
    unsigned long n = strtoul(last + 1, NULL, 10);
    if (n < 2 || n > INT_MAX)
        return 0;
    CLEANUP_FREE char *type = make_type(job->form_of, job->form, (unsigned) n);
    /* "_2" may also end the id of the form */
    return strcmp(type, job->sync_type) == 0 ? (unsigned) n : 0;
}

/* The sync type that a form was given before, or NULL. */
static const char *
known_as(const struct search *s, const PGresult *known, const char *form_id)
{
    const struct odks_job_conf *job = s->job;

    for (int row = 0; row < PQntuples(known); row++) {
        if (strcmp(odks_db_text(known, row, ODKS_FORMS_JOB), job->sync_type)
                == 0
            && strcmp(odks_db_text(known, row, ODKS_FORMS_CENTRAL),
                      job->central->name)
                   == 0
            && odks_db_int64(known, row, ODKS_FORMS_PROJECT) == job->project
            && strcmp(odks_db_text(known, row, ODKS_FORMS_FORM), form_id) == 0)
            return odks_db_text(known, row, ODKS_FORMS_SYNC_TYPE);
    }
    return NULL;
}

/* Make it a job of this run, unless it is one. */
static void
take(struct search *s, const char *sync_type, const char *form_id)
{
    struct json_object *pair = json_object_new_array();
    struct odks_err ignored = ODKS_ERR_INIT;

    (void) json_object_array_add(pair, json_object_new_string(sync_type));
    (void) json_object_array_add(pair, json_object_new_string(form_id));
    (void) json_object_array_add(s->forms, pair);
    if (s->a == NULL
        || odks_config_find_job(s->cfg, sync_type, &ignored) != NULL)
        return;
    odks_config_add_form(s->cfg, s->job, sync_type, form_id);
    (void) json_object_array_add(s->added, json_object_new_string(form_id));
}

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(
        odks_json_text(*(struct json_object *const *) a, "xmlFormId"),
        odks_json_text(*(struct json_object *const *) b, "xmlFormId"));
}

/* In the order of their ids: numbers must not depend on that of the list. */
static bool
name_all(struct search *s, struct json_object *list, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *known =
        odks_db_query(s->db, &odks_sql_forms_list, NULL, err);

    if (known == NULL)
        return false;
    json_object_array_sort(list, compare_ids);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *form = json_object_array_get_idx(list, i);
        const char *id = odks_json_text(form, "xmlFormId");

        /* a form that was never published has nothing to read */
        if (*id == '\0' || *odks_json_text(form, "publishedAt") == '\0'
            || !odks_config_wants_form(s->cfg, s->job, id))
            continue;
        const char *type = known_as(s, known, id);
        CLEANUP_FREE char *chosen =
            type == NULL ? choose_type(s, known, id) : NULL;
        take(s, type != NULL ? type : chosen, id);
    }
    return true;
}

/* The tables of a form that is gone stay as they are. */
static bool
forget_gone(struct search *s, const char *const *params, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(s->a->db, &odks_sql_forms_gone, params, err);

    if (res == NULL)
        return false;
    for (int row = 0; row < PQntuples(res); row++) {
        const char *form = odks_db_text(res, row, GONE_FORM);

        odks_config_remove_form(s->a->cfg, odks_db_text(res, row, GONE_TYPE));
        (void) json_object_array_add(s->gone, json_object_new_string(form));
        odks_log(ODKS_LOG_WARN,
                 "form %s is no longer one of project %s that is mirrored; "
                 "its tables stay as they are",
                 form, s->project);
    }
    return true;
}

static bool
save(struct search *s, struct odks_err *err)
{
    const char *const params[] = { s->a->conf->sync_type,
                                   s->a->conf->central->name, s->project,
                                   json_object_get_string(s->forms) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(s->a->db, &odks_sql_forms_save, params, err);

    return res != NULL && forget_gone(s, params, err);
}

static bool
list_forms(struct search *s, struct json_object **list, struct odks_err *err)
{
    CLEANUP_LOGIN struct odks_login login = { 0 };
    CLEANUP_CENTRAL struct odks_central *central = NULL;

    return odks_login(s->a->conf->central, &login, &central, err)
           && odks_central_forms(central, s->a->conf->project, list, err);
}

static void
describe(struct search *s)
{
    struct json_object *m = s->a->metadata;

    s->a->records = (int64_t) json_object_array_length(s->forms);
    (void) json_object_object_add(m, "forms",
                                  json_object_new_int64(s->a->records));
    (void) json_object_object_add(m, "new_forms", json_object_get(s->added));
    (void) json_object_object_add(m, "gone_forms", json_object_get(s->gone));
    odks_log(ODKS_LOG_INFO, "%" PRId64 " form%s, %zu of them new",
             s->a->records, s->a->records == 1 ? "" : "s",
             json_object_array_length(s->added));
}

bool
odks_forms_find(struct odks_attempt *a, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *list = NULL;
    CLEANUP_JSON struct json_object *forms = json_object_new_array();
    CLEANUP_JSON struct json_object *added = json_object_new_array();
    CLEANUP_JSON struct json_object *gone = json_object_new_array();
    struct search s = { .a = a,
                        .cfg = a->cfg,
                        .job = a->conf,
                        .db = a->db,
                        .forms = forms,
                        .added = added,
                        .gone = gone };

    (void) odks_db_int64_param(a->conf->project, s.project);
    if (!list_forms(&s, &list, err) || !odks_attempt_begin(a, err)
        || !name_all(&s, list, err) || !save(&s, err)
        || !odks_due_settings(a->db, a->cfg, err))
        return false;
    describe(&s);
    return odks_attempt_finish(a, err);
}

bool
odks_forms_name(struct odks_config *cfg, const struct odks_job_conf *job,
                struct odks_db *db, struct json_object *list,
                struct json_object **forms, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *found = json_object_new_array();
    struct search s = { .cfg = cfg, .job = job, .db = db, .forms = found };

    *forms = NULL;
    if (!name_all(&s, list, err))
        return false;
    *forms = odks_steal(&found);
    return true;
}
