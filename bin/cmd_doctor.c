/* bin/cmd_doctor.c - SPDX-License-Identifier: Apache-2.0 */
/* Try each thing that a run needs, and say for each what mends it. */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bin/cmd.h"
#include "core/json.h"
#include "core/mem.h"
#include "db/migrate.h"
#include "jobs/schema.h"
#include "jobs/walk.h"
#include "run/instance.h"
#include "run/login.h"
#include "sql/queries.h"
#include "table/privacy.h"
#include "table/sqltext.h"
#include "track/track.h"

enum { MAX_SKEW_S = 60 };

enum verdict { OK, WARN, FAIL };

struct doctor {
    const struct odks_cli *cli;
    struct odks_cmd_db c;
    struct json_object *findings;
    enum odks_exit worst;
    int64_t db_now;  /* ODKS_TIME_NONE: unknown */
    bool has_tables; /* of ours, of this version */
};

static void
find(struct doctor *d, enum verdict verdict, const char *what,
     const char *message, const char *fix)
{
    static const char *const names[] = { "ok", "warn", "FAIL" };
    struct json_object *o;

    if (!d->cli->json) {
        printf("%-5s %-9s %s\n", names[verdict], what, message);
        if (fix[0] != '\0')
            printf("%15s fix: %s\n", "", fix);
        return;
    }
    o = json_object_new_object();
    (void) json_object_object_add(o, "verdict",
                                  json_object_new_string(names[verdict]));
    (void) json_object_object_add(o, "check", json_object_new_string(what));
    (void) json_object_object_add(o, "message",
                                  json_object_new_string(message));
    (void) json_object_object_add(o, "fix", json_object_new_string(fix));
    (void) json_object_array_add(d->findings, o);
}

static void ODKS_PRINTF(3, 4)
    good(struct doctor *d, const char *what, const char *fmt, ...)
{
    char message[600];
    va_list args;

    va_start(args, fmt);
    (void) vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    find(d, OK, what, message, "");
}

static void
bad(struct doctor *d, const char *what, struct odks_err *err)
{
    find(d, FAIL, what, err->message, err->hint);
    d->worst = odks_exit_worse(d->worst, err->code);
    odks_err_clear(err);
}

static void
check_rights(struct doctor *d, const char *schema, struct odks_err *err)
{
    const struct odks_database_conf *conf = odks_config_database(d->c.cfg);
    const char *const params[] = { schema };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_doctor_rights, params, err);

    if (res == NULL) {
        bad(d, "rights", err);
        return;
    }
    const char *role = odks_db_text(res, 0, 0);
    if (!odks_db_bool(res, 0, 2)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "there is no schema %s",
                     odks_db_text(res, 0, 1));
        odks_err_hint(err,
                      "odk-sync init, or: CREATE SCHEMA %s "
                      "AUTHORIZATION \"%s\";",
                      odks_db_text(res, 0, 1), role);
    } else if (!odks_db_bool(res, 0, 3)) {
        odks_err_set(err, ODKS_EXIT_NOPERM,
                     "role %s may not create tables in schema %s", role,
                     odks_db_text(res, 0, 1));
        odks_err_hint(err, "GRANT USAGE, CREATE ON SCHEMA %s TO \"%s\";",
                      odks_db_text(res, 0, 1), role);
    } else if (!odks_db_bool(res, 0, 4) || !odks_db_bool(res, 0, 5)) {
        odks_err_set(err, ODKS_EXIT_NOPERM,
                     "role %s may not write the odk_sync_* tables", role);
        odks_err_hint(err,
                      "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN "
                      "SCHEMA \"%s\" TO \"%s\"; GRANT USAGE ON ALL SEQUENCES "
                      "IN SCHEMA \"%s\" TO \"%s\";",
                      conf->tracking_schema, role, conf->tracking_schema, role);
    }
    if (err->code != ODKS_EXIT_OK) {
        bad(d, "rights", err);
        return;
    }
    good(d, "rights", "role %s may do what it must in schema %s", role,
         odks_db_text(res, 0, 1));
    if (odks_db_text(res, 0, 6) != NULL)
        good(d, "postgis", "version %s is there", odks_db_text(res, 0, 6));
}

/* Is job i the first one to name this schema? */
static bool
is_first_with(const struct odks_config *cfg, size_t i, const char *schema)
{
    if (strcmp(schema, odks_config_database(cfg)->schema) == 0)
        return false;
    while (i-- > 0) {
        if (strcmp(schema, odks_config_job(cfg, i)->schema) == 0)
            return false;
    }
    return true;
}

static void
check_old_service(struct doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_track_old_service(d->c.db, err);
    char message[200];

    if (res == NULL) {
        bad(d, "tables", err);
        return;
    }
    if (PQntuples(res) == 0)
        return;
    (void) snprintf(message, sizeof(message),
                    "the old service still runs: %s wrote history at %s",
                    odks_db_text(res, 0, ODKS_OLD_SERVICE_INSTANCE),
                    odks_db_text(res, 0, ODKS_OLD_SERVICE_WROTE));
    find(d, WARN, "tables", message,
         "Stop it when odk-sync does its work; until then both may run.");
}

