/* bin/doctor_database.c - SPDX-License-Identifier: Apache-2.0 */
/* The database: connection, tracking tables, rights, clock. */
#include <config.h>

#include <string.h>

#include "bin/doctor.h"
#include "db/migrate.h"
#include "run/instance.h"
#include "sql/queries.h"
#include "track/track.h"

static void
check_rights(struct odks_doctor *d, const char *schema, struct odks_err *err)
{
    const struct odks_database_conf *conf = odks_config_database(d->c.cfg);
    const char *const params[] = { schema };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_doctor_rights, params, err);

    if (res == NULL) {
        odks_doctor_fail(d, "rights", err);
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
        odks_doctor_fail(d, "rights", err);
        return;
    }
    odks_doctor_good(d, "rights", "role %s may do what it must in schema %s",
                     role, odks_db_text(res, 0, 1));
    if (odks_db_text(res, 0, 6) != NULL)
        odks_doctor_good(d, "postgis", "version %s is there",
                         odks_db_text(res, 0, 6));
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
check_old_service(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_track_old_service(d->c.db, err);
    char message[200];

    if (res == NULL) {
        odks_doctor_fail(d, "tables", err);
        return;
    }
    if (PQntuples(res) == 0)
        return;
    (void) snprintf(message, sizeof(message),
                    "the old service still runs: %s wrote history at %s",
                    odks_db_text(res, 0, ODKS_OLD_SERVICE_INSTANCE),
                    odks_db_text(res, 0, ODKS_OLD_SERVICE_WROTE));
    odks_doctor_warn(
        d, "tables", message,
        "Stop it when odk-sync does its work; until then both may run.");
}

static void
check_clock_of_database(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_server_now, NULL, err);

    if (res == NULL)
        odks_doctor_fail(d, "clock", err);
    else
        d->db_now = odks_db_int64(res, 0, 0);
}

void
odks_doctor_database(struct odks_doctor *d, struct odks_err *err)
{
    odks_instance(d->c.instance);
    if (!odks_config_db_conf(d->c.cfg, d->c.instance, &d->c.conf, err)
        || !odks_db_connect(&d->c.conf, &d->c.db, err)
        || !odks_db_begin(d->c.db, err)) {
        odks_doctor_fail(d, "database", err);
        return;
    }
    odks_doctor_good(
        d, "database", "connected%s",
        odks_db_pooled(d->c.db)
            ? " through a pooler: a crashed run is noticed when its lease "
              "ends, not at once"
            : "");
    check_clock_of_database(d, err);
    if (!odks_migrate_check(d->c.db, err)) {
        bool refused = strcmp(err->sqlstate, "42501") == 0;

        if (refused)
            odks_err_hint(err, "Grant the rights below.");
        odks_doctor_fail(d, "tables", err);
        odks_db_rollback(d->c.db);
        if (refused && odks_db_begin(d->c.db, err))
            check_rights(d, odks_config_database(d->c.cfg)->schema, err);
        return;
    }
    odks_doctor_good(d, "tables", "the tracking tables are of this version");
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
