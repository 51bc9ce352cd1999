/* jobs/tables.c - SPDX-License-Identifier: Apache-2.0 */
/* The tables that a walk fills, as the form is now. */
#include <config.h>

#include "core/log.h"
#include "jobs/forms.h"
#include "jobs/walk.h"

enum { MAX_DDL = 4 << 20 };

static void
add_text(struct odks_walk *w, const char *key, const char *text)
{
    (void) json_object_object_add(w->a->metadata, key,
                                  json_object_new_string(text));
}

struct odks_model_conf
odks_walk_model_conf(const struct odks_walk *w)
{
    const struct odks_job_conf *conf = w->a->conf;
    const struct odks_query query = odks_job_query(conf);

    return (struct odks_model_conf){
        .sync_type = conf->sync_type,
        .form_of = conf->form_of,
        .number = odks_forms_number(conf),
        .central = conf->central->name,
        .project = query.project,
        .feed = query.feed,
        .form_id = query.form_id,
        .schema = conf->schema,
        .table = conf->table,
        .tables = conf->tables,
        .raw = conf->raw,
        .form_version = w->form.version,
        .privacy = w->privacy,
    };
}

/* What a dry run would do to the tables, as metadata.ddl. */
static bool
describe_ddl(struct odks_walk *w, const struct odks_model_conf *conf,
             struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(MAX_DDL);
    struct odks_model_changes changes = { 0 };
    CLEANUP_MODEL struct odks_model *model = NULL;

    if (!odks_model_prepare(w->a->db, conf, w->fields, true, &ddl, &model,
                            &changes, err))
        return false;
    if (ddl.len > 0)
        add_text(w, "ddl", ddl.data);
    return true;
}

bool
odks_walk_tables(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_model_conf conf = odks_walk_model_conf(w);
    struct odks_model_changes changes = { 0 };

    if ((odks_attempt_is_dry(w->a) && !describe_ddl(w, &conf, err))
        || !odks_model_prepare(w->a->db, &conf, w->fields, false, NULL,
                               &w->model, &changes, err))
        return false;
    if (changes.warning[0] != '\0') {
        odks_log(ODKS_LOG_WARN, "%s", changes.warning);
        add_text(w, "schema_warning", changes.warning);
    }
    if (changes.summary[0] != '\0') {
        odks_log(ODKS_LOG_INFO, "%s", changes.summary);
        add_text(w, "schema", changes.summary);
    }
    return true;
}