static void
check_clock_of_database(struct doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_server_now, NULL, err);

    if (res == NULL)
        bad(d, "clock", err);
    else
        d->db_now = odks_db_int64(res, 0, 0);
}

static void
check_database(struct doctor *d, struct odks_err *err)
{
    odks_instance(d->c.instance);
    if (!odks_config_db_conf(d->c.cfg, d->c.instance, &d->c.conf, err)
        || !odks_db_connect(&d->c.conf, &d->c.db, err)
        || !odks_db_begin(d->c.db, err)) {
        bad(d, "database", err);
        return;
    }
    good(d, "database", "connected%s",
         odks_db_pooled(d->c.db)
             ? " through a pooler: a crashed run is noticed when its lease "
               "ends, not at once"
             : "");
    check_clock_of_database(d, err);
    if (!odks_migrate_check(d->c.db, err)) {
        bool refused = strcmp(err->sqlstate, "42501") == 0;

        if (refused)
            odks_err_hint(err, "Grant the rights below.");
        bad(d, "tables", err);
        odks_db_rollback(d->c.db);
        if (refused && odks_db_begin(d->c.db, err))
            check_rights(d, odks_config_database(d->c.cfg)->schema, err);
        return;
    }
    good(d, "tables", "the tracking tables are of this version");
    d->has_tables = true;
    check_rights(d, odks_config_database(d->c.cfg)->schema, err);
    for (size_t i = 0; i < odks_config_job_count(d->c.cfg); i++) {
        const char *schema = odks_config_job(d->c.cfg, i)->schema;

        if (is_first_with(d->c.cfg, i, schema))
            check_rights(d, schema, err);
    }
    if (d->worst == ODKS_EXIT_OK)
        check_old_service(d, err);
}

static void
check_skew(struct doctor *d, const char *what, int64_t central)
{
    if (d->db_now == ODKS_TIME_NONE || central == ODKS_TIME_NONE)
        return;
    int64_t skew = (central - d->db_now) / 1000000;
    if (llabs(skew) <= MAX_SKEW_S) {
        good(d, what, "its clock and the database's agree");
        return;
    }
    char message[100];
    (void) snprintf(message, sizeof(message),
                    "its clock and the database's differ by %" PRId64 " s",
                    skew);
    find(d, WARN, what, message,
         "Let both synchronise their time; data is not affected.");
}

/* More rights than reading takes are rights to lose. */
static void
check_role(struct doctor *d, const char *what, struct odks_central *central)
{
    struct odks_err ignored = ODKS_ERR_INIT;
    struct json_object *audits = NULL;

    if (!odks_central_get(central, "/v1/audits?limit=1", &audits, NULL,
                          &ignored))
        return;
    json_object_put(audits);
    find(d, WARN, what, "the account is a site administrator",
         "Use a web user with the role Project Viewer on the projects.");
}

/* How many forms does "form = *" stand for? */
static void
check_forms(struct doctor *d, const struct odks_job_conf *job,
            struct odks_central *central, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *forms = NULL;
    size_t wanted = 0;

    if (!odks_central_forms(central, job->project, &forms, err)) {
        bad(d, job->sync_type, err);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(forms); i++) {
        struct json_object *form = json_object_array_get_idx(forms, i);
        struct json_object *id = NULL;

        if (json_object_object_get_ex(form, "xmlFormId", &id))
            wanted += odks_config_wants_form(d->c.cfg, job,
                                             json_object_get_string(id));
    }
    good(d, job->sync_type, "%zu of %zu forms of project %" PRId64, wanted,
         json_object_array_length(forms), job->project);
}

/* What does each privacy rule do here? */
static void
list_rules(struct doctor *d, const struct odks_job_conf *job,
           const struct odks_privacy *privacy)
{
    for (size_t i = 0; i < odks_privacy_count(privacy); i++) {
        const char *meant;
        CLEANUP_FREE char *questions =
            odks_privacy_questions(privacy, i, &meant);
        CLEANUP_FREE char *message = odks_xasprintf(
            "%s: %s", odks_privacy_rule(privacy, i),
            questions != NULL ? questions : "there is no such question");
        CLEANUP_FREE char *fix =
            odks_xasprintf("Did you mean %s?", meant != NULL ? meant : "");

        find(d, questions != NULL ? OK : WARN, job->sync_type, message,
             questions == NULL && meant != NULL ? fix : "");
    }
}

/* fields: NULL where the job stands for many forms. */
static bool
check_privacy(struct doctor *d, const struct odks_job_conf *job,
              struct odks_field *fields, struct odks_err *err)
{
    CLEANUP_PRIVACY struct odks_privacy *privacy = NULL;
    CLEANUP_FREE char *key = NULL;

    if (!odks_config_hash_key(job, &key, err)) {
        bad(d, job->sync_type, err);
        return false;
    }
    if (key != NULL)
        good(d, job->sync_type, "the key of hash can be read");
    odks_privacy_new(job, key, &privacy);
    if (privacy == NULL || fields == NULL)
        return true;
    if (!odks_privacy_bind(privacy, fields, err)) {
        bad(d, job->sync_type, err);
        return false;
    }
    list_rules(d, job, privacy);
    return true;
}

/* Would a run refuse to make, or to use, the tables? */
static void
check_tables(struct doctor *d, const struct odks_job_conf *job,
             struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf ddl = ODKS_BUF_INIT(ODKS_SQL_MAX);
    struct odks_model_changes changes = { 0 };

    if (!d->has_tables)
        return;
    odks_db_rollback(d->c.db);
    if (!odks_schema_diff(d->c.cfg, job, d->c.db, &ddl, &changes, err))
        bad(d, job->sync_type, err);
    else if (changes.warning[0] != '\0')
        find(d, WARN, job->sync_type, changes.warning, "");
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
check_form(struct doctor *d, const struct odks_job_conf *job,
           struct odks_central *central, struct odks_err *err)
{
    struct odks_query query = odks_job_query(job);
    struct odks_form form = { 0 };
    CLEANUP_FIELD struct odks_field *fields = NULL;
    int64_t count = 0;

    if (odks_config_is_pattern(job)) {
        check_forms(d, job, central, err);
        (void) check_privacy(d, job, NULL, err);
        return;
    }
    query.filter = "__system/deletedAt eq null";
    if (!look_at(central, &query, &form, &fields, err)
        || !odks_central_count(central, &query, &count, err))
        bad(d, job->sync_type, err);
    else if (query.feed == ODKS_FEED_DATASET)
        good(d, job->sync_type, "dataset \"%s\": %" PRId64 " entities",
             job->dataset, count);
    else
        good(d, job->sync_type,
             "form \"%s\" version \"%s\": %" PRId64 " submissions%s", job->form,
             form.version, count,
             form.encrypted ? "; encrypted: metadata only, no answers" : "");
    odks_form_clear(&form);
    if (fields != NULL && check_privacy(d, job, fields, err))
        check_tables(d, job, err);
}

static void
check_central(struct doctor *d, const struct odks_central_conf *conf,
              struct odks_err *err)
{
    CLEANUP_LOGIN struct odks_login login = { 0 };
    CLEANUP_CENTRAL struct odks_central *central = NULL;
    struct json_object *projects = NULL;
    int64_t date = ODKS_TIME_NONE;

    if (!odks_login(conf, &login, &central, err)
        || !odks_central_get(central, "/v1/projects", &projects, &date, err)) {
        bad(d, conf->name, err);
        return;
    }
    good(d, conf->name, "logged in as %s at %s; %zu project%s to see",
         conf->user, conf->url, json_object_array_length(projects),
         json_object_array_length(projects) == 1 ? "" : "s");
    json_object_put(projects);
    check_skew(d, conf->name, date);
    check_role(d, conf->name, central);
    for (size_t i = 0; i < odks_config_job_count(d->c.cfg); i++) {
        const struct odks_job_conf *job = odks_config_job(d->c.cfg, i);

        if (job->central == conf)
            check_form(d, job, central, err);
    }
}

static void
check_sql(struct doctor *d, const struct odks_job_conf *job,
          struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf sql = ODKS_BUF_INIT(ODKS_CONFIG_SQL_MAX);

    if (!odks_config_job_sql(job, &sql, err))
        bad(d, job->sync_type, err);
    else
        good(d, job->sync_type,
             "%zu bytes of SQL; odk-sync run %s --dry-run tries it", sql.len,
             job->sync_type);
}

enum odks_exit
odks_cmd_doctor(const struct odks_cli *cli, struct odks_err *err)
{
    struct doctor d = { .cli = cli, .db_now = ODKS_TIME_NONE };

    d.findings = json_object_new_array();
    if (!odks_cmd_config_load(cli, &d.c.cfg, err)) {
        bad(&d, "config", err);
    } else {
        good(&d, "config", "%zu job%s", odks_config_job_count(d.c.cfg),
             odks_config_job_count(d.c.cfg) == 1 ? "" : "s");
        check_database(&d, err);
        for (size_t i = 0; i < odks_config_central_count(d.c.cfg); i++)
            check_central(&d, odks_config_central(d.c.cfg, i), err);
        for (size_t i = 0; i < odks_config_job_count(d.c.cfg); i++) {
            if (strcmp(odks_config_job(d.c.cfg, i)->kind, "sql") == 0)
                check_sql(&d, odks_config_job(d.c.cfg, i), err);
        }
    }
    if (cli->json)
        printf("%s\n", json_object_to_json_string_ext(d.findings,
                                                      JSON_C_TO_STRING_PRETTY));
    json_object_put(d.findings);
    odks_cmd_close(&d.c);
    return d.worst;
}
